/**
 * Configuring a tree: a view of it, allmodconfig with the fragment's answers, the generated headers, and the graph.
 *
 * Kept in the cache under a key of everything that went in; a configuration is used only when its last file is there, so
 * an interrupted one is done again.
 */

import { existsSync, readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, exists, withLock, writeAtomic } from '../cache.ts'
import { asInfrastructure, InfrastructureError } from '../errors.ts'
import { ensureHostTools } from '../toolchain/host-packages.ts'
import type { SourceTree } from '../tree/types.ts'
import { placeAskedCompiler } from './asked-compiler.ts'
import { configurationKey, extendView, fragmentFor, mergeFragments, type Configuration } from './configuration.ts'
import { assembleGraph, parseDirectory, parseDryRun, type Graph } from './graph.ts'
import { findHostCompiler, runMake, tryMake, type MakeSetup } from './make.ts'
import { optionsToTrim, trimFragment } from './trim.ts'
import { makeView, overlayKey } from './view.ts'

/** Changes when the layout of what is kept changes. */
const FORMAT = 4

export interface ConfigureOptions {
  /** A clang that has the wasm32 target, and its version. */
  readonly cc: { readonly path: string; readonly version: string }
  /** Default: the plain one. */
  readonly configuration?: Configuration
  readonly signal?: AbortSignal
  /** Told what is being done, for people. */
  readonly onProgress?: (what: string) => void
}

export interface Configured {
  /** The view: sources are `view/drivers/...`. */
  readonly view: string
  /** Kbuild's output directory, where relative paths in flags start. */
  readonly build: string
  readonly graph: Graph
  /** How make is run here; asked for only when something must be generated. */
  setup(): Promise<MakeSetup>
}

const HOST_TOOLS = ['make', 'flex', 'bison', 'm4', 'bc', 'perl', 'cc'] as const

/** Host tools are brought where they are missing, which takes a look at each: only for a make that is really run. */
async function makeSetup(view: string, options: ConfigureOptions): Promise<MakeSetup> {
  const { env } = await ensureHostTools(HOST_TOOLS, {
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { progress: options.onProgress }),
  })
  const searchPath = env['PATH'] ?? ''
  const hostcc = await findHostCompiler(searchPath)
  if (hostcc === undefined)
    throw new InfrastructureError('the kernel tree cannot be configured', {
      expected: 'a C compiler for this computer',
      found: 'none on PATH',
      todo: 'apt-get install gcc libc6-dev',
    })
  return { view, cc: options.cc.path, hostcc, searchPath, ...(options.signal && { signal: options.signal }) }
}

/** A configuration of this tree, made if there is none. */
export async function configure(tree: SourceTree, options: ConfigureOptions): Promise<Configured> {
  const own = await configurationKey(options.configuration)
  const key = contentKey([FORMAT, tree.id, tree.dir, await overlayKey(), options.cc.version, ...own])
  const home = cachePath('kbuild', `${tree.name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}-${key.slice(0, 16)}`)
  const view = path.join(home, 'view')
  if (/[\s:]/.test(view))
    throw new InfrastructureError('Linux cannot be configured in this directory', {
      where: view,
      expected: 'a path without spaces and colons',
      todo: 'set DRVPORT_CACHE to such a path',
    })
  const graphFile = path.join(home, 'graph.json')
  if (!(await exists(graphFile))) {
    const waiting = () => options.onProgress?.('waiting for another drvport that configures this tree')
    const lock = { onWait: waiting, ...(options.signal && { signal: options.signal }) }
    await withLock(`kbuild-${path.basename(home)}`, () => make(tree, home, graphFile, options), lock)
  }
  let graph: Graph | undefined
  return {
    view,
    build: path.join(view, 'build'),
    // Read when it is asked for: it is large, and a build that is known already needs none of it.
    get graph() {
      return (graph ??= JSON.parse(readFileSync(graphFile, 'utf8')) as Graph)
    },
    setup: () => makeSetup(view, options),
  }
}

