/**
 * Supervision of real drivers: quotas, heartbeats, restarts in order, kills at any moment, replacement by another kernel's
 * build, and the records of how they died.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { parsePolicies } from '../../cli/policies.ts'
import { NOTHING } from '../../kernel/domain.ts'
import { Failure } from '../../kernel/fault.ts'
import { createRandom } from '../../base/random.ts'
import * as checks from '../../lab/net/checks.ts'
import { nicModel } from '../../lab/net/models.ts'
import { DriverEnded } from '../../machine/driver.ts'
import { Lan, type Nic } from '../../lab/net/lan.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import * as control from '../../machine/class/net/control.ts'
import type { NetInterface } from '../../machine/class/net/interface.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import type { PostMortem } from '../../machine/observe/post-mortem.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { startTraffic } from '../../lab/net/traffic.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'
import { buildModules, type BuildDocument } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace } from './workspace.ts'

const FAULTS = join(packageRoot, 'drivers-src/faults')
const workspace = await openTestWorkspace()
let built: Promise<BuildDocument> | undefined

async function pack(name: string): Promise<DriverPackage> {
  built ??= buildModules({
    tree: workspace.tree,
    selectors: ['e1000', '8139too', join(FAULTS, 'stuck_work.c')],
    toolchain: workspace.toolchain,
  })
  const module = (await built).modules.find((one) => one.name === name)
  if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
  return readPackage(module.package, name)
}

test.after.always(() => workspace.close())

const MODELS: Readonly<Record<string, string>> = { e1000: 'intel-82540em', '8139too': 'rtl8139', stuck_work: 'rtl8139' }

interface Scene {
  readonly machine: Machine
  readonly lan: Lan
  readonly nics: Readonly<Record<string, Nic>>
}

async function scene(
  names: readonly string[],
  policies: readonly string[] = [],
  seed = 1,
  onPostMortem?: (record: PostMortem) => void,
): Promise<Scene> {
  const machine = createMachine({
    seed,
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    policies: parsePolicies(policies),
    ...(onPostMortem && { onPostMortem }),
  })
  const lan = new Lan(machine)
  const nics: Record<string, Nic> = {}
  for (const name of names) {
    nics[name] = lan.plug(nicModel(MODELS[name]!)!)
    const driver = await machine.load(await pack(name))
    await driver.bind(nics[name].fn)
  }
  return { machine, lan, nics }
}

const interfaceOf = (machine: Machine, name: string): NetInterface => interfacesOf(machine.driver(name)!)[0]!

test.serial(
  'MINIX 3, heartbeat: a driver whose work queue is stuck is found, blamed at its C line, and restarted',
  async (t) => {
    const records: PostMortem[] = []
    const policies = ['stuck_work.restarts=1', 'stuck_work.window=600s', '*.escalate=none']
    const { machine } = await scene(['e1000', 'stuck_work'], policies, 1, (record) => records.push(record))
    const line =
      readFileSync(join(FAULTS, 'stuck_work.c'), 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('FAULT HERE')) + 1
    await machine.run(() => machine.recoveries.length === 2, 400e9)
    const [fault] = machine.faults
    t.is(fault?.kind, 'hang')
    t.regex(
      fault!.message,
      new RegExp(`kworker\\S+ has waited for 1[23]\\d s; kworker\\S+ waits in item_run \\(.*stuck_work\\.c:${line}\\)`),
    )
    t.true(fault!.frames.some((frame) => frame.file.endsWith('stuck_work.c') && frame.line === line))
    t.deepEqual(
      machine.recoveries.map(({ driver, ok }) => [driver, ok]),
      [
        ['stuck_work', true],
        ['stuck_work', false],
      ],
    )
    const waited = records[0]!.domain.waiting.map(({ frames }) => frames.map((frame) => frame.function))
    t.true(waited.some((names) => names.includes('item_run')))
    t.true(waited.length > 1, JSON.stringify(waited))
    t.false(machine.driver('e1000')!.dead, 'a healthy driver answers')
    t.is(machine.faults.filter(({ domain }) => domain.startsWith('e1000')).length, 0)
  },
)

test.serial('MINIX 3, heartbeat: healthy drivers answer every one, busy or idle', async (t) => {
  const { machine, lan } = await scene(['e1000', '8139too'], ['*.heartbeat=1ms', '*.answer-within=100ms'])
  const net = interfaceOf(machine, 'e1000')
  t.true((await checks.linkUp(machine, net)).ok)
  const passed = await checks.traffic(machine, net, lan.station('peer'), { frames: 2000 })
  t.true(passed.ok, passed.detail)
  await machine.sleep(1e9)
  t.deepEqual(machine.faults, [])
  for (const driver of machine.drivers)
    t.true(driver.heartbeat!.answers > 500, `${driver.name}: ${driver.heartbeat!.answers}`)
})

test.serial('MINIX 3, policy: a client of a restarted server stops before it and starts after it', async (t) => {
  const { machine, nics } = await scene(['e1000', '8139too'], ['8139too.needs=e1000'])
  const order: string[] = []
  for (const record of machine.board.kernel.log.records()) if (record.kind === 'start') order.push(record.text!)
  machine.driver('e1000')!.domain.fail(new Failure('bug', 'for the test'))
  await machine.recover()
  const events = machine.board.kernel.log.records().filter(({ kind }) => kind === 'start' || kind === 'end')
  t.deepEqual(
    events.map(({ kind, text, domain }) => (kind === 'start' ? `start ${text}` : `end ${domain}`)),
    ['start e1000', 'start 8139too', 'end 1', 'end 2', 'start e1000#2', 'start 8139too#2'],
  )
  t.deepEqual(machine.recoveries[0]?.dependents, ['8139too'])
  t.is(machine.driver('8139too')!.devices.size, 1)
  t.is(machine.board.owners.get(nics['8139too']!.fn), machine.driver('8139too')!.domain)
  await t.throwsAsync(machine.unload('e1000'), { message: /8139too needs it/ })
})

test.serial('generation: who holds on to one that has gone is told so by name', async (t) => {
  const { machine } = await scene(['e1000'])
  const stale = machine.driver('e1000')!
  stale.domain.fail(new Failure('bug', 'for the test'))
  await machine.recover()
  const error = await t.throwsAsync(stale.system.list('/'), { instanceOf: DriverEnded })
  t.regex(error.message, /e1000 \(generation 1, which has ended\)/)
  t.is(machine.driver('e1000')!.generation, 2)
})

test.serial('kill: nothing is left of real drivers killed at random moments', async (t) => {
  const { machine, lan, nics } = await scene(['e1000', '8139too'], ['*.restarts=1000'], 7)
  const random = createRandom(7)
  const peer = lan.station('peer')
  const { clock } = machine.board.kernel
  const kinds = new Set<string>()
  for (let round = 0; round < 40; round++) {
    const name = round % 2 === 0 ? 'e1000' : '8139too'
    const driver = machine.driver(name)!
    const net = interfacesOf(driver)[0]
    if (net !== undefined && !net.config.up) await control.open(net)
    // Some rounds die in their first microseconds, others with traffic under way.
    const busy = round % 4 < 2
    if (net !== undefined && busy) t.true((await checks.linkUp(machine, net)).ok)
    const running = net && startTraffic(machine.board.kernel, net, peer, round, { frames: 200 })
    // Traffic comes in bursts: a moment at work is looked for, not waited for.
    let looks = busy ? 1000 : 0
    const killer = clock.event('killer', () => {
      const { current, depth } = driver.domain
      const kind = current !== undefined ? 'process' : depth > 0 ? 'atomic' : 'idle'
      if (kind === 'idle' && looks-- > 0) return killer.armIn(1 + random.below(10_000))
      kinds.add(kind)
      driver.domain.fail(new Failure('bug', 'killed'))
    })
    killer.armIn(random.below(busy ? 1_000_000 : 20_000))
    await machine.run(() => driver.dead, 3e9)
    running?.stop()
    t.deepEqual(driver.domain.remains(), NOTHING, `round ${round}`)
    const { fn } = nics[name]!
    t.is(fn.vectorCount, 0)
    // Its successor may hold windows by now; the dead one's bank must not be reachable.
    t.is(driver.host.pages.count, 0)
    t.false(machine.board.kernel.domains.includes(driver.domain))
    await machine.recover()
    t.false(machine.driver(name)!.dead, `round ${round}: ${machine.recoveries.at(-1)?.reason}`)
  }
  t.true(kinds.size > 1, [...kinds].join())
  for (const name of ['e1000', '8139too']) {
    await machine.unload(name)
    t.is(nics[name]!.fn.dma.windows, 0)
  }
  t.is(machine.board.interrupts.attachments, 0)
  t.is(machine.board.kernel.domains.length, 0)
})

for (const [policy, seen] of [
  ['e1000.dma=100k', /dma/],
  ['e1000.windows=10', /windows/],
  ['e1000.log=100', /log/],
  // As many as it is given at start, and those to its device: none for registers, or the interface.
  ['e1000.capabilities=GIVEN+5', /capabilities/],
  ['e1000.capabilities=2', /cannot be given its call groups/],
  ['e1000.fibers=1', /fibers/],
] as const) {
  test.serial(`quota: ${policy} is refused by name and counted, and nobody else notices`, async (t) => {
    const given = await givenToE1000()
    const { machine, lan } = await scene(['8139too'], [policy.replace('GIVEN+5', String(given + 5))])
    let refusal = ''
    const nic = lan.plug(nicModel('intel-82540em')!)
    try {
      const driver = await machine.load(await pack('e1000'))
      await driver.bind(nic.fn)
      const [net] = interfacesOf(driver)
      if (net !== undefined) await control.open(net)
      await machine.sleep(5e9)
    } catch (error) {
      // Whether it can go on without is the driver's business.
      refusal = (error as Error).message
    }
    const told = machine.board.log.filter(({ domain, text }) => domain.startsWith('e1000') && /quota of/.test(text))
    if (seen.test(refusal)) told.push({ atNs: 0, domain: 'e1000', level: 0, text: refusal })
    t.true(
      told.some(({ text }) => seen.test(text)),
      JSON.stringify(machine.board.log.slice(-5)),
    )
    const net = interfaceOf(machine, '8139too')
    const link = await checks.linkUp(machine, net)
    t.true(link.ok, link.detail)
    t.true((await checks.traffic(machine, net, lan.station('peer'), { frames: 50 })).ok)
  })
}

/** Capabilities that a domain of e1000 has before it is granted a device. */
async function givenToE1000(): Promise<number> {
  return (await createMachine().load(await pack('e1000'))).domain.capabilities.count
}

