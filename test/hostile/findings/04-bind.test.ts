/** Finding 4: a driver that has no room for what it is given is refused the device, and the run goes on. */
import test from 'ava'
import { op } from '../../kernel/support.ts'
import { TestDevice } from '../../machine/support.ts'
import { LAYERED, machineOf, say, script, times, witness, WORDS } from '../script.ts'
import type { DriverPackage } from '../../../machine/load/package.ts'

const ids = (pack: DriverPackage): DriverPackage => ({
  ...pack,
  manifest: {
    ...pack.manifest,
    ids: [{ module: pack.manifest.name, bus: 'pci', ids: [{ vendor: 0x1af4, device: 0x10ff }] }],
  } as unknown as DriverPackage['manifest'],
})

test('finding 4: the quota of capabilities that a device does not fit into refuses it', async (t) => {
  const machine = machineOf({ policies: { small: { limits: { capabilities: 8 } } } })
  const other = await witness(machine)
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const driver = await machine.load(
    script('small', [{ name: 'init', params: 0, result: true, body: [...say('sched.self', []), op.value(0)] }]),
  )
  const given = driver.domain.capabilities.count
  const greedy = machineOf({ policies: { small: { limits: { capabilities: given + 3 } } } })
  const there = greedy.board.pci.plug((context) => new TestDevice(context))
  const held = await greedy.load(
    script('small', [{ name: 'init', params: 0, result: true, body: [...say('sched.self', []), op.value(0)] }]),
  )
  t.is(await held.bind(there), -28)
  t.is(held.domain.capabilities.count, given)
  t.false(held.dead)
  t.true(greedy.board.log.some(({ text }) => /quota of \d+ capabilities/.test(text)))
  t.is(await driver.bind(fn), 0)
  t.is(await other.ask(), undefined)
})

test('finding 4: a driver that fills its capability space in init is matched with a device, and the machine runs on', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  machine.board.pci.plug((context) => new TestDevice(context))
  const full = times(5000, 0, say('ipc.notification', []))
  const pack = script('hoarder', [{ name: 'init', params: 0, result: true, locals: 4, body: [...full, op.value(0)] }], {
    policy: LAYERED,
  })
  await machine.load(ids(pack))
  await machine.run(() => false, 1e8)
  t.is(await other.ask(), undefined)
})

test('finding 4: a driver that has all the fibers it may have gets no more, and goes on', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const breeding = times(400, 0, say('sched.create', [0, WORDS, WORDS + 256], WORDS))
  const driver = await machine.load(
    script('breeder', [{ name: 'init', params: 0, result: true, locals: 4, body: [...breeding, op.value(0)] }]),
  )
  t.is(driver.host.words[WORDS >> 2], 0, 'the last one was refused')
  t.is(driver.domain.fibers.size, 256)
  t.true(machine.board.log.some(({ text }) => /quota of 256 fibers/.test(text)))
  t.is(await driver.bind(fn), 0)
  t.is(await other.ask(), undefined)
})
