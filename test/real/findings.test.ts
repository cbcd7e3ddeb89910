/**
 * The findings of an audit (docs/security.md) on the tree's own kernel: the hostile driver (test/hostile/driver) is told what to do, on a
 * machine with the policies of a run, beside an e1000 on the same interrupt line, which must not notice.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { verifyPackage } from '../../cli/machine.ts'
import { LAYERED_ALLOWANCE, symbolizerOf } from '../../cli/trust.ts'
import { Lan } from '../../lab/net/lan.ts'
import { nicModel } from '../../lab/net/models.ts'
import { startTraffic } from '../../lab/net/traffic.ts'
import * as control from '../../machine/class/net/control.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'
import { DriverEnded, InitRefused } from '../../machine/driver.ts'
import { SystemError } from '../../machine/linux/system.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { Policies } from '../../machine/supervise/policy.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import {
  encode,
  HOW,
  IRQS_OFF,
  literal,
  named,
  OP,
  operation,
  repeated,
  type Operand,
  type Operation,
  type Section,
} from '../hostile/attacks.ts'
import { buildSubjects, readSubjects } from '../hostile/packages.ts'
import type { Subjects } from '../hostile/scene.ts'
import { TestDevice } from '../machine/support.ts'
import { openTestWorkspace } from './workspace.ts'

const HOSTILE = 'hostile'
const SCRIPT_FILE = '/sys/module/hostile/parameters/script'
const LINES = 8
const FRAMES = 16
/** As long as those take, and as what cannot be stopped holds the processor. */
const TRAFFIC_NS = 50e6
const FOR_EVER = 0xffffffff

let subjects: Subjects
/** A driver whose init refuses. */
let refusing: DriverPackage

const REFUSING = `
#include <linux/module.h>
static int __init refusing_init(void) { return -ENODEV; }
module_init(refusing_init);
MODULE_LICENSE("GPL");
`

test.before(async (t) => {
  t.timeout(600_000)
  const workspace = await openTestWorkspace()
  const folder = await mkdtemp(join(tmpdir(), 'drvport-findings-'))
  try {
    subjects = await readSubjects(await buildSubjects(workspace))
    await writeFile(join(folder, 'refusing.c'), REFUSING)
    await writeFile(join(folder, 'Kbuild'), 'obj-m := refusing.o\n')
    const { modules } = await buildModules({ ...workspace, selectors: [folder] })
    refusing = await readPackage(modules[0]!.package!, 'refusing')
  } finally {
    await rm(folder, { recursive: true })
    await workspace.close()
  }
})

interface Stage {
  readonly machine: Machine
  readonly lan: Lan
  readonly card: ReturnType<Lan['plug']>
  /** The bystander's frames come and go, and it has not failed; nor has anything else gone wrong. */
  well(t: ExecutionContext, what: string): Promise<void>
}

/** Restarts are off unless they are what is asked about: one that is started again does the same again. */
async function stage(policies: Policies = { [HOSTILE]: { restarts: { limit: 0 } } }): Promise<Stage> {
  const machine = createMachine({
    seed: 1,
    layered: true,
    verify: (pack) => verifyPackage(pack, LAYERED_ALLOWANCE),
    symbolizer: symbolizerOf,
    policies,
  })
  const lan = new Lan(machine)
  const nic = lan.plug(nicModel('intel-82540em')!)
  for (let n = 1; n < LINES; n++) machine.board.pci.plug((context) => new TestDevice(context))
  const card = lan.plug(nicModel('rtl8139')!)
  const bystander = await machine.load(subjects.bystander)
  if (bystander.devices.size === 0) await bystander.bind(nic.fn)
  const [net] = interfacesOf(bystander)
  await control.open(net!)
  await machine.run(() => net!.carrier, 20e9)
  const peer = lan.station('peer')
  const well = async (t: ExecutionContext, what: string): Promise<void> => {
    t.is(card.fn.line, nic.fn.line, 'they share a line')
    const traffic = startTraffic(machine.board.kernel, net!, peer, 1, { frames: FRAMES })
    await machine.run(() => traffic.done, TRAFFIC_NS)
    for (const { received, corrupt } of traffic.reports) t.deepEqual([received, corrupt], [FRAMES, 0], what)
    traffic.stop()
    t.false(bystander.dead, what)
    t.deepEqual(machine.board.kernel.accidents, [], what)
    t.deepEqual(
      machine.faults.filter(({ kind, domain }) => kind === 'internal' || !domain.startsWith(HOSTILE)),
      [],
      what,
    )
  }
  return { machine, lan, card, well }
}

type Sections = Partial<Record<Section, readonly Operation[]>>
const script = (sections: Sections): string =>
  encode(new Map(Object.entries(sections) as [Section, readonly Operation[]][]))

