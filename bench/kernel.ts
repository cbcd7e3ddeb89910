/**
 * What the microkernel's operations cost on this computer, between real drivers where there are any.
 *
 *   node bench/kernel.ts [--rounds N] [--seed N] [--tree NAME] [--only WORD]
 *
 * Figures are processor time of this process over many operations; restarts are wall time. Rounds go through all rows in
 * turn; the median of all figures is printed, and how they are spread. Costs of operations between drivers are what
 * drivers-src/ipc/ipc_bench.c takes more for many of them than for none. What parts cost of a packet rate is asked in
 * rate.ts. bench/README.md has figures, and what other kernels have published.
 */
import '../cli/inlining.ts'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as checks from '../lab/net/checks.ts'
import { Host } from '../machine/abi/host.ts'
import { createMachine } from '../machine/machine.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import { mmio } from '../machine/abi/mmio.ts'
import { boot, type Session } from '../lab/run.ts'
import { memoryBank } from '../hw/iommu.ts'
import { CNode, Revocation, revoke } from '../kernel/capability.ts'
import { Kernel } from '../kernel/kernel.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { packageRoot } from '../pipeline/root.ts'
import { openWorkspace } from '../pipeline/workspace.ts'
import { assemble, line, load, op } from '../test/kernel/support.ts'
import { restarts, type Restarts } from './restart.ts'
import { interfaceOf, nicOf, peerOf } from '../lab/net/index.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seed: { type: 'string', default: '1' },
    tree: { type: 'string', default: 'linux-6.1' },
    only: { type: 'string', default: '' },
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)

/** Processor time of this process, ns. */
const cpuNs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

async function cpuOf(work: () => unknown): Promise<number> {
  const start = cpuNs()
  await work()
  return cpuNs() - start
}

/** One figure, or several of the same. */
type Measure = () => number | number[] | Promise<number | number[]>

interface Row {
  readonly name: string
  readonly unit: 'ns' | 'us' | 'ms'
  readonly wanted?: string
  /** In the unit. */
  readonly measure: Measure
}

async function packagesOf(selectors: readonly string[]): Promise<Map<string, DriverPackage>> {
  const workspace = await openWorkspace({ tree: values.tree, toolchain: 'auto', onNote: console.error })
  const { modules } = await buildModules({ tree: workspace.tree, selectors, toolchain: workspace.toolchain })
  await workspace.close()
  const packs = await Promise.all(modules.map((module) => readPackage(module.package!, module.name)))
  return new Map(packs.map((pack) => [pack.manifest.name, pack]))
}

// ---- between drivers ----

const LINKS = [
  { client: 'ipc_bench', name: 'count', server: 'ipc_server', service: 'counter' },
  { client: 'ipc_bench', name: 'plus', server: 'ipc_server', service: 'adder' },
]

/** ns each, of `count` operations of one kind: with them, less without. */
function between(packs: Map<string, DriverPackage>, kind: string, count: number): () => Promise<number> {
  const run = async (n: number): Promise<number> => {
    const machine = createMachine({ seed })
    for (const link of LINKS) machine.board.exchange.link(link)
    await machine.load(packs.get('ipc_server')!)
    const spent = await cpuOf(() => machine.load(packs.get('ipc_bench')!, [`ipc_bench.${kind}=${n}`]))
    await machine.unload('ipc_bench')
    await machine.unload('ipc_server')
    return spent
  }
  return async () => {
    const [without, having] = [await run(0), await run(count)]
    return (having - without) / count
  }
}

// ---- the engine alone ----

interface Jspi {
  promising(f: unknown): (times: number) => Promise<void>
  Suspending: new (f: unknown) => WebAssembly.ImportValue
}

const SWITCHES = 500_000

/** ns for two fibers to be suspended and resumed once each, by each other and nothing else. */
async function switches(): Promise<number> {
  const { promising, Suspending } = WebAssembly as unknown as Jspi
  let waiting: ((value: number) => void) | undefined
  const keep = (resolve: (value: number) => void): void => void (waiting = resolve)
  const pass = (): Promise<number> => {
    const other = waiting
    const promise = new Promise<number>(keep)
    other?.(0)
    return promise
  }
  const module = new WebAssembly.Module(assemble([PASS], [{ name: 'f', params: 1, body: PASSES }]))
  const fiber = (): Promise<void> =>
    promising(new WebAssembly.Instance(module, { kernel: { pass: new Suspending(pass) } }).exports['f'])(SWITCHES)
  const spent = await cpuOf(async () => {
    const [first] = [fiber(), fiber()]
    await first
  })
  waiting?.(0)
  return spent / SWITCHES
}

