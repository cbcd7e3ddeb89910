/**
 * The rungs above verify, as somebody who has a machine climbs them. The pipeline knows no machine (ARCHITECTURE.md,
 * "Who may know whom"): the command line passes one in. Types only.
 */

import type { Rung } from '../ladder.ts'
import type { Reason, TestTally } from './types.ts'

export interface Climber {
  /**
   * Run a package up to `until`. Never rejects because of a module: a hang, a crash, a lack of memory are outcomes.
   * Rejects only with Interrupted (the signal) or InfrastructureError. May be called concurrently; it queues itself.
   */
  climb(job: ClimbJob, until: Rung, signal: AbortSignal): Promise<Ascent>
  /** Modules that should stand beside one of these classes when it is to operate. */
  besideFor(classes: readonly string[]): readonly string[]
  close(): Promise<void>
}

/** A package in the store. */
export interface ClimbJob {
  /** Its directory: NAME.wasm, NAME.json, NAME.lines. */
  readonly dir: string
  /** The manifest's name. */
  readonly name: string
  /** It is one of the tree's own tests: what it says counts. */
  readonly isTest?: boolean
  /** It has reached init, and no device model fits: the modules that stand beside it in this package. */
  readonly beside?: readonly string[]
}

export interface Ascent {
  /** Highest reached; `verify` when loading failed, `link` when the machine's own verifier refuses it. */
  readonly rung: Rung
  /** '' when the rung asked for was reached. */
  readonly reason: Reason | ''
  readonly detail: string
  /** Wall milliseconds by rung, for the row's `ms`. */
  readonly ms: Readonly<Record<string, number>>
  readonly tests?: TestTally
  /** Parameters that its modules were given, as `module.parameter=value`. */
  readonly parameters?: readonly string[]
}
