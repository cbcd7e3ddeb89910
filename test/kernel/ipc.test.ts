import test from 'ava'
import { Contract } from '../../kernel/contract.ts'
import { CNode, RIGHT } from '../../kernel/capability.ts'
import { Endpoint, Notification } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { Partition } from '../../kernel/schedule.ts'
import { type Function, line, load, op } from './support.ts'

const limits = DEFAULT_LIMITS
const HERE = 0

/** Answers every message with its word plus one, for ever. */
const server: Function = {
  name: 'server',
  locals: 1,
  body: [
    ...line(op.value(HERE), op.call('receive'), op.setLocal(0)),
    op.loop,
    ...line(op.value(HERE), op.local(0), op.value(0), op.call('word'), op.value(1), op.add),
    ...line(op.call('reply_receive'), op.setLocal(0), op.again, op.end),
  ],
}

const once = (name: string, ...call: Function['body']): Function => ({ name, body: [...call, op.call('note')] })

function pair(kernel: Kernel, contract?: Contract) {
  const endpoint = new Endpoint('service', contract)
  const callee = load(kernel, 'callee', [server], { limits })
  const root = callee.domain.capabilities.create(endpoint, {
    slot: HERE,
    ended: () => kernel.ipc.close(endpoint),
  })
  const grant = (space: CNode, rights = RIGHT.WRITE, badge = 0) =>
    space.derive(root, endpoint, { slot: HERE, rights, badge })
  return { endpoint, callee, root, grant }
}

test('a caller never hangs when its server dies, waits in line or is told to stop', async (t) => {
  const kernel = new Kernel(1)
  const deaf: Function = {
    name: 'deaf',
    body: [op.value(HERE), op.call('receive'), op.drop, op.value(-1), op.call('block'), op.drop],
  }
  const endpoint = new Endpoint('service')
  const callee = load(kernel, 'callee', [deaf], { limits })
  const root = callee.domain.capabilities.create(endpoint, { slot: HERE, ended: () => kernel.ipc.close(endpoint) })
  const callers = ['served', 'queued', 'timed'].map((name) => {
    const body = line(op.value(HERE), op.value(1), op.value(7))
    const by = [...body, op.value(50_000)]
    const f = name === 'timed' ? once('f', ...by, op.call('call_by')) : once('f', ...body, op.call('call_'))
    const caller = load(kernel, name, [f], { limits })
    caller.domain.capabilities.derive(root, endpoint, { slot: HERE, rights: RIGHT.WRITE })
    return caller
  })
  callee.start('deaf')
  const fibers = callers.map((caller) => caller.start('f'))
  await kernel.run(() => fibers[2]!.done)
  t.deepEqual(callers[2]!.notes, [IPC.DEADLINE])
  t.true(kernel.clock.now() >= 50_000)
  t.false(fibers[0]!.done || fibers[1]!.done)
  callee.domain.end()
  await kernel.run(() => fibers.every((fiber) => fiber.done))
  t.deepEqual(callers[0]!.notes, [IPC.CANCELLED])
  t.deepEqual(callers[1]!.notes, [IPC.ENDED])
  for (const { domain } of callers) t.is(domain.capabilities.count, 0, 'capabilities to the dead server went with it')
})

test('seL4: a badge tells the server who speaks, and only the holder of a right may use it', async (t) => {
  const kernel = new Kernel(1)
  const teller: Function = {
    name: 'teller',
    body: [
      op.value(HERE),
      op.call('receive'),
      op.drop,
      op.call('badge'),
      op.call('note'),
      op.value(0),
      op.value(0),
      op.call('reply'),
      op.drop,
    ],
  }
  const told = load(kernel, 'told', [teller], { limits })
  const endpoint = new Endpoint('badged')
  const root = told.domain.capabilities.create(endpoint, { slot: HERE })
  const ask = once('ask', op.value(HERE), op.value(1), op.value(0), op.call('call_'))
  const friend = load(kernel, 'friend', [ask], { limits })
  const mute = load(kernel, 'mute', [ask], { limits })
  const stranger = load(kernel, 'stranger', [ask], { limits })
  friend.domain.capabilities.derive(root, endpoint, { slot: HERE, rights: RIGHT.WRITE, badge: 77 })
  mute.domain.capabilities.derive(root, endpoint, { slot: HERE, rights: RIGHT.READ })
  told.start('teller')
  const fibers = [friend.start('ask'), mute.start('ask'), stranger.start('ask')]
  await kernel.run(() => fibers.every((fiber) => fiber.done))
  t.deepEqual(told.notes, [77])
  t.deepEqual([friend.notes, mute.notes, stranger.notes], [[0], [IPC.NO_RIGHT], [IPC.EMPTY]])
})

