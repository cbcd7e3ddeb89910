/**
 * The ladder over many modules: `drvport matrix`.
 *
 * A module that fails is a row and never stops the others. What is finished is in the object cache and the store, so the
 * same command goes on where an interrupted one stopped. Only a failing infrastructure (no compiler, disk full) is thrown.
 */

import { checkInterrupted, DrvportError, Interrupted } from '../errors.ts'
import { openBuild, selectAll } from '../build/fresh.ts'
import type { KernelModule, KernelTree } from '../build/index.ts'
import { treeFacts } from '../build/kernel.ts'
import { buildModule, type ModuleBuild } from '../build/module.ts'
import type { BuildUntil } from '../build/trace.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { Climber } from './climb.ts'
import { emptyRow, oneLine, rowOf } from './row.ts'
import { drawSample } from './sample.ts'
import { schedule } from './schedule.ts'
import { inShard, type Shard } from './shard.ts'
import { byPath, summarize } from './summary.ts'
import { BUILD_TOP, rungIndex, type Rung } from '../ladder.ts'
import type { MatrixDocument, MatrixRow } from './types.ts'
import { cpuMs, peakBytes } from './usage.ts'
import { ownVersion } from './version.ts'

export type MatrixProgress =
  /** Finding the modules, and making the sources that the tree generates. */
  | { readonly step: 'select' }
  | { readonly step: 'plan'; readonly modules: number; readonly objects: number; readonly toolchain: string }
  /** What is done for the kernel that drivers stand on. */
  | { readonly step: 'kernel'; readonly text: string }
  | { readonly step: 'start'; readonly module: string }
  | { readonly step: 'object'; readonly module: string }
  /** With `makeRows`: all that is under way elsewhere now, for people. */
  | { readonly step: 'elsewhere'; readonly current: readonly string[] }
  | { readonly step: 'row'; readonly row: MatrixRow; readonly objects: number }

/** What is told while rows are made somewhere else. */
export interface Elsewhere {
  readonly onRow: (row: MatrixRow) => void
  readonly onCurrent: (current: readonly string[]) => void
}

/**
 * Makes rows somewhere else, in any order, telling of each. Returns when all are made or the signal has fired. Rejects
 * with InfrastructureError; rows told until then count.
 */
export type MakeRows = (modules: readonly KernelModule[], tell: Elsewhere) => Promise<void>

export interface MatrixRequest {
  readonly tree: KernelTree
  readonly toolchain: Toolchain
  readonly selectors: readonly string[]
  readonly until: Rung
  readonly seed: number
  /** Only so many of the modules, drawn by the seed. */
  readonly sample?: number
  /** A part of those. */
  readonly shard?: Shard
  /** Climbs the rungs above verify; without it they are not reached. */
  readonly climber?: Climber
  /** Has others make the rows. Modules outside of the tree, which only this computer has, are made here all the same. */
  readonly makeRows?: MakeRows
  readonly signal?: AbortSignal
  readonly progress?: (event: MatrixProgress) => void
}

/** What decides a row, besides its module. */
export type RowsRequest = Omit<MatrixRequest, 'selectors' | 'sample' | 'shard' | 'makeRows'>

const NEVER = new AbortController().signal
const ABOVE_BUILD = rungIndex(BUILD_TOP)

/** What the build is asked for; the rungs above are the machine's. */
const buildUntil = (until: Rung): BuildUntil =>
  until === 'none' ? 'parse' : rungIndex(until) > ABOVE_BUILD ? BUILD_TOP : (until as BuildUntil)

/** Of what a test may have more than others. */
const FOR_TESTS: ReadonlySet<string> = new Set(['timeout', 'out-of-memory'])

/** How far one module gets. Throws when interrupted, and InfrastructureError. */
async function climb(request: RowsRequest, build: ModuleBuild, module: KernelModule): Promise<MatrixRow> {
  const { until, climber } = request
  const result = await buildModule(build, module, buildUntil(until))
  const row = rowOf(result)
  if (climber === undefined || result.package === undefined || rungIndex(until) <= ABOVE_BUILD) return row
  const isTest = async (): Promise<boolean> => (await build.tree.tests()).has(module.path)
  const asTest = rungIndex(until) > rungIndex('init') && (await isTest())
  const job = { dir: result.package, name: module.name, ...(asTest && { isTest: true }) }
  const signal = request.signal ?? NEVER
  let ascent = await climber.climb(job, until, signal)
  // A test has a test's time and memory, also where it is only to be started: which modules are some is asked of all sources, so late.
  if (FOR_TESTS.has(ascent.reason) && !asTest && (await isTest()))
    ascent = await climber.climb({ ...job, isTest: true }, until, signal)
  if (ascent.reason === 'no-device-model' && build.core !== undefined) {
    const beside = climber.besideFor(row.classes)
    const { package: dir } = await buildModule(build, module, BUILD_TOP, beside)
    if (dir !== undefined) ascent = await climber.climb({ ...job, dir, beside }, until, signal)
  }
  const { rung, reason, detail, ms, tests, parameters } = ascent
  const more = { ...(tests && { tests }), ...(parameters && { parameters }) }
  return { ...row, rung, reason, detail: oneLine(detail), ms: { ...row.ms, ...ms }, ...more }
}

