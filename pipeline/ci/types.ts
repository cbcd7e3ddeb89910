/** What a generated workflow is about. Types only. */

import type { Rung } from '../ladder.ts'

/** How CI gets drvport: a folder of the repository (a submodule), or a clone. */
export type Origin =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'clone'; readonly url: string; readonly ref: string }

export interface CiPlan {
  /** Folder of the driver, from the repository's root: `.` or `./drivers/acme`. */
  readonly driver: string
  readonly trees: readonly string[]
  readonly until: Rung
  readonly origin: Origin
  /** Branch whose results are the driver's. */
  readonly branch: string
}
