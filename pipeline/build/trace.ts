/**
 * What linking a module came to, kept with everything it depended on: an unchanged module is not bound or described again.
 *
 * A trace is found by the module's own objects and by what all modules share, and holds only if every other module that was
 * consulted is still what it was. Failures are kept as results are. Knows nothing of how a module is linked.
 */

import { cachePath, contentKey, readKept, writeAtomic } from '../cache.ts'
import type { BuiltModule, BuiltObject } from './compiler.ts'
import type { BuildRung, ModuleResult } from './document.ts'
import { inputsDigest } from './inputs.ts'
import type { KernelModule } from './kernel.ts'
import type { ModuleBuild } from './module.ts'
import { isFinal } from './objects.ts'
import { ownCodeKey } from './own-code.ts'

/** What a result says apart from which module it is of and how long it took. */
export type Facts = Omit<ModuleResult, 'name' | 'path' | 'ms'>

/** The last rung a build is asked to climb. What stands above it is neither done nor paid for. */
export type BuildUntil = Exclude<BuildRung, 'none'>

export interface Outcome {
  /** At rung link, or the failure below it. */
  readonly linked: Facts
  /** Name of the package in the store; only of what links. */
  readonly package?: string
  /** What the verifier has against it. */
  readonly refused?: Facts
}

/** A module that compiled, in its build. */
export interface Compiled {
  readonly build: ModuleBuild
  readonly module: KernelModule
  readonly objects: readonly BuiltObject[]
}

interface Trace extends Outcome {
  readonly modules: readonly (readonly [name: string, digest: string])[]
}

/** What an outcome depends on besides objects: something that has a name, and what a kernel has under the names that are needed. */
export interface On {
  readonly besides: string
  readonly kernel?: (needs: readonly string[]) => string
}

const NONE = ''

const digestOf = (objects: readonly BuiltObject[] | undefined): string =>
  objects === undefined ? NONE : contentKey(objects.flatMap((object) => [object.sha256, inputsDigest(object)]))

/** What all modules of a build share. */
const bases = new WeakMap<ModuleBuild, string>()

const basisOf = ({ tree, toolchain }: ModuleBuild): string =>
  contentKey([ownCodeKey(), tree.name, tree.version, tree.id, toolchain.id])

/** What is kept: what is known of a module by itself, the names that it was linked by, what it came to by these. */
type Kind = 'facts' | 'needs' | 'trace'

function keptFile({ build, module, objects }: Compiled, kind: Kind, ...on: readonly string[]): string {
  const basis = bases.get(build) ?? basisOf(build)
  bases.set(build, basis)
  const key = contentKey([basis, module.path, digestOf(objects), ...on])
  return cachePath('links', key.slice(0, 2), `${key}.${kind}`)
}

/** What is known of a module by itself: told once. */
export async function knownFacts(compiled: Compiled, tell: () => Promise<Facts>): Promise<Facts> {
  const file = keptFile(compiled, 'facts')
  const kept = await readKept<Facts>(file)
  if (kept !== undefined) return kept
  const facts = await tell()
  await writeAtomic(file, JSON.stringify(facts))
  return facts
}

/**
 * What is known of a module that did not compile: told once for what it read and what the compiler said of it. Of a file
 * that was not found nothing is kept: it may come.
 */
export async function knownFailure<T extends Facts>(
  build: ModuleBuild,
  compiled: BuiltModule,
  tell: () => Promise<T>,
): Promise<T> {
  const { module, diagnostics } = compiled
  if (!isFinal(diagnostics)) return tell()
  const basis = bases.get(build) ?? basisOf(build)
  bases.set(build, basis)
  const said = diagnostics.flatMap(({ file, line, message }) => [file, line, message])
  const key = contentKey([basis, module.path, 'failed', inputsDigest(compiled), ...said])
  const file = cachePath('links', key.slice(0, 2), `${key}.failure`)
  const kept = await readKept<T>(file)
  if (kept !== undefined) return kept
  const facts = await tell()
  await writeAtomic(file, JSON.stringify(facts))
  return facts
}

/** The objects of a module by name; undefined when there is none, or it does not compile. */
async function objectsOf({ tree, compiler }: ModuleBuild, name: string): Promise<readonly BuiltObject[] | undefined> {
  const found = await tree.module(name)
  return found === undefined ? undefined : (await compiler.module(found)).objects
}

const digestOfModule = async (build: ModuleBuild, name: string) => digestOf(await objectsOf(build, name))

const traceFile = (compiled: Compiled, { besides, kernel }: On, needs: readonly string[]): string =>
  keptFile(compiled, 'trace', besides, ...(kernel === undefined ? [] : [kernel(needs)]))

/** What it came to before on a kernel that was the same to it, if nothing else that it depended on has changed. */
export async function knownOutcome(compiled: Compiled, on: On): Promise<Outcome | undefined> {
  const { build } = compiled
  const needs = on.kernel === undefined ? [] : await readKept<string[]>(keptFile(compiled, 'needs', on.besides))
  const trace = needs && (await readKept<Trace>(traceFile(compiled, on, needs)))
  if (trace === undefined) return undefined
  const same = await Promise.all(
    trace.modules.map(async ([name, digest]) => (await digestOfModule(build, name)) === digest),
  )
  return same.every(Boolean) ? trace : undefined
}

/** Keep what it came to; `consulted` are the other modules that were asked, `needs` all names that it and these need. */
export async function rememberOutcome(
  compiled: Compiled,
  on: On,
  { consulted, needs }: { readonly consulted: readonly string[]; readonly needs: readonly string[] },
  outcome: Outcome,
): Promise<void> {
  const { build } = compiled
  const modules = consulted.map(async (name) => [name, await digestOfModule(build, name)] as const)
  const trace: Trace = { ...outcome, modules: await Promise.all(modules) }
  await writeAtomic(traceFile(compiled, on, needs), JSON.stringify(trace))
  if (on.kernel !== undefined) await writeAtomic(keptFile(compiled, 'needs', on.besides), JSON.stringify(needs))
}
