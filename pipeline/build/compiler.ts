/**
 * The compiles of one build: each file of the kernel and each module compiled at most once, a bounded number at a time.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { checkInterrupted } from '../errors.ts'
import { limiter } from '../limit.ts'
import type { Reason } from '../matrix/types.ts'
import { packageRoot } from '../root.ts'
import type { Diagnostic } from '../toolchain/diagnostics.ts'
import { readObject, type WasmObject } from '../wasm/object.ts'
import { adoptKernelFlags, moduleFlags, OUTSIDE_FLAGS } from './flags.ts'
import type { KernelModule, KernelObject, KernelTree } from './kernel.ts'
import {
  compileObject,
  prepareObjects,
  type CompileContext,
  type CompileJob,
  type CompileOutcome,
  type Input,
} from './objects.ts'

/** A compiled object with its symbols. */
export interface BuiltObject {
  /** `kernel:PATH` or `module:NAME`. */
  readonly origin: string
  /** Global symbols, sorted. */
  readonly defines: readonly string[]
  readonly needs: readonly string[]
  readonly object: string
  readonly sha256: string
  readonly inputs: readonly Input[]
}

export interface BuiltModule {
  readonly module: KernelModule
  /** Absent when something did not compile. */
  readonly objects?: readonly BuiltObject[]
  /** Why its first failing file has no object, and in one line what was said. */
  readonly reason?: Reason
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
  /** Files as parts of the kernel itself, in order; those without `object` are ours. */
  kernelFiles(files: readonly KernelSource[], onDone?: (done: number) => void): Promise<KernelFile[]>
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

export async function readBuiltObject(file: string): Promise<WasmObject> {
  return readObject(await fs.readFile(file))
}

function built(outcome: CompileOutcome, origin: string): BuiltObject | undefined {
  const { object, sha256, inputs, symbols } = outcome
  if (object === undefined || sha256 === undefined || symbols === undefined) return undefined
  return { origin, ...symbols, object, sha256, inputs }
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
  const ownFlags = [`-I${path.join(packageRoot, 'linux-api', 'generated')}`]
  const modules = recent<BuiltModule>(MODULES_KEPT)

  const jobOf = (object: KernelObject, extra: readonly string[]): CompileJob => ({
    source: object.source,
    args: [...adoptKernelFlags(object.args, object.cwd), ...extra],
  })

  const jobFor = (module: KernelModule, object: KernelObject): CompileJob => ({
    ...jobOf(object, moduleFlags(module.name)),
    ...(module.external && { last: OUTSIDE_FLAGS }),
  })

  const compile = (module: KernelModule, object: KernelObject) =>
    limited(() => {
      checkInterrupted(context.signal)
      return compileObject(context, jobFor(module, object))
    })

  const prepared = new Set<string>()
  const prepare = (list: readonly KernelModule[]) => {
    list.forEach((module) => prepared.add(module.path))
    const sources = list.flatMap((module) =>
      module.objects.map(({ source }, i) => ({
        source,
        // Made again when needed: the arguments of a whole tree's files would fill memory.
        job: () => jobFor(module, module.objects[i] as KernelObject),
      })),
    )
    prepareObjects(context, sources)
  }

  const kernelFiles: Compiler['kernelFiles'] = async (files, onDone) => {
    const objects = await Promise.all(files.map(({ name, object }) => object ?? tree.builtin(name)))
    const jobs = objects.map((object, i): (() => CompileJob) => {
      const own = files[i]?.object === undefined ? ownFlags : []
      return () => ({ ...jobOf(object, own), last: files[i]?.flags ?? [], kernel: true })
    })
    prepareObjects(
      context,
      jobs.map((job, i) => ({ source: objects[i]?.source ?? '', job })),
    )
    let done = 0
    const made = jobs.map((job) =>
      limited(() => {
        checkInterrupted(context.signal)
        return compileObject(context, job()).finally(() => onDone?.(++done))
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
    const { refusal } = module
    if (refusal !== undefined) return { module, ...refusal, inputs: [], diagnostics: [], ms: 0 }
    // One that others need was not announced: its own files have much in common.
    if (!prepared.has(module.path)) prepare([module])
    const outcomes = await Promise.all(
      module.objects.map((object) => compile(module, object).finally(() => onObject?.(module.name))),
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

  return {
    context,
    prepare,
    kernelFiles,
    module: (module) => modules(module.path, () => compileModule(module)),
  }
}
