import test from 'ava'
import { dataApart, variablesOf } from '../../../machine/load/data-segments.ts'

const section = (id: number, ...bytes: number[]): number[] => [id, bytes.length, ...bytes]
const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const MEMORY = section(5, 1, 0, 1)
const NAMES = section(0, 1, 0x78, 7)
const module = (...sections: number[][]): Uint8Array<ArrayBuffer> => Uint8Array.from([...HEAD, ...sections.flat()])

test('data at fixed addresses is taken out, and all else stays as it was', (t) => {
  // At 300 and at -8, which is the end of memory: LEB128, signed.
  const data = section(11, 2, 0, 0x41, 0xac, 0x02, 0x0b, 3, 1, 2, 3, 0, 0x41, 0x78, 0x0b, 1, 9)
  const apart = dataApart(module(MEMORY, data, NAMES))
  t.deepEqual([...apart.wasm], [...module(MEMORY, NAMES)])
  t.deepEqual(
    apart.data.map(({ at, bytes }) => [at, [...bytes]]),
    [
      [300, [1, 2, 3]],
      [0xfffffff8, [9]],
    ],
  )
  t.true(apart.complete)
  t.true(WebAssembly.validate(apart.wasm))
})

test('a module whose data is laid otherwise keeps it', (t) => {
  t.true(dataApart(module(MEMORY)).complete)
  for (const wasm of [
    module(MEMORY, section(11, 1, 1, 2, 5, 6)),
    module(MEMORY, section(11, 1, 0, 0x23, 0, 0x0b, 1, 5)),
    module(MEMORY, section(12, 1), section(11, 1, 0, 0x41, 0, 0x0b, 1, 5)),
  ]) {
    const apart = dataApart(wasm)
    t.is(apart.wasm, wasm)
    t.deepEqual(apart.data, [])
    t.false(apart.complete)
  }
})

test('a core whose code may write other globals than those it shows is found', (t) => {
  const constant = [0x7f, 0, 0x41, 0x80, 0x80, 0x04, 0x0b]
  const variable = [0x7e, 1, 0x42, 0x7f, 0x0b]
  t.is(variablesOf(module(MEMORY)), 0)
  t.is(variablesOf(module(MEMORY, section(6, 1, ...constant))), 0)
  t.is(variablesOf(module(MEMORY, section(6, 3, ...variable, ...constant, ...variable))), 2)
  // It begins with what another global holds.
  t.is(variablesOf(module(MEMORY, section(6, 2, ...constant, 0x7f, 1, 0x23, 0, 0x0b))), Infinity)
})
