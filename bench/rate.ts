/**
 * What a part of the machine costs of a driver's packet rate: the same traffic through a machine that has it and one that
 * has not, in short slices in turn.
 *
 *   node bench/rate.ts [--module NAME] [--processes N] [--turns N] [--seed N] [--tree NAME]
 *
 * Counted work takes no virtual time in any of them, so all do the same, to the event. A ratio is of two slices of the same
 * few milliseconds, and a process's figure the median of its ratios. Where and when it was made makes a machine some
 * percent faster or slower for as long as it lives; so there are many processes, every kind is made first, second, third
 * and fourth in as many of them, and the figure is the mean over processes with its standard error. The same machine again
 * is the control: what is not outside of its error is not known to cost anything.
 */
import '../cli/inlining.ts'
import { fork } from 'node:child_process'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import * as checks from '../lab/net/checks.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import type { Observer } from '../machine/observe/observer.ts'
import { boot } from '../lab/run.ts'
import { startTraffic } from '../lab/net/traffic.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'
import { unchecked } from './unchecked.ts'
import { uncounted } from './uncounted.ts'
import { interfaceOf, peerOf } from '../lab/net/index.ts'

const { values } = parseArgs({
  options: {
    module: { type: 'string', default: 'e1000' },
    processes: { type: 'string', default: '20' },
    turns: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    tree: { type: 'string', default: 'linux-6.1' },
    /** Of a child: where its package lies, and its number. */
    package: { type: 'string' },
    number: { type: 'string', default: '0' },
  },
})
const seed = Number(values.seed)

/** Each way, in a slice: some 4 ms. */
const SLICE_FRAMES = 1000
/** More than anybody waits for. */
const FRAMES = 2 ** 22
/** Turns at the start that the engine still compiles in. */
const WARM_UP = 60

/**
 * The machine; the same again; without preemption points; without counting how deep calls are nested; without capability
 * look-ups at registers and DMA windows.
 */
const KINDS = ['whole', 'control', 'uncounted', 'deep', 'unchecked'] as const
type Kind = (typeof KINDS)[number]
type Slice = () => Promise<void>
/** What each kind took in a turn, us a frame. */
type Turn = Record<Kind, number>

// ---- one process ----

async function measure(pack: DriverPackage, number: number, turns: number): Promise<Turn[]> {
  const order = KINDS.map((_, i) => KINDS[(i + number) % KINDS.length]!)
  if (number % (2 * KINDS.length) >= KINDS.length) order.reverse()
  const machines: { kind: Kind; slice: Slice }[] = []
  for (const kind of order) machines.push({ kind, slice: await machineOf(pack, kind) })
  const all: Turn[] = []
  for (let i = -WARM_UP; i < turns; i++) {
    const turn: Turn = { whole: 0, control: 0, uncounted: 0, deep: 0, unchecked: 0 }
    for (let j = 0; j < machines.length; j++) {
      const { kind, slice } = machines[(i + WARM_UP + j) % machines.length]!
      const begun = performance.now()
      await slice()
      turn[kind] = ((performance.now() - begun) * 1e3) / (2 * SLICE_FRAMES)
    }
    if (i >= 0) all.push(turn)
  }
  return all
}

async function machineOf(pack: DriverPackage, kind: Kind): Promise<Slice> {
  const observer = kind === 'unchecked' ? unchecked() : undefined
  const slice = await traffic(owned(moduleOf(pack, kind), kind), observer)
  if (observer?.replaced === 0) throw new Error('no call was replaced')
  return slice
}

function moduleOf(pack: DriverPackage, kind: Kind): DriverPackage {
  if (kind === 'uncounted') return uncounted(pack).pack
  return kind === 'deep' ? uncounted(pack, 'room').pack : pack
}

/** With a compiled module of its own: the engine tunes code by what it is used for. */
const owned = (pack: DriverPackage, name: string): DriverPackage => ({
  ...pack,
  manifest: { ...pack.manifest, wasm: { ...pack.manifest.wasm, sha256: name } },
})

/** A machine with traffic both ways, a slice at a time. */
async function traffic(pack: DriverPackage, observer: Observer | undefined): Promise<Slice> {
  const session = await boot({ seed, costs: { workNs: 0 }, modules: [{ pack }], ...(observer && { observer }) })
  const { machine, climbers } = session
  const peer = peerOf(session)
  const net = interfaceOf(climbers[0]!)
  const up = await checks.linkUp(machine, net)
  if (!up.ok) throw new Error(up.detail)
  const running = startTraffic(machine.board.kernel, net, peer, seed, { shortest: 60, longest: 60, frames: FRAMES })
  return async () => {
    const target = running.received + 2 * SLICE_FRAMES
    await machine.run(() => running.received >= target, 10e9)
    if (running.received < target) throw new Error('frames were lost')
  }
}

// ---- all of them ----

async function packageDir(): Promise<string> {
  const workspace = await openWorkspace({ tree: values.tree, toolchain: 'auto', onNote: console.error })
  const selectors = [values.module]
  const { modules } = await buildModules({ tree: workspace.tree, selectors, toolchain: workspace.toolchain })
  await workspace.close()
  return modules[0]!.package!
}

const child = (dir: string, number: number): Promise<Turn[]> =>
  new Promise((resolve, reject) => {
    const args = [...process.argv.slice(2), '--package', dir, '--number', `${number}`]
    const one = fork(import.meta.filename, args)
    one.on('message', (turns: Turn[]) => resolve(turns))
    one.on('exit', (status) => reject(new Error(`process ${number} ended with ${status} and no result`)))
  })

function quantile(of: readonly number[], part: number): number {
  const sorted = of.toSorted((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * part)]!
}

const mean = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0) / of.length

/** Of the mean. */
function error(of: readonly number[]): number {
  const middle = mean(of)
  return Math.sqrt(of.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (of.length - 1) / of.length)
}

const NAMES: Readonly<Record<Exclude<Kind, 'whole'>, string>> = {
  control: 'nothing (the control)',
  uncounted: 'preemption points',
  deep: 'counting how deep calls are nested',
  unchecked: 'capability look-ups at registers and DMA windows',
}

async function main(): Promise<void> {
  const dir = await packageDir()
  const processes: Turn[][] = []
  for (let i = 0; i < Number(values.processes); i++) processes.push(await child(dir, i))
  const frame = quantile(
    processes.flat().map(({ whole }) => whole),
    0.5,
  )
  const { points } = uncounted(await readPackage(dir, values.module))
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, seed ${seed}, ${processes.length} processes of ${values.turns} turns`,
  )
  console.log(`${values.module}: ${frame.toFixed(2)} us a 60-byte frame, ${points} preemption points\n`)
  console.log('| what costs | of the packet rate, % | standard error | single processes |\n|---|---:|---:|---:|')
  for (const [kind, name] of Object.entries(NAMES) as [Exclude<Kind, 'whole'>, string][]) {
    const medians = processes.map((turns) =>
      quantile(
        turns.map((turn) => (turn.whole / turn[kind] - 1) * 100),
        0.5,
      ),
    )
    const [low, high] = [Math.min(...medians), Math.max(...medians)].map((n) => n.toFixed(1))
    console.log(`| ${name} | ${mean(medians).toFixed(1)} | ${error(medians).toFixed(1)} | ${low} to ${high} |`)
  }
}

if (values.package === undefined) await main()
else {
  const pack = await readPackage(values.package, values.module)
  process.send!(await measure(pack, Number(values.number), Number(values.turns)))
  process.disconnect()
}
