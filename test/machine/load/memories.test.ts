import test from 'ava'
import { breath } from '../../../kernel/breath.ts'
import { Content, giveMemory, type LentMemory, takeMemory } from '../../../machine/load/memories.ts'

/** A size that no domain of another test has. */
const PAGES = 33
const BYTES = PAGES * 65_536
const PIECE = 4096

const bytesOf = ({ memory }: LentMemory): Uint8Array => new Uint8Array(memory.buffer)
const zero = new Content(BYTES, [])

/** What a memory is to hold: some bytes of one value, from the first piece to the last. */
const marked = (value: number): Content => {
  const bytes = new Uint8Array(3 * PIECE).fill(value)
  const last = new Uint8Array(PIECE)
  last[PIECE - 1] = value
  return new Content(BYTES, [
    { at: 0, bytes },
    { at: 50 * PIECE, bytes: bytes.subarray(PIECE) },
    { at: BYTES - PIECE, bytes: last },
  ])
}

const expected = ({ runs }: Content): Uint8Array => {
  const all = new Uint8Array(BYTES)
  for (const { at, bytes } of runs) all.set(bytes, at)
  return all
}

const same = (lent: LentMemory, content: Content): boolean => Buffer.compare(bytesOf(lent), expected(content)) === 0

test.serial('a memory that was given back is handed out again, and holds what is laid to the byte', (t) => {
  const lent = takeMemory(PAGES)
  lent.lay(marked(1))
  t.true(same(lent, marked(1)))
  const bytes = bytesOf(lent)
  for (const at of [0, 1, 4095, 4096, 65_535, bytes.length - 4096, bytes.length - 1]) bytes[at] = 0xa5
  bytes.fill(0x5a, 100_000, 300_000)
  for (const content of [marked(1), marked(2), zero, marked(2), zero]) {
    giveMemory(lent, () => true)
    const again = takeMemory(PAGES)
    t.is(again, lent)
    again.lay(content)
    t.true(same(again, content))
    bytes[5 * PIECE + 63] = 1
    bytes[bytes.length - 1]! ^= 1
  }
})

test.serial('one that is left is laid again as soon as the host has a moment, with what it held last', async (t) => {
  const lent = takeMemory(PAGES + 3)
  const content = new Content(BYTES + 3 * 65_536, marked(3).runs)
  const holdsIt = (): boolean => Buffer.compare(bytesOf(lent).subarray(0, BYTES), expected(content)) === 0
  lent.lay(content)
  bytesOf(lent).fill(0xa5, 10, 200_000)
  let quiet = false
  giveMemory(lent, () => quiet)
  await breath()
  t.false(lent.ready, 'somebody may still write to it')
  t.is(bytesOf(lent)[10], 0xa5)
  quiet = true
  giveMemory(takeMemory(PAGES + 3), () => true)
  await breath()
  t.true(lent.ready)
  t.true(holdsIt())
  t.is(takeMemory(PAGES + 3), lent)
  lent.lay(content)
  t.false(lent.ready)
  t.true(holdsIt())
  bytesOf(lent)[20] = 1
  giveMemory(lent, () => true)
  t.is(takeMemory(PAGES + 3), lent)
  await breath()
  t.is(bytesOf(lent)[20], 1, 'nor is one that somebody has')
  lent.lay(content)
  t.true(holdsIt())
})

test.serial('of one that was laid again, another content is laid as well', async (t) => {
  const lent = takeMemory(PAGES)
  lent.lay(marked(1))
  giveMemory(lent, () => true)
  await breath()
  t.true(lent.ready)
  t.is(takeMemory(PAGES), lent)
  lent.lay(marked(2))
  t.true(same(lent, marked(2)))
  giveMemory(lent, () => true)
})

test.serial('one that was written before anything was laid holds nothing of it afterwards', (t) => {
  const lent = takeMemory(PAGES + 2)
  bytesOf(lent)[70_000] = 1
  giveMemory(lent, () => true)
  const again = takeMemory(PAGES + 2)
  t.is(again, lent)
  again.lay(new Content(BYTES + 2 * 65_536, []))
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
  t.is(takeMemory(PAGES + 1).memory.buffer.byteLength, BYTES + 65_536)
  t.throws(() => takeMemory(PAGES + 1).lay(zero), { instanceOf: RangeError })
  const taken = Array.from({ length: 5 }, () => takeMemory(PAGES))
  t.is(taken.filter((memory) => many.includes(memory)).length, 2)
})
