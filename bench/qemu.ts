/**
 * The same drivers on the same work, under QEMU and here, in turn: what whoever wants a driver off the metal does today
 * against what this project is for.
 *
 *   node bench/qemu.ts [--rounds N] [--driver NAME] [--seed N] [--tree NAME]
 *
 * QEMU and a Debian kernel of the tree's version are brought into the cache for this only. Each round starts a guest,
 * measures, and does the same here, pair after pair. Printed are medians over all pairs and of the ratios within a pair.
 * What is equal on both sides and what is not: bench/README.md.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'
import { bringGuest } from './qemu/bring.ts'
import { Here } from './qemu/here.ts'
import { There } from './qemu/there.ts'
import type { Case, Figure, Side, Work } from './qemu/work.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    driver: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    tree: { type: 'string', default: 'linux-6.1' },
  },
})
const rounds = Number(values.rounds)
const FRAMES = 100_000
/** Pairs of each work in a round: such a computer is half as fast for some seconds, and a piece of work takes a tenth of one here. */
const PAIRS = 5

const passing = (what: 'transmit' | 'receive', bytes: number, clone = false): Work => ({
  what,
  bytes,
  frames: FRAMES,
  clone,
})
const WORK: readonly Work[] = [
  passing('transmit', 60),
  passing('transmit', 1514),
  passing('transmit', 60, true),
  passing('transmit', 1514, true),
  passing('receive', 60),
  passing('receive', 1514),
  { what: 'kill' },
]
const CASES: readonly Case[] = [
  { driver: 'e1000', device: 'Intel 82540EM', work: WORK },
  { driver: '8139too', device: 'RTL8139', work: WORK },
]

const START: Work = { what: 'start' }
const nameOf = (driver: string, work: Work): string => {
  if (work.what === 'start') return `${driver}: from the command to a bound and opened interface, ms`
  if (work.what === 'kill') return `${driver}: killed, until bound and opened again, ms`
  return `${driver}: ${work.what} ${work.bytes} bytes${work.clone ? ', one skb for many' : ''}, frames/s`
}

/** In what it is measured in: frames a second, or ms. */
const valueOf = ({ wallMs, frames }: Figure): number => (frames === undefined ? wallMs : (frames * 1000) / wallMs)
/** How many times as fast `here` is, by a kind of time. */
const ratioOf = (there: Figure, here: Figure, by: 'wallMs' | 'cpuMs'): number =>
  there[by] / (there.frames ?? 1) / (here[by] / (here.frames ?? 1))

interface Row {
  readonly name: string
  readonly there: Figure[]
  readonly here: Figure[]
}

const rows = new Map<string, Row>()
function note(name: string, side: 'there' | 'here', figure: Figure): void {
  const row = rows.get(name) ?? { name, there: [], here: [] }
  rows.set(name, row)
  row[side].push(figure)
}

async function round({ driver, work }: Case, there: Side, here: Side): Promise<void> {
  note(nameOf(driver, START), 'there', await there.start())
  note(nameOf(driver, START), 'here', await here.start())
  for (const each of work.flatMap((one) => Array.from({ length: PAIRS }, () => one))) {
    note(nameOf(driver, each), 'there', await there.measure(each))
    note(nameOf(driver, each), 'here', await here.measure(each))
  }
  await there.stop()
  await here.stop()
}

async function build(selectors: readonly string[]): Promise<{ version: string; packs: Map<string, DriverPackage> }> {
  const workspace = await openWorkspace({ tree: values.tree, toolchain: 'auto', onNote: console.error })
  const { modules } = await buildModules({ tree: workspace.tree, selectors, toolchain: workspace.toolchain })
  const { version } = workspace.tree
  await workspace.close()
  const packs = new Map<string, DriverPackage>()
  for (const { name, package: dir } of modules) packs.set(name, await readPackage(dir!, name))
  return { version, packs }
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
const digits = (n: number): string => n.toLocaleString('en', { maximumFractionDigits: n < 100 ? 1 : 0 })

const cases = CASES.filter(({ driver }) => driver.includes(values.driver))
const { version, packs } = await build(cases.map(({ driver }) => driver))
const files = await bringGuest(version, (line) => console.error(line))
const sides = cases.map((one) => {
  const pack = packs.get(one.driver)!
  return { one, there: new There(files, one.driver), here: new Here(pack, values.tree, Number(values.seed)) }
})
for (let i = 0; i < rounds; i++) {
  for (const { one, there, here } of sides) {
    await round(one, there, here)
    console.error(`round ${i + 1} of ${rounds}: ${one.driver}`)
  }
}
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, ${files.qemuVersion}, TCG`)
console.log(
  `Linux ${version} here, Debian ${files.kernelVersion} there, seed ${values.seed}, ${rounds} rounds of ${PAIRS} pairs\n`,
)
console.log('| what | QEMU | here | times | by processor time |\n|---|---:|---:|---:|---:|')
for (const { name, there, here } of rows.values()) {
  const times = (by: 'wallMs' | 'cpuMs'): string => median(there.map((one, i) => ratioOf(one, here[i]!, by))).toFixed(1)
  const [far, near] = [there, here].map((figures) => digits(median(figures.map(valueOf))))
  console.log(`| ${name} | ${far} | ${near} | ${times('wallMs')} | ${times('cpuMs')} |`)
}
process.exit(0)