const PASS = { module: 'kernel', name: 'pass', params: 0, result: true }
const PASSES = [
  op.loop,
  ...line(op.call('pass'), op.drop, op.local(0), op.value(1), op.sub, op.setLocal(0)),
  ...line(op.value(0), op.local(0), op.lessThan, op.againIf, op.end),
]

// ---- registers ----

const READ = { module: 'mmio', name: 'read32', params: 1, result: true }

/** A program that reads one address so many times. */
function reader(read32: (address: number) => number): (address: number, times: number) => void {
  const body = [
    op.loop,
    ...line(op.local(0), op.call('read32'), op.drop),
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
  ]
  const module = new WebAssembly.Module(assemble([READ], [{ name: 'f', params: 2, body }]))
  const instance = new WebAssembly.Instance(module, { mmio: { read32 } })
  return instance.exports['f'] as (address: number, times: number) => void
}

const READS = 3_000_000

/** ns a read: of an import that does nothing; with the capability look-up; of a register of the modelled e1000. */
async function registers(
  packs: Map<string, DriverPackage>,
): Promise<Record<'empty' | 'looked' | 'register', () => Promise<number>>> {
  const session = await boot({ seed, modules: [{ pack: packs.get('e1000')! }] })
  const { board } = session.machine
  const fn = nicOf(session.climbers[0]!).fn
  const host = new Host(board, 'reader')
  const { domain, exports } = load(board.kernel, 'reader', [{ name: 'noop', body: [] }])
  host.attach(domain, memoryBank((exports as unknown as { memory: WebAssembly.Memory }).memory), ['mmio'])
  host.grant(fn)
  const address = host.map(fn.bars[0]!.start, 4096)
  const calls = mmio.calls(host)
  const { pages } = host
  const programs = {
    empty: reader((at) => at),
    looked: reader((at) => (pages.find(at, 4) ? pages.offset : -1)),
    register: reader((at) => calls.read32(at) as number),
  }
  const measured = (f: (address: number, times: number) => void, at: number) => async () =>
    (await cpuOf(() => f(at, READS))) / READS
  // 8: STATUS, which a read does not change.
  return {
    empty: measured(programs.empty, address + 8),
    looked: measured(programs.looked, address + 8),
    register: measured(programs.register, address + 8),
  }
}

// ---- capabilities and domains ----

const THING = { type: 'thing', label: 'a thing' }
const DESCENDANTS = 10_000

/** 10,000 descendants in 100 spaces, each the child of one of the last few: as deep as it is wide. */
function family(): ReturnType<CNode['create']> {
  const spaces = Array.from({ length: 100 }, (_, i) => new CNode(`space ${i}`))
  const root = new CNode('root').create(THING)
  const made = [root]
  for (let i = 0; i < DESCENDANTS; i++) made.push(spaces[i % 100]!.derive(made[i >> 2]!, THING))
  return root
}

async function revocation(): Promise<number> {
  const roots = Array.from({ length: 20 }, family)
  const spent = await cpuOf(() => {
    for (const root of roots) if (revoke(root, false) !== DESCENDANTS) throw new Error('not all were revoked')
  })
  return spent / roots.length / 1e6
}

/** The longest that others wait: one step of 64. */
async function revocationStep(): Promise<number> {
  const roots = Array.from({ length: 20 }, family)
  let steps = 0
  const spent = await cpuOf(() => {
    for (const root of roots) for (const going = Revocation.of(root); !going.step(64);) steps++
  })
  return spent / steps / 1e3
}

const noop = [{ name: 'noop', body: [] }]
const kernel = new Kernel(seed)
/** As small as a domain can be; its module is compiled each time, for it is that small. */
async function smallDomains(): Promise<number> {
  const count = 2000
  return (
    (await cpuOf(() => {
      for (let i = 0; i < count; i++) load(kernel, 'd', noop).domain.end()
    })) /
    count /
    1e3
  )
}

const driverDomains = (pack: DriverPackage) => async (): Promise<number> => {
  const machine = createMachine({ seed })
  const count = 50
  const spent = await cpuOf(async () => {
    for (let i = 0; i < count; i++) {
      await machine.load(pack)
      await machine.unload(pack.manifest.name)
    }
  })
  return spent / count / 1e6
}

// ---- drivers at work ----

async function ready(pack: DriverPackage): Promise<Session> {
  const session = await boot({ seed, modules: [{ pack }] })
  const up = await checks.linkUp(session.machine, interfaceOf(session.climbers[0]!))
  if (!up.ok) throw new Error(up.detail)
  return session
}

