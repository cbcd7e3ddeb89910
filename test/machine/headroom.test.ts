/** The engine's stack is everybody's: a domain that fills it must not have another, or the kernel, run out of it. */
import test from 'ava'
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { Driver } from '../../machine/driver.ts'
import { type Function, type Instruction, line, op } from '../kernel/support.ts'
import { WORDS } from './small/module.ts'
import { testPackage, TURN, turn } from './support.ts'

const [NAME, SLOT, TIME, TURNS] = [WORDS, WORDS + 16, WORDS + 24, WORDS + 32]
const fetch = (at: number): Instruction[] => [op.value(at), op.load]
const store = (at: number, ...value: Instruction[]): Instruction[] => [op.value(at), ...value, op.store]

/** What is called at every level: what reaches far into what all domains share. */
const CALLS: Readonly<Record<string, readonly Instruction[]>> = {
  nothing: [],
  'time.now': [op.value(TIME), op.call('time.now')],
  'time.pass': [op.value(700), op.call('time.pass'), op.drop],
  'time.set_timer': [op.value(1), op.value(0), op.call('time.set_timer')],
  'mmio.map': [op.value(0), op.value(0), op.value(64), op.call('mmio.map'), op.drop],
  'dma.map': [op.value(0), op.value(0), op.value(64), op.value(0), op.call('dma.map'), op.drop],
  'irq.take': [op.call('irq.take'), op.drop],
  'ipc.invoke': [
    ...fetch(SLOT),
    ...line(op.value(1), op.value(0), op.value(0), op.value(0), op.call('ipc.invoke'), op.drop),
  ],
  'log.write': [op.value(6), op.value(NAME), op.value(4), op.call('log.write')],
}

/** Goes down without end, and calls something each time. */
const down = (inner: readonly Instruction[]): Function => ({ name: 'down', body: [...inner, op.call('down')] })

/** init: offer a service under a name, answered by `answer` on the thread of whoever asks. */
const offering = (name: string, answer: readonly Function[]) =>
  testPackage(name, [
    {
      name: 'init',
      result: true,
      body: [
        ...store(NAME, op.value(0x78)),
        ...store(SLOT, op.value(NAME), op.value(1), op.value(0), op.value(0), op.call('ipc.offer')),
        ...line(...fetch(SLOT), op.slot('answer'), op.call('ipc.serve')),
      ],
    },
    ...answer,
  ])

/** Asks the service, and counts that it came back. */
const caller = testPackage('caller', [
  turn([
    ...store(NAME, op.value(0x78)),
    ...store(SLOT, op.value(NAME), op.value(1), op.call('ipc.find')),
    ...CALLS['ipc.invoke']!,
    ...store(TURNS, ...fetch(TURNS), op.value(1), op.add),
  ]),
])

/** A neighbour whose timer is due every 700 ns, and which counts. */
async function neighbour(machine: Machine): Promise<Driver> {
  const again = [op.value(TIME), op.call('time.now'), ...fetch(TIME), op.value(700), op.add, op.value(0)]
  const timer = [...store(TURNS, ...fetch(TURNS), op.value(1), op.add), ...again, op.call('time.set_timer')]
  return machine.load(
    testPackage('neighbour', [
      { name: 'init', result: true, body: [...again, op.call('time.set_timer'), op.value(0)] },
      { name: 'timer', body: timer },
    ]),
  )
}

const turns = (driver: Driver): number => driver.host.words[TURNS >> 2]!

for (const [call, inner] of Object.entries(CALLS)) {
  test(`recursion on a fiber that calls ${call} at every level ends that domain only`, async (t) => {
    const machine = createMachine({ restarts: { limit: 0, windowNs: 1e9, backoffNs: 1, backoffMaxNs: 1 } })
    const other = await neighbour(machine)
    const diver = await machine.load(testPackage('diver', [turn([op.call('down')]), down(inner)]))
    await t.throwsAsync(diver.call(TURN))
    t.regex(diver.domain.fault?.message ?? '', /^(the call stack is exhausted|busy for|.* loop turns)/)
    const before = turns(other)
    await machine.sleep(1e5)
    t.false(other.dead)
    t.true(turns(other) > before + 10)
  })

  test(`recursion on another’s thread that calls ${call} at every level ends that domain, and not whose thread it is`, async (t) => {
    const machine = createMachine({ restarts: { limit: 0, windowNs: 1e9, backoffNs: 1, backoffMaxNs: 1 } })
    machine.board.exchange.link({ client: 'caller', name: 'x', server: 'diver', service: 'x' })
    const other = await neighbour(machine)
    const answer = { name: 'answer', params: 5, result: true, body: [op.call('down'), op.value(1)] }
    const diver = await machine.load(offering('diver', [answer, down(inner)]))
    const asking = await machine.load(caller)
    t.is(await asking.call(TURN), 0)
    t.is(turns(asking), 1)
    t.regex(diver.domain.fault?.message ?? '', /^(calls are nested too deep in an atomic entry|busy for|.* loop turns)/)
    const before = turns(other)
    await machine.sleep(1e5)
    t.false(other.dead)
    t.true(turns(other) > before + 10)
  })
}

test('domains that ask each other, each on the thread of the one before, come to an end', async (t) => {
  const machine = createMachine()
  const names = Array.from({ length: 40 }, (_, i) => `link${i}`)
  const drivers: Driver[] = []
  for (const [i, name] of names.entries()) {
    const next = names[i - 1]
    if (next !== undefined) machine.board.exchange.link({ client: name, name: 'y', server: next, service: 'x' })
    const ask = next === undefined ? [] : [...store(SLOT + 4, op.value(NAME + 4), op.value(1), op.call('ipc.find'))]
    const onward = [...fetch(SLOT + 4), op.value(1), op.value(0), op.value(0), op.value(0), op.call('ipc.invoke')]
    drivers.push(
      await machine.load(
        offering(name, [
          { name: 'answer', params: 5, result: true, body: next === undefined ? [op.value(7)] : onward },
          turn([...store(NAME + 4, op.value(0x79)), ...ask]),
        ]),
      ),
    )
  }
  for (const driver of drivers) t.is(await driver.call(TURN), 0)
  machine.board.exchange.link({ client: 'caller', name: 'x', server: names.at(-1)!, service: 'x' })
  const asking = await machine.load(caller)
  t.is(await asking.call(TURN), 0)
  t.false(asking.dead)
  t.true(drivers.filter(({ dead }) => dead).length <= 1)
})
