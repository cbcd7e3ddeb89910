/** What is left after a kill, counted; and that nobody can talk to whoever comes after the dead. */
import test from 'ava'
import fc from 'fast-check'
import { RIGHT } from '../../kernel/capability.ts'
import { NOTHING } from '../../kernel/domain.ts'
import { Endpoint } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { type Function, line, load, type Loaded, op } from './support.ts'

const limits = DEFAULT_LIMITS
const OWN = 0
const NEXT = 1

/** A little time; others go on meanwhile, also where there is nothing to wait for. */
const pause = (ns: number): Function['body'] => line(op.value(ns), op.call('block'), op.drop, op.call('yield'))

/** Receives, waits a little, asks the next in line if there is one, and answers. */
const serve: Function = {
  name: 'serve',
  params: 1,
  locals: 1,
  body: [
    ...line(op.value(OWN), op.call('receive'), op.drop, op.loop),
    ...pause(3000),
    ...line(op.value(NEXT), op.value(1), op.value(5), op.call('call_'), op.drop),
    ...line(
      op.value(OWN),
      op.value(1),
      op.value(0),
      op.call('word'),
      op.call('reply_receive'),
      op.drop,
      op.again,
      op.end,
    ),
  ],
}

/** Asks for ever, with a deadline now and then. */
const ask: Function = {
  name: 'ask',
  params: 1,
  body: [
    op.loop,
    ...line(op.value(NEXT), op.value(1), op.value(7), op.local(0), op.call('call_by'), op.drop),
    ...pause(5000),
    ...line(op.again, op.end),
  ],
}

/** A chain: clients ask the front, which asks the back. */
function chain(seed: number) {
  const kernel = new Kernel(seed)
  const make = (name: string): Loaded => load(kernel, name, [serve, ask], { limits })
  const [back, front, one, two] = [make('back'), make('front'), make('one'), make('two')] as const
  const endpoints: Endpoint[] = []
  const offer = (server: Loaded, clients: readonly Loaded[]): void => {
    const endpoint = new Endpoint(server.domain.name)
    endpoints.push(endpoint)
    const root = server.domain.capabilities.create(endpoint, { slot: OWN, ended: () => kernel.ipc.close(endpoint) })
    for (const { domain } of clients) domain.capabilities.derive(root, endpoint, { slot: NEXT, rights: RIGHT.WRITE })
  }
  offer(back, [front])
  offer(front, [one, two])
  for (const server of [back, front]) for (let i = 0; i < 2; i++) server.start('serve', 0)
  one.start('ask', 1_000_000_000)
  two.start('ask', 4_000)
  two.start('ask', 1_000_000_000)
  return { kernel, domains: [back, front, one, two].map(({ domain }) => domain), endpoints }
}

test('MINIX 3: nothing is left of a domain killed at any moment, in any order, whoever waits for it', async (t) => {
  const kills = fc.array(fc.record({ who: fc.nat(3), after: fc.nat(20_000) }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.nat(1000), kills, async (seed, list) => {
      const { kernel, domains, endpoints } = chain(seed)
      for (const { who, after } of list) {
        const domain = domains[who]!
        const killer = kernel.clock.event('killer', () => domain.end())
        killer.armIn(after)
        await kernel.run(() => domain.dead, kernel.clock.now() + after + 1)
        domain.end()
        await kernel.run(() => true)
        t.deepEqual(domain.remains(), NOTHING)
        const waiting = endpoints.flatMap(({ senders, receivers, servers }) => [...senders, ...receivers, ...servers])
        t.false(waiting.some(({ capabilities }) => capabilities === domain.capabilities))
      }
      for (const domain of domains) domain.end()
      await kernel.run(() => false, kernel.clock.now() + 1e9)
      for (const domain of domains) t.deepEqual(domain.remains(), NOTHING)
      t.is(kernel.domains.length, 0)
      t.is(kernel.scheduler.ready, 0)
      t.is(kernel.clock.size, 0)
    }),
    { numRuns: 40 },
  )
})

test('a stale client is refused by name, and never reaches the successor, not even at the same slot', async (t) => {
  const kernel = new Kernel(1)
  const answer: Function = {
    name: 'answer',
    body: [
      ...line(op.value(OWN), op.call('receive'), op.drop, op.value(1), op.call('note')),
      ...line(op.value(1), op.value(9), op.call('reply'), op.drop),
    ],
  }
  const call: Function = {
    name: 'call',
    body: line(op.value(NEXT), op.value(1), op.value(7), op.call('call_'), op.call('note')),
  }
  const client = load(kernel, 'client', [call], { limits })
  const generation = (n: number) => {
    const server = load(kernel, `server#${n}`, [answer], { limits })
    const endpoint = new Endpoint('service')
    const root = server.domain.capabilities.create(endpoint, { slot: OWN, ended: () => kernel.ipc.close(endpoint) })
    server.start('answer')
    return { server, endpoint, root }
  }
  const ask = async (): Promise<number> => {
    const fiber = client.start('call')
    await kernel.run(() => fiber.done)
    return client.notes.at(-1)!
  }
  const first = generation(1)
  const held = client.domain.capabilities.derive(first.root, first.endpoint, { slot: NEXT, rights: RIGHT.WRITE })
  t.is(await ask(), 1)
  first.server.domain.end()
  const second = generation(2)
  await kernel.run(() => kernel.scheduler.ready === 0)
  t.false(held.alive)
  t.is(await ask(), IPC.EMPTY)
  t.deepEqual(second.server.notes, [], 'the successor heard nothing')
  client.domain.capabilities.derive(second.root, second.endpoint, { slot: NEXT, rights: RIGHT.WRITE })
  t.is(await ask(), 1, 'given the new one, it may')
})

test('what is over a quota is refused and counted, and told of once', (t) => {
  const kernel = new Kernel(1)
  const nothing: Function = { name: 'nothing', body: [op.value(-1), op.call('block'), op.drop] }
  const told: string[] = []
  const few = load(kernel, 'few', [nothing], { limits: { ...limits, fibers: 3, capabilities: 2 } })
  few.domain.ledger.onRefusal = (_, text) => told.push(text)
  for (let i = 0; i < 3; i++) few.start('nothing')
  for (let i = 0; i < 2; i++) t.throws(() => few.start('nothing'), { message: /no fiber/ })
  t.is(few.domain.ledger.refused.fibers, 2)
  t.deepEqual(told, ['quota of 3 fibers used up: 1 more refused'])
  for (let i = 0; i < 2; i++) few.domain.capabilities.create(new Endpoint('e'))
  t.throws(() => few.domain.capabilities.create(new Endpoint('e')), { message: /holds 2 capabilities: its quota/ })
})