/** Rows say the same on every computer: a file by its name only. */
const withoutPaths = (text: string): string => text.replaceAll(/(?<=^|[\s'"(])\/(?:[^\s'":()/]+\/)+/g, '')

/** What becomes of a module that threw: a row, unless it is the infrastructure that failed. */
function rowOfError(error: unknown, module: KernelModule, signal = NEVER): MatrixRow {
  // What is stopped in the middle says so in many ways.
  if (error instanceof Interrupted || signal.aborted) return emptyRow(module, 'interrupted', '')
  if (error instanceof DrvportError) throw error
  return emptyRow(module, 'internal-error', withoutPaths(error instanceof Error ? error.message : String(error)))
}

/** What makes one row after another of modules of a tree. */
export interface RowMaker {
  /** Say which modules come next: headers common to many of them are read once. */
  prepare(modules: readonly KernelModule[]): void
  /** May be called concurrently; rejects only with InfrastructureError. */
  row(module: KernelModule): Promise<MatrixRow>
}

/** Open what rows are made with; `modules` are at least those that are not of the tree. */
export async function openRows(request: RowsRequest, modules: readonly KernelModule[] = []): Promise<RowMaker> {
  const { progress, until } = request
  const onObject = (module: string) => progress?.({ step: 'object', module })
  const build = await openBuild(request, modules, onObject, (text) => progress?.({ step: 'kernel', text }))
  build.compiler.prepare(modules)
  // A module of somebody's own links by what the tree exports: see core/by-exports.ts.
  const onlyOwn = modules.length > 0 && modules.every(isOutside)
  if (rungIndex(until) >= rungIndex(onlyOwn ? 'verify' : 'link')) await build.core()
  return {
    prepare: (next) => build.compiler.prepare(next),
    row: (module) => climb(request, build, module).catch((error: unknown) => rowOfError(error, module, request.signal)),
  }
}

function unlessInterrupted(error: unknown): undefined {
  if (!(error instanceof Interrupted)) throw error
}

async function makeHere(
  request: MatrixRequest,
  modules: readonly KernelModule[],
  onRow: (row: MatrixRow) => void,
): Promise<void> {
  if (modules.length === 0) return
  const { toolchain, signal, progress } = request
  // Interrupted in the kernel below them: no row is made, and those of others are kept.
  const maker = await openRows(request, modules).catch(unlessInterrupted)
  if (maker === undefined) return
  const work = async (module: KernelModule) => {
    progress?.({ step: 'start', module: module.name })
    onRow(await maker.row(module))
  }
  await schedule(modules, toolchain.width, work, signal)
}

const isOutside = (module: KernelModule): boolean => module.external !== undefined

/** Climb the ladder with every module that the selectors name. Throws UsageError, InfrastructureError. */
export async function runMatrix(request: MatrixRequest): Promise<MatrixDocument> {
  const start = performance.now()
  const cpuBefore = cpuMs()
  const { tree, toolchain, selectors, until, seed, shard, makeRows, signal, progress } = request
  checkInterrupted(signal)
  progress?.({ step: 'select' })
  const named = (await selectAll(tree, selectors, { refused: 'listed' })).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const all = request.sample === undefined ? named : drawSample(named, request.sample, seed)
  const modules = shard === undefined ? all : inShard(all, shard)
  checkInterrupted(signal)
  const sizes = new Map(modules.map((module) => [module.path, module.objects.length]))
  const objects = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  progress?.({ step: 'plan', modules: modules.length, objects, toolchain: `${toolchain.name} ${toolchain.version}` })
  const made = new Map<string, MatrixRow>()
  const onRow = (row: MatrixRow) => {
    made.set(row.path, row)
    progress?.({ step: 'row', row, objects: sizes.get(row.path) ?? 0 })
  }
  const onCurrent = (current: readonly string[]) => progress?.({ step: 'elsewhere', current })
  const away = makeRows === undefined ? [] : modules.filter((module) => !isOutside(module))
  const here = makeRows === undefined ? modules : modules.filter(isOutside)
  await Promise.all([makeHere(request, here, onRow), away.length > 0 && makeRows?.(away, { onRow, onCurrent })])
  const rows = modules.map((module) => made.get(module.path) ?? emptyRow(module, 'interrupted', ''))
  const cpu = cpuMs()
  return {
    schema: 'drvport.matrix/1',
    tree: treeFacts(tree),
    toolchain: { name: toolchain.name, version: toolchain.version },
    drvport: await ownVersion(),
    selectors,
    until,
    seed,
    ...(request.sample !== undefined && { sample: { size: all.length, of: named.length } }),
    ...(shard && { shard }),
    interrupted: rows.some((row) => row.reason === 'interrupted'),
    summary: summarize(rows),
    rows: rows.toSorted(byPath),
    ms: Math.round(performance.now() - start),
    ...(cpu !== undefined && makeRows === undefined && { cpuMs: cpu - (cpuBefore ?? 0) }),
    peakBytes: peakBytes(),
  }
}
