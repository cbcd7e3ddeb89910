/**
 * A configured kernel tree: its modules, how each of their files is compiled, who exports what.
 *
 * This is what the builder asks (build/kernel.ts). What is needed only where an answer is not kept is read then. Terms: the *view* is the directory of links in which the tree has the
 * wasm architecture; a path "in the tree" is relative to it.
 */

import { existsSync, readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { exists, withLock, writeAtomic } from '../cache.ts'
import { InfrastructureError, UsageError } from '../errors.ts'
import type { Reason } from '../matrix/types.ts'
import { probeClang } from '../toolchain/clang.ts'
import { hostEnvironment } from '../toolchain/host-packages.ts'
import type { SourceTree } from '../tree/types.ts'
import type { Configuration } from './configuration.ts'
import { configure, type Configured } from './configure.ts'
import type { Export } from './exports.ts'
import { objectFlags, type Graph } from './graph.ts'
import type { OutsidePlan, OutsideSetup, OutsideUnit } from './outside.ts'
import type { Scanned } from './scans.ts'
import { canonicalName, selectModules, type Selectable } from './select.ts'
import type { Snapshot } from './snapshot.ts'
import { ABI_INCLUDE, VIEW_ABI_FLAG } from './view.ts'

export interface KbuildObject {
  /** Absolute path of the C file, in the view. */
  readonly source: string
  /** Kbuild's own flags, without -c, -o and the source. Relative paths start from cwd. */
  readonly args: readonly string[]
  readonly cwd: string
}

export interface KbuildModule extends Selectable {
  readonly objects: readonly KbuildObject[]
  /** Why it is not built, where the folder itself says so; it has no objects then. */
  readonly refusal?: { readonly reason: Reason; readonly detail: string }
}

/** A folder outside of the tree, as the tree's Kbuild sees it. */
export interface OutsideFolder {
  /** What is compiled: sources lie in its `dir`. */
  readonly snapshot: Snapshot
  /** Where the folder's own makefile finds the kernel: files of the tree by another path. */
  readonly headers: string
  /** In Kbuild's order; their paths are relative to the folder. */
  readonly modules: readonly KbuildModule[]
  /** Patches of the folder's own that were applied to the copy, in their order. */
  readonly patches: readonly string[]
  /** Make what the folder's makefiles generate; before compiling. */
  prepare(): Promise<void>
}

export interface ExportedSymbol extends Export {
  /** File in the tree that exports it. */
  readonly source: string
  /** Modules it belongs to; empty when it is part of the kernel itself. */
  readonly modules: readonly string[]
}

export interface Kbuild {
  readonly name: string
  readonly version: string
  /** Trees of the same id are configured alike. */
  readonly id: string
  /** Nothing that its id stands for changes: see SourceTree. */
  readonly sealed: boolean
  /** Undefined for the plain one. */
  readonly configuration?: Configuration
  /** Directories whose paths must not show in output, for prefix maps. */
  readonly roots: readonly { readonly dir: string; readonly as: string }[]
  readonly view: string
  /** All modules of the configuration, in Kbuild's modules.order. */
  modules(): readonly KbuildModule[]
  /** As modules named by selectors, without making what is generated for them: for lists. */
  match(selectors: readonly string[]): Promise<readonly KbuildModule[]>
  /** Modules named by a selector, ready to compile. Throws UsageError when it names none. */
  select(selector: string | readonly string[]): Promise<readonly KbuildModule[]>
  /** A module by name, - and _ alike, ready to compile. */
  module(name: string): Promise<KbuildModule | undefined>
  /** The module that exports a symbol; undefined for the kernel's own symbols and unknown ones. */
  exporter(symbol: string): Promise<string | undefined>
  /** Paths of the modules that are the tree's own tests: KUnit suites, and what tests the kernel's libraries. */
  tests(): Promise<ReadonlySet<string>>
  /** Modules that the option behind a module selects: it may ask for them by name. Paths, by a module's path. */
  selected(): Promise<ReadonlyMap<string, readonly string[]>>
  /** Every export of the tree, by symbol. */
  exports(): Promise<ReadonlyMap<string, ExportedSymbol>>
  /**
   * The files of the kernel itself, in the order in which Kbuild links their objects, with all that is generated for
   * them made. A name is a path in the tree; of a generated file, one below `build`.
   */
  kernelFiles(): Promise<readonly { readonly name: string; readonly object: KbuildObject }[]>
  /** How a file compiles as part of the kernel itself: a path in the tree, or an absolute one of ours. */
  builtin(file: string): Promise<KbuildObject>
  /**
   * Modules of a folder outside of the tree, which lies in `whole`: of that nothing is written into. Throws UsageError when
   * Kbuild finds none or cannot read its makefiles.
   */
  outside(folder: string, whole?: string): Promise<OutsideFolder>
  /** How a source compiles as part of a module. */
  compileCommand(source: string, module: string): Promise<KbuildObject>
  pristine(file: string): Promise<string | undefined>
  /** Value of an option without CONFIG_: `y`, `m`, a number or text; undefined where it is off. */
  config(option: string): string | undefined
}

export interface OpenKbuildOptions {
  /** Default: the plain one. */
  readonly configuration?: Configuration
  /** A clang with the wasm32 target. Default: the newest on PATH. */
  readonly cc?: { readonly path: string; readonly version: string }
  readonly signal?: AbortSignal
  readonly onProgress?: (what: string) => void
}

async function defaultCompiler(): Promise<{ path: string; version: string }> {
  const probe = await probeClang(await hostEnvironment())
  if (probe.path !== undefined && probe.version !== undefined) return { path: probe.path, version: probe.version }
  throw new InfrastructureError('no clang to configure the kernel tree with', {
    expected: 'clang with the wasm32 target',
    found: probe.problem ?? 'none',
    ...(probe.todo !== undefined && { todo: probe.todo }),
  })
}

/** Configure a tree, or find its configuration, and answer questions about it. */
export async function openKbuild(tree: SourceTree, options: OpenKbuildOptions = {}): Promise<Kbuild> {
  const cc = options.cc ?? (await defaultCompiler())
  return new ConfiguredTree(tree, await configure(tree, { ...options, cc }), options.configuration)
}

/** What is looked up in a tree's graph. */
interface Indexed {
  readonly all: readonly KbuildModule[]
  readonly byName: ReadonlyMap<string, KbuildModule>
  /** Index among the graph's objects. */
  readonly objects: ReadonlyMap<string, number>
  /** Those of a module, by its path. */
  readonly objectsOf: ReadonlyMap<string, readonly number[]>
}

class ConfiguredTree implements Kbuild {
  readonly name: string
  readonly version: string
  readonly id: string
  readonly sealed: boolean
  readonly configuration?: Configuration
  readonly view: string
  readonly roots: readonly { dir: string; as: string }[]
  private readonly tree: SourceTree
  private readonly configured: Configured
  private indexed: Indexed | undefined
  private readonly prepared = new Map<string, Promise<void>>()
  private exported: Promise<ReadonlyMap<string, ExportedSymbol>> | undefined

  constructor(tree: SourceTree, configured: Configured, configuration: Configuration | undefined) {
    this.tree = tree
    if (configuration !== undefined) this.configuration = configuration
    this.configured = configured
    this.name = tree.name
    this.version = tree.version
    this.sealed = tree.sealed === true
    // Named by all that went into it (configure).
    this.id = path.basename(path.dirname(configured.view))
    this.view = configured.view
    this.roots = [{ dir: configured.view, as: '' }]
  }

  /** Made when it is first asked for. */
  private get index(): Indexed {
    return (this.indexed ??= this.makeIndex())
  }

  private makeIndex(): Indexed {
    const { graph } = this.configured
    const objects = new Map(graph.objects.map(({ object }, index) => [object, index]))
    const objectsOf = new Map(graph.modules.map(({ path: ko, objects: list }) => [ko, list]))
    const all = graph.modules.map(({ path: ko, objects: list }) => this.moduleOf(ko, list))
    const byName = new Map<string, KbuildModule>()
    for (const module of all) {
      const name = canonicalName(module.name)
      if (!byName.has(name)) byName.set(name, module)
    }
    return { all, byName, objects, objectsOf }
  }

  /** Objects are made when asked for: a list of thousands of modules needs none of them. */
  private moduleOf(ko: string, objects: readonly number[]): KbuildModule {
    const sourceOf = (index: number) => this.sourcePath(index)
    const toObject = (index: number) => this.objectAt(index)
    return {
      name: path.basename(ko, '.ko'),
      path: ko,
      get sources() {
        return objects.map(sourceOf)
      },
      get objects() {
        return objects.map(toObject)
      },
    }
  }

  private objectAt(index: number): KbuildObject {
    const { graph, build } = this.configured
    const source = path.join(this.view, this.sourcePath(index))
    return { source, args: withOwnAbi(objectFlags(graph, index)), cwd: build }
  }

  /** Path of an object's C file relative to the view; a generated one lies below `build`. */
  private sourcePath(index: number): string {
    const entry = this.configured.graph.objects[index]
    if (entry?.source !== undefined) return path.join('build', entry.source)
    return (entry?.object ?? '').replace(/\.o$/, '.c')
  }

  modules(): readonly KbuildModule[] {
    return this.index.all
  }

  match(selectors: readonly string[]): Promise<readonly KbuildModule[]> {
    return selectModules(this.index.all, selectors, { kunit: () => this.tests() })
  }

  tests(): Promise<ReadonlySet<string>> {
    this.tested ??= this.kept(TESTS_FILE, ({ scanTests }, tree) => scanTests(tree)).then((paths) => new Set(paths))
    return this.tested
  }
  private tested: Promise<ReadonlySet<string>> | undefined

  selected(): Promise<ReadonlyMap<string, readonly string[]>> {
    this.selections ??= this.kept(SELECTED_FILE, ({ scanSelections }, tree) => scanSelections(tree)).then(
      (entries) => new Map(entries),
    )
    return this.selections
  }
  private selections: Promise<ReadonlyMap<string, readonly string[]>> | undefined

  exports(): Promise<ReadonlyMap<string, ExportedSymbol>> {
    this.exported ??= this.kept(EXPORTS_FILE, async ({ scanExports }, tree) => {
      await this.makeExporters()
      return scanExports(tree)
    }).then((entries) => new Map(entries))
    return this.exported
  }

  /** An answer of scans.ts, as a list: kept beside the view. */
  private async kept<T>(
    name: string,
    scan: (scans: typeof import('./scans.ts'), tree: Scanned) => Promise<Iterable<T>>,
  ): Promise<readonly T[]> {
    const file = path.join(path.dirname(this.view), name)
    const text = await fs.readFile(file, 'utf8').catch(() => undefined)
    if (text !== undefined) return JSON.parse(text) as T[]
    const found = [...(await scan(await import('./scans.ts'), this.scanned()))]
    await writeAtomic(file, JSON.stringify(found))
    return found
  }

  private scanned(): Scanned {
    const { graph, setup } = this.configured
    const owners = new Map<number, string[]>()
    for (const { path: ko, objects } of graph.modules)
      for (const index of objects) owners.set(index, [...(owners.get(index) ?? []), path.basename(ko, '.ko')])
    return {
      view: this.view,
      modules: this.index.all,
      objects: graph.objects.map((_, index) => ({
        source: this.sourcePath(index),
        modules: owners.get(index) ?? [],
      })),
      objectAt: (index) => this.objectAt(index),
      config: (option) => this.config(option),
      setup,
    }
  }

  async select(selector: string | readonly string[]): Promise<readonly KbuildModule[]> {
    const chosen = await this.match(typeof selector === 'string' ? [selector] : selector)
    await this.prepare(chosen.flatMap((module) => this.index.objectsOf.get(module.path) ?? []))
    return chosen
  }

  async module(name: string): Promise<KbuildModule | undefined> {
    const found = this.index.byName.get(canonicalName(name))
    if (found !== undefined) await this.prepare(this.index.objectsOf.get(found.path) ?? [])
    return found
  }

  async exporter(symbol: string): Promise<string | undefined> {
    return (await this.exports()).get(symbol)?.modules[0]
  }

  /** C files that are made and may export something, as RAID 6's tables do. What the ASN.1 compiler writes never does. */
  private async makeExporters(): Promise<void> {
    const made = this.configured.graph.objects.flatMap(({ source }, index) =>
      source === undefined || source.endsWith('.asn1.c') ? [] : [index],
    )
    const byDirectory = Map.groupBy(made, (index) => path.dirname(this.sourcePath(index)))
    // One that cannot be made says why when a module of it is asked for; the other directories' are made.
    for (const indices of byDirectory.values()) await this.prepare(indices).catch(() => undefined)
  }

  async kernelFiles(): Promise<readonly { readonly name: string; readonly object: KbuildObject }[]> {
    const { kernel } = this.configured.graph
    await this.prepare(kernel)
    const files = kernel.map((index) => {
      const object = this.objectAt(index)
      return { name: this.sourcePath(index), object: { ...object, args: object.args.filter(isNotModule) } }
    })
    // Linux compiles it when it links (scripts/link-vmlinux.sh), so no Makefile lists it.
    const stamp = 'init/version-timestamp.c'
    if (!(await exists(path.join(this.view, stamp)))) return files
    const object = await this.builtin(stamp)
    const names = ['-include', 'include/generated/utsversion.h']
    return [...files, { name: stamp, object: { ...object, args: [...object.args, ...names] } }]
  }

  async builtin(file: string): Promise<KbuildObject> {
    const { build, graph } = this.configured
    const inTree = path.isAbsolute(file) ? undefined : path.normalize(file)
    const index = inTree === undefined ? undefined : this.index.objects.get(inTree.replace(/\.c$/, '.o'))
    if (inTree !== undefined && index !== undefined) {
      await this.prepare([index])
      const object = this.objectAt(index)
      return { ...object, args: object.args.filter(isNotModule) }
    }
    const source = inTree === undefined ? file : path.join(this.view, inTree)
    if (!(await exists(source)))
      throw new InfrastructureError('no such source file', { where: source, expected: `a file of ${this.name}` })
    const args = [...withOwnAbi(graph.baseFlags), ...this.includeDirs(inTree), ...nameFlags(source)]
    return { source, args, cwd: build }
  }

  private includeDirs(inTree: string | undefined): string[] {
    if (inTree === undefined) return []
    const dir = path.dirname(inTree)
    return ['-I', `../${dir}`, '-I', `./${dir}`]
  }

  async compileCommand(source: string, module: string): Promise<KbuildObject> {
    const found = await this.module(module)
    const position = found?.sources.indexOf(path.normalize(source)) ?? -1
    const object = found?.objects[position]
    if (object !== undefined) return object
    throw new UsageError(`${source} is not a source of module ${module}`, {
      expected: found === undefined ? 'a module of this tree' : `one of ${found.sources.join(', ')}`,
    })
  }

  async outside(folder: string, whole?: string): Promise<OutsideFolder> {
    const { givenOptions, prepareOutside, readOutside } = await import('./outside.ts')
    const [{ takeSnapshot }, { installedKernel }] = await Promise.all([
      import('./snapshot.ts'),
      import('../folder/stand-ins.ts'),
    ])
    const purpose = [this.id, this.version, JSON.stringify(givenOptions())]
    const snapshot = await takeSnapshot(await fs.realpath(folder), purpose, whole)
    const { setup } = this.configured
    const home = path.dirname(this.view)
    const kernel = await installedKernel(home, this.view, this.version)
    const outside: OutsideSetup = { snapshot, kernel, config: (option) => this.config(option), setup }
    const plan = await readOutside(outside)
    const modules = [...plan.units.flatMap((unit) => this.modulesOf(unit, snapshot)), ...refusedModules(plan)]
    const wanted = plan.wanted === undefined ? undefined : new Set(plan.wanted.map(canonicalName))
    const taken = new Map(
      modules.filter(({ name }) => wanted?.has(canonicalName(name)) ?? true).map((one) => [one.path, one]),
    )
    return {
      snapshot,
      headers: kernel.headers,
      modules: [...taken.values()],
      patches: plan.patches,
      prepare: () => prepareOutside(outside, plan),
    }
  }

  private modulesOf({ graph }: OutsideUnit, snapshot: Snapshot): KbuildModule[] {
    const { build } = this.configured
    const objectAt = (index: number): KbuildObject => {
      const source = outsideSource(graph.objects[index], build)
      return { source, args: withOwnAbi(objectFlags(graph, index)), cwd: graph.cwd ?? build }
    }
    return graph.modules.map(({ path: ko, objects: indices }) => {
      const objects = indices.map(objectAt)
      const sources = objects.map(({ source }) => path.relative(snapshot.dir, source))
      return { name: path.basename(ko, '.ko'), path: path.relative(snapshot.dir, ko), sources, objects }
    })
  }

  pristine(file: string): Promise<string | undefined> {
    return this.tree.pristine(file)
  }

  config(option: string): string | undefined {
    this.options ??= parseAutoConf(readFileSync(path.join(this.configured.build, 'include/config/auto.conf'), 'utf8'))
    return this.options.get(option)
  }
  private options: ReadonlyMap<string, string> | undefined

  /** Make what is generated for these objects, once each; directories that generate nothing cost nothing. */
  private async prepare(objects: readonly number[]): Promise<void> {
    const wanted = new Map<string, number[]>()
    for (const index of objects) {
      const facts = this.configured.graph.objects[index]
      if (facts === undefined || (!facts.generates && facts.source === undefined)) continue
      const dir = facts.dir ?? path.dirname(facts.object)
      wanted.set(dir, [...(wanted.get(dir) ?? []), index])
    }
    for (const [dir, indices] of wanted) await this.prepareIn(dir, indices)
  }

  private prepareIn(dir: string, indices: readonly number[]): Promise<void> {
    const key = `${dir} ${indices.join(' ')}`
    let work = this.prepared.get(key)
    if (work === undefined) {
      // One make at a time in an output directory.
      work = this.lastPrepare.catch(() => undefined).then(() => this.generate(dir, indices))
      this.lastPrepare = work
      this.prepared.set(key, work)
    }
    return work
  }

  private async generate(dir: string, indices: readonly number[]): Promise<void> {
    const { graph, build } = this.configured
    const entries = new Map(
      indices.flatMap((index) => graph.objects[index] ?? []).map((entry) => [entry.object, entry]),
    )
    const { prepareOnce } = await import('./prepared.ts')
    await prepareOnce(path.join(build, PREPARED_FILE), [...entries.keys()], async (missing) => {
      const [setup, { prepareObjects }] = await Promise.all([this.configured.setup(), import('./configure-make.ts')])
      const sources = missing
        .flatMap((object) => entries.get(object)?.source ?? [])
        .filter((at) => !at.startsWith('..'))
      return withLock(`kbuild-${path.basename(path.dirname(this.view))}`, () =>
        prepareObjects(setup, dir, missing, sources),
      )
    })
  }

  private lastPrepare: Promise<void> = Promise.resolve()
}

const isNotModule = (arg: string): boolean => arg !== '-DMODULE'

/** Objects whose generated files are there. The number changes with what that means. */
const PREPARED_FILE = '.drvport-prepared-2'
/** What scans.ts finds of a tree's exports is kept; the number changes with what it finds. */
const EXPORTS_FILE = 'exports-11.json'
/** The same of which modules are tests. */
const TESTS_FILE = 'tests-1.json'
/** And of what their options select. */
const SELECTED_FILE = 'selected-4.json'

/** Modules that a folder names and does not build for this kernel. */
const refusedModules = ({ refused }: OutsidePlan): KbuildModule[] =>
  refused.flatMap(({ modules, reason, detail }) =>
    modules.map((place) => {
      const name = path.basename(place)
      return { name, path: `${place}.ko`, sources: [], objects: [], refusal: { reason, detail } }
    }),
  )

/** Kbuild makes objects of C and of assembler; a generated source is named from the output directory. */
function outsideSource(entry: Graph['objects'][number] | undefined, build: string): string {
  if (entry?.source !== undefined) return path.resolve(build, entry.source)
  const stem = (entry?.object ?? '').replace(/\.o$/, '')
  return !existsSync(`${stem}.c`) && existsSync(`${stem}.S`) ? `${stem}.S` : `${stem}.c`
}

/**
 * The ABI's header is taken from this package as it is now, not from the view: several checkouts share a configuration,
 * and the header changes more often than it.
 */
const withOwnAbi = (args: readonly string[]): string[] =>
  args.map((arg) => (VIEW_ABI_FLAG.test(arg) ? `-I${ABI_INCLUDE}` : arg))

/** Options that are on, from Kbuild's auto.conf: `CONFIG_NAME=value` lines, text in double quotes. */
export function parseAutoConf(text: string): Map<string, string> {
  const lines = text.matchAll(/^CONFIG_(\w+)=(.*)$/gm)
  return new Map([...lines].map(([, name, value]) => [name as string, (value as string).replace(/^"(.*)"$/, '$1')]))
}

/** The names Kbuild defines for every file, for one that it does not know. */
function nameFlags(source: string): string[] {
  const name = path.basename(source, '.c').replaceAll(/[^A-Za-z0-9_]/g, '_')
  return [
    `-DKBUILD_MODFILE="drvport/${name}"`,
    `-DKBUILD_BASENAME="${name}"`,
    `-DKBUILD_MODNAME="${name}"`,
    `-D__KBUILD_MODNAME=kmod_${name}`,
  ]
}
