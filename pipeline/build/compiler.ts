/**
 * The compiles of one build: each shim file, tree file and module compiled at most once, a bounded number at a time.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { checkInterrupted } from '../errors.ts'
import { limiter } from '../limit.ts'
import { packageRoot } from '../root.ts'
import type { Diagnostic } from '../toolchain/diagnostics.ts'
import { readObject, type WasmObject } from '../wasm/object.ts'
import { adoptKernelFlags, moduleFlags } from './flags.ts'
import type { KernelModule, KernelObject, KernelTree } from './kernel.ts'
import {
  compileObject,
  prepareObjects,
  type CompileContext,
  type CompileJob,
  type CompileOutcome,
  type CompileReason,
  type Input,
} from './objects.ts'
import type { LinkObject } from './resolve.ts'

/** A compiled object with its symbols. */
export interface BuiltObject extends LinkObject {
  readonly object: string
  readonly sha256: string
  readonly inputs: readonly Input[]
}

export interface BuiltModule {
  readonly module: KernelModule
  /** Absent when something did not compile. */
  readonly objects?: readonly BuiltObject[]
  /** Why its first failing file has no object, and in one line what was said. */
  readonly reason?: CompileReason
  readonly detail?: string
  readonly inputs: readonly Input[]
  readonly diagnostics: readonly Diagnostic[]
  readonly ms: number
}

export interface Compiler {
  readonly context: CompileContext
  /** Say which modules are going to be asked for, so that headers common to many of their files are read once. */
  prepare(modules: readonly KernelModule[]): void
  module(module: KernelModule): Promise<BuiltModule>
  /** Say which files of the tree are going to be asked for: the same for them. */
  expect(names: readonly string[]): void
  /** A file of the tree, as the kernel itself compiles it. */
  treeFile(name: string): Promise<BuiltObject | undefined>
  /** A C file of ours, with the shim's headers. */
  ownFile(file: string, origin: string): Promise<{ object?: BuiltObject; diagnostics: readonly Diagnostic[] }>
  /** Files as parts of the kernel itself, in order; those without `object` are ours. */
  kernelFiles(files: readonly KernelSource[]): Promise<KernelFile[]>
  shim(): Promise<Shim>
}

/** A file to be compiled as part of the kernel itself. */
export interface KernelSource {
  /** Path in the tree, or an absolute one of ours. */
  readonly name: string
  /** How the tree compiles it. */
  readonly object?: KernelObject
  /** More flags of its own. */
  readonly flags?: readonly string[]
}

/** What became of a file of the kernel itself. */
export interface KernelFile {
  readonly name: string
  /** Absent when it did not compile. */
  readonly object?: BuiltObject
  readonly outcome: CompileOutcome
}

export interface Shim {
  readonly objects: readonly BuiltObject[]
  readonly bySymbol: ReadonlyMap<string, BuiltObject>
  readonly diagnostics: readonly Diagnostic[]
  readonly ms: number
}

export async function readBuiltObject(file: string): Promise<WasmObject> {
  return readObject(await fs.readFile(file))
}

function built(outcome: CompileOutcome, origin: string): BuiltObject | undefined {
  const { object, sha256, inputs, symbols } = outcome
  if (object === undefined || sha256 === undefined || symbols === undefined) return undefined
  return { origin, ...symbols, object, sha256, inputs }
}