test.serial('quota: a device is granted with all that belongs to it, or refused and nothing granted', async (t) => {
  const given = await givenToE1000()
  const machine = createMachine({ policies: parsePolicies([`e1000.capabilities=${given + 4}`]) })
  const nic = new Lan(machine).plug(nicModel('intel-82540em')!)
  const driver = await machine.load(await pack('e1000'))
  t.is(await driver.bind(nic.fn), -28)
  t.true(machine.board.log.some(({ text }) => /quota of \d+ capabilities used up: 5 more refused/.test(text)))
  t.is(driver.domain.capabilities.count, given)
})

test.serial('quota: memory is what the domain gets, and too little of it a failure with that name', async (t) => {
  const { machine } = await scene(['e1000'], ['e1000.memory=24m'])
  t.is(machine.driver('e1000')!.host.bank.bytes.length, 24 << 20)
  t.false(machine.driver('e1000')!.dead)
  const small = createMachine({ policies: parsePolicies(['e1000.memory=64k']) })
  await t.throwsAsync(small.load(await pack('e1000')), { message: /memory quota of 64 KiB: .*smaller/ })
})

test.serial('quota: a package may ask for less than the machine allows, not for more', async (t) => {
  const e1000 = await pack('e1000')
  const machine = createMachine({ policies: parsePolicies(['e1000.fibers=200']) })
  const modest = { ...e1000, manifest: { ...e1000.manifest, quotas: { fibers: 100, log: 1 << 30 } } }
  const driver = await machine.load(modest)
  t.is(driver.domain.limits.fibers, 100)
  t.is(driver.domain.limits.log, 4 << 20)
})

