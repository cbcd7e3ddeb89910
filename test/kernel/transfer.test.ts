/** What capabilities in messages must not make possible, case by case; at random: ipc-model.test.ts. */
import test from 'ava'
import { CNode, RIGHT } from '../../kernel/capability.ts'
import { mint } from '../../kernel/cspace.ts'
import { IPC, Message } from '../../kernel/message.ts'
import { type End, moveCapabilities } from '../../kernel/transfer.ts'

const COPIED = 0
const MOVED = 1
const ALONE = 1 << 8

class Side implements End {
  readonly capabilities: CNode
  readonly out = new Message()
  readonly in = new Message()
  window = 0
  windowSize = 0

  constructor(name: string, size: number) {
    this.capabilities = new CNode(name, size)
  }

  /** Send what lies in a slot into a slot of another side. */
  send(slot: number, how: number, to: Side, into: number): number {
    this.out.caps[0] = slot
    this.out.capCount = 1
    this.out.moved = how
    to.window = into
    to.windowSize = 1
    return moveCapabilities(this, to)
  }
}

const memory = { type: 'memory', label: 'a page', ownable: true }

test('when its owner lets go of memory, those who hold copies cannot give it away for good: others hold some, too', (t) => {
  const [owner, one, two, taker] = ['owner', 'one', 'two', 'taker'].map((name) => new Side(name, 8)) as [
    Side,
    Side,
    Side,
    Side,
  ]
  const made = owner.capabilities.create(memory, { slot: 0 })
  t.is(owner.send(0, COPIED, one, 0), IPC.OK)
  t.is(owner.send(0, COPIED, two, 0), IPC.OK)
  owner.capabilities.delete(made)
  t.is(one.send(0, ALONE, taker, 0), IPC.NO_RIGHT)
  t.is(taker.capabilities.count, 0)
  t.is(one.send(0, MOVED, taker, 0), IPC.OK, 'moved it can be: that promises nothing of others')
  t.true(two.capabilities.at(0)?.alive)
})

test('who has been given memory for good gives it on for good', (t) => {
  const [owner, one, two] = ['owner', 'one', 'two'].map((name) => new Side(name, 8)) as [Side, Side, Side]
  owner.capabilities.create(memory, { slot: 0 })
  mint(owner.capabilities, 0, 1)
  t.is(owner.send(0, ALONE, one, 3), IPC.OK)
  t.is(owner.capabilities.count, 0, 'its own copy has ended')
  t.is(one.send(3, ALONE, two, 0), IPC.OK)
  t.is(one.capabilities.count + two.capabilities.count, 1)
})

test('nobody holds more than its quota, however much it is sent or copies', (t) => {
  const QUOTA = 4
  const sender = new Side('sender', 64)
  const receiver = new Side('receiver', QUOTA)
  sender.capabilities.create(memory, { slot: 0 })
  for (let slot = 0; slot < QUOTA; slot++) t.is(sender.send(0, COPIED, receiver, slot), IPC.OK)
  for (const slot of [QUOTA, QUOTA + 1, 1_000_000, -1, 0]) {
    t.is(sender.send(0, COPIED, receiver, slot), IPC.WINDOW)
    t.is(sender.send(0, MOVED, receiver, slot), IPC.WINDOW)
    t.is(sender.send(0, ALONE, receiver, slot), IPC.WINDOW)
  }
  t.is(receiver.capabilities.count, QUOTA)
  t.is(sender.capabilities.count, 1, 'nothing has left')
  t.throws(() => mint(receiver.capabilities, 0, QUOTA), { message: /there is no slot/ })
  t.throws(() => receiver.capabilities.derive(receiver.capabilities.at(0)!, memory), { message: /its quota/ })
  // Rights to a CNode of somebody else's count against that one's slots.
  const [shared] = [new CNode('shared', 2)]
  receiver.capabilities.delete(receiver.capabilities.at(3)!)
  receiver.capabilities.create(shared, { slot: 3, rights: RIGHT.READ | RIGHT.WRITE })
  for (const inner of [0, 1]) mint(receiver.capabilities, 0, 3 + (inner + 1) * 65_536)
  t.throws(() => mint(receiver.capabilities, 0, 3 + 3 * 65_536), { message: /there is no slot/ })
  t.is(receiver.capabilities.count, QUOTA)
})

