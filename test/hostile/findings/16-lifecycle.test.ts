/** Findings 16, 17, 19: drivers that end at the wrong moment of a replacement, of their init or of an unload. */
import test from 'ava'
import { DriverEnded, InitRefused } from '../../../machine/driver.ts'
import { line, op, type Function } from '../../kernel/support.ts'
import { REQUEST } from '../../../linux-api/generated/abi.ts'
import { TestDevice } from '../../machine/support.ts'
import { keep, machineOf, say, script, WORDS, word, witness } from '../script.ts'

const DESC = WORDS + 128
/** struct net_desc: slot, MTU and its bounds, features, arena and its slots. */
const interfaceOf = [
  ...[0, 1500, 68, 9000, 0, WORDS + 0x1000, 8, 2048].flatMap((value, i) => keep(DESC + 24 + 4 * i, value)),
  ...say('net.register', [DESC], WORDS),
  ...say('net.carrier', [word(WORDS), 1]),
  ...say('net.queue', [word(WORDS), 1]),
]
const probe: Function = { name: 'probe', params: 2, result: true, body: [...interfaceOf, op.value(0)] }
/** What its statistics are answered with; everything else that is asked of it goes well. */
const statistics = (body: Function['body']): Function => ({
  name: 'request',
  params: 4,
  result: true,
  body: line(op.local(0), op.value(REQUEST.SYSCALL), op.equal, op.ifValue, ...body, op.else, op.value(0), op.end),
})
const net = (name: string, more: readonly Function[] = [statistics([op.value(0)])]) => script(name, [probe, ...more])
const crash = [op.unreachable]

const ENDS: Readonly<Record<string, readonly Function[]>> = {
  'while its statistics are asked for': [statistics(crash)],
  'in remove': [{ name: 'remove', params: 2, body: crash }],
  'that cannot be asked for statistics, in exit': [
    statistics([op.value(-95)]),
    { name: 'exit', params: 0, body: crash },
  ],
  'in exit': [{ name: 'exit', params: 0, body: crash }],
}

for (const [when, functions] of Object.entries(ENDS))
  test(`finding 16: a driver that ends ${when} is replaced all the same, and no interface stays held`, async (t) => {
    const machine = machineOf()
    const other = await witness(machine)
    const fn = machine.board.pci.plug((context) => new TestDevice(context))
    const driver = await machine.load(net('net', functions))
    t.is(await driver.bind(fn), 0)
    const done = await machine.replace('net', net('net'))
    t.true(done.ok, done.reason)
    t.not(done.left, '')
    const next = machine.driver('net')!
    t.is(next.generation, 2)
    t.false(next.dead)
    t.is(next.units.length, 1)
    t.is(machine.board.owners.get(fn), next.domain)
    await machine.sleep(1e9)
    t.deepEqual(machine.recoveries, [], 'nothing was to be restarted')
    const [unit] = next.units
    t.deepEqual(unit!.release(), {})
    t.is(machine.board.kernel.domains.length, 2)
    t.is(await other.ask(), undefined)
  })

test('finding 16: when neither build takes the device, policy starts the one before it again', async (t) => {
  const machine = machineOf()
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  // Its first generation takes the device, the second does not: who comes first is what the device's register says.
  const driver = await machine.load(net('net'))
  t.is(await driver.bind(fn), 0)
  const bad = script('net', [{ name: 'probe', params: 2, result: true, body: crash }])
  const done = await machine.replace('net', bad)
  t.false(done.ok)
  t.false(machine.driver('net')!.dead)
  t.is(machine.board.owners.get(fn), machine.driver('net')!.domain)
})

test('finding 17: a driver whose init refuses leaves nothing alive, however often it is tried', async (t) => {
  const machine = machineOf()
  const refusing = script('refusing', [{ name: 'init', params: 0, result: true, body: [op.value(-19)] }])
  for (let i = 0; i < 5; i++) await t.throwsAsync(machine.load(refusing), { instanceOf: InitRefused })
  t.is(machine.board.kernel.domains.length, 0)
  t.is(machine.driver('refusing'), undefined)
})

test('finding 19: a driver that ends of its unload is unloaded, and nobody starts it again', async (t) => {
  const machine = machineOf()
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const driver = await machine.load(net('net', [{ name: 'remove', params: 2, body: crash }]))
  t.is(await driver.bind(fn), 0)
  await t.throwsAsync(machine.unload('net'), { instanceOf: DriverEnded })
  await machine.sleep(1e9)
  t.is(machine.driver('net'), undefined)
  t.deepEqual(machine.recoveries, [])
  t.is(machine.board.kernel.domains.length, 0)
  t.is((await machine.load(net('net'))).generation, 1)
})
