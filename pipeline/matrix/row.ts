/**
 * One row of the matrix from what the build says of a module.
 *
 * A row says the same of the same sources, flags, tools and drvport, whatever was cached and wherever it ran: lists are
 * sorted, and nothing in it but `ms` is a time, an order or a path of this computer. Pure.
 */

import type { MissingSymbol, ModuleResult } from '../build/index.ts'
import { REASONS, type MatrixRow, type Reason } from './types.ts'

const KNOWN = new Set<string>(REASONS)
const sorted = (names: readonly string[]): string[] => [...new Set(names)].toSorted()

/** A detail is one line, and short enough for a table. */
const DETAIL_MAX = 500
export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, DETAIL_MAX)

const reasonOf = (reason: string | undefined): Reason | '' =>
  reason === undefined ? '' : KNOWN.has(reason) ? (reason as Reason) : 'internal-error'

const whole = (ms: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(ms).map(([step, value]) => [step, Math.round(value)]))

/** Nobody provides it; what a failing module would provide is that module's affair. */
const isAbsent = ({ blockedBy }: MissingSymbol) => blockedBy?.startsWith('module:') !== true

export function rowOf(result: ModuleResult): MatrixRow {
  const { name, path, rung, wasm, facts } = result
  return {
    module: name,
    path,
    rung,
    reason: reasonOf(result.reason),
    detail: oneLine(result.detail ?? ''),
    ms: whole(result.ms),
    buses: facts?.buses ?? [],
    classes: facts?.classes ?? [],
    licenses: facts?.licenses ?? [],
    spdx: facts?.spdx ?? [],
    gplOnly: facts?.gplOnly ?? [],
    ...(facts?.licenseProblem !== undefined && { licenseProblem: facts.licenseProblem }),
    missing: sorted(result.missing.filter(isAbsent).map(({ symbol }) => symbol)),
    pretends: sorted(result.pretends),
    traps: sorted(result.traps),
    imports: sorted(result.imports),
    capabilities: sorted(result.capabilities),
    diagnostics: result.diagnostics,
    sources: result.sources.length,
    changedBytes: result.changedBytes,
    ...(result.patches && { patches: result.patches }),
    ...(wasm && { wasm: { sha256: wasm.sha256, bytes: wasm.bytes } }),
  }
}

/** The row of a module of which nothing is known: interrupted, or failed in a way that is our own mistake. */
export function emptyRow(module: { name: string; path: string }, reason: Reason, detail: string): MatrixRow {
  const empty = { buses: [], classes: [], licenses: [], spdx: [], gplOnly: [], missing: [], pretends: [], traps: [] }
  const rest = { imports: [], capabilities: [], diagnostics: [], sources: 0, changedBytes: 0, ms: {} }
  return { module: module.name, path: module.path, rung: 'none', reason, detail: oneLine(detail), ...empty, ...rest }
}
