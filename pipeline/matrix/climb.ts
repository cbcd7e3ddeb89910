/**
 * The rungs above verify, as somebody who has a machine climbs them. The pipeline knows no machine (ARCHITECTURE.md,
 * "Who may know whom"): the command line passes one in. Types only.
 */

import type { Rung } from '../ladder.ts'
import type { Reason } from './types.ts'

export interface Climber {
  /**
   * Run a package up to `until`. Never rejects because of a module: a hang, a crash, a lack of memory are outcomes.
   * Rejects only with Interrupted (the signal) or InfrastructureError. May be called concurrently; it queues itself.
   */
  climb(job: ClimbJob, until: Rung, signal: AbortSignal): Promise<Ascent>
  close(): Promise<void>
}

/** A package in the store. */
export interface ClimbJob {
  /** Its directory: NAME.wasm, NAME.json, NAME.lines. */
  readonly dir: string
  /** The manifest's name. */
  readonly name: string
}

export interface Ascent {
  /** Highest reached; `verify` when loading failed, `link` when the machine's own verifier refuses it. */
  readonly rung: Rung
  /** '' when the rung asked for was reached. */
  readonly reason: Reason | ''
  readonly detail: string
  /** Wall milliseconds by rung, for the row's `ms`. */
  readonly ms: Readonly<Record<string, number>>
}
