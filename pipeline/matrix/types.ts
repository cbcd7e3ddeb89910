/**
 * The compatibility matrix as data: `drvport.matrix/1` (interfaces.md). Types and names only.
 *
 * One row a module: how far up the ladder it got and, where it stopped, why. Everything that reads a matrix (reports,
 * the page, diff, merge, workers) reads this and nothing else of the pipeline.
 */

import type { Rung } from '../ladder.ts'
import type { TreeFacts } from '../package.ts'

/**
 * Why a row stopped where it did. Stable: CI systems key on them. Adding one is free; what each means, and what a
 * reader can do about it, is in reasons.ts.
 */
export const REASONS = [
  'excluded',
  'makefile-error',
  'no-source',
  'not-c',
  'missing-header',
  'needs-x86',
  'needs-architecture',
  'needs-64-bit',
  'needs-option',
  'compile-error',
  'api-removed',
  'api-changed',
  'api-added',
  'not-exported',
  'gpl-only',
  'not-imported',
  'compiler-crash',
  'dependency-failed',
  'unresolved-symbol',
  'link-error',
  'refused',
  'load-error',
  'init-failed',
  'no-hardware',
  'fault',
  'no-device-model',
  'not-bound',
  'check-failed',
  'timeout',
  'out-of-memory',
  'wrong-output',
  'interrupted',
  'internal-error',
] as const
export type Reason = (typeof REASONS)[number]

export interface RowDiagnostic {
  /** Path in the tree. */
  readonly file: string
  /** 1-based; 0 when the compiler gave none. */
  readonly line: number
  readonly message: string
  /** Text of that line, for readers of the page. */
  readonly source?: string
}

/** Of a module that is one of the tree's own tests, from rung init on. */
export interface TestTally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Of a test that is no suite, and so one case: checks that it counted itself. */
  readonly checks?: number
  /** Those that failed or were skipped, and why. */
  readonly cases: readonly {
    readonly suite: string
    readonly name: string
    readonly outcome: 'passed' | 'failed' | 'skipped'
    readonly detail: string
  }[]
}

export interface MatrixRow {
  /** Module name as its file has it, without `.ko`. */
  readonly module: string
  /** Path in the tree, ending in `.ko`; unique within a matrix. */
  readonly path: string
  /** The highest rung reached, by doing it. */
  readonly rung: Rung
  /** '' when the rung asked for with --until was reached. */
  readonly reason: Reason | ''
  /** Symbol, file:line or fault: one line. */
  readonly detail: string
  /** Wall milliseconds by step; never compared. */
  readonly ms: Readonly<Record<string, number>>
  /** Buses it binds on (`pci`, `usb`, `i2c`...), sorted. */
  readonly buses: readonly string[]
  /** Classes of device it offers (`net`, `sound`...), sorted. */
  readonly classes: readonly string[]
  /** MODULE_LICENSE texts, sorted. */
  readonly licenses: readonly string[]
  /** SPDX expressions of its own source files, sorted, each once; `NONE` for a file without one. */
  readonly spdx: readonly string[]
  /** Exported GPL-only symbols of the kernel that it uses, sorted. */
  readonly gplOnly: readonly string[]
  /** Why Linux itself would refuse to load it for its licence: one line. */
  readonly licenseProblem?: string
  /** Symbols that nobody provides, sorted: what keeps it from linking. */
  readonly missing: readonly string[]
  /** Functions it uses that return success for what they did not do: a defect of drvport's. Empty. */
  readonly pretends: readonly string[]
  /** Linked, but a call of one of these ends the driver. */
  readonly traps: readonly string[]
  /** Wasm imports, `group.call`; from rung verify on. */
  readonly imports: readonly string[]
  readonly capabilities: readonly string[]
  readonly diagnostics: readonly RowDiagnostic[]
  /** Own C files and headers: how many, and how many bytes of them were changed (0). */
  readonly sources: number
  readonly changedBytes: number
  /** Patches of its own folder that were applied before, in their order, as its dkms.conf has it for this kernel. */
  readonly patches?: readonly string[]
  readonly wasm?: { readonly sha256: string; readonly bytes: number }
  readonly tests?: TestTally
  /** Parameters that it was given to be run, as `module.parameter=value`: see drivers-src/parameters.tsv. */
  readonly parameters?: readonly string[]
}

export interface MatrixDocument {
  readonly schema: 'drvport.matrix/1'
  readonly tree: TreeFacts
  readonly toolchain: { readonly name: string; readonly version: string }
  /** Of drvport itself: package version, and the revision where known. */
  readonly drvport: string
  /** Selectors as given. */
  readonly selectors: readonly string[]
  readonly until: Rung
  readonly seed: number
  /** Present where not all modules that the selectors name were taken, but so many, drawn by the seed. */
  readonly sample?: { readonly size: number; readonly of: number }
  /** Present on one part of several: which, 1-based. */
  readonly shard?: { readonly index: number; readonly of: number }
  readonly interrupted: boolean
  readonly summary: MatrixSummary
  /** Sorted by path. */
  readonly rows: readonly MatrixRow[]
  /**
   * Wall milliseconds of the whole; where known, processor milliseconds of drvport and the tools it ran, and the peak of
   * drvport's own resident memory in bytes.
   */
  readonly ms: number
  readonly cpuMs?: number
  readonly peakBytes?: number
}

export interface MatrixSummary {
  readonly modules: number
  /** How many rows are at each rung exactly; only rungs that occur. */
  readonly rungs: Readonly<Partial<Record<Rung, number>>>
  readonly reasons: Readonly<Partial<Record<Reason, number>>>
  /**
   * SHA-256 over the rows less their times: two matrices with the same digest say the same of every module, however
   * they were made.
   */
  readonly digest: string
}
