import fc from 'fast-check'
import test from 'ava'
import { type Capability, CNode, RIGHT } from '../../kernel/capability.ts'
import { mint } from '../../kernel/cspace.ts'
import { Endpoint, Ipc, Party } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { EXCLUSIVE } from '../../kernel/transfer.ts'
import { MemoryObject } from '../../kernel/memory-object.ts'
import { BROKEN, passes, Ring, RING_HEADER } from '../../kernel/ring.ts'
import { Partition, Scheduler } from '../../kernel/schedule.ts'
import { Noted } from './model/_ipc-pair.ts'
import { holdMemoryToModel } from './model/_memory-pair.ts'

/** Two parties and an endpoint from the first to the second, which opens three slots. */
function pair() {
  const scheduler = new Scheduler()
  const partition = scheduler.add(new Partition('all', 1))
  const ipc = new Ipc(scheduler)
  const party = (name: string) => new Party(new Noted(name, 1, partition, () => undefined), new CNode(name, 32))
  const [from, to] = [party('from'), party('to')]
  const endpoint = new Endpoint('post')
  const root = to.capabilities.create(endpoint, { slot: 0 })
  from.capabilities.derive(root, endpoint, { slot: 0, rights: RIGHT.WRITE | RIGHT.GRANT })
  to.window = 8
  to.windowSize = 3
  const send = (moved: number, ...caps: number[]): number => {
    ipc.receive(to, 0)
    from.out.set(1)
    from.out.capCount = caps.length
    from.out.moved = moved
    caps.forEach((slot, i) => (from.out.caps[i] = slot))
    const result = ipc.send(from, 0)
    ipc.cancel(to)
    return result
  }
  return { ipc, from, to, send }
}

const memory = (space: CNode, slot: number, size = 64): Capability<MemoryObject> =>
  space.create(new MemoryObject('a buffer', size), { slot })

test('Singularity: memory moved exclusively is nobody else’s any more, wherever it was shared', (t) => {
  const { from, to, send } = pair()
  const other = new CNode('other', 8)
  const own = memory(from.capabilities, 1)
  const kept = mint(from.capabilities, 1, 2)
  const shared = other.derive(kept, own.object)
  t.is(send(1 << EXCLUSIVE, 1), IPC.OK)
  t.is(to.capabilities.at(8), own, 'the very capability, so that nothing can be derived from what the sender had')
  t.is(to.in.moved, 1, 'and the receiver is told that it is alone')
  t.deepEqual(
    [from.capabilities.at(1), from.capabilities.at(2), other.at(shared.slot)],
    [undefined, undefined, undefined],
  )
  t.false(kept.alive || shared.alive)
})

test('Zircon: what is transferred without the right to, or is not the sender’s to give, is refused, and nothing moved', (t) => {
  const { from, to, send } = pair()
  const own = memory(from.capabilities, 1)
  const tied = mint(from.capabilities, 1, 2, RIGHT.READ | RIGHT.WRITE | RIGHT.MAP)
  const derived = mint(from.capabilities, 1, 3)
  const lent = from.capabilities.create(new MemoryObject('lent', 16, new Uint8Array(16)), { slot: 4 })
  const unmoved = () => {
    t.deepEqual(
      [own, tied, derived, lent].map((c) => [c.alive, c.space, c.slot]),
      [
        [true, from.capabilities, 1],
        [true, from.capabilities, 2],
        [true, from.capabilities, 3],
        [true, from.capabilities, 4],
      ],
    )
    t.is(to.capabilities.count, 1)
  }
  const refusals: [string, number, ...number[]][] = [
    ['without GRANT', 1, 2],
    ['a copy of another’s', 1 << EXCLUSIVE, 3],
    ['lent', 1 << EXCLUSIVE, 4],
    ['together with what ends of it', 1 << EXCLUSIVE, 1, 3],
    ['twice', 1 << EXCLUSIVE, 1, 1],
    ['after one that could go', 1, 1, 2],
  ]
  for (const [what, ...sent] of refusals) {
    t.true(send(...sent) < 0, what)
    unmoved()
  }
})

