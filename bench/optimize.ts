/**
 * Is a profiled rebuild faster? The driver's bytecode against its artefact, in turn, with real traffic.
 *
 *   node bench/optimize.ts [--module e1000] [--processes 6] [--rounds 60] [--frames 3000] [--size 60] [--tree linux-6.1] [--seed 1]
 *
 * Each process boots three machines with the same seed: bytecode, bytecode again (the control: what differs there is
 * noise) and artefact, in an order that turns from process to process, warms all of them up and then gives each the same
 * frames, round after round. Two figures a round: processor time of the process per frame (driver, device model, wire,
 * switch and checks, which are JavaScript and the same in all), and time within driver and kernel, calls of the machine
 * left out, per frame. Ratios are of figures of one round; medians over rounds and processes.
 */
import '../cli/inlining.ts'
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { withArtefact } from '../cli/artefacts.ts'
import { symbolizerOf, verifyPackage } from '../cli/machine.ts'
import { profiling } from '../cli/profile.ts'
import * as checks from '../lab/net/checks.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import type { Call, Observer } from '../machine/observe/observer.ts'
import { boot, runMachine, type Session } from '../lab/run.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { thisBinding } from '../pipeline/optimize/binding.ts'
import { bytecodesOf, optimise, profileFor } from '../pipeline/optimize/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'
import { interfaceOf, peerOf } from '../lab/net/index.ts'

const { values } = parseArgs({
  options: {
    module: { type: 'string', default: 'e1000' },
    processes: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '60' },
    frames: { type: 'string', default: '3000' },
    size: { type: 'string', default: '60' },
    tree: { type: 'string', default: 'linux-6.1' },
    seed: { type: 'string', default: '1' },
    /** Of a child: package directory, and how far the order has turned. */
    child: { type: 'string' },
    turn: { type: 'string', default: '0' },
  },
})
const [seed, rounds, frames, size] = [values.seed, values.rounds, values.frames, values.size].map(Number) as [
  number,
  number,
  number,
  number,
]
const VARIANTS = ['bytecode', 'bytecode again', 'artefact'] as const
type Variant = (typeof VARIANTS)[number]
/** Microseconds per frame, by round. */
interface Figures {
  readonly cpu: number[]
  readonly driver: number[]
}

/** Time within the driver and the kernel under it: from a call's return, or its end where it waited, to the next call. */
class Watch {
  spentMs = 0
  #since = 0
  readonly observer: Observer = {
    call: (_host, _group, _name, blocking, call): Call => {
      const back = <T>(result: T): T => {
        this.#since = performance.now()
        return result
      }
      return (...args) => {
        this.spentMs += performance.now() - this.#since
        let result: unknown
        try {
          result = call(...args)
        } finally {
          this.#since = performance.now()
        }
        return blocking && result instanceof Promise ? result.then(back) : result
      }
    },
  }
}

async function child(directory: string): Promise<Record<Variant, Figures>> {
  const pack = await readPackage(directory, values.module)
  const packs = { bytecode: pack, 'bytecode again': pack, artefact: await withArtefact(pack) }
  const turn = Number(values.turn)
  const order = VARIANTS.map((_, i) => VARIANTS[(i + turn) % VARIANTS.length]!)
  const machines = new Map<Variant, { session: Session; watch: Watch }>()
  for (const variant of order) {
    const watch = new Watch()
    const modules = [{ pack: packs[variant] }]
    const session = await boot({
      seed,
      modules,
      verify: verifyPackage,
      symbolizer: symbolizerOf,
      observer: watch.observer,
    })
    await checks.linkUp(session.machine, interfaceOf(session.climbers[0]!))
    machines.set(variant, { session, watch })
  }
  const figures = Object.fromEntries(VARIANTS.map((v) => [v, { cpu: [], driver: [] }])) as unknown as Record<
    Variant,
    Figures
  >
  const pass = async (variant: Variant, count: number): Promise<[cpu: number, driver: number]> => {
    const { session, watch } = machines.get(variant)!
    watch.spentMs = 0
    const before = process.cpuUsage()
    const net = interfaceOf(session.climbers[0]!)
    const check = await checks.traffic(session.machine, net, peerOf(session), {
      frames: count,
      shortest: size,
      longest: size,
    })
    const { user, system } = process.cpuUsage(before)
    if (!check.ok) throw new Error(check.detail)
    return [(user + system) / (2 * count), (watch.spentMs * 1000) / (2 * count)]
  }
  // Until the engine has optimised what it will.
  for (let i = 0; i < 8; i++) for (const variant of order) await pass(variant, 5000)
  for (let round = 0; round < rounds; round++)
    for (const variant of round % 2 === 0 ? order : order.toReversed()) {
      const [cpu, driver] = await pass(variant, frames)
      figures[variant].cpu.push(cpu)
      figures[variant].driver.push(driver)
    }
  return figures
}

const quantile = (numbers: readonly number[], q: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * q))]!

async function prepare(): Promise<string> {
  const workspace = await openWorkspace({ tree: values.tree, toolchain: 'auto', onNote: console.error })
  const { tree, toolchain } = workspace
  const { modules } = await buildModules({ tree, selectors: [values.module], toolchain })
  await workspace.close()
  const directory = modules[0]!.package!
  const pack: DriverPackage = await readPackage(directory, values.module)
  const { observer, document } = profiling()
  const { machine } = await runMachine({ seed, modules: [{ pack }], frames: 20_000, until: 'traffic', observer })
  const bytecode = (await bytecodesOf(pack)).at(-1)!
  const profile = profileFor(document(seed, machine.eventHash), bytecode, 'bench')
  const { artefact } = await optimise(bytecode, profile, await thisBinding())
  console.error(`${artefact.inlined} calls inlined, ${pack.wasm.length} to ${artefact.wasm.bytes} bytes`)
  return directory
}

function report(all: readonly Record<Variant, Figures>[]): void {
  console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, seed ${seed}`)
  console.log(
    `${values.module}, ${size}-byte frames, ${all.length} processes, ${rounds} rounds of ${frames} each way\n`,
  )
  console.log(
    '| what | variant | us a frame, median | ratio to bytecode, median (middle half) | ratio of best tenths |',
  )
  console.log('|---|---|---:|---:|---:|')
  for (const what of ['cpu', 'driver'] as const)
    for (const variant of VARIANTS) {
      const figures = all.flatMap((figure) => figure[variant][what])
      const ratios = all.flatMap((figure) => figure[variant][what].map((us, i) => us / figure.bytecode[what][i]!))
      const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q).toFixed(3))
      // Other work on the computer makes rounds slower, never faster.
      const best = all.map((figure) => quantile(figure[variant][what], 0.1) / quantile(figure.bytecode[what], 0.1))
      const title = what === 'cpu' ? 'all of the machine, processor time' : 'driver and kernel'

      const cells = [quantile(figures, 0.5).toFixed(3), `${middle} (${low} to ${high})`, quantile(best, 0.5).toFixed(3)]
      console.log(`| ${title} | ${variant} | ${cells.join(' | ')} |`)
    }
}

if (values.child !== undefined) console.log(JSON.stringify(await child(values.child)))
else {
  const directory = await prepare()
  const all: Record<Variant, Figures>[] = []
  for (let turn = 0; turn < Number(values.processes); turn++) {
    const args = ['--disable-warning=ExperimentalWarning', import.meta.filename, ...process.argv.slice(2)]
    const more = ['--child', directory, '--turn', String(turn)]
    const { stdout, stderr, status } = spawnSync(process.execPath, [...args, ...more], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    all.push(JSON.parse(stdout) as Record<Variant, Figures>)
  }
  report(all)
}