const load = (machine: Machine, sections: Sections = {}) =>
  machine.load(subjects.hostile, [`hostile.script=${script(sections)}`])

/** The driver is told to do this at once. What ends it is in the machine's faults. */
async function told(machine: Machine, ...turn: readonly Operation[]): Promise<void> {
  const driver = machine.driver(HOSTILE)!
  await driver.system.writeFile(SCRIPT_FILE, new TextEncoder().encode(script({ turn }))).catch((error: unknown) => {
    if (!(error instanceof SystemError) && !(error instanceof DriverEnded)) throw error
  })
}

/** It has its card. */
async function bound(stage: Stage, sections: Sections = {}): Promise<void> {
  const driver = await load(stage.machine, sections)
  await stage.machine.match()
  if (driver.devices.size === 0) await driver.bind(stage.card.fn)
}

const scratch = (at: number): Operand => [HOW.scratch, at]
const register = (n: number): Operand => [HOW.register, n]
/** A function of the kernel, by its number in hostile.c. */
const kernelCall = (which: number, ...args: readonly Operand[]): Operation => operation(OP.kernel, which, ...args)
const MEMCPY = 4
const setUp = operation(OP.device, 0)
const write = (at: number, value: Operand): Operation => operation(OP.register, 0, literal(at), value)

/** Of configuration space. */
const STATUS = 6
const INTERRUPT = 1 << 3
/** Of the RTL8139. */
const COMMAND = 0x34
const BOTH_ON = literal(0x0c000000)
const RING = 0x30
const MASK = 0x3c
const RECEIVE_CONFIG = 0x44
const TRANSMIT_ADDRESS = 0x20
const TRANSMIT_STATUS = 0x10

const ENDLESS: Readonly<Record<string, readonly Operation[]>> = {
  'in a loop that calls nobody': [operation(OP.spin, 0)],
  'by filling memory': repeated(FOR_EVER, [operation(OP.fill, 0, scratch(16), literal(1), literal(0x8000))]),
  'by copying memory': repeated(FOR_EVER, [kernelCall(MEMCPY, scratch(16), scratch(0x4000), literal(0x4000))]),
  'with interrupts off': [operation(OP.store, 0, [HOW.handle, IRQS_OFF], literal(1)), operation(OP.spin, 0)],
}
for (const [way, turn] of Object.entries(ENDLESS))
  test(`finding 1, on the tree's kernel: who works without end ${way} ends of it, and others run meanwhile`, async (t) => {
    const { machine, well } = await stage()
    await load(machine)
    await told(machine, ...turn)
    await machine.run(() => machine.driver(HOSTILE)!.dead, 20e9)
    t.is(machine.faults[0]?.kind, 'endless-loop')
    await well(t, way)
  })

test("finding 3, on the tree's kernel: what is written to the log costs its length each time, and time never goes back", async (t) => {
  const { machine, well } = await stage()
  await load(machine)
  const times: number[] = []
  for (let turn = 0; turn < 4; turn++) {
    times.push(machine.now())
    const call = named('log.write', 1, literal(6), scratch(0), literal(0x10000))
    await told(machine, ...repeated(2000, [call]))
  }
  times.push(machine.now())
  // 64 KiB of text, 2,000 times: a byte and more a unit of 5 ns, 16 bytes a unit at the least.
  for (let n = 1; n < times.length; n++) t.true(times[n]! - times[n - 1]! > 2000 * 4096 * 5)
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  await well(t, 'log')
})

test("finding 4, on the tree's kernel: who has filled its capability space is refused its device, and the run goes on", async (t) => {
  const { machine, card, well } = await stage({ [HOSTILE]: { limits: { capabilities: 64 }, restarts: { limit: 0 } } })
  const driver = await load(machine, { init: repeated(100, [named('ipc.notification', 1)]) })
  await machine.match()
  t.is(driver.domain.capabilities.count, 64, 'it is full')
  t.is(driver.devices.size, 0)
  t.is(machine.board.owners.get(card.fn), undefined)
  t.false(driver.dead)
  await well(t, 'capabilities')
})

test("finding 6, on the tree's kernel: a device that strays ends its driver, and accesses are kept up to a number", async (t) => {
  const on = await stage()
  const { machine, well } = on
  await bound(on, {
    probe: [
      setUp,
      operation(OP.store, 0, [HOW.handle, IRQS_OFF], literal(0)),
      write(RING, literal(0x20000000)),
      write(RECEIVE_CONFIG, literal(0xf00f)),
      write(COMMAND, BOTH_ON),
      ...repeated(1000, [write(TRANSMIT_ADDRESS, literal(0x30000000)), write(TRANSMIT_STATUS, literal(0x100))]),
    ],
  })
  await machine.sleep(5e6)
  t.is(machine.faults[0]?.kind, 'dma-stray')
  t.true(machine.board.dmaFaults.length > 0 && machine.board.dmaFaults.length <= 256)
  await well(t, 'stray')
})

