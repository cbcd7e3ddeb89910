/** Rings in either direction, at their edges; at random and as virtio has them: memory.test.ts. */
import test from 'ava'
import { CNode } from '../../kernel/capability.ts'
import { copy, MemoryObject } from '../../kernel/memory-object.ts'
import { BROKEN, passes, Ring, RING_HEADER } from '../../kernel/ring.ts'

const OWNER = 0
const PEER = 1
const OWNER_WANTS = 2
const PEER_WANTS = 3

function made(outward: boolean, slots = 4, slotBytes = 2) {
  const memory = new Uint8Array(8 + RING_HEADER + slots * slotBytes + 8).fill(0xee)
  const ring = new Ring('r', memory.subarray(8, memory.length - 8), slots, slotBytes, outward)
  const words = new Int32Array(memory.buffer, 8, 8)
  const slot = (at: number): number[] => [...memory.subarray(8 + RING_HEADER + at * slotBytes).subarray(0, slotBytes)]
  return { memory, ring, words, slot }
}

test('a ring has a power of two of slots up to 65,536, of a size, and lies within its bytes, aligned', (t) => {
  const over = (bytes: Uint8Array, slots: number, slotBytes: number): string => {
    try {
      return `${new Ring('r', bytes, slots, slotBytes, true).slots}`
    } catch (error) {
      return error instanceof RangeError ? error.message : String(error)
    }
  }
  const bytes = new Uint8Array(RING_HEADER + 65_536)
  t.deepEqual(
    [over(bytes, 1, 1), over(bytes, 65_536, 1), over(bytes.subarray(4, 4 + RING_HEADER + 8), 4, 2)],
    ['1', '65536', '4'],
  )
  for (const slots of [0, -4, 3, 131_072, 2 ** 32])
    t.is(over(bytes, slots, 1), `a ring of ${slots} slots: expected a power of two up to 65536`)
  t.is(over(bytes.subarray(0, RING_HEADER + 7), 4, 2), '4 slots of 2 bytes do not fit 39 bytes')
  for (const [some, slotBytes] of [
    [bytes, 0],
    [bytes, -1],
    [bytes, NaN],
    [bytes.subarray(1), 2],
    [bytes.subarray(2), 2],
  ] as const)
    t.is(over(some, 4, slotBytes), `4 slots of ${slotBytes} bytes do not fit ${some.length} bytes`)
})

test('a new one is empty and both sides want to hear of its first slot; nothing but its header is written', (t) => {
  const { memory, ring, words } = made(true)
  t.deepEqual([...words], [0, 0, 0, 0, 0, 0, 0, 0])
  t.deepEqual([...new Set([...memory.subarray(0, 8), ...memory.subarray(8 + RING_HEADER)])], [0xee])
  t.deepEqual(
    [ring.type, ring.label, ring.slots, ring.slotBytes, ring.outward, ring.closed],
    ['ring', 'r', 4, 2, true, false],
  )
  t.deepEqual([ring.ownerBell.label, ring.peerBell.label], ['r: owner', 'r: peer'])
  t.deepEqual(ring.counts, { crossings: 0, slots: 0, signals: 0, suppressed: 0 })
  t.deepEqual(
    [passes(0, 0, 1), passes(1, 0, 1), passes(0, 1, 2), passes(1, 0, 3), passes(-1, -1, 0)],
    [true, false, false, true, true],
  )
})

test('programs know what is broken by its number', (t) => t.is(BROKEN, -1))

