/**
 * A profile: how often a run entered each function and made each call of each module, counted exactly, so that the same
 * run gives the same profile. It belongs to one bytecode and says nothing of another.
 */
import type { Counts } from '../rewrite/inline.ts'
import type { CounterPlan } from '../rewrite/count.ts'

export const PROFILE_SCHEMA = 'drvport.profile/1'

export interface ModuleProfile {
  readonly name: string
  /** Of the module that was counted. */
  readonly sha256: string
  /** Functions entered, by their index among those the module defines. */
  readonly functions: readonly {
    readonly index: number
    readonly name: string
    readonly entries: number
    /** Of its calls in order, direct and indirect. */
    readonly calls: readonly number[]
  }[]
}

export interface ProfileDocument {
  readonly schema: typeof PROFILE_SCHEMA
  readonly seed: number
  /** Event log of the run. */
  readonly eventHash: string
  readonly modules: readonly ModuleProfile[]
}

/** A module's profile from the values of its counters, by number. */
export function profileOf(
  name: string,
  sha256: string,
  plan: CounterPlan,
  value: (counter: number) => number,
): ModuleProfile {
  const functions = plan.functions
    .map(({ index, name: title, entries, calls }) => ({
      index,
      name: title,
      entries: value(entries),
      calls: calls.map(value),
    }))
    .filter(({ entries }) => entries > 0)
  return { name, sha256, functions }
}

export const countsOf = (profile: ModuleProfile): Counts =>
  new Map(profile.functions.map(({ index, entries, calls }) => [index, { entries, calls }]))
