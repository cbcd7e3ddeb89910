/**
 * What the machine costs on this computer, with real drivers: boot, probe, frames, restart.
 *
 * `node bench/machine.ts [--rounds N] [--seed N]` builds 8139too and e1000 if need be and prints medians over rounds
 * run in turn. Wall-clock figures: quote them with the machine and the seed, and compare ratios only.
 */
import '../cli/inlining.ts'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { symbolizerOf, verifyPackage } from '../cli/machine.ts'
import * as checks from '../lab/net/checks.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import { breakUnderTraffic } from '../lab/net/breakage.ts'
import { boot, type Session } from '../lab/run.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'
import { interfaceOf, peerOf } from '../lab/net/index.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    tree: { type: 'string', default: 'linux-6.1' },
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
const SIZES = [60, 512, 1514] as const
const FRAMES = 20_000
/** Sessions until the engine has compiled what frames of the slower driver go through. */
const WARM_UP = 4

async function packages(): Promise<DriverPackage[]> {
  const workspace = await openWorkspace({ tree: values.tree, toolchain: 'auto', onNote: console.error })
  const { modules } = await buildModules({
    tree: workspace.tree,
    selectors: ['8139too', 'e1000'],
    toolchain: workspace.toolchain,
  })
  await workspace.close()
  return Promise.all(modules.map((module) => readPackage(module.package!, module.name)))
}

type Figures = Map<string, number[]>
const note = (figures: Figures, name: string, value: number): void => {
  figures.set(name, [...(figures.get(name) ?? []), value])
}

async function timed<T>(figures: Figures, name: string, body: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await body()
  note(figures, name, performance.now() - start)
  return result
}

async function frames(figures: Figures, session: Session): Promise<void> {
  const { machine, climbers } = session
  const peer = peerOf(session)
  for (const one of climbers) {
    await checks.linkUp(machine, interfaceOf(one))
    for (const size of SIZES) {
      const start = performance.now()
      const check = await checks.traffic(machine, interfaceOf(one), peer, {
        frames: FRAMES,
        shortest: size,
        longest: size,
      })
      if (!check.ok) throw new Error(check.detail)
      note(
        figures,
        `${one.name}: ${size}-byte frames, us each, driver and checks`,
        ((performance.now() - start) * 1000) / (2 * FRAMES),
      )
    }
  }
}

async function round(figures: Figures, packs: readonly DriverPackage[]): Promise<void> {
  const modules = packs.map((pack) => ({ pack }))
  const wallMs = (): number => performance.now()
  const session = await timed(figures, 'boot: two drivers loaded and bound, ms', () =>
    boot({ seed, modules, flakyBus: true, verify: verifyPackage, symbolizer: symbolizerOf, wallMs }),
  )
  await frames(figures, session)
  const [old, young] = session.climbers
  await timed(figures, 'fault under traffic to traffic again, ms', () =>
    breakUnderTraffic(session, young!, interfaceOf(old!)),
  )
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!

const packs = await packages()
const figures: Figures = new Map()
for (let i = 0; i < WARM_UP; i++) await round(new Map(), packs)
for (let i = 0; i < rounds; i++) await round(figures, packs)
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, seed ${seed}, ${rounds} rounds\n`)
console.log('| what | median | min | max |\n|---|---:|---:|---:|')
for (const [name, numbers] of figures) {
  console.log(
    `| ${name} | ${median(numbers).toFixed(2)} | ${Math.min(...numbers).toFixed(2)} | ${Math.max(...numbers).toFixed(2)} |`,
  )
}
