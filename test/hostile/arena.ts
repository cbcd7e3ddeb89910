/**
 * Where hostile modules are tried: one machine with a driver that must not notice, and a network card for the module.
 *
 * A trial goes as far as the module lets it: verify, load, init, probe, open, frames from outside, some time, an end.
 * Its outcome is `refused` with a reason, `contained` with a fault, or `harmless`; whatever else happens (the host threw,
 * something was left, the bystander noticed) is `escaped`, and a bug of drvport's.
 */
import { createHash } from 'node:crypto'
import { nicModel } from '../../lab/net/models.ts'
import { Driver, DriverEnded, InitRefused } from '../../machine/driver.ts'
import { Lan, type Nic } from '../../lab/net/lan.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import * as control from '../../machine/class/net/control.ts'
import { type DriverPackage, PackageError } from '../../machine/load/package.ts'
import { startTraffic } from '../../lab/net/traffic.ts'
import { DEFAULT_LIMITS, type DomainLimits } from '../../kernel/program.ts'
import { groups } from '../../linux-api/capabilities.ts'
import { allowanceFor, verify } from '../../pipeline/verify/index.ts'
import { REACHED } from './evil.ts'
import { importName } from '../../pipeline/verify/imports.ts'
import { readModule } from '../../pipeline/wasm/module.ts'
import { line, op } from '../kernel/support.ts'
import {
  INTERRUPT_REGISTER,
  INTERRUPTS,
  irq,
  poke,
  probe,
  remove,
  TestDevice,
  testPackage,
} from '../machine/support.ts'
import { interfacesOf, netOf } from '../../machine/class/net/index.ts'

export type Outcome =
  | { readonly kind: 'refused'; readonly code: string; readonly where: string; readonly message: string }
  | { readonly kind: 'contained'; readonly fault: string; readonly message: string }
  | { readonly kind: 'harmless'; readonly how: string; readonly reached: boolean }
  | { readonly kind: 'escaped'; readonly message: string }

/** What a hostile domain may use: enough to do harm, little enough to try ten thousand. */
export const LIMITS: DomainLimits = { ...DEFAULT_LIMITS, fuel: 2_000_000, busyNs: 20e6, entryNs: 20e6 }
const RESTARTS = { limit: 0, windowNs: 60e9, backoffNs: 1e6, backoffMaxNs: 1e9 }
/** Everything the ABI has: what policy refuses is tried elsewhere. */
const POLICY = { ...allowanceFor(['pci', 'net']), groups: [...groups.map((group) => group.name), 'wasi'] }
/** Time a module has when nothing is asked of it, ns. */
const LULL_NS = 2e6
const FRAMES = 8

/** A driver that works, and whether it still does. */
interface Bystander {
  /** What is wrong with it; undefined when nothing is. */
  check(): Promise<string | undefined>
}

/** The smallest: a device whose interrupt its driver must count. */
async function smallBystander(machine: Machine): Promise<Bystander> {
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const turn = [...poke(INTERRUPT_REGISTER, [op.value(1000)]), ...line(op.value(10_000), op.call('delay'))]
  // Whenever asked: have the device interrupt, and wait for it.
  const pack = testPackage('bystander', [probe, remove, irq, { name: 'exit', params: 0, result: false, body: turn }])
  const driver = await machine.load(pack)
  await driver.bind(fn)
  return {
    check: async () => {
      if (driver.dead) return `the bystander ended: ${driver.domain.fault?.kind} ${driver.domain.fault?.message}`
      const before = driver.host.words[INTERRUPTS >> 2]!
      await driver.call('exit')
      const came = driver.host.words[INTERRUPTS >> 2]! - before
      return came === 1 ? undefined : `the bystander had ${came} interrupts, 1 expected`
    },
  }
}

/** A real network driver: its frames must all arrive, whole. */
async function networkBystander(machine: Machine, lan: Lan, pack: DriverPackage, model: string): Promise<Bystander> {
  const nic = lan.plug(nicModel(model)!)
  const peer = lan.station('peer')
  const driver = await machine.load(pack)
  await driver.bind(nic.fn)
  const net = interfacesOf(driver)[0]!
  await control.open(net)
  await machine.run(() => net.carrier, 20e9)
  return {
    check: async () => {
      if (driver.dead) return `the bystander ended: ${driver.domain.fault?.kind} ${driver.domain.fault?.message}`
      const traffic = startTraffic(machine.board.kernel, net, peer, machine.seed, { frames: FRAMES })
      await machine.run(() => traffic.done, 50e6)
      const { reports } = traffic
      traffic.stop()
      const bad = reports.find((r) => r.received !== FRAMES || r.corrupt !== 0)
      return (
        bad && `the bystander's ${bad.from} to ${bad.to}: ${bad.received} of ${FRAMES} frames, ${bad.corrupt} corrupt`
      )
    },
  }
}

export interface Arena {
  readonly machine: Machine
  trial(pack: DriverPackage): Promise<Outcome>
}

export interface ArenaOptions {
  readonly seed?: number
  /** A real driver as the bystander, and its device; a small hand-made one without. */
  readonly bystander?: { readonly pack: DriverPackage; readonly model: string }
}

export async function createArena({ seed = 1, bystander }: ArenaOptions = {}): Promise<Arena> {
  const machine = createMachine({ seed, restarts: RESTARTS })
  const lan = new Lan(machine)
  const nic = lan.plug(nicModel('rtl8139')!)
  const other = bystander
    ? await networkBystander(machine, lan, bystander.pack, bystander.model)
    : await smallBystander(machine)
  const outside = lan.station('outside')
  return { machine, trial: (pack) => attempt(machine, nic, other, outside, pack) }
}