test('what would become the receiver’s own is asked of its quotas, and all of a message is refused with what it may not have', (t) => {
  const [sender, receiver] = [new Side('sender', 8), new Side('receiver', 8)]
  const asked: string[][] = []
  let admitted = true
  receiver.capabilities.admits = (arriving) => {
    asked.push(arriving.map(({ object }) => object.label))
    return admitted
  }
  for (const [slot, label] of ['a', 'b', 'c'].entries())
    sender.capabilities.create({ type: 'memory', label, ownable: true }, { slot })
  const send = (moved: number, caps: readonly number[] = [0, 1, 2], from = sender): number => {
    from.out.caps.set(caps)
    from.out.capCount = caps.length
    from.out.moved = moved
    receiver.window = 0
    receiver.windowSize = 8
    const result = moveCapabilities(from, receiver)
    for (const capability of result === IPC.OK ? receiver.capabilities.all() : [])
      if (capability.slot < 3) receiver.capabilities.delete(capability)
    return result
  }
  t.is(send(0), IPC.OK)
  t.deepEqual(asked, [], 'a copy stays the account of who has what it was derived from')
  admitted = false
  t.is(send(0b101), IPC.QUOTA)
  t.is(send(0b10 << 8), IPC.QUOTA)
  t.deepEqual(asked, [['a', 'c'], ['b']])
  t.deepEqual([sender.capabilities.count, receiver.capabilities.count], [3, 0], 'and nothing went')
  admitted = true
  asked.length = 0
  t.is(send(0b1, [0]), IPC.OK)
  t.is(send(0b1 << 8, [1]), IPC.OK)
  // Of the message, and as it goes.
  t.deepEqual([asked, sender.capabilities.count], [[['a'], ['a'], ['b'], ['b']], 1])
  asked.length = 0
  receiver.capabilities.create(memory, { slot: 7 })
  t.is(send(0b1, [7], receiver), IPC.OK, 'what it has already is no more than before')
  t.deepEqual(asked, [])
})

test('out of a CNode that is another’s one copies by the right to read it, and moves by the right to write it', (t) => {
  for (const right of [RIGHT.READ, RIGHT.WRITE]) {
    const sender = new Side('sender', 8)
    const shared = new CNode('shared', 2)
    sender.capabilities.create(memory, { slot: 0 })
    sender.capabilities.create(shared, { slot: 1, rights: right })
    shared.create(memory, { slot: 0 })
    const inner = 1 + 65_536
    const send = (moved: number): number => {
      const receiver = new Side('receiver', 8)
      sender.out.caps.set([0, inner])
      sender.out.capCount = 2
      sender.out.moved = moved
      receiver.windowSize = 2
      return moveCapabilities(sender, receiver)
    }
    const reads = right === RIGHT.READ
    t.is(send(0), reads ? IPC.OK : IPC.NO_RIGHT)
    t.is(send(MOVED << 1), reads ? IPC.NO_RIGHT : IPC.OK)
    t.is(shared.count, reads ? 1 : 0)
  }
})

test('what leaves in a message is not there for its other places', (t) => {
  for (const [moved, result] of [
    [COPIED, IPC.OK],
    [MOVED, IPC.EMPTY],
    [MOVED << 1, IPC.EMPTY],
    [ALONE, IPC.EMPTY],
    [ALONE << 1, IPC.EMPTY],
  ] as const) {
    const [sender, receiver] = [new Side('sender', 8), new Side('receiver', 8)]
    sender.capabilities.create(memory, { slot: 0 })
    sender.out.caps.set([0, 0])
    sender.out.capCount = 2
    sender.out.moved = moved
    receiver.windowSize = 2
    t.is(moveCapabilities(sender, receiver), result, `${moved}`)
    t.deepEqual([sender.capabilities.count, receiver.capabilities.count], [1, result === IPC.OK ? 2 : 0])
  }
})
