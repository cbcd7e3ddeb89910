/**
 * What a build needs to know of a configured kernel tree: the seam between Kbuild's graph and the builder.
 *
 * Paths are absolute and point into the read-only tree (or the overlay beside it). Flags are Kbuild's own for that file,
 * without `-c`, `-o` and the source.
 */

import type { Export } from '../kbuild/exports.ts'
import type { Reason } from '../matrix/types.ts'
import type { TreeFacts } from '../package.ts'
import type { Root } from './flags.ts'

export interface KernelObject {
  /** Absolute path of the C file. */
  readonly source: string
  readonly args: readonly string[]
  /** Directory that relative paths in args start from. */
  readonly cwd: string
}

export interface KernelModule {
  readonly name: string
  /** Path in the tree, of the directory or composite: what a person would look for. */
  readonly path: string
  readonly objects: readonly KernelObject[]
  /** Of a module that is not part of the tree: its directories, and what their files are called in results. */
  readonly external?: readonly Root[]
  /** Patches of its folder's own that were applied before it was compiled, in their order. */
  readonly patches?: readonly string[]
  /** Why it is not built, where its folder itself says so; it has no objects then. */
  readonly refusal?: { readonly reason: Reason; readonly detail: string }
}

/** A folder outside of the tree, evaluated by the tree's Kbuild. */
export interface KernelFolder {
  /** What is compiled: a copy of the folder, and the directories above it, nearest first. */
  readonly snapshot: { readonly dir: string; readonly parents: readonly string[] }
  /** Where the folder's own makefile finds the kernel: files of the tree by another path. */
  readonly headers: string
  /** Paths are relative to the folder. */
  readonly modules: readonly KernelModule[]
  readonly patches: readonly string[]
  /** Make what the folder's makefiles generate. */
  prepare(): Promise<void>
}

export interface KernelTree {
  readonly name: string
  readonly version: string
  /** Trees of the same id are configured alike: the same modules, flags and exports. */
  readonly id: string
  /** Nothing that its id stands for changes. */
  readonly sealed: boolean
  /** Which of the tree's configurations this is; undefined for the plain one. */
  readonly configuration?: string
  /** Directory with the tree's own layout, for who reads its text. */
  readonly view: string
  readonly roots: readonly Root[]
  /** Modules that a selector names. Throws UsageError when it names none. */
  select(selector: string): Promise<readonly KernelModule[]>
  /** A module by name, spelt with - or _. */
  module(name: string): Promise<KernelModule | undefined>
  /** The module that exports a symbol. */
  exporter(symbol: string): Promise<string | undefined>
  /** Every export of the tree, by symbol: where it is, and the modules it belongs to (none: the kernel itself). */
  exports(): Promise<ReadonlyMap<string, Export & { readonly source: string; readonly modules: readonly string[] }>>
  /** Modules that a module may ask for by name: paths, by its path. */
  selected(): Promise<ReadonlyMap<string, readonly string[]>>
  /** Paths of the modules that are the tree's own tests. */
  tests(): Promise<ReadonlySet<string>>
  /** The files of the kernel itself, in link order: see Kbuild. */
  kernelFiles(): Promise<readonly { readonly name: string; readonly object: KernelObject }[]>
  /** How a file of the tree compiles as part of the kernel itself: path in the tree, or absolute for one of the shim's. */
  builtin(file: string): Promise<KernelObject>
  /** Modules of a folder outside of the tree, which lies in `whole`: of that nothing is written into. Throws UsageError. */
  outside(folder: string, whole?: string): Promise<KernelFolder>
  /** Value of an option without CONFIG_: `y`, `m`, a number or text; undefined where it is off. */
  config(option: string): string | undefined
  /** SHA-256 of a file as it was fetched, by path in the tree; undefined for what is not the tree's. */
  pristine(name: string): Promise<string | undefined>
}

/** What results say of the tree they come from. */
export const treeFacts = ({ name, version, configuration }: TreeFacts): TreeFacts => ({
  name,
  version,
  ...(configuration !== undefined && { configuration }),
})