test('inward: the peer fills what the owner has left free, over the wrap, and no slot beyond', (t) => {
  const { memory, ring, words, slot } = made(false)
  t.is(ring.ready, 4)
  t.is(ring.put(Uint8Array.of(1, 2, 3, 4, 5, 6), 3), 3)
  t.deepEqual(
    [slot(0), slot(1), slot(2), slot(3), ring.ready, words[PEER]],
    [[1, 2], [3, 4], [5, 6], [0xee, 0xee], 1, 3],
  )
  words[OWNER] = 2
  t.is(ring.put(Uint8Array.of(11, 12, 13, 14, 15, 16, 17, 18), 4), 3)
  t.deepEqual([slot(0), slot(1), slot(2), slot(3), ring.ready], [[13, 14], [15, 16], [5, 6], [11, 12], 0])
  t.is(ring.put(Uint8Array.of(9, 9), 1), 0)
  t.deepEqual([ring.counts.slots, words[PEER]], [6, 6])
  t.deepEqual(
    [...memory.subarray(8 + RING_HEADER + 8)],
    Array.from({ length: 8 }, () => 0xee),
  )
  words[OWNER] = 7
  t.deepEqual([ring.ready, ring.put(Uint8Array.of(9, 9), 1)], [BROKEN, BROKEN], 'it has consumed what was not there')
})

test('outward: the peer takes what the owner has produced, over the wrap, and no more', (t) => {
  const { memory, ring, words } = made(true)
  memory.set([1, 2, 3, 4, 5, 6, 7, 8], 8 + RING_HEADER)
  const into = new Uint8Array(8)
  words[OWNER] = 3
  t.deepEqual([ring.ready, ring.take(into, 2), ring.ready, words[PEER]], [3, 2, 1, 2])
  t.deepEqual([...into], [1, 2, 3, 4, 0, 0, 0, 0])
  words[OWNER] = 6
  t.deepEqual([ring.ready, ring.take(into, 9), ring.ready], [4, 4, 0])
  t.deepEqual([...into], [5, 6, 7, 8, 1, 2, 3, 4])
  t.deepEqual([ring.take(into, 1), ring.counts.slots], [0, 6])
  words[OWNER] = 11
  t.deepEqual([ring.ready, ring.take(into, 1)], [BROKEN, BROKEN])
})

test('indices wrap at 2^32', (t) => {
  // With as many slots as there may be, of one byte, it takes 2^16 rounds to come there.
  const SLOTS = 65_536
  const memory = new Uint8Array(RING_HEADER + SLOTS)
  const ring = new Ring('r', memory, SLOTS, 1, true)
  const words = new Int32Array(memory.buffer, 0, 8)
  const into = new Uint8Array(SLOTS)
  for (let round = 1; round < SLOTS; round++) {
    words[OWNER] = round * SLOTS
    if (ring.take(into, SLOTS) !== SLOTS) return t.fail(`round ${round}`)
  }
  t.is(words[PEER], -SLOTS)
  words[OWNER] = 5
  t.deepEqual([ring.ready, ring.take(into, SLOTS)], [BROKEN, BROKEN])
  words[OWNER] = -1
  t.is(ring.take(into, SLOTS), SLOTS - 1)
  words[OWNER] = 5
  t.deepEqual([ring.ready, ring.take(into, 9), words[PEER], ring.ready], [6, 6, 5, 0])
  words[OWNER_WANTS] = 4
  t.deepEqual([ring.ownerMayWait(), ring.ownerWants(6)], [false, true])
  words[OWNER_WANTS] = 5
  t.deepEqual([ring.ownerMayWait(), ring.ownerWants(6)], [true, false])
})

test('the owner is told when the slot moved at which it asked to hear, and how often it was, or was not, is counted', (t) => {
  const { ring, words } = made(false)
  const some = new Uint8Array(8)
  t.false(ring.ownerWants(0))
  ring.put(some, 1)
  t.true(ring.ownerWants(1))
  ring.put(some, 1)
  t.false(ring.ownerWants(1))
  words[OWNER_WANTS] = 3
  t.true(ring.ownerMayWait(), 'two were moved, the fourth is what it waits for')
  ring.put(some, 1)
  t.false(ring.ownerWants(1))
  t.true(ring.ownerMayWait())
  ring.put(some, 1)
  t.true(ring.ownerWants(1))
  t.false(ring.ownerMayWait())
  words[OWNER] = 4
  ring.put(some, 1)
  t.false(ring.ownerWants(1))
  t.deepEqual([ring.counts.signals, ring.counts.suppressed], [2, 3])
})

