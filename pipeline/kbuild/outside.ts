/**
 * Modules of a folder outside of the tree, as the tree's own Kbuild evaluates its Kbuild file or Makefile (`make M=DIR`):
 * every form that Kbuild knows is understood, and nothing is written into the folder.
 */

import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey, exists, withLock, writeAtomic } from '../cache.ts'
import { UsageError } from '../errors.ts'
import { packageRoot } from '../root.ts'
import type { ToolOutput } from '../toolchain/process.ts'
import { assembleGraph, below, parseDirectory, parseDryRun, type Graph } from './graph.ts'
import { tryMake, type MakeSetup } from './make.ts'
import type { Snapshot } from './snapshot.ts'

const MAKEFILE = path.join(packageRoot, 'linux-api', 'outside.mk')

/** What Kbuild is run with for a folder. */
export interface OutsideSetup {
  readonly snapshot: Snapshot
  /** Names the configuration of the tree; the same one is not asked twice. */
  readonly configuration: string
  setup(): Promise<MakeSetup>
}

/** CONFIG_ variables of the user's environment, as `CONFIG_ACME=m make` has them. */
function options(): Record<string, string> {
  const set = Object.entries(process.env).filter(([name, value]) => /^CONFIG_\w+$/.test(name) && value !== undefined)
  return Object.fromEntries(set) as Record<string, string>
}

async function makeOutside(
  { snapshot, setup }: OutsideSetup,
  goals: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ToolOutput> {
  // Beside the copy: the value is a list of words, and this package may lie anywhere.
  const makefile = path.join(snapshot.top, '.outside.mk')
  await writeAtomic(makefile, await fs.readFile(MAKEFILE))
  const own = { MAKEFILES: makefile, PWD: snapshot.dir, ...options() }
  return tryMake(await setup(), [`M=${snapshot.dir}`, ...goals], { ...own, ...environment })
}

/** What the folder's modules are made of. Throws UsageError, with file and line, when make cannot read it. */
export async function readOutside(outside: OutsideSetup): Promise<Graph> {
  const { snapshot, configuration } = outside
  const key = contentKey([configuration, JSON.stringify(options())])
  const kept = path.join(snapshot.top, `.graph-${key.slice(0, 16)}.json`)
  const known = await fs.readFile(kept, 'utf8').catch(() => undefined)
  if (known !== undefined) return JSON.parse(known) as Graph
  const graph = await withLock(`outside-${path.basename(snapshot.top)}`, () => evaluate(outside))
  await writeAtomic(kept, JSON.stringify(graph))
  return graph
}

async function evaluate(outside: OutsideSetup): Promise<Graph> {
  const { snapshot } = outside
  const kbuild = ['Kbuild', 'Makefile'].map((name) => path.join(snapshot.dir, name)).find(existsSync)
  if (kbuild === undefined)
    throw new UsageError('no modules in this directory', {
      where: snapshot.real,
      expected: 'a Kbuild file or Makefile with obj-m',
    })
  const dir = await fs.mkdtemp(path.join(snapshot.top, '.facts-'))
  try {
    const run = await makeOutside(outside, ['drvport-outside'], { DRVPORT_GRAPH: dir })
    if (run.status !== 0) throw unreadable(snapshot, run)
    const texts = await Promise.all((await fs.readdir(dir)).map((name) => fs.readFile(path.join(dir, name), 'utf8')))
    const facts = texts.map(parseDirectory)
    const isLocal = facts.some(({ dir: name }) => name === '.')
    const known = isLocal ? facts.map((one) => below(one, snapshot.dir)) : facts
    const assembled = assembleGraph(known, snapshot.dir)
    const graph = await withSources(outside, isLocal ? { ...assembled, cwd: snapshot.dir } : assembled)
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
  return new UsageError("the tree's Kbuild cannot read this folder's makefile", {
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
  return new UsageError('every module of this folder is switched off', {
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
async function withSources(outside: OutsideSetup, graph: Graph): Promise<Graph> {
  const displaced = graph.objects.filter(({ object }) => !existsSync(object.replace(/\.o$/, '.c')))
  if (displaced.length === 0) return graph
  const named = namesFor(graph)
  const pairs = displaced.map(({ object, dir = path.dirname(object) }) => `${named(dir)}:${named(object)}`)
  const run = await makeOutside(outside, ['drvport-sources'], { DRVPORT_PAIRS: pairs.join(' ') })
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
export async function prepareOutside(outside: OutsideSetup, graph: Graph): Promise<void> {
  const { snapshot, configuration } = outside
  const stamp = path.join(snapshot.top, `.prepared-${contentKey([configuration]).slice(0, 16)}`)
  if (await exists(stamp)) return
  await withLock(`outside-${path.basename(snapshot.top)}`, async () => {
    const byDir = Map.groupBy(graph.objects, ({ object, dir }) => dir ?? path.dirname(object))
    for (const [dir, entries] of byDir) {
      const named = namesFor(graph)
      const sources = entries.flatMap(({ source }) => source ?? [])
      await makeOutside(outside, ['drvport-prepare', `DRVPORT_DIR=${named(dir)}`], {
        DRVPORT_OBJECTS: entries.map(({ object }) => named(object)).join(' '),
        DRVPORT_SOURCES: sources.map(named).join(' '),
      })
    }
    await writeAtomic(stamp, '')
  })
}
