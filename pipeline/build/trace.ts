/**
 * What linking a module came to, kept with everything it depended on: an unchanged module is not resolved, linked or
 * described again.
 *
 * A trace is found by the module's own objects and by what all modules share, and holds only if every other module and
 * tree file that was consulted is still what it was. Failures are kept as results are. Knows nothing of how a module is
 * linked.
 */

import { cachePath, contentKey, readKept, writeAtomic } from '../cache.ts'
import type { BuiltObject } from './compiler.ts'
import type { ModuleResult } from './document.ts'
import { inputsDigest } from './inputs.ts'
import type { KernelModule } from './kernel.ts'
import type { ModuleBuild } from './module.ts'
import { ownCodeKey } from './pack.ts'
import { objectsOf, type Consulted } from './providers.ts'

/** What a result says apart from which module it is of and how long it took. */
export type Facts = Omit<ModuleResult, 'name' | 'path' | 'ms'>

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
  readonly files: readonly (readonly [name: string, digest: string])[]
}

const NONE = ''

const digestOf = (objects: readonly BuiltObject[] | undefined): string =>
  objects === undefined ? NONE : contentKey(objects.flatMap((object) => [object.sha256, inputsDigest(object)]))

/** What is kept: what is told of a module by itself, and what it is with all that is linked with it. */
type Kind = 'facts' | 'trace'

/** What all modules of a build share. */
const bases = new WeakMap<ModuleBuild, Partial<Record<Kind, Promise<string>>>>()

const factsBasis = async ({ tree, toolchain }: ModuleBuild) =>
  contentKey([await ownCodeKey(), tree.name, tree.version, tree.id, toolchain.id])

async function traceBasis(build: ModuleBuild): Promise<string> {
  const shim = await build.compiler.shim()
  const objects = shim.objects.flatMap(({ origin, sha256 }) => [origin, sha256])
  return contentKey([await factsBasis(build), JSON.stringify([...build.table.values()]), ...objects])
}

async function keptFile({ build, module, objects }: Compiled, kind: Kind): Promise<string> {
  const known = bases.get(build) ?? {}
  bases.set(build, known)
  const basis = (known[kind] ??= kind === 'facts' ? factsBasis(build) : traceBasis(build))
  const key = contentKey([await basis, module.path, digestOf(objects)])
  return cachePath('links', key.slice(0, 2), `${key}.${kind}`)
}

/** What is known of a module by itself: told once. */
export async function knownFacts(compiled: Compiled, tell: () => Promise<Facts>): Promise<Facts> {
  const file = await keptFile(compiled, 'facts')
  const kept = await readKept<Facts>(file)
  if (kept !== undefined) return kept
  const facts = await tell()
  await writeAtomic(file, JSON.stringify(facts))
  return facts
}

const digestOfModule = async (build: ModuleBuild, name: string) => digestOf(await objectsOf(build, name))

async function digestOfFile({ compiler }: ModuleBuild, name: string): Promise<string> {
  const object = await compiler.treeFile(name)
  return digestOf(object && [object])
}

/** What it came to before, if nothing that it depended on has changed. */
export async function knownOutcome(compiled: Compiled): Promise<Outcome | undefined> {
  const { build } = compiled
  const trace = await readKept<Trace>(await keptFile(compiled, 'trace'))
  if (trace === undefined) return undefined
  const same = await Promise.all([
    ...trace.modules.map(async ([name, digest]) => (await digestOfModule(build, name)) === digest),
    ...trace.files.map(async ([name, digest]) => (await digestOfFile(build, name)) === digest),
  ])
  return same.every(Boolean) ? trace : undefined
}

/** Keep what it came to. */
export async function rememberOutcome(compiled: Compiled, consulted: Consulted, outcome: Outcome): Promise<void> {
  const { build } = compiled
  const trace: Trace = {
    ...outcome,
    modules: await Promise.all(
      [...consulted.modules].map(async (name) => [name, await digestOfModule(build, name)] as const),
    ),
    files: await Promise.all(
      [...consulted.files].map(async (name) => [name, await digestOfFile(build, name)] as const),
    ),
  }
  await writeAtomic(await keptFile(compiled, 'trace'), JSON.stringify(trace))
}