const RESTARTS = 10

/** Wall ms of restarts: see restart.ts. */
const restart = (pack: DriverPackage) => {
  let started: Promise<Restarts> | undefined
  return async (): Promise<number[]> => {
    const { next } = await (started ??= restarts(pack, seed))
    const figures: number[] = []
    for (let i = 0; i < RESTARTS; i++) figures.push((await next()).wallMs)
    return figures
  }
}

const FRAMES = 20_000

/** Processor time a frame, us, each way. */
const frames = (pack: DriverPackage) => {
  let started: Promise<Session> | undefined
  return async (): Promise<number> => {
    const session = await (started ??= ready(pack))
    const { machine, climbers } = session
    const peer = peerOf(session)
    let detail = ''
    const spent = await cpuOf(async () => {
      const check = await checks.traffic(machine, interfaceOf(climbers[0]!), peer, {
        frames: FRAMES,
        shortest: 60,
        longest: 60,
      })
      detail = check.ok ? '' : check.detail
    })
    if (detail !== '') throw new Error(detail)
    return spent / 1e3 / (2 * FRAMES)
  }
}

/** The figure at a part of the way through, from the smallest (0) to the largest (1). */
function quantile(of: readonly number[], part: number): number {
  const sorted = of.toSorted((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * part)]!
}

async function rowsOf(): Promise<Row[]> {
  const packs = await packagesOf(['8139too', 'e1000', join(packageRoot, 'drivers-src/ipc')])
  const e1000 = packs.get('e1000')!
  const registerRows = await registers(packs)
  return [
    {
      name: 'a call of the kernel that does nothing (sched.self)',
      unit: 'ns',
      measure: between(packs, 'selves', 10_000_000),
    },
    {
      name: 'call and reply in one thread (ipc.invoke)',
      unit: 'ns',
      wanted: '100',
      measure: between(packs, 'invokes', 5_000_000),
    },
    {
      name: 'call and reply with another thread (ipc.call)',
      unit: 'ns',
      wanted: '1000',
      measure: between(packs, 'calls', 500_000),
    },
    { name: "the engine's part of it: two fibers suspended and resumed", unit: 'ns', measure: switches },
    { name: 'notification: signal and poll', unit: 'ns', measure: between(packs, 'polls', 3_000_000) },
    {
      name: 'notification: signal and wait for what is there',
      unit: 'ns',
      measure: between(packs, 'waits', 1_000_000),
    },
    { name: 'an import that does nothing', unit: 'ns', measure: registerRows.empty },
    { name: 'an import that looks up the capability', unit: 'ns', measure: registerRows.looked },
    { name: 'a register read of e1000, in all', unit: 'ns', wanted: '10', measure: registerRows.register },
    { name: 'domain created and destroyed: an empty program', unit: 'us', measure: smallDomains },
    { name: '8139too loaded, initialized, unloaded', unit: 'ms', measure: driverDomains(packs.get('8139too')!) },
    { name: `revoke ${DESCENDANTS} descendants`, unit: 'ms', measure: revocation },
    { name: 'one step of it: 64', unit: 'us', measure: revocationStep },
    {
      name: '8139too: from a fault to the first frame',
      unit: 'ms',
      wanted: '5',
      measure: restart(packs.get('8139too')!),
    },
    { name: 'e1000: from a fault to the first frame', unit: 'ms', wanted: '5', measure: restart(e1000) },
    { name: 'e1000: a 60-byte frame', unit: 'us', measure: frames(e1000) },
  ]
}

const rows = (await rowsOf()).filter(({ name }) => new RegExp(values.only).test(name))
const figures = rows.map((): number[] => [])
for (const { measure } of rows) await measure() // warm-up
for (let round = 0; round < rounds; round++)
  for (const [i, { measure }] of rows.entries()) figures[i]!.push(...[await measure()].flat())
const digits = (n: number): string => (Math.abs(n) < 10 ? n.toFixed(2) : n.toFixed(1))
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, seed ${seed}, ${rounds} rounds\n`)
console.log('| what | median | middle half | min | max | figures | wanted |\n|---|---:|---:|---:|---:|---:|---:|')
rows.forEach(({ name, unit, wanted }, i) => {
  const of = figures[i]!
  const [median, first, third, low, high] = [0.5, 0.25, 0.75, 0, 1].map((part) => digits(quantile(of, part)))
  console.log(
    `| ${name}, ${unit} | ${median} | ${first} to ${third} | ${low} | ${high} | ${of.length} | ${wanted ?? ''} |`,
  )
})
