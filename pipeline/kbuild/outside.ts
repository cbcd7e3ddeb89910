/**
 * Modules of a folder outside of the tree, as its author would have them built: its dkms.conf and its own makefile say
 * with what (pipeline/folder), and the tree's own Kbuild evaluates its Kbuild files (`make M=DIR`). Every form that Kbuild
 * knows is understood, and nothing is written into the folder: all of this happens in a copy.
 */

import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { ownCodeKey } from '../build/own-code.ts'
import { exists, readKept, withLock, writeAtomic } from '../cache.ts'
import { NotForTree, UsageError } from '../errors.ts'
import { dkmsEnvironment, readDkms, type Dkms } from '../folder/dkms.ts'
import { askMakefile, type KernelCall } from '../folder/own-makefile.ts'
import type { InstalledKernel } from '../folder/stand-ins.ts'
import { packageRoot } from '../root.ts'
import { runTool, type ToolOutput } from '../toolchain/process.ts'
import { ensureHostTools } from '../toolchain/host-packages.ts'
import { assembleGraph, below, parseDirectory, parseDryRun, type Graph } from './graph.ts'
import { tryMake, type MakeSetup } from './make.ts'
import type { Snapshot } from './snapshot.ts'

const MAKEFILE = path.join(packageRoot, 'linux-api', 'outside.mk')

/** What Kbuild is run with for a folder. */
export interface OutsideSetup {
  /** A copy for this kernel alone. */
  readonly snapshot: Snapshot
  readonly kernel: InstalledKernel
  /** Value of an option of the kernel, without CONFIG_. */
  config(option: string): string | undefined
  setup(): Promise<MakeSetup>
}

/** One call of the kernel's make, and what it would build. */
export interface OutsideUnit {
  readonly call: KernelCall
  readonly graph: Graph
}

/** Modules that there would be, and are not. */
export interface Refused {
  /** Where they would lie in the folder, without `.ko`. */
  readonly modules: readonly string[]
  /** One of matrix/types.ts's. */
  readonly reason: 'excluded' | 'makefile-error'
  readonly detail: string
}

/** All that is known of a folder for one kernel. */
export interface OutsidePlan {
  readonly units: readonly OutsideUnit[]
  /** What dkms.conf wants of it, by name; absent: everything. */
  readonly wanted?: readonly string[]
  /** Patches of the folder's own that were applied to the copy. */
  readonly patches: readonly string[]
  readonly refused: readonly Refused[]
}

/** CONFIG_ variables of the user's environment, as `CONFIG_ACME=m make` has them. */
export function givenOptions(): Record<string, string> {
  const set = Object.entries(process.env).filter(([name, value]) => /^CONFIG_\w+$/.test(name) && value !== undefined)
  return Object.fromEntries(set) as Record<string, string>
}

