import test from 'ava'
import { pagesWithin, withMemory } from '../../../machine/load/memory-limit.ts'

/** A module with nothing but a memory of `minimum` to `maximum` pages, each written in three bytes. */
const module = (minimum: number, maximum: number): Uint8Array<ArrayBuffer> => {
  const leb = (n: number): number[] => [(n & 0x7f) | 0x80, ((n >> 7) & 0x7f) | 0x80, n >> 14]
  const memory = [1, 1, ...leb(minimum), ...leb(maximum)]
  const exported = [1, 1, 0x6d, 2, 0]
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, memory.length, ...memory, 7, exported.length, ...exported])
}

test('a smaller memory is written into as many bytes, and is what the instance gets', (t) => {
  const wasm = module(1024, 1024)
  const small = withMemory(wasm, 3)
  t.is(small.length, wasm.length)
  t.deepEqual([...wasm], [...module(1024, 1024)], 'the original is as it was')
  const { m } = new WebAssembly.Instance(new WebAssembly.Module(small)).exports as { m: WebAssembly.Memory }
  t.is(m.buffer.byteLength, 3 * 65536)
  t.throws(() => m.grow(1), { instanceOf: RangeError })
})

test('a quota gives whole pages, and never more than was asked for', (t) => {
  t.is(pagesWithin(512, 10 * 65536 + 1), 10)
  t.is(pagesWithin(512, 64 << 20), 512)
  t.is(pagesWithin(512, 100), 0)
})