test.serial('post-mortem: a record has what is needed to see why, and to come back', async (t) => {
  const records: PostMortem[] = []
  const { machine, lan } = await scene(['e1000'], [], 3, (made) => records.push(made))
  const net = interfaceOf(machine, 'e1000')
  await checks.linkUp(machine, net)
  const running = startTraffic(machine.board.kernel, net, lan.station('peer'), 3, { frames: 500 })
  await machine.run(() => running.received > 100, 1e9)
  machine.driver('e1000')!.revokeRegisters()
  await machine.run(() => machine.recoveries.length > 0, 5e9)
  running.stop()
  const [record] = records
  t.is(record?.schema, 'drvport.post-mortem/1')
  t.is(record?.fault.kind, 'no-capability')
  t.true(record!.fault.frames.some(({ file }) => file.endsWith('e1000_main.c')))
  const [device] = record!.devices
  const register = (name: string): number | undefined => device!.registers.find((one) => one.name === name)?.value
  // The link is up and both rings are in use: SDM 13.4.2, 13.4.26, 13.4.37.
  t.is(register('STATUS')! & 2, 2)
  t.true(register('RDLEN')! > 0 && register('TDLEN')! > 0)
  t.true(device!.dma.windows > 0, 'taken before anything was given back')
  t.true(record!.domain.events.length > 10)
  t.is(record!.domain.events.at(-1)?.kind, 'fault')
  t.is(record!.replay.seed, 3)
  t.deepEqual(JSON.parse(JSON.stringify(record)), record)
})