async function makeOutside(
  { snapshot, kernel, setup }: OutsideSetup,
  call: KernelCall,
  goals: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ToolOutput> {
  // Beside the copy: the value is a list of words, and this package may lie anywhere.
  const makefile = path.join(snapshot.top, '.outside.mk')
  await writeAtomic(makefile, await fs.readFile(MAKEFILE))
  const made = await setup()
  const own = {
    ...call.environment,
    MAKEFILES: makefile,
    PWD: call.dir,
    PATH: `${kernel.facts}:${made.searchPath}`,
    DRVPORT_RELEASE: kernel.release,
    DRVPORT_PATH: made.searchPath,
    ...givenOptions(),
  }
  return tryMake(made, [`M=${call.dir}`, ...call.words, ...goals], { ...own, ...environment })
}

/** What a folder is made of. Throws UsageError, with file and line, when make cannot read it or finds nothing. */
export async function readOutside(outside: OutsideSetup): Promise<OutsidePlan> {
  const { snapshot } = outside
  const kept = path.join(snapshot.top, '.plan.json')
  const by = ownCodeKey()
  const known = await readKept<{ by: string; plan: OutsidePlan }>(kept)
  if (known?.by === by) return known.plan
  return withLock(`outside-${snapshot.copy}`, async () => {
    const plan = await makePlan(outside)
    // What went wrong may have been this computer's fault.
    const isSound = plan.refused.every(({ reason }) => reason !== 'makefile-error')
    if (isSound) await writeAtomic(kept, JSON.stringify({ by, plan }))
    return plan
  })
}

const nothing = { units: [], patches: [], refused: [] } as const

async function makePlan(outside: OutsideSetup): Promise<OutsidePlan> {
  const { snapshot, kernel } = outside
  const { searchPath, signal } = await outside.setup()
  const tree = path.join(snapshot.top, '.dkms')
  const place = { dir: snapshot.dir, tree, kernel, searchPath }
  const dkms = await readDkms({ ...place, config: (option) => outside.config(option) }, snapshot.real)
  const scratch = path.join(snapshot.top, '.asked')
  const asking = { dir: snapshot.dir, scratch, kernel, searchPath, ...(signal && { signal }) }
  if (dkms === undefined) return { ...nothing, units: await unitsOf(outside, await askMakefile(asking)) }
  const all = dkms.modules.length > 0 ? dkms.modules : [{ name: dkms.name, dir: '' }]
  const refuse = (reason: Refused['reason'], detail: string, modules = all): Refused => ({
    modules: modules.map(({ name, dir }) => path.join(dir, name)),
    reason,
    detail,
  })
  if (dkms.excluded !== undefined) return { ...nothing, refused: [refuse('excluded', dkms.excluded)] }
  await layDkmsTree(tree, dkms, snapshot)
  const environment = dkmsEnvironment(place, dkms)
  const failed = (await patched(outside, dkms.patches)) ?? (await prepared(snapshot, dkms, environment))
  if (failed !== undefined) return { ...nothing, refused: [refuse('makefile-error', failed)] }
  const { command } = dkms
  const asked = await askMakefile({ ...asking, environment, ...(command !== undefined && { command }) })
  const units = await unitsOf(outside, asked)
  const built = new Set(units.flatMap(({ graph }) => graph.modules.map(({ path: ko }) => path.basename(ko, '.ko'))))
  const lacking = dkms.modules.filter(({ name }) => !built.has(name))
  const names = lacking.map(({ name }) => name).join(', ')
  const what = `dkms.conf: BUILT_MODULE_NAME names ${names}, which its makefile does not build`
  return {
    units,
    ...(dkms.modules.length > 0 && { wanted: dkms.modules.map(({ name }) => name) }),
    patches: dkms.patches,
    refused: lacking.length > 0 ? [refuse('makefile-error', what, lacking)] : [],
  }
}

/** Where dkms has a package while it builds it: what its command names. */
async function layDkmsTree(tree: string, { name, version }: Dkms, { dir }: Snapshot): Promise<void> {
  const links = [path.join(tree, name, version, 'build'), path.join(tree, 'source', `${name}-${version}`)]
  for (const link of links) {
    await fs.mkdir(path.dirname(link), { recursive: true })
    await fs.symlink(dir, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Apply the folder's patches to the copy, as dkms does; what went wrong, in a line. */
async function patched({ snapshot }: OutsideSetup, patches: readonly string[]): Promise<string | undefined> {
  if (patches.length === 0) return undefined
  const { env } = await ensureHostTools(['patch'])
  for (const [number, name] of patches.entries()) {
    const stamp = path.join(snapshot.top, `.patched-${number}`)
    if (await exists(stamp)) continue
    const input = await fs.readFile(path.join(snapshot.dir, 'patches', name), 'utf8').catch(() => undefined)
    if (input === undefined) return `dkms.conf: PATCH names ${name}, which is not in patches/`
    const run = await runTool('patch', ['-p1', '--batch', '--forward'], { cwd: snapshot.dir, env, input })
    if (run.status !== 0) {
      const said = run.stdout.split('\n').find((line) => /FAILED|can't find|malformed|ignored/.test(line))
      return `patches/${name} does not apply: ${said ?? run.stderr.trim().split('\n').at(-1) ?? ''}`
    }
    await writeAtomic(stamp, '')
  }
  return undefined
}

/** Run what dkms would run before it builds. */
async function prepared(snapshot: Snapshot, { before }: Dkms, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (before === undefined) return undefined
  const options = { cwd: snapshot.dir, env, wallSeconds: PRE_BUILD_SECONDS_MAX }
  const run = await runTool('/bin/sh', ['-c', `./${before}`], options)
  if (run.status === 0) return undefined
  const said = complaintIn(run.stderr.trim() || run.stdout.trim())
  const why = said === '' ? '' : `: ${realNames(said, snapshot)}`
  return `dkms.conf: PRE_BUILD="${before}" ended with ${run.status}${why}`
}

const COMPLAINT = /\b(?:errors?|not found|no such|cannot|can't|could not|missing|fail(?:s|ed|ure)?|unable|required)\b/i

/** The line of a script's output that says what is wrong: what follows it is often advice. Without one, its last. */
function complaintIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim())
  return lines.find((line) => COMPLAINT.test(line)) ?? lines.at(-1) ?? ''
}

const PRE_BUILD_SECONDS_MAX = 120

/** What each call would build; without one, the folder itself. Throws UsageError where nothing is built. */
async function unitsOf(outside: OutsideSetup, asked: Awaited<ReturnType<typeof askMakefile>>): Promise<OutsideUnit[]> {
  const units: OutsideUnit[] = []
  const errors: unknown[] = []
  for (const call of asked?.calls ?? [])
    await evaluate(outside, call).then(
      (graph) => units.push({ call, graph }),
      (error: unknown) => errors.push(error),
    )
  if (units.length > 0) return units
  const call = { dir: outside.snapshot.dir, words: [], environment: {} }
  try {
    return [{ call, graph: await evaluate(outside, call) }]
  } catch (error) {
    // The author's own words about it say more than that nothing was found.
    const said = asked?.problem
    if (said === undefined || !(error instanceof UsageError)) throw errors[0] ?? error
    throw new NotForTree("the folder's own makefile stops", {
      where: outside.snapshot.real,
      found: realNames(said, outside.snapshot),
      ...(error.expected !== undefined && { expected: error.expected }),
    })
  }
}

async function evaluate(outside: OutsideSetup, call: KernelCall): Promise<Graph> {
  const { snapshot } = outside
  const kbuild = ['Kbuild', 'Makefile'].map((name) => path.join(call.dir, name)).find(existsSync)
  if (kbuild === undefined)
    throw new UsageError('no modules in this directory', {
      where: realNames(call.dir, snapshot),
      expected: 'a Kbuild file or Makefile with obj-m',
    })
  const dir = await fs.mkdtemp(path.join(snapshot.top, '.facts-'))
  try {
    const run = await makeOutside(outside, call, ['drvport-outside'], { DRVPORT_GRAPH: dir })
    if (run.status !== 0) throw unreadable(snapshot, run)
    const texts = await Promise.all((await fs.readdir(dir)).map((name) => fs.readFile(path.join(dir, name), 'utf8')))
    const facts = texts.map(parseDirectory)
    const isLocal = facts.some(({ dir: name }) => name === '.')
    const known = isLocal ? facts.map((one) => below(one, call.dir)) : facts
    const assembled = assembleGraph(known, call.dir)
    const graph = await withSources(outside, call, isLocal ? { ...assembled, cwd: call.dir } : assembled)
    if (graph.modules.length === 0) throw await nothingBuilt(snapshot, kbuild)
    return graph
  } finally {
    await fs.rm(dir, { recursive: true, force: true })
  }
}

/** Paths of the copy as the user knows them. */
const realNames = (text: string, { dir, real }: Snapshot): string => text.replaceAll(dir, real)

/** `FILE:LINE: *** message.  Stop.` is how make refuses a file; a missing include has no asterisks. */
function unreadable(snapshot: Snapshot, { stderr, stdout }: ToolOutput): UsageError {
  const lines = realNames(stderr || stdout, snapshot)
    .trim()
    .split('\n')
  const said = lines.map((line) => /^(\/.*?:\d+): (?:\*\*\* )?(.*?)(?:\s+Stop\.)?$/.exec(line)).find((m) => m !== null)
  return new NotForTree("the tree's Kbuild cannot read this folder's makefile", {
    where: said?.[1] ?? snapshot.real,
    found: said?.[2] ?? lines.slice(-3).join('; '),
  })
}

/** No obj-m: because an option is off, or because the file only calls another make. */
async function nothingBuilt(snapshot: Snapshot, kbuild: string): Promise<UsageError> {
  const lines = (await fs.readFile(kbuild, 'utf8')).split('\n')
  const off = lines.flatMap((text, i) => {
    const option = /^\s*obj-\$[({](CONFIG_\w+)[)}]/.exec(text)?.[1]
    return option === undefined ? [] : [{ option, line: i + 1 }]
  })
  const where = realNames(kbuild, snapshot)
  const [first] = off
  if (first === undefined)
    return new UsageError('no modules in this directory', {
      where,
      expected: 'a Kbuild file or Makefile with obj-m',
      todo: 'name the folder in which the file with obj-m lies',
    })
  return new NotForTree('every module of this folder is switched off', {
    where: `${where}:${first.line}`,
    expected: `an option of the tree, or one set for this folder`,
    found: off.map(({ option }) => `${option} is not set`).join(', '),
    todo: `${first.option}=m drvport ...`,
  })
}

/** How make is told of a path of the folder: from the folder, where that is where make runs. */
const namesFor =
  ({ cwd }: Graph) =>
  (name: string): string =>
    cwd === undefined ? name : path.relative(cwd, name) || '.'

/** Ask make for the C files that are not where their object's name says. */
async function withSources(outside: OutsideSetup, call: KernelCall, graph: Graph): Promise<Graph> {
  const displaced = graph.objects.filter(({ object }) => !existsSync(object.replace(/\.o$/, '.c')))
  if (displaced.length === 0) return graph
  const named = namesFor(graph)
  const pairs = displaced.map(({ object, dir = path.dirname(object) }) => `${named(dir)}:${named(object)}`)
  const run = await makeOutside(outside, call, ['drvport-sources'], { DRVPORT_PAIRS: pairs.join(' ') })
  const { cwd } = graph
  const found = parseDryRun(run.stdout)
  const absolute = (name: string) => (cwd === undefined ? name : path.resolve(cwd, name))
  const sources = new Map([...found].map(([object, source]) => [absolute(object), absolute(source)]))
  const objects = graph.objects.map((entry) => {
    const source = sources.get(entry.object)
    return source === undefined ? entry : { ...entry, source }
  })
  return { ...graph, objects }
}

/**
 * Make what the folder's makefiles generate, in the copy. What cannot be made is left out: the compile that needs it
 * then says so, for that module alone.
 */
export async function prepareOutside(outside: OutsideSetup, { units }: OutsidePlan): Promise<void> {
  const { snapshot } = outside
  const stamp = path.join(snapshot.top, '.prepared-2')
  if (await exists(stamp)) return
  await withLock(`outside-${snapshot.copy}`, async () => {
    let failed = false
    for (const { call, graph } of units) {
      const byDir = Map.groupBy(graph.objects, ({ object, dir }) => dir ?? path.dirname(object))
      for (const [dir, entries] of byDir) {
        const named = namesFor(graph)
        const sources = entries.flatMap(({ source }) => source ?? [])
        const { status } = await makeOutside(outside, call, ['drvport-prepare', `DRVPORT_DIR=${named(dir)}`], {
          DRVPORT_OBJECTS: entries.map(({ object }) => named(object)).join(' '),
          DRVPORT_SOURCES: sources.map(named).join(' '),
        })
        failed ||= status !== 0
      }
    }
    // What could not be made is asked for again: what it takes may be there then.
    if (!failed) await writeAtomic(stamp, '')
  })
}