test('a CNode and what lies in it go in one message, though its slot is empty by the time the second goes', (t) => {
  const { from, to, send } = pair()
  const inner = new CNode('inner', 4)
  from.capabilities.create(inner, { slot: 1 })
  const own = memory(inner, 0)
  t.is(send(0b11, 1, 1 + 65_536), IPC.OK)
  t.is(to.capabilities.at(8)?.object, inner)
  t.is(to.capabilities.at(9), own)
  t.deepEqual([from.capabilities.at(1), inner.at(0)], [undefined, undefined])
})

test('memory is reached to the byte and no further', (t) => {
  const object = new MemoryObject('sixteen', 16)
  t.true(object.write(12, Uint8Array.of(1, 2, 3, 4)))
  t.false(object.write(13, Uint8Array.of(9, 9, 9, 9)))
  t.is(object.load(12, 4), 0x04030201)
  const out = new Uint8Array(16)
  t.true(object.read(0, out))
  t.false(object.read(1, out))
  object.close()
  t.is(object.size, 0)
  t.false(object.read(0, new Uint8Array(1)))
})

test('random sharing, moving and revoking of memory agrees with the model', (t) => {
  holdMemoryToModel(300, 60, 1)
  t.pass()
})

/** A ring whose owner produces, over memory of its own. */
function outward(slots = 8, slotBytes = 4) {
  const memory = new Uint8Array(RING_HEADER + slots * slotBytes)
  const words = new Int32Array(memory.buffer)
  const ring = new Ring('ring', memory, slots, slotBytes, true)
  const produce = (value: number): boolean => {
    const old = words[0]!
    words[(RING_HEADER >> 2) + (old & (slots - 1))] = value
    words[0] = old + 1
    return passes(words[3]!, old, old + 1)
  }
  return { memory, words, ring, produce }
}

test('virtio: what goes through a ring comes out in order, over every fill and wrap', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(8), fc.nat(8))), (steps) => {
      const { words, ring, produce } = outward()
      const into = new Uint8Array(32)
      const got = new Int32Array(into.buffer)
      let [next, expected] = [1, 1]
      for (const [puts, takes] of steps) {
        for (let i = 0; i < puts && words[0]! - words[1]! < 8; i++) produce(next++)
        const count = ring.take(into, takes)
        for (let i = 0; i < count; i++) if (got[i] !== expected++) return false
        if (count !== Math.min(takes, next - expected + count)) return false
      }
      return true
    }),
    { seed: 1 },
  )
  t.pass()
})

test('virtio: a notification is sent when it was asked for, and only then', (t) => {
  const { words, ring, produce } = outward()
  const into = new Uint8Array(32)
  t.true(produce(1), 'the peer waits from the start')
  t.false(produce(2), 'it has been told, and has not asked again')
  t.is(ring.take(into, 8), 2)
  t.false(produce(3), 'it is at work still')
  t.false(ring.peerMayWait(), 'so it may not go to sleep over what came meanwhile')
  ring.take(into, 8)
  t.true(ring.peerMayWait())
  t.true(produce(4))
  // The owner asks to hear when the fourth slot is taken, and not before.
  words[2] = 3
  t.true(ring.ownerMayWait())
  t.is(ring.take(into, 8), 1)
  t.true(ring.ownerWants(1))
  t.false(ring.ownerMayWait(), 'it has come: no sleeping over it')
})

test('Asterinas: an owner that writes nonsense into its ring confuses itself only', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 4, maxLength: 4 }), fc.nat(20), (head, max) => {
      const { words, ring } = outward()
      words.set(head)
      const into = new Uint8Array(8 * 4)
      const count = ring.take(into, Math.min(max, 8))
      return count === BROKEN || (count >= 0 && count <= 8)
    }),
    { seed: 1 },
  )
  t.pass()
})