test('Singularity: a message out of order is refused by the name of state and message', async (t) => {
  const kernel = new Kernel(1)
  const contract = new Contract({
    name: 'disk',
    start: 'closed',
    messages: { open: 1, write: 2, close: 3 },
    states: { closed: { open: 'opened' }, opened: { write: 'opened', close: 'closed' } },
  })
  const { callee, grant } = pair(kernel, contract)
  const said: string[] = []
  kernel.ipc.onRefusal = (party, text) => said.push(`${party.thread.name}: ${text}`)
  const say = (label: number) => [op.value(HERE), op.value(label), op.value(0), op.call('call_'), op.call('note')]
  const caller = load(kernel, 'caller', [{ name: 'f', body: [2, 1, 2, 3, 2].flatMap(say) }], { limits })
  grant(caller.domain.capabilities)
  callee.start('server')
  const fiber = caller.start('f')
  await kernel.run(() => fiber.done)
  t.deepEqual(caller.notes, [IPC.PROTOCOL, 1, 2, 3, IPC.PROTOCOL])
  t.deepEqual(said, Array(2).fill('f: disk: write in state closed, where open is expected'))
})

test('Mach: a right sent in a message can be used by the receiver, and the sender keeps or loses it as it was sent', (t) => {
  const kernel = new Kernel(1)
  const noop: Function = { name: 'noop', body: [] }
  const from = load(kernel, 'from', [noop], { limits })
  const to = load(kernel, 'to', [noop], { limits })
  const endpoint = new Endpoint('post')
  const thing = { type: 'memory', label: 'a buffer' }
  const root = to.domain.capabilities.create(endpoint, { slot: 0 })
  from.domain.capabilities.derive(root, endpoint, { slot: 0 })
  from.domain.capabilities.create(thing, { slot: 1 })
  from.domain.capabilities.create(thing, { slot: 2, rights: RIGHT.READ })
  const sender = from.start('noop').party
  const receiver = to.start('noop').party
  receiver.window = 8
  receiver.windowSize = 1
  const send = (slot: number, moved: boolean): number => {
    kernel.ipc.receive(receiver, 0)
    sender.out.set(1)
    sender.out.capCount = 1
    sender.out.caps[0] = slot
    sender.out.moved = moved ? 1 : 0
    const result = kernel.ipc.send(sender, 0)
    kernel.ipc.cancel(receiver)
    return result
  }
  t.is(send(1, false), IPC.OK)
  t.is(to.domain.capabilities.at(8)!.object, thing)
  t.true(from.domain.capabilities.at(1)!.alive, 'copied: the sender has it still')
  t.is(send(1, true), IPC.WINDOW, 'the slot is taken: nothing moves')
  t.true(from.domain.capabilities.at(1)!.alive)
  to.domain.capabilities.delete(to.domain.capabilities.at(8)!)
  t.is(send(1, true), IPC.OK)
  t.is(from.domain.capabilities.at(1), undefined, 'moved: only the receiver has it')
  to.domain.capabilities.delete(to.domain.capabilities.at(8)!)
  t.is(send(2, false), IPC.NO_RIGHT, 'Zircon: without the right to transfer it is refused')
  t.true(from.domain.capabilities.at(2)!.alive && to.domain.capabilities.at(8) === undefined, 'and nothing moved')
})