/** All C files under a directory, sorted, relative to it. */
async function cFiles(dir: string): Promise<string[]> {
  const names = await fs.readdir(dir, { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith('.c') && !/^(lower|bus)\//.test(name)).toSorted()
}

/** Modules whose compiled state is kept for those that need them; another is read from the cache again. */
const MODULES_KEPT = 512

/** The last results of work done by name; work under way is always among them, and is not done twice. */
function recent<T>(size: number): (name: string, make: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Promise<T>>()
  const settled = new Set<string>()
  return (name, make) => {
    const known = kept.get(name)
    if (known !== undefined) return known
    const work = make()
    kept.set(name, work)
    const settle = () => {
      settled.add(name)
      const [oldest] = settled
      if (settled.size <= size || oldest === undefined) return
      settled.delete(oldest)
      kept.delete(oldest)
    }
    work.then(settle, settle)
    return work
  }
}

/** More files than compilers: while one is looked up, or waits for a precompiled header, others are compiled. */
const FILES_PER_COMPILER = 8

/** `onObject` hears of each object of a module when it is settled, compiled or found. */
export function createCompiler(
  tree: KernelTree,
  context: CompileContext,
  onObject?: (module: string) => void,
): Compiler {
  const limited = limiter(context.toolchain.width * FILES_PER_COMPILER)
  const shimDir = path.join(packageRoot, 'shim')
  const ownFlags = [`-I${path.join(shimDir, 'include')}`, `-I${path.join(packageRoot, 'linux-api', 'generated')}`]
  // A file of the tree is linked for its functions, not to start a kernel: see the header.
  const treeFlags = ['-include', path.join(shimDir, 'include', 'drvport', 'tree.h')]
  const treeFiles = new Map<string, Promise<BuiltObject | undefined>>()
  const modules = recent<BuiltModule>(MODULES_KEPT)
  let shim: Promise<Shim> | undefined

  const jobOf = (object: KernelObject, extra: readonly string[]): CompileJob => ({
    source: object.source,
    args: [...adoptKernelFlags(object.args, object.cwd), ...extra],
  })

  const compile = (object: KernelObject, extra: readonly string[]) =>
    limited(() => {
      checkInterrupted(context.signal)
      return compileObject(context, jobOf(object, extra))
    })

  const prepared = new Set<string>()
  const prepare = (list: readonly KernelModule[]) => {
    list.forEach((module) => prepared.add(module.path))
    const sources = list.flatMap((module) =>
      module.objects.map(({ source }, i) => ({
        source,
        // Made again when needed: the arguments of a whole tree's files would fill memory.
        job: () => jobOf(module.objects[i] as KernelObject, moduleFlags(module.name)),
      })),
    )
    prepareObjects(context, sources)
  }

  const ownFile = async (file: string, origin: string) => {
    const outcome = await compile(await tree.builtin(file), ownFlags)
    const object = built(outcome, origin)
    return { ...(object && { object }), diagnostics: outcome.ok ? [] : outcome.diagnostics }
  }

  /** Files move between releases: `a.c|b.c` is the first of them that this tree has. */
  const inTree = async (names: string): Promise<string | undefined> => {
    for (const name of names.split('|')) if ((await tree.pristine(name)) !== undefined) return name
    return undefined
  }
  const compileTreeFile = async (names: string): Promise<BuiltObject | undefined> => {
    const name = await inTree(names)
    if (name === undefined) return undefined
    return built(await compile(await tree.builtin(name), treeFlags), `tree:${name}`)
  }
  const prepareTreeFiles = async (list: readonly string[]): Promise<void> => {
    const names = await Promise.all(list.map(inTree))
    const objects = await Promise.all(names.flatMap((name) => (name === undefined ? [] : [tree.builtin(name)])))
    prepareObjects(
      context,
      objects.map((object) => ({ source: object.source, job: () => jobOf(object, treeFlags) })),
    )
  }
  const expect = (names: readonly string[]) => {
    const fresh = [...new Set(names)].filter((name) => !treeFiles.has(name))
    if (fresh.length === 0) return
    const ready = prepareTreeFiles(fresh)
    for (const name of fresh) {
      const made = ready.then(() => compileTreeFile(name))
      // A failure is met again, and reported, where the file is asked for.
      made.catch(() => undefined)
      treeFiles.set(name, made)
    }
  }

  const kernelFiles: Compiler['kernelFiles'] = async (files) => {
    const objects = await Promise.all(files.map(({ name, object }) => object ?? tree.builtin(name)))
    const jobs = objects.map((object, i): (() => CompileJob) => {
      const own = files[i]?.object === undefined ? ownFlags : []
      return () => ({ ...jobOf(object, [...own, ...(files[i]?.flags ?? [])]), kernel: true })
    })
    prepareObjects(
      context,
      jobs.map((job, i) => ({ source: objects[i]?.source ?? '', job })),
    )
    const made = jobs.map((job) =>
      limited(() => {
        checkInterrupted(context.signal)
        return compileObject(context, job()).finally(() => onObject?.('kernel'))
      }),
    )
    const outcomes = await Promise.all(made)
    return outcomes.map((outcome, i) => {
      const name = files[i]?.name ?? ''
      const object = built(outcome, `kernel:${name}`)
      return { name, outcome, ...(object && { object }) }
    })
  }

  const compileModule = async (module: KernelModule): Promise<BuiltModule> => {
    const start = performance.now()
    // One that others need was not announced: its own files have much in common.
    if (!prepared.has(module.path)) prepare([module])
    const extra = moduleFlags(module.name)
    const outcomes = await Promise.all(
      module.objects.map((object) => compile(object, extra).finally(() => onObject?.(module.name))),
    )
    const objects = outcomes.flatMap((outcome) => built(outcome, `module:${module.name}`) ?? [])
    const failed = outcomes.find((outcome) => !outcome.ok)
    return {
      module,
      ...(failed === undefined && { objects }),
      ...(failed?.reason && { reason: failed.reason, detail: failed.detail ?? '' }),
      inputs: outcomes.flatMap((outcome) => outcome.inputs),
      diagnostics: outcomes.flatMap((outcome) => (outcome.ok ? [] : outcome.diagnostics)),
      ms: performance.now() - start,
    }
  }

  const compileShim = async (): Promise<Shim> => {
    const start = performance.now()
    const files = await cFiles(shimDir)
    const own = await Promise.all(files.map((file) => tree.builtin(path.join(shimDir, file))))
    prepareObjects(
      context,
      own.map((object) => ({ source: object.source, job: () => jobOf(object, ownFlags) })),
    )
    const results = await Promise.all(files.map((file) => ownFile(path.join(shimDir, file), `shim:${file}`)))
    const objects = results.flatMap(({ object }) => (object === undefined ? [] : [object]))
    const bySymbol = new Map<string, BuiltObject>()
    const twice: Diagnostic[] = []
    for (const object of objects) {
      for (const symbol of object.defines) {
        const other = bySymbol.get(symbol)
        if (other === undefined) bySymbol.set(symbol, object)
        else twice.push({ file: object.origin, line: 0, message: `${symbol} is defined in ${other.origin} too` })
      }
    }
    return {
      objects,
      bySymbol,
      diagnostics: [...results.flatMap((result) => result.diagnostics), ...twice],
      ms: performance.now() - start,
    }
  }

  const once = <T>(memo: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const known = memo.get(key) ?? make()
    memo.set(key, known)
    return known
  }

  return {
    context,
    prepare,
    expect,
    ownFile,
    kernelFiles,
    module: (module) => modules(module.path, () => compileModule(module)),
    treeFile: (name) => once(treeFiles, name, () => compileTreeFile(name)),
    shim: () => (shim ??= compileShim()),
  }
}
