/** The binder on objects made by hand: every kind of relocation, and what no compiler writes. */
import fc from 'fast-check'
import test from 'ava'
import { bindModule, readLinkable, type BindOptions, type Symbols } from '../../../pipeline/bind/index.ts'
import { put32, putSigned32, putWord } from '../../../pipeline/bind/relocate.ts'
import { Cursor, WasmError } from '../../../pipeline/wasm/bytes.ts'
import { readModule } from '../../../pipeline/wasm/module.ts'
import { assembleObject, HOLE, I32, UNDEFINED, type ObjectParts } from './_object.ts'

const CORE: Symbols = {
  functions: new Map([
    ['core_call', { type: 'i>i', slot: 4097, gplOnly: false }],
    ['core_other', { type: '>i', slot: 4098, gplOnly: false }],
  ]),
  data: new Map([['core_word', { address: 0x40000, gplOnly: false }]]),
}

const OPTIONS: BindOptions = {
  name: 'm',
  entries: { init: 'init', exit: 'exit', self: 'self' },
  self: { bytes: 16, page: 64 },
  memoryBase: 0x10000,
  memoryEnd: 0x20000,
  tableBase: 5000,
  debug: false,
}

/** One function of the module, `init`, and whatever else it refers to. */
const object = (parts: Partial<ObjectParts>): Uint8Array =>
  assembleObject({ types: [[[], [I32]]], symbols: [{ kind: 'function', name: 'init', index: 0 }], ...parts })

const bound = (...objects: Uint8Array[]) =>
  bindModule(
    objects.map((bytes, i) => readLinkable(bytes, `${i}.o`)),
    CORE,
    [],
    OPTIONS,
  )

/** Run what init returns. */
function run(
  module: ReturnType<typeof bound>,
  core: Record<string, unknown> = {},
): { value: number; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: 8 })
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 5100 })
  const stack = new WebAssembly.Global({ value: 'i32', mutable: true }, 0x8000)
  const env = { memory, __indirect_function_table: table, __stack_pointer: stack }
  const imports = { env, core } as unknown as WebAssembly.Imports
  void new WebAssembly.Instance(new WebAssembly.Module(module.wasm as Uint8Array<ArrayBuffer>), imports)
  return { value: (table.get(module.init!) as () => number)(), memory }
}

test('a call of the core, with the address of its data and an offset', (t) => {
  const bytes = object({
    types: [
      [[], [I32]],
      [[I32], [I32]],
    ],
    imports: [['env', 'core_call', 1]],
    functions: [{ type: 0, code: [0x41, ...HOLE, 0x10, ...HOLE] }],
    symbols: [
      { kind: 'function', name: 'init', index: 1 },
      { kind: 'function', name: 'core_call', index: 0, flags: UNDEFINED },
      { kind: 'data', name: 'core_word', flags: UNDEFINED },
    ],
    code: [
      [4, 4, 2, 12],
      [0, 10, 1],
    ],
  })
  t.is(run(bound(bytes), { core_call: (x: number) => x + 1 }).value, 0x40000 + 12 + 1)
})

test('a load and a store at addresses of its own data, which has an address and a slot in it', (t) => {
  const bytes = object({
    // i32.const 0, i32.load [word]
    functions: [{ type: 0, code: [0x41, 0, 0x28, 2, ...HOLE] }],
    imports: [['env', 'core_other', 0]],
    data: [
      { name: '.data.word', align: 2, bytes: [0, 0, 0, 0] },
      { name: '.data.slots', align: 2, bytes: [0, 0, 0, 0, 0, 0, 0, 0] },
      { name: '.bss.zero', align: 4, bytes: [0, 0, 0, 0] },
    ],
    symbols: [
      { kind: 'function', name: 'init', index: 1 },
      { kind: 'data', name: 'word', data: [0, 0, 4] },
      { kind: 'data', name: 'slots', data: [1, 0, 8] },
      { kind: 'function', name: 'core_other', index: 0, flags: UNDEFINED },
      { kind: 'data', name: 'zero', data: [2, 0, 4] },
    ],
    code: [[3, 7, 1]],
    dataRelocations: [
      [5, 6, 2, 4],
      [2, 15, 3],
      [5, 19, 4],
    ],
  })
  const module = bound(bytes)
  const { value, memory } = run(module)
  const word = (address: number) => new DataView(memory.buffer).getUint32(address, true)
  t.is(word(value - 4), 4098, 'the slot that the core gave')
  t.is(word(value) % 16, 0, 'zeros keep their alignment')
  t.is(word(value) + 4, module.memory.end)
})

test('an indirect call: type, table and slot', (t) => {
  const bytes = object({
    types: [
      [[], [I32]],
      [[I32, I32], [I32]],
    ],
    functions: [
      { type: 0, code: [0x41, ...HOLE, 0x11, ...HOLE, ...HOLE] },
      { type: 0, code: [0x41, 0x2a] },
    ],
    symbols: [
      { kind: 'function', name: 'init', index: 0 },
      { kind: 'function', name: 'answer', index: 1 },
      { kind: 'table', name: '__indirect_function_table', index: 0, flags: UNDEFINED },
    ],
    code: [
      [1, 4, 1],
      [6, 10, 0],
      [20, 15, 2],
    ],
  })
  t.is(run(bound(bytes)).value, 42)
})