test("finding 7, on the tree's kernel: mapping for DMA costs what it takes, up to the quota and beyond", async (t) => {
  const on = await stage()
  const { machine, well } = on
  await bound(on)
  await told(machine, setUp)
  const before = machine.now()
  await told(machine, ...repeated(20_000, [named('dma.map', 1, literal(0), scratch(1), literal(1), literal(3))]))
  t.true(machine.now() - before > 20_000 * 100, 'a map is 100 ns at least')
  const { windows } = machine.driver(HOSTILE)!.domain.ledger.quotas
  t.true(on.card.fn.dma.windows <= windows)
  await well(t, 'windows')
})

test("finding 8, on the tree's kernel: a device that asserts the shared line, and whose driver does not listen, disturbs nobody", async (t) => {
  const on = await stage()
  const { machine, card, well } = on
  await bound(on, {
    probe: [
      setUp,
      named('dma.map', 1, literal(0), scratch(0), literal(0x8000), literal(3)),
      write(COMMAND, BOTH_ON),
      write(MASK, literal(0xffff)),
      write(TRANSMIT_ADDRESS, register(1)),
      write(TRANSMIT_STATUS, literal(0x100)),
    ],
  })
  await machine.sleep(5e6)
  t.not(card.fn.configRead(STATUS, 2) & INTERRUPT, 0, 'it is asserted')
  t.deepEqual(machine.faults, [])
  await well(t, 'asserted')
})

test("finding 11, on the tree's kernel: a name of megabytes is refused before anybody reads it", async (t) => {
  const { machine, well } = await stage()
  const driver = await load(machine)
  const before = machine.board.kernel.log.count
  const long = literal(1 << 20)
  await told(
    machine,
    ...repeated(1000, [
      named('ipc.find', 1, scratch(0), long),
      named('ipc.offer', 2, scratch(0), long, scratch(0), long),
    ]),
  )
  t.is(machine.board.exchange.offeredBy(driver.host), 0)
  t.true(machine.board.kernel.log.count - before < 1000, 'and is in no log')
  await well(t, 'names')
})

test("finding 12, on the tree's kernel: shared memory that is mapped and unmapped for ever is paid for", async (t) => {
  const { machine, well } = await stage()
  await load(machine)
  const before = machine.now()
  await told(
    machine,
    named('mem.create', 1, literal(65_536)),
    ...repeated(5000, [
      named('mem.map', 2, register(1), literal(0), literal(65_536)),
      named('mem.unmap', 3, register(2)),
    ]),
  )
  t.true(machine.now() - before > 5000 * 2 * 100)
  await well(t, 'mappings')
})

for (const section of ['remove', 'exit'] as const)
  test(`finding 16, on the tree's kernel: a driver that ends in ${section} while it is replaced is replaced all the same`, async (t) => {
    const on = await stage()
    const { machine, card, well } = on
    await bound(on, { [section]: [operation(OP.trap, 0)] })
    const done = await machine.replace(HOSTILE, subjects.hostile)
    t.true(done.ok, done.reason)
    const driver = machine.driver(HOSTILE)!
    t.false(driver.dead)
    t.is(driver.generation, 2)
    t.is(machine.board.owners.get(card.fn), driver.domain)
    t.is(machine.board.kernel.domains.length, 2)
    await well(t, 'replaced')
  })

test("finding 17, on the tree's kernel: a driver whose init refuses leaves nothing alive", async (t) => {
  const { machine, well } = await stage()
  for (let n = 0; n < 3; n++) {
    const error = await t.throwsAsync(machine.load(refusing))
    t.true(error instanceof InitRefused, String(error))
    t.deepEqual(
      machine.board.kernel.domains.map(({ name }) => name),
      ['e1000'],
    )
  }
  await well(t, 'refused')
})

test("finding 19, on the tree's kernel: a driver that ends of its unload is unloaded, and nobody starts it again", async (t) => {
  const on = await stage({})
  const { machine, card, well } = on
  await bound(on, { remove: [operation(OP.trap, 0)] })
  await machine.unload(HOSTILE).catch((error: unknown) => {
    if (!(error instanceof DriverEnded)) throw error
  })
  await machine.sleep(2e9)
  t.is(machine.driver(HOSTILE), undefined)
  t.is(machine.board.owners.get(card.fn), undefined)
  t.is(machine.board.kernel.domains.length, 1)
  await well(t, 'unloaded')
})
