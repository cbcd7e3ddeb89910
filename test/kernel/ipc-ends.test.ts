/** Who waits when somebody ends: nobody is left hanging, whatever state the conversation was in. */
import test from 'ava'
import { NOTHING } from '../../kernel/domain.ts'
import { type Capability, CNode, revoke, RIGHT } from '../../kernel/capability.ts'
import { Contract } from '../../kernel/contract.ts'
import { Endpoint, Ipc, Notification, Party } from '../../kernel/ipc.ts'
import { GONE, IPC } from '../../kernel/message.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { Partition, Scheduler } from '../../kernel/schedule.ts'
import { Noted } from './model/_ipc-pair.ts'
import { type Function, line, load, type Loaded, op } from './support.ts'

const limits = DEFAULT_LIMITS
const HERE = 0
const BEYOND = 1

const call = (slot: number) => line(op.value(slot), op.value(1), op.value(7), op.call('call_'))
const receive = line(op.value(HERE), op.call('receive'), op.drop)
const asking: Function = { name: 'f', body: [...call(HERE), op.call('note')] }

/** How far the server is in its conversation when it is killed, and what its caller is told. */
const STATES: Readonly<Record<string, { readonly body: Function['body']; readonly told: number }>> = {
  'it has not received yet': { body: [op.value(-1), op.call('block'), op.drop], told: IPC.ENDED },
  'it serves the caller': { body: [...receive, op.value(-1), op.call('block'), op.drop], told: IPC.CANCELLED },
  'it waits for its own server': { body: [...receive, ...call(BEYOND), op.drop], told: IPC.CANCELLED },
  'it serves another, the caller waits in line': {
    body: [...receive, op.value(-1), op.call('block'), op.drop],
    told: IPC.ENDED,
  },
  'it waits for a notification': {
    body: [...receive, op.value(BEYOND + 1), op.call('await_'), op.drop],
    told: IPC.CANCELLED,
  },
}

for (const [state, { body, told }] of Object.entries(STATES)) {
  test(`a caller is told when its server is killed while ${state}`, async (t) => {
    const kernel = new Kernel(1)
    const server = load(kernel, 'server', [{ name: 'serve', body }], { limits })
    const beyond = load(kernel, 'beyond', [{ name: 'serve', body: STATES['it serves the caller']!.body }], {
      limits,
    })
    const own = (holder: Loaded, slot: number): Capability<Endpoint> => {
      const endpoint = new Endpoint('service')
      const ended = () => kernel.ipc.close(endpoint)
      return holder.domain.capabilities.create(endpoint, { slot, ended })
    }
    const root = own(server, HERE)
    const far = own(beyond, HERE)
    server.domain.capabilities.derive(far, far.object, { slot: BEYOND, rights: RIGHT.WRITE })
    server.domain.capabilities.create(new Notification('bits'), { slot: BEYOND + 1 })
    const clients = ['first', 'second'].map((name) => {
      const client = load(kernel, name, [asking], { limits })
      client.domain.capabilities.derive(root, root.object, { slot: HERE, rights: RIGHT.WRITE })
      return client
    })
    beyond.start('serve')
    server.start('serve')
    const inLine = state.includes('in line')
    const fibers = clients.slice(0, inLine ? 2 : 1).map((client) => client.start('f'))
    await kernel.run(() => false)
    t.true(
      fibers.every((fiber) => !fiber.done),
      'all wait',
    )
    server.domain.end()
    await kernel.run(() => fibers.every((fiber) => fiber.done))
    t.deepEqual(clients[inLine ? 1 : 0]!.notes, [told])
    for (const fiber of fibers) t.is(fiber.party.wait, 'nothing')
    t.deepEqual(beyond.domain.dead, false)
    beyond.domain.end()
    const all = [...clients, server, beyond].map(({ domain }) => domain)
    for (const domain of all) domain.end()
    // Frames that were suspended unwind when the engine next has its turn.
    await kernel.run(() => all.every(({ fibers }) => fibers.size === 0), 1e6)
    for (const domain of all) t.deepEqual(domain.remains(), NOTHING)
  })
}

test('a server goes on when its caller is killed in any state', async (t) => {
  const kernel = new Kernel(1)
  const body = [
    ...receive,
    op.value(10_000),
    op.call('block'),
    op.drop,
    ...line(op.value(5), op.value(0), op.call('reply')),
  ]
  const server = load(kernel, 'server', [{ name: 'serve', body: [...body, op.call('note')] }], {
    limits,
  })
  const root = server.domain.capabilities.create(new Endpoint('service'), { slot: HERE })
  const client = load(kernel, 'client', [asking], { limits })
  client.domain.capabilities.derive(root, root.object, { slot: HERE, rights: RIGHT.WRITE })
  const serving = server.start('serve')
  client.start('f')
  await kernel.run(() => serving.state === 'blocked' && serving.party.callers.length > 0)
  client.domain.end()
  await kernel.run(() => serving.done)
  t.deepEqual(server.notes, [IPC.NOBODY], 'there is nobody to answer any more')
})

