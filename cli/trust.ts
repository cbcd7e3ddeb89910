/**
 * What stands between a package and the machine: the policy of `run` and `demo`, the refusal, and the names of C lines.
 * Needs no Node: a machine in a browser does the same.
 */
import { DriverFailure } from '../pipeline/errors.ts'
import { allowanceFor, type Allowance } from '../pipeline/verify/allowance.ts'
import { policyProblems } from '../pipeline/verify/manifest.ts'
import type { Verdict } from '../pipeline/verify/verdict.ts'
import { readLines, symbolize } from '../pipeline/wasm/lines.ts'
import type { LineTable } from '../pipeline/wasm/lines.ts'
import type { Symbolizer } from '../kernel/fault.ts'
import { CLASSES } from '../machine/class/index.ts'
import { partsOf, type DriverPackage, type Part } from '../machine/load/package.ts'

const CLASS_NAMES = CLASSES.map(({ name }) => name)

/** What a driver of a PCI device may ask for, whatever its class. */
export const DEVICE_ALLOWANCE: Allowance = allowanceFor(['pci', ...CLASS_NAMES])

/** and one that serves other domains, or is served by them. */
export const LAYERED_ALLOWANCE: Allowance = allowanceFor(['pci', ...CLASS_NAMES, 'layered'])

/**
 * A core and the modules bound to it were proved as a pair when they were bound; whoever loads them holds their bytes against the
 * hashes of what was proved, and the manifest against policy. `hashOf` gives the hash of a part as it is here. Throws DriverFailure.
 */
export function acceptParts(pack: DriverPackage, hashOf: (part: Part) => string, allowance: Allowance): void {
  const problems = policyProblems(pack.manifest, allowance)
  if (problems.length > 0) accept(pack, { ok: false, problems })
  const { core, name } = pack.manifest
  const proved = [core.sha256, ...core.modules.map(({ wasm }) => wasm.sha256)]
  partsOf(pack).forEach((part, i) => {
    const found = hashOf(part)
    if (found === proved[i]) return
    throw new DriverFailure(`${name} is refused: ${part.name}.wasm is not what was proved`, {
      expected: `sha256 ${proved[i] ?? 'in the manifest'}`,
      found,
      todo: 'a package changed by hand is not trusted: delete its directory (`drvport build --json` names it) and build again',
    })
  })
}

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

const linesAt = (lines: Uint8Array, offset: number) =>
  symbolize(tableOf(lines), offset).map(({ function: name, file, line }) => ({ function: name, file, line, offset }))

/** Symbolizer of a package from its line tables; function numbers only when it has none. */
export function symbolizerOf({ on }: DriverPackage): Symbolizer {
  const tables = new Map(on.modules.map((module) => [module.name, module.lines]))
  return (offset, _index, module) => {
    const found = tables.get(module ?? '') ?? on.core.lines
    return found === undefined ? [] : linesAt(found, offset)
  }
}