/** Works `ns` at a time, `times` times, letting others run in between. */
const worker: Function = {
  name: 'worker',
  params: 2,
  body: [
    op.loop,
    ...line(op.local(0), op.call('delay'), op.call('yield')),
    ...line(
      op.local(1),
      op.value(1),
      op.sub,
      op.setLocal(1),
      op.value(0),
      op.local(1),
      op.lessThan,
      op.againIf,
      op.end,
    ),
  ],
}

test('QNX: a server runs with the priority of its most urgent client, so that no hog in between delays it', async (t) => {
  const kernel = new Kernel(1)
  const slow: Function = {
    name: 'slow',
    body: [
      op.value(HERE),
      op.call('receive'),
      op.drop,
      ...line(op.value(10_000), op.call('delay'), op.call('yield'), op.value(10_000), op.call('delay')),
      ...line(op.value(5), op.value(0), op.call('reply'), op.drop),
    ],
  }
  const endpoint = new Endpoint('slow')
  const low = load(kernel, 'low', [slow], { limits })
  const root = low.domain.capabilities.create(endpoint, { slot: HERE })
  const urgent = load(kernel, 'urgent', [once('f', op.value(HERE), op.value(1), op.value(0), op.call('call_'))], {
    limits,
  })
  urgent.domain.capabilities.derive(root, endpoint, { slot: HERE, rights: RIGHT.WRITE })
  const hog = load(kernel, 'hog', [worker], { limits })
  const serving = low.startAt(1, 'slow')
  await kernel.run(() => serving.state === 'blocked')
  hog.startAt(20, 'worker', 100_000, 1000)
  const start = kernel.clock.now()
  const fiber = urgent.startAt(40, 'f')
  await kernel.run(() => serving.effective === 40)
  await kernel.run(() => fiber.done)
  t.deepEqual(urgent.notes, [5])
  // The hog may finish the piece of work it is at, no more.
  t.true(kernel.clock.now() - start < 140_000, `${kernel.clock.now() - start} ns`)
  t.is(serving.effective, 1)
})

test('QNX: a partition gets its share under overload, and what others leave when they are idle', async (t) => {
  const kernel = new Kernel(1)
  const small = kernel.scheduler.add(new Partition('small', 0.2))
  const large = kernel.scheduler.add(new Partition('large', 0.7))
  const mild = load(kernel, 'mild', [worker], { limits, partition: small })
  const greedy = load(kernel, 'greedy', [worker], { limits, partition: large })
  const alone = mild.startAt(5, 'worker', 100_000, 20_000)
  await kernel.run(() => small.total > 200e6)
  t.is(large.total, 0)
  t.true(small.total >= 200e6, 'nobody else wants the processor: all of it')
  const before = small.total
  const at = kernel.clock.now()
  greedy.startAt(60, 'worker', 100_000, 20_000)
  await kernel.run(() => kernel.clock.now() > at + 1e9)
  const share = (small.total - before) / (kernel.clock.now() - at)
  t.true(Math.abs(share - 0.2) < 0.03, `${share.toFixed(3)} of the processor although everybody else is more urgent`)
  t.false(alone.done)
})

test('a notification remembers bits until somebody waits for them', async (t) => {
  const kernel = new Kernel(1)
  const notification = new Notification('bits')
  const waiter: Function = {
    name: 'waiter',
    body: [op.value(0), op.call('await_'), op.call('note'), op.value(0), op.call('await_'), op.call('note')],
  }
  const loaded = load(kernel, 'd', [waiter], { limits })
  loaded.domain.capabilities.create(notification, { slot: 0 })
  kernel.ipc.raise(notification, 5)
  const fiber = loaded.start('waiter')
  await kernel.run(() => fiber.state === 'blocked')
  t.deepEqual(loaded.notes, [IPC.OK])
  t.is(fiber.party.in.label, 5)
  kernel.ipc.raise(notification, 2)
  await kernel.run(() => fiber.done)
  t.is(fiber.party.in.label, 2)
})