/** Parties without programs. */
function parties(contract?: Contract) {
  const scheduler = new Scheduler()
  const partition = scheduler.add(new Partition('all', 1))
  const ipc = new Ipc(scheduler)
  const told: [string, number][] = []
  const party = (name: string) =>
    new Party(new Noted(name, 1, partition, (outcome) => told.push([name, outcome])), new CNode(name, 16))
  const server = party('server')
  const endpoint = new Endpoint('service', contract)
  const root = server.capabilities.create(endpoint, { slot: HERE })
  const client = (name: string, badge: number): { party: Party; way: Capability } => {
    const made = party(name)
    return { party: made, way: made.capabilities.derive(root, endpoint, { slot: HERE, rights: RIGHT.WRITE, badge }) }
  }
  const say = (who: Party, label: number, words = 0): number => {
    who.out.set(label)
    who.out.count = words
    return ipc.call(who, HERE)
  }
  return { ipc, server, endpoint, root, client, say, told }
}

test('seL4: what was sent through a capability and not received yet is taken back when that ends', (t) => {
  const { ipc, server, client, say, told } = parties()
  const [one, two] = [client('one', 1), client('two', 2)]
  say(one.party, 1)
  say(two.party, 2)
  revoke(one.way)
  t.deepEqual(told, [['one', IPC.ENDED]])
  t.is(ipc.receive(server, HERE), 2)
})

test('Mach: a server that asked for it hears when the last capability of a client has ended', (t) => {
  const { ipc, server, endpoint, client, told } = parties()
  endpoint.watched = true
  const one = client('one', 11)
  const copy = one.party.capabilities.derive(one.way, endpoint)
  ipc.receive(server, HERE)
  one.party.capabilities.delete(copy)
  t.deepEqual(told, [], 'it has another')
  one.party.capabilities.clear()
  t.deepEqual(told, [['server', GONE]])
  t.is(server.in.badge, 11)
  // Nobody receives just now: it is told when somebody does.
  client('two', 12).party.capabilities.clear()
  t.is(ipc.receive(server, HERE), GONE)
  t.is(server.in.badge, 12)
})

const rules = {
  name: 'disk',
  start: 'closed',
  messages: { open: { label: 1, words: 0, capabilities: [] }, write: { label: 2, words: 2, capabilities: ['memory'] } },
  states: { closed: { open: 'opened' }, opened: { write: 'opened' } },
}

test('Singularity: a session starts again when its client has gone, and no other does', (t) => {
  const { ipc, server, client, say } = parties(new Contract(rules))
  const [one, two] = [client('one', 1), client('two', 2)]
  const serve = () => {
    ipc.receive(server, HERE)
    server.out.set(0)
    ipc.reply(server)
  }
  for (const { party } of [one, two]) {
    say(party, 1)
    serve()
    t.is(say(party, 1), IPC.PROTOCOL, 'it is open')
  }
  one.party.capabilities.clear()
  t.not(say(client('successor', 1).party, 1), IPC.PROTOCOL, 'the next with this badge begins at the beginning')
  t.is(say(two.party, 1), IPC.PROTOCOL)
})

test('Singularity: a message that carries something else than its contract says is refused by name', (t) => {
  const { ipc, server, client, say } = parties(new Contract(rules))
  const said: string[] = []
  ipc.onRefusal = (_party, text) => said.push(text)
  const { party } = client('one', 1)
  say(party, 1)
  ipc.receive(server, HERE)
  server.out.set(0)
  ipc.reply(server)
  t.is(say(party, 2, 1), IPC.PROTOCOL)
  t.is(say(party, 2, 2), IPC.PROTOCOL)
  party.capabilities.create({ type: 'log', label: 'log' }, { slot: 5 })
  party.out.capCount = 1
  party.out.caps[0] = 5
  t.is(ipc.call(party, HERE), IPC.NO_RIGHT, 'this way carries no capabilities at all')
  t.deepEqual(said, [
    'disk: write carries 1 words, where 2 are expected',
    'disk: write carries no capability, where memory is expected',
  ])
})

// ---- passive servers ----

test('L4: a passive server is entered once, on its caller’s stack, and tells when it cannot be', (t) => {
  const { ipc, server, endpoint, client } = parties()
  const { party } = client('one', 9)
  const ask = () => ipc.invoke(party.capabilities, HERE, 1, 2, 3, 4)
  t.is(ask(), IPC.NOBODY)
  endpoint.passive = (badge, label, a, b, c) => badge * 1000 + label + a + b + c
  t.is(ask(), 9010)
  endpoint.passive = () => ask()
  t.is(ask(), IPC.DEADLOCK, 'it asks for itself')
  endpoint.passive = () => {
    ipc.close(endpoint)
    return 1
  }
  t.is(ask(), IPC.CANCELLED, 'it ended of it')
  t.is(ask(), IPC.ENDED)
  server.capabilities.clear()
  t.is(ask(), IPC.EMPTY)
})

