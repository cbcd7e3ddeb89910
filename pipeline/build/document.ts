/** What a build is asked for, and its result as data: `drvport.build/1` (interfaces.md). Types only. */

import type { LADDER } from '../ladder.ts'
import type { ModuleFacts } from './facts.ts'
import type { SourceFile, TreeFacts } from '../package.ts'
import type { Diagnostic } from '../toolchain/diagnostics.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { KernelTree } from './kernel.ts'

export interface BuildRequest {
  readonly tree: KernelTree
  /** Module names, paths or globs; see interfaces.md. */
  readonly selectors: readonly string[]
  readonly toolchain: Toolchain
  readonly signal?: AbortSignal
  readonly progress?: (event: BuildProgress) => void
}

/** How far a module came, of the rungs a build climbs. `none`: not even its source was there. */
export type BuildRung = Extract<(typeof LADDER)[number], { by: 'build' }>['rung']

/** A symbol that nobody provides, and what is known of it. */
export interface MissingSymbol {
  readonly symbol: string
  /** First use in the module's own source; empty and 0 when it is used by something the module needs. */
  readonly file: string
  readonly line: number
  /** Who needs it: `module:NAME`. */
  readonly neededBy: readonly string[]
  /** Who would provide it but does not compile itself: `module:NAME`. */
  readonly blockedBy?: string
}

/** A diagnostic and the line it is about. */
export interface SourceDiagnostic extends Diagnostic {
  readonly source?: string
}

export interface ModuleResult {
  readonly name: string
  /** Path in the tree. */
  readonly path: string
  readonly rung: BuildRung
  /** A short stable key: one of matrix/types.ts's. */
  readonly reason?: string
  /** The specifics, for people. */
  readonly detail?: string
  readonly wasm?: { readonly path: string; readonly sha256: string; readonly bytes: number }
  /** Set when the store held a damaged package, which was not used but made again: what was wrong with it. */
  readonly repaired?: string
  /** What the module itself is; `licenses` and `gplOnly` of the result tell of all that is linked with it. */
  readonly facts?: ModuleFacts
  /** Directory of the package in the store. */
  readonly package?: string
  readonly sources: readonly SourceFile[]
  readonly changedBytes: number
  /** Patches of its own folder that were applied before, in their order. */
  readonly patches?: readonly string[]
  readonly imports: readonly string[]
  readonly capabilities: readonly string[]
  readonly unresolved: readonly string[]
  readonly missing: readonly MissingSymbol[]
  /** Functions it uses that return success for what they did not do. There are none: whoever finds one has found a defect. */
  readonly pretends: readonly string[]
  /** Functions it uses that end the driver when they are called. */
  readonly traps: readonly string[]
  readonly licenses: readonly string[]
  /** Symbols it and the modules linked with it use that the tree exports to GPL-compatible modules only. */
  readonly gplOnly: readonly string[]
  readonly ms: { readonly compile: number; readonly link: number; readonly total: number }
  readonly diagnostics: readonly SourceDiagnostic[]
}

export interface BuildDocument {
  readonly schema: 'drvport.build/1'
  readonly tree: TreeFacts
  readonly toolchain: { readonly name: string; readonly version: string; readonly how: string }
  readonly modules: readonly ModuleResult[]
  readonly interrupted: boolean
  readonly ms: number
}

export type BuildProgress =
  | { readonly step: 'plan'; readonly modules: number; readonly toolchain: string }
  /** What is done for the kernel that drivers stand on. */
  | { readonly step: 'kernel'; readonly text: string }
  | { readonly step: 'module'; readonly done: number; readonly of: number; readonly result: ModuleResult }