async function make(tree: SourceTree, home: string, graphFile: string, options: ConfigureOptions): Promise<void> {
  if (await exists(graphFile)) return
  const view = path.join(home, 'view')
  const setup = await makeSetup(view, options)
  try {
    await fs.rm(home, { recursive: true, force: true })
    await fs.mkdir(home, { recursive: true })
    await makeView(tree.dir, view)
    await extendView(options.configuration, view)
    await placeAskedCompiler(view, options.cc.path, await memoryFor(tree, options))
    options.onProgress?.(`configuring ${tree.name} ${tree.version}`)
    const answers = await fragmentFor(options.configuration, home)
    await runMake(setup, ['allmodconfig'], { KCONFIG_ALLCONFIG: answers })
    await trim(setup, answers, home)
    options.onProgress?.('generating headers')
    // Their numbers are computed by the compiler's driver, which refuses what it is told in a configuration that checks memory.
    await runMake(setup, ['drvport-headers', 'CFLAGS_KASAN='])
    // Of these a release has some: what is missing is said by the compiler where it is wanted.
    await tryMake(setup, ['drvport-kernel'])
    await tryMake(setup, ['include/generated/package.h'])
    options.onProgress?.('reading the Makefiles')
    await writeAtomic(graphFile, JSON.stringify(await withSources(setup, await readGraph(setup))))
  } catch (error) {
    throw asInfrastructure(error, home)
  }
}

/** Where answers of the compiler are kept, for all configurations of a tree: some of its files are read with each question. */
async function memoryFor(tree: SourceTree, { cc }: ConfigureOptions): Promise<string> {
  return cachePath('flags', `asked-${contentKey([tree.id, await overlayKey(), cc.path, cc.version])}`)
}

/** Configure once more, without drivers of hardware that the machine has not got. */
async function trim(setup: MakeSetup, answers: string, home: string): Promise<void> {
  const config = await fs.readFile(path.join(setup.view, 'build', '.config'), 'utf8')
  const fragment = trimFragment(await optionsToTrim(setup.view, config))
  const file = path.join(home, 'allconfig-trimmed')
  await fs.writeFile(file, mergeFragments(await fs.readFile(answers, 'utf8'), fragment))
  await runMake(setup, ['allmodconfig'], { KCONFIG_ALLCONFIG: file })
}

async function readGraph(setup: MakeSetup): Promise<Graph> {
  const dir = path.join(setup.view, 'build', 'graph')
  await fs.mkdir(dir, { recursive: true })
  await runMake(setup, ['drvport-graph'], { DRVPORT_GRAPH: 'graph' })
  const files = (await fs.readdir(dir)).toSorted()
  const directories = []
  for (const file of files) directories.push(parseDirectory(await fs.readFile(path.join(dir, file), 'utf8')))
  await fs.rm(dir, { recursive: true, force: true })
  return assembleGraph(directories)
}

/** A device tree is linked from a source that graph.mk writes around its bytes. */
const wrappedTree = (object: string): string | undefined =>
  /\.dtbo?\.o$/.test(object) ? object.replace(/o$/, 'c') : undefined

/**
 * Ask make for the C files that are not where their object's name says: some are generated, some are another
 * directory's.
 */
async function withSources(setup: MakeSetup, graph: Graph): Promise<Graph> {
  const displaced = graph.objects.filter(
    ({ object }) => !existsSync(path.join(setup.view, object.replace(/\.o$/, '.c'))),
  )
  const pairs = displaced.map(({ object, dir = path.dirname(object) }) => `${dir}:${object}`)
  const run = await tryMake(setup, ['drvport-sources'], { DRVPORT_PAIRS: pairs.join(' ') })
  const sources = parseDryRun(run.stdout)
  const objects = graph.objects.map((entry) => {
    const source = sources.get(entry.object) ?? wrappedTree(entry.object)
    return source === undefined ? entry : { ...entry, source }
  })
  return { ...graph, objects }
}

/**
 * Make what is generated for objects of one directory: headers by host programs, sources from tables. What cannot be
 * made is left out: the compile that needs it then says so, for that module alone.
 */
export async function prepareObjects(
  setup: MakeSetup,
  dir: string,
  objects: readonly string[],
  sources: readonly string[],
): Promise<boolean> {
  const { status } = await tryMake(setup, ['drvport-prepare', `DRVPORT_DIR=${dir}`], {
    DRVPORT_OBJECTS: objects.join(' '),
    DRVPORT_SOURCES: sources.join(' '),
  })
  return status === 0
}