test('Mach: each client that goes is told of, though it has the badge of one that went before; nobody who serves is a client', (t) => {
  const { ipc, server, endpoint, root, client } = parties()
  endpoint.watched = true
  const told: number[] = []
  for (let i = 0; i < 2; i++) {
    client('one', 11).party.capabilities.clear()
    server.in.label = server.in.count = server.in.capCount = 3
    told.push(ipc.receive(server, HERE), server.in.badge)
    t.deepEqual([endpoint.gone, server.in.label, server.in.count, server.in.capCount], [[], GONE, 0, 0])
  }
  t.deepEqual([told, GONE], [[GONE, 11, GONE, 11], 0x7fff_ffff])
  const other = new CNode('another server', 4)
  other.derive(root, endpoint, { rights: RIGHT.READ | RIGHT.WRITE, badge: 12 })
  other.derive(root, endpoint, { rights: RIGHT.READ, badge: 13 })
  other.clear()
  t.deepEqual(endpoint.gone, [])
})

test('who is told that a client has gone is as urgent from then on as those in line', (t) => {
  const { ipc, server, endpoint, client, say } = parties()
  endpoint.watched = true
  const urgent = client('urgent', 2)
  urgent.party.thread.effective = 1
  Object.assign(urgent.party.thread, { base: 30 })
  say(urgent.party, 1)
  client('one', 11).party.capabilities.clear()
  t.is(server.thread.effective, 1)
  t.is(ipc.receive(server, HERE), GONE)
  t.is(server.thread.effective, 30)
})

test('Singularity: the contract moves on with what is received, at once or in turn, and who is in line is held to it then', (t) => {
  const { ipc, server, client, say, told } = parties(new Contract(rules))
  const one = client('one', 1)
  ipc.receive(server, HERE)
  say(one.party, 1)
  server.out.set(0)
  ipc.reply(server)
  t.is(say(one.party, 1), IPC.PROTOCOL, 'it was received at once')
  const [two, same] = [client('two', 2), client('the same', 2)]
  told.length = 0
  say(two.party, 1)
  say(same.party, 1)
  t.is(ipc.receive(server, HERE), 1)
  t.deepEqual(told, [])
  server.out.set(0)
  ipc.replyReceive(server, HERE)
  t.deepEqual(told, [
    ['the same', IPC.PROTOCOL],
    ['two', 0],
  ])
})

test('L4: two who send to each other are told, before they wait for ever', (t) => {
  const { ipc, server, client, say } = parties()
  const other = client('other', 1).party
  const back = new Endpoint('back')
  const own = other.capabilities.create(back, { slot: BEYOND })
  server.capabilities.derive(own, back, { slot: BEYOND })
  for (const [party, slot] of [
    [server, HERE],
    [other, BEYOND],
  ] as const) {
    ipc.receive(party, slot)
    ipc.cancel(party)
  }
  server.out.set(1)
  t.true(ipc.send(server, BEYOND) < -1000, 'it waits')
  t.is(say(other, 1), IPC.DEADLOCK)
})

test('at an endpoint that has ended nobody receives', (t) => {
  const { ipc, server, endpoint } = parties()
  ipc.close(endpoint)
  t.deepEqual([ipc.receive(server, HERE), server.wait], [IPC.ENDED, 'nothing'])
})

/** Servers in a row: each may call the next, and `ask` the first. */
function row(...bases: number[]) {
  const ipc = new Ipc(new Scheduler())
  const all = bases.map((base, i) => {
    const name = `p${i}`
    const party = new Party(new Noted(name, base, new Partition('all', 1), () => {}), new CNode(name, 16))
    const root = party.capabilities.create(new Endpoint(name), { slot: HERE })
    ipc.receive(party, HERE)
    ipc.cancel(party)
    return { party, root }
  })
  for (const { party } of all)
    all.forEach(
      ({ root }, to) => void party.capabilities.derive(root, root.object, { slot: to + 1, rights: RIGHT.WRITE }),
    )
  const call = (from: number, to: number): number => ipc.call(all[from]!.party, to + 1)
  const receive = (which: number): number => ipc.receive(all[which]!.party, HERE)
  const urgency = (): number[] => all.map(({ party }) => party.thread.effective)
  return { ipc, all, call, receive, urgency }
}

test('L4: urgency goes along the whole chain of who waits for whom, whether they are served or in line', (t) => {
  for (const served of [true, false]) {
    const { call, receive, urgency } = row(1, 2, 3, 40)
    if (served) receive(1)
    call(0, 1)
    if (served) receive(2)
    call(1, 2)
    t.deepEqual(urgency(), [1, 2, 3, 40])
    call(3, 0)
    t.deepEqual(urgency(), [40, 40, 40, 40], served ? 'served' : 'in line')
  }
})

test('L4: who would close a circle is told, however long it is and however its links wait', (t) => {
  for (const links of [2, 3, 4])
    for (const served of [true, false]) {
      const { call, receive } = row(...Array.from({ length: links }, () => 1))
      for (let i = 0; i < links - 1; i++) {
        if (served) receive(i + 1)
        t.true(call(i, i + 1) < -1000, 'it waits')
      }
      t.is(call(links - 1, 0), IPC.DEADLOCK)
    }
  const open = row(1, 1, 1)
  open.receive(2)
  open.call(1, 2)
  t.not(open.call(0, 1), IPC.DEADLOCK, 'the last one does not wait')
})