test('the peer may wait when there is nothing for it to move, and hears of the owner from there on', (t) => {
  for (const outward of [true, false]) {
    const { ring, words } = made(outward)
    words[OWNER] = outward ? 1 : 0
    t.false(ring.peerMayWait())
    t.is(words[PEER_WANTS], words[OWNER])
    t.is(outward ? ring.take(new Uint8Array(8), 4) : ring.put(new Uint8Array(8), 4), outward ? 1 : 4)
    t.true(ring.peerMayWait())
    words[OWNER] = 99
    t.false(ring.peerMayWait(), 'what is broken is to be looked at')
    t.is(words[PEER_WANTS], 99)
  }
})

test('when the last of its peers has gone, it is abandoned; the owner’s own capability is none of theirs', (t) => {
  const { ring } = made(true)
  let abandoned = 0
  ring.abandoned = () => abandoned++
  const [owner, peer] = [new CNode('owner', 4), new CNode('peer', 4)]
  const root = owner.create(ring)
  t.is(ring.root, root)
  const [one, two] = [peer.derive(root, ring), peer.derive(root, ring)]
  peer.delete(one)
  t.is(abandoned, 0)
  peer.delete(two)
  t.is(abandoned, 1)
  const again = peer.derive(root, ring)
  owner.delete(root)
  t.is(abandoned, 1)
  peer.delete(again)
  t.is(abandoned, 2)
})

// ---- memory objects ----

test('a memory object is of bytes of its own, all zero, or of those it was lent, which are not to be given away', (t) => {
  const own = new MemoryObject('own', 4)
  t.deepEqual([own.type, own.label, own.size, own.ownable, own.load(0, 4)], ['memory', 'own', 4, true, 0])
  const bytes = Uint8Array.of(1, 2, 3)
  const lent = new MemoryObject('lent', 99, bytes)
  t.deepEqual([lent.size, lent.ownable, lent.load(0, 2)], [3, false, 0x0201])
  lent.store(1, 2, 0x1234)
  t.deepEqual([...bytes], [1, 0x34, 0x12])
  t.deepEqual([lent.write(0, Uint8Array.of(7, 8, 9)), [...bytes]], [true, [7, 8, 9]])
  t.deepEqual([lent.write(1, Uint8Array.of(5, 5, 5)), [...bytes]], [false, [7, 8, 9]])
  lent.close()
  t.deepEqual([lent.size, [...bytes], lent.write(0, Uint8Array.of(1))], [0, [7, 8, 9], false])
})

test('numbers are little-endian, of as many bytes as asked for', (t) => {
  const object = new MemoryObject('o', 8)
  object.store(1, 4, -2)
  object.store(5, 1, 0x1ff)
  const other = new MemoryObject('p', 4)
  other.store(0, 4, 0x0403_0201)
  t.deepEqual(
    [0, 1, 2, 3].map((at) => other.load(at, 1)),
    [1, 2, 3, 4],
  )
  t.deepEqual(
    [object.load(1, 4), object.load(1, 2), object.load(5, 1), object.load(0, 1), object.load(6, 2)],
    [-2, 0xfffe, 0xff, 0, 0],
  )
})

test('few bytes and many are copied alike, also within one buffer', (t) => {
  for (const length of [0, 1, 63, 64, 65, 200]) {
    const from = Uint8Array.from({ length: 300 }, (_, i) => i)
    const to = new Uint8Array(300)
    copy(from, 5, to, 9, length)
    t.deepEqual(
      to,
      Uint8Array.from({ length: 300 }, (_, i) => (i >= 9 && i < 9 + length ? i - 4 : 0)),
    )
    const moved = Uint8Array.from(from)
    copy(moved, 5, moved, 9, length)
    t.deepEqual(
      moved,
      from.map((value, i) => (i >= 9 && i < 9 + length ? from[i - 4]! : value)),
    )
  }
})
