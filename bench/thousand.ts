/**
 * A machine with a thousand live driver domains: what one costs to start, to keep, and to have idle.
 *
 *   node --expose-gc bench/thousand.ts [--domains N] [--seed N] [--tree NAME] [--virtual SECONDS]
 *
 * As many NICs as the bus has slots are driven (one domain each, opened, link up); the other domains are modules of the
 * tree that need no device and reach init. Resident memory and processor time are this process's, before and after.
 */
import '../cli/inlining.ts'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { nicModel } from '../lab/net/models.ts'
import { Lan } from '../lab/net/lan.ts'
import { createMachine } from '../machine/machine.ts'
import * as control from '../machine/class/net/control.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import { netOf } from '../machine/class/net/index.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'

const { values } = parseArgs({
  options: {
    domains: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    tree: { type: 'string', default: 'linux-6.1' },
    virtual: { type: 'string', default: '10' },
  },
})
const count = Number(values.domains)
const seed = Number(values.seed)

/** Ports run out first: 60 KiB of them, 64 bytes for an e1000. */
const NICS = Math.min(900, Math.floor(count * 0.9))
const WITHOUT_DEVICE = ['nls_cp437', 'nls_cp850', 'nls_iso8859-1', 'nls_utf8'] as const

async function packages(): Promise<Map<string, DriverPackage>> {
  const workspace = await openWorkspace({ tree: values.tree, toolchain: 'auto', onNote: console.error })
  const selectors = ['e1000', ...WITHOUT_DEVICE]
  const { modules } = await buildModules({ tree: workspace.tree, selectors, toolchain: workspace.toolchain })
  await workspace.close()
  const packs = await Promise.all(modules.map((module) => readPackage(module.package!, module.name)))
  return new Map(packs.map((pack) => [pack.manifest.name, pack]))
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const residentMiB = (): number => {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().rss / 2 ** 20
}

const named = (pack: DriverPackage, name: string): DriverPackage => ({
  ...pack,
  manifest: { ...pack.manifest, name },
})

const packs = await packages()
// Eight lines for each of 30 buses, and room for messages.
const machine = createMachine({ seed, interrupts: { lines: 272, capacity: 1024 } })
const lan = new Lan(machine)
const model = nicModel('intel-82540em')!

interface Phase {
  readonly cpuMs: number
  readonly MiB: number
}

async function phase(name: string, units: number, work: () => Promise<void>): Promise<Phase> {
  const [cpu, resident, wall, virtual] = [cpuMs(), residentMiB(), performance.now(), machine.now()]
  await work()
  const spent = { cpuMs: cpuMs() - cpu, MiB: residentMiB() - resident }
  console.log(
    `| ${name} | ${units} | ${(spent.cpuMs / units).toFixed(2)} | ${((spent.MiB * 1024) / units).toFixed(0)} | ${((machine.now() - virtual) / 1e9).toFixed(1)} | ${((performance.now() - wall) / 1000).toFixed(1)} |`,
  )
  return spent
}

console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, seed ${seed}, ${values.tree}\n`)
console.log(
  '| what | how many | processor ms each | resident KiB each | virtual s | wall s |\n|---|---:|---:|---:|---:|---:|',
)
const nics = Array.from({ length: NICS }, () => lan.plug(model))
await phase('e1000 domains: loaded, initialized, bound to a device each', NICS, async () => {
  for (const [i, nic] of nics.entries()) {
    const driver = await machine.load(named(packs.get('e1000')!, `e1000.${i}`))
    if (!driver.drives(nic.fn) && (await driver.bind(nic.fn)) !== 0) throw new Error(`NIC ${i} is not bound`)
  }
})
await phase('domains without a device: loaded, initialized', count - NICS, async () => {
  for (let i = 0; i < count - NICS; i++) {
    const name = WITHOUT_DEVICE[i % WITHOUT_DEVICE.length]!
    await machine.load(named(packs.get(name)!, `${name}.${i}`))
  }
})
const seconds = Number(values.virtual)
const interfaces = netOf(machine).units
await phase('idle, interfaces closed: a virtual second', seconds, () => machine.sleep(seconds * 1e9))
await phase('interfaces opened', NICS, async () => {
  for (const net of interfaces) await control.open(net)
})
await phase('until every link is up', NICS, async () => {
  await machine.run(() => interfaces.every(({ carrier }) => carrier), 60e9)
})
const up = interfaces.filter(({ carrier }) => carrier).length
await phase(`idle, ${up} links up: a virtual second`, seconds, () => machine.sleep(seconds * 1e9))
const alive = machine.drivers.filter(({ dead }) => !dead).length
console.log(`\n${alive} domains live, ${machine.faults.length} faults, ${up} of ${NICS} links up`)
await phase('killed', alive, async () => {
  for (const driver of machine.drivers) driver.domain.end()
})
const left = machine.drivers.map(({ domain }) => domain.remains()).flatMap((r) => Object.values(r)) as number[]
console.log(`\nleft of ${alive} killed domains: ${left.reduce((a, b) => a + b, 0)}`)