test('the stack pointer is imported when it is used', (t) => {
  const using = object({
    stack: true,
    functions: [{ type: 0, code: [0x23, ...HOLE] }],
    symbols: [
      { kind: 'function', name: 'init', index: 0 },
      { kind: 'global', name: '__stack_pointer', index: 0, flags: UNDEFINED },
    ],
    code: [[7, 4, 1]],
  })
  t.is(run(bound(using)).value, 0x8000)
  const other = object({ functions: [{ type: 0, code: [0x41, 1] }] })
  t.deepEqual(readModule(bound(other).wasm).importedGlobals, [])
})

test('definitions of two objects of a name are told, unless one is weak', (t) => {
  const one = (value: number, flags: number) =>
    object({
      functions: [{ type: 0, code: [0x41, value] }],
      symbols: [{ kind: 'function', name: 'init', index: 0, flags }],
    })
  t.deepEqual(bound(one(1, 0), one(2, 0)).duplicate, ['init'])
  t.deepEqual([bound(one(1, 1), one(2, 0)).duplicate, run(bound(one(1, 1), one(2, 0))).value], [[], 2])
  t.is(run(bound(one(1, 0), one(2, 1))).value, 1)
  t.is(run(bound(one(1, 2), one(2, 0))).value, 2, 'a local name is no definition')
})

const refusals: Record<string, readonly [parts: Partial<ObjectParts>, message: RegExp]> = {
  'a relocation of a kind that is for shared libraries': [
    { functions: [{ type: 0, code: [0x41, ...HOLE] }], code: [[11, 4, 0]] },
    /relocation of type 11/,
  ],
  'a relocation behind all functions': [
    { functions: [{ type: 0, code: [0x41, 0] }], code: [[0, 60, 0]] },
    /lies outside of code/,
  ],
  'a relocation across two functions': [
    {
      functions: [
        { type: 0, code: [0x41, 0] },
        { type: 0, code: [0x41, 0] },
      ],
      code: [[0, 4, 0]],
    },
    /between two functions/,
  ],
  'a relocation with a symbol that is not there': [
    { functions: [{ type: 0, code: [0x41, ...HOLE] }], code: [[4, 4, 9]] },
    /symbol 9 of 1/,
  ],
  'a relocation with a type that is not there': [
    { functions: [{ type: 0, code: [0x41, 0, 0x11, ...HOLE, 0] }], code: [[6, 6, 9]] },
    /type 9 of 1/,
  ],
  'an alignment of a page and more': [
    {
      functions: [{ type: 0, code: [0x41, ...HOLE] }],
      data: [{ name: '.data.x', align: 20, bytes: [0] }],
      symbols: [
        { kind: 'function', name: 'init', index: 0 },
        { kind: 'data', name: 'x', data: [0, 0, 1] },
      ],
      code: [[4, 4, 1]],
    },
    /alignment of 2\^20/,
  ],
  'segments without names': [
    { data: [{ name: '.data', bytes: [0] }], unnamed: true },
    /1 data segments, 0 of them named/,
  ],
  'another version of the format': [{ linkingVersion: 1 }, /version 1, 2 expected/],
}

for (const [title, [parts, message]] of Object.entries(refusals))
  test(`refuses ${title}`, (t) => {
    t.throws(() => bound(object({ functions: [{ type: 0, code: [0x41, 0] }], ...parts })), {
      instanceOf: WasmError,
      message,
    })
  })

test('a damaged object is refused or bound, never more', (t) => {
  const good = object({
    imports: [['env', 'core_other', 0]],
    stack: true,
    functions: [{ type: 0, code: [0x23, ...HOLE, 0x1a, 0x41, ...HOLE, 0x1a, 0x10, ...HOLE] }],
    data: [{ name: '__param', align: 2, flags: 4, bytes: [1, 2, 3, 4, 0, 0, 0, 0] }],
    symbols: [
      { kind: 'function', name: 'init', index: 1 },
      { kind: 'function', name: 'core_other', index: 0, flags: UNDEFINED },
      { kind: 'data', name: 'table', data: [0, 4, 4] },
      { kind: 'global', name: '__stack_pointer', index: 0, flags: UNDEFINED },
    ],
    code: [
      [7, 4, 3],
      [4, 11, 2],
      [0, 18, 1],
    ],
    dataRelocations: [[2, 10, 0]],
  })
  t.notThrows(() => bound(good))
  const edit = fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(good.length), (edits, cut) => {
      const bytes = good.slice(0, cut % 7 === 0 ? cut : good.length)
      for (const { at, value } of edits) if (at < bytes.length) bytes[at] = value
      try {
        bound(bytes)
      } catch (error) {
        if (!(error instanceof WasmError)) throw error
      }
    }),
    { numRuns: 5000, seed: 1 },
  )
  t.pass()
})

test('numbers of five bytes are read as they were written', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
      const bytes = new Uint8Array(12)
      put32(bytes, 1, value)
      if (new Cursor(bytes, 1).u32() !== value >>> 0) return false
      putSigned32(bytes, 1, value)
      const cursor = new Cursor(bytes, 1)
      if (cursor.s32() !== value || cursor.pos !== 6) return false
      putWord(bytes, 2, value)
      return new Cursor(bytes, 2).u32le() === value >>> 0 && bytes[0] === 0 && bytes[7] === 0
    }),
    { seed: 1 },
  )
  t.pass()
})
