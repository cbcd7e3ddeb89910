import test from 'ava'
import { giveMemory, takeMemory } from '../../../machine/load/memories.ts'

/** A size that no domain of another test has. */
const PAGES = 33

const bytesOf = (memory: WebAssembly.Memory): Uint8Array => new Uint8Array(memory.buffer)

test.serial('a memory that was given back is handed out again, and every byte of it is zero', (t) => {
  const memory = takeMemory(PAGES)
  const bytes = bytesOf(memory)
  for (const at of [0, 1, 4095, 4096, 65_535, bytes.length - 4096, bytes.length - 1]) bytes[at] = 0xa5
  bytes.fill(0x5a, 100_000, 300_000)
  giveMemory(memory, () => true)
  const again = takeMemory(PAGES)
  t.is(again, memory)
  t.true(bytesOf(again).every((byte) => byte === 0))
})

test.serial('one that somebody may still write to is not', (t) => {
  const memory = takeMemory(PAGES)
  let quiet = false
  giveMemory(memory, () => quiet)
  const other = takeMemory(PAGES)
  t.not(other, memory)
  quiet = true
  t.is(takeMemory(PAGES), memory)
})

test.serial('sizes are not mixed, and few are kept', (t) => {
  const many = Array.from({ length: 5 }, () => takeMemory(PAGES))
  for (const memory of many) giveMemory(memory, () => true)
  t.is(takeMemory(PAGES + 1).buffer.byteLength, (PAGES + 1) * 65_536)
  const taken = Array.from({ length: 5 }, () => takeMemory(PAGES))
  t.is(taken.filter((memory) => many.includes(memory)).length, 2)
})
