/** Objects that are changed before they are linked: only what was asked for is another. */
import test from 'ava'
import { readObject, renameSegments, type WasmObject } from '../../../pipeline/wasm/object.ts'
import { assembleObject, HOLE } from '../bind/_object.ts'

const object = assembleObject({
  types: [[[], []]],
  functions: [{ type: 0, code: [0x41, ...HOLE, 0x1a] }],
  data: [
    { name: '.rodata..L.str', align: 1, flags: 1, bytes: [104, 105, 0] },
    { name: '.initcall6.init', align: 2, flags: 4, bytes: [1, 0, 0, 0] },
  ],
  symbols: [
    { kind: 'function', name: 'run', index: 0 },
    { kind: 'data', name: 'text', data: [0, 0, 3] },
    { kind: 'data', name: 'call', data: [1, 0, 4] },
  ],
  code: [[4, 4, 1, 0]],
})

const relocations = ({ module }: WasmObject): Uint8Array[] =>
  module.sections
    .filter(({ name }) => name.startsWith('reloc.'))
    .map(({ start, end }) => module.bytes.slice(start, end))

test('a segment is called otherwise, and all else is as it was', (t) => {
  for (const name of ['.x', '.rodata..L.str', `.${'long'.repeat(60)}`]) {
    const before = readObject(object)
    const after = readObject(renameSegments(object, (was) => (was.startsWith('.rodata') ? name : was)))
    t.deepEqual(after.segments, [{ ...before.segments[0]!, name }, before.segments[1]!])
    t.deepEqual(
      after.symbols.map(({ flagsAt: _at, ...symbol }) => symbol),
      before.symbols.map(({ flagsAt: _at, ...symbol }) => symbol),
    )
    t.deepEqual(relocations(after), relocations(before))
    const bytesOf = ({ module }: WasmObject) => module.data.map(({ start, end }) => module.bytes.slice(start, end))
    t.deepEqual(bytesOf(after), bytesOf(before))
  }
})

test('where every name stays, it is the same object', (t) => {
  t.deepEqual(
    renameSegments(object, (name) => name),
    object,
  )
})
