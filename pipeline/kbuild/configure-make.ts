/** Configuring a tree with its own make: the view, the answers, what is generated, and the graph of what Kbuild would compile. */

import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, exists, writeAtomic } from '../cache.ts'
import { asInfrastructure, InfrastructureError } from '../errors.ts'
import { ensureHostTools } from '../toolchain/host-packages.ts'
import type { SourceTree } from '../tree/types.ts'
import { placeAskedCompiler } from './asked-compiler.ts'
import { extendView, fragmentFor, mergeFragments } from './configuration.ts'
import type { ConfigureOptions } from './configure.ts'
import { assembleGraph, parseDirectory, parseDryRun, type Graph } from './graph.ts'
import { findHostCompiler, runMake, tryMake, type MakeSetup } from './make.ts'
import { optionsToTrim, trimFragment } from './trim.ts'
import { makeView, overlayKey } from './view.ts'

const HOST_TOOLS = ['make', 'flex', 'bison', 'm4', 'bc', 'perl', 'cc'] as const

/** Host tools are brought where they are missing, which takes a look at each: only for a make that is really run. */
export async function makeSetup(view: string, options: ConfigureOptions): Promise<MakeSetup> {
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

/** Configure a tree into `home`; its graph is written last. */
export async function makeConfiguration(
  tree: SourceTree,
  home: string,
  graphFile: string,
  options: ConfigureOptions,
): Promise<void> {
  if (await exists(graphFile)) return
  const view = path.join(home, 'view')
  const setup = await makeSetup(view, options)
  try {
    await fs.rm(home, { recursive: true, force: true })
    await fs.mkdir(home, { recursive: true })
    await makeView(tree.dir, view)
    await extendView(options.configuration, view)
    await placeAskedCompiler(view, options.cc.path, memoryFor(tree, options))
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
function memoryFor(tree: SourceTree, { cc }: ConfigureOptions): string {
  return cachePath('flags', `asked-${contentKey([tree.id, overlayKey(), cc.path, cc.version])}`)
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