type Outside = ReturnType<Lan['station']>

async function attempt(
  machine: Machine,
  nic: Nic,
  bystander: Bystander,
  outside: Outside,
  pack: DriverPackage,
): Promise<Outcome> {
  const verdict = verify(pack.wasm, pack.manifest, POLICY)
  if (!verdict.ok) {
    const { code, where, message } = verdict.problems[0]!
    return { kind: 'refused', code, where, message }
  }
  try {
    const outcome = await run(machine, nic, outside, pack)
    const wrong = outcome.kind === 'contained' && outcome.fault === 'internal' ? outcome.message : undefined
    const noticed = wrong ?? leftovers(machine, nic, pack) ?? (await bystander.check())
    return noticed === undefined ? outcome : { kind: 'escaped', message: `${noticed} (${JSON.stringify(outcome)})` }
  } catch (error) {
    return { kind: 'escaped', message: (error as Error).stack ?? String(error) }
  }
}

/** Load it and let it do what it wants. */
async function run(machine: Machine, nic: Nic, outside: Outside, pack: DriverPackage): Promise<Outcome> {
  const { board } = machine
  const options = { name: pack.manifest.name, args: [], firmware: {}, symbolize: undefined, limits: LIMITS }
  let driver: Driver
  try {
    driver = await Driver.open(board, pack, options)
  } catch (error) {
    if (!(error instanceof PackageError)) throw error
    return { kind: 'refused', code: 'load', where: pack.manifest.name, message: error.message }
  }
  const { domain } = driver
  let how = 'ran'
  try {
    how = await use(machine, nic, outside, driver)
  } catch (error) {
    if (error instanceof InitRefused) how = error.message
    else if (!(error instanceof DriverEnded)) throw error
  } finally {
    domain.end()
    for (const [fn, owner] of board.owners) if (owner === domain) board.disown(fn)
  }
  // What was on the engine's stack goes when it next returns.
  await board.kernel.run(() => domain.fibers.size === 0, machine.now() + 1e6)
  const { remains } = { remains: domain.remains() }
  const left = Object.entries(remains).find(([, count]) => (count as number) !== 0)
  if (left !== undefined) throw new Error(`${left[1]} ${left[0]} remain of ${pack.manifest.name}`)
  const { fault } = domain
  return fault === undefined
    ? { kind: 'harmless', how, reached: driver.host.words[REACHED >> 2] !== 0 }
    : { kind: 'contained', fault: fault.kind, message: fault.message.slice(0, 200) }
}

/** Everything a machine asks of a network driver, as far as it goes. */
async function use(machine: Machine, nic: Nic, outside: Outside, driver: Driver): Promise<string> {
  const code = await driver.call('init')
  if (code < 0) throw new InitRefused(driver.name, code)
  const bound = await driver.bind(nic.fn)
  if (bound < 0) return `probe said ${bound}`
  // A device that interrupts for no reason: whoever listens is called.
  nic.fn.setLevel(true)
  await machine.sleep(LULL_NS / 10)
  nic.fn.setLevel(false)
  await machine.sleep(LULL_NS)
  for (const net of interfacesOf(driver).slice(0, 2)) {
    await control.open(net)
    const traffic = startTraffic(machine.board.kernel, net, outside, machine.seed, { frames: FRAMES })
    await machine.run(() => traffic.done || driver.dead, LULL_NS)
    traffic.stop()
    await driver.call('net_stop', net.id)
  }
  driver.census()
  await machine.sleep(LULL_NS)
  await driver.unload()
  return 'unloaded'
}

/** What must be nothing once the module has gone. */
function leftovers(machine: Machine, nic: Nic, pack: DriverPackage): string | undefined {
  const { board } = machine
  if (board.kernel.domains.some((domain) => domain.name === pack.manifest.name)) return 'its domain is listed'
  if (nic.fn.dma.windows !== 0) return `${nic.fn.dma.windows} DMA windows are left`
  if (nic.fn.vectorCount !== 0) return `${nic.fn.vectorCount} vectors are left`
  if (board.owners.has(nic.fn)) return 'the device is not free'
  const offered = netOf(machine).units.find((one) => one.driver?.domain.name === pack.manifest.name)
  return offered && `${offered.name} is still offered`
}

/** A package around these bytes: the manifest claims what the module imports, or what `like` says. */
export function packageOf(bytes: Uint8Array, name: string, like?: DriverPackage): DriverPackage {
  const wasm = Uint8Array.from(bytes)
  const sha256 = createHash('sha256').update(wasm).digest('hex')
  const file = { file: `${name}.wasm`, sha256, bytes: wasm.length }
  if (like !== undefined) return { wasm, lines: undefined, manifest: { ...like.manifest, name, wasm: file } }
  const { manifest } = testPackage(name, [])
  return { wasm, lines: undefined, manifest: { ...manifest, wasm: file, ...claims(wasm, manifest.memory.pages) } }
}

/** What a module asks for; nothing when it cannot be read. */
function claims(
  wasm: Uint8Array,
  pages: number,
): { imports: string[]; capabilities: string[]; memory: { pages: number } } {
  try {
    const module = readModule(wasm)
    const imports = [...new Set(module.imports.map(importName))]
    const capabilities = [...new Set(imports.map((name) => name.split('.')[0]!))]
    return { imports, capabilities, memory: { pages: module.memories[0]?.min ?? pages } }
  } catch {
    return { imports: [], capabilities: [], memory: { pages } }
  }
}