test.serial(
  'replacement: a running driver hands over to another build under traffic, and back when that one cannot',
  async (t) => {
    const { machine, lan } = await scene(['e1000'])
    const net = interfaceOf(machine, 'e1000')
    t.true((await checks.linkUp(machine, net)).ok)
    const address = new Uint8Array([2, 0, 0, 0, 0, 9])
    await control.setAddress(net, address)
    await control.setMtu(net, 1400)
    await machine.run(() => net.carrier, 20e9)
    const peer = lan.station('peer')
    t.true((await checks.traffic(machine, net, peer, { frames: 100, longest: 1400 })).ok)
    // A frame counts when its descriptor is cleaned, which may be an interrupt later.
    const counted = async () => {
      await machine.sleep(5e6)
      return control.stats(net)
    }
    const before = await counted()
    const e1000 = await pack('e1000')
    const done = await machine.replace('e1000', e1000)
    t.true(done.ok, done.reason)
    t.is(done.left, '')
    t.is(machine.driver('e1000')!.generation, 2)
    t.deepEqual(net.mac, address)
    t.is(net.mtu, 1400)
    await machine.run(() => net.carrier, 20e9)
    t.true((await checks.traffic(machine, net, peer, { frames: 100, longest: 1400 })).ok)
    const after = await counted()
    t.is(after.tx_packets, before.tx_packets + 100)
    t.is(after.rx_packets, before.rx_packets + 100)
    // One for other hardware starts, but takes no such device.
    const wrong = await machine.replace('e1000', await pack('8139too'))
    t.false(wrong.ok)
    t.regex(wrong.reason!, /probe of .* failed with -19/)
    await machine.run(() => net.carrier, 20e9)
    const again = await checks.traffic(machine, net, peer, { frames: 100, longest: 1400 })
    t.true(again.ok, again.detail)
    t.deepEqual(net.mac, address)
  },
)

test.serial('MINIX 3, policy: a replaced driver that keeps failing goes back to the build before it', async (t) => {
  const { machine } = await scene(['e1000'], ['e1000.restarts=1'])
  const first = machine.driver('e1000')!.pack
  await machine.replace('e1000', { ...first, manifest: { ...first.manifest } })
  t.not(machine.driver('e1000')!.pack, first)
  for (let i = 0; i < 2; i++) {
    machine.driver('e1000')!.domain.fail(new Failure('bug', 'for the test'))
    await machine.recover()
  }
  t.deepEqual(
    machine.recoveries.map(({ ok, escalation }) => [ok, escalation]),
    [
      [true, undefined],
      [true, 'previous'],
    ],
  )
  t.is(machine.driver('e1000')!.pack, first)
})
