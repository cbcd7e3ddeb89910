/**
 * What stands between a package and the machine: the policy of `run` and `demo`, the refusal, and the names of C lines.
 * Needs no Node: a machine in a browser does the same.
 */
import { DriverFailure } from '../pipeline/errors.ts'
import { allowanceFor, type Allowance } from '../pipeline/verify/allowance.ts'
import type { Verdict } from '../pipeline/verify/verdict.ts'
import { readLines, symbolize } from '../pipeline/wasm/lines.ts'
import type { LineTable } from '../pipeline/wasm/lines.ts'
import type { Symbolizer } from '../kernel/fault.ts'
import type { DriverPackage } from '../machine/load/package.ts'

/** What a network driver on PCI may ask for. */
export const NIC_ALLOWANCE: Allowance = allowanceFor(['pci', 'net'])

/** Throws DriverFailure when the verifier refused. */
export function accept(pack: DriverPackage, verdict: Verdict): void {
  if (verdict.ok) return
  const [first, ...rest] = verdict.problems
  const more = rest.length > 0 ? ` (and ${rest.length} more problems)` : ''
  const what = first === undefined ? 'unknown' : `${first.where}: ${first.message}`
  throw new DriverFailure(`${pack.manifest.name} is refused: ${what}${more}`, {
    ...(first && { where: first.where }),
    expected: 'a module that stays within its manifest, and a manifest within policy',
    todo: 'a package changed by hand is not trusted: delete its directory (`drvport build --json` names it) and build again',
  })
}

/** Line tables, read when the first address is asked for: every generation of a driver has the same. */
const tables = new WeakMap<Uint8Array, LineTable>()

function tableOf(lines: Uint8Array): LineTable {
  let table = tables.get(lines)
  if (table === undefined) tables.set(lines, (table = readLines(lines)))
  return table
}

/** Symbolizer of a package from its line table; function numbers only when it has none. */
export function symbolizerOf(pack: DriverPackage): Symbolizer {
  const { lines } = pack
  if (lines === undefined) return () => []
  return (offset) =>
    symbolize(tableOf(lines), offset).map(({ function: name, file, line }) => ({ function: name, file, line, offset }))
}
