/**
 * A module bound to exactly one core, and to modules bound before it: proved alone, against what is known of those.
 *
 * It takes memory, table and handles from its core; functions by names that core and peers offer, with their types; and calls of
 * the ABI by groups that its manifest asks for and policy grants. What it writes as it is loaded lies in its own ranges, which
 * are nobody else's. Code is held to the same checks as the core's, ways down into core and peers included.
 *
 * Within a domain nothing else divides core and module: they share memory and table, and together hold what the domain holds.
 */
import { CORE_HANDLES, HANDLE_NAMES } from '../wasm/checks.ts'
import type { Import, WasmModule } from '../wasm/module.ts'
import { checkCode } from './code.ts'
import type { CoreFacts } from './core.ts'
import { checkCall, checkDeclared, checkType } from './imports.ts'
import {
  checkData,
  checkElements,
  checkOffered,
  checkShared,
  isShared,
  type Bounds,
  type ClaimedFunction,
  type FunctionFact,
} from './linked.ts'
import type { ManifestClaims, Allowance } from './allowance.ts'
import { checkManifest } from './manifest.ts'
import { at, type Problem } from './problem.ts'
import { checkClaims, checkCount, compile, PROBLEMS_MAX, readChecked } from './verdict.ts'

/** What is said of a bound module. */
export interface BoundClaims extends ManifestClaims {
  readonly name: string
  /** Of its bytes, and of its core's. */
  readonly sha256: string
  readonly core: string
  readonly memory: Bounds
  readonly table: Bounds
  /** Functions that modules bound later may call. */
  readonly functions: ReadonlyMap<string, ClaimedFunction>
  /** Slots of its entries: init, exit, constructors. */
  readonly entries: readonly (ClaimedFunction & { readonly name: string })[]
}

/** What is known of a bound module that was accepted. */
export interface BoundFacts {
  readonly name: string
  readonly sha256: string
  readonly core: string
  readonly memory: Bounds
  readonly table: Bounds
  readonly functions: ReadonlyMap<string, FunctionFact>
}

export type BoundVerdict =
  | { readonly ok: true; readonly module: WebAssembly.Module; readonly facts: BoundFacts }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const CORE = 'core'

/** Verify a bound module's bytes, whose SHA-256 the caller has taken. `peers`: what it is bound to besides its core. */
export function verifyBoundHashed(
  bytes: Uint8Array,
  sha256: string,
  claims: BoundClaims,
  core: CoreFacts,
  peers: readonly BoundFacts[],
  allowance: Allowance,
): BoundVerdict {
  const problems: Problem[] = []
  let functions = new Map<string, FunctionFact>()
  const owners = new Map([
    [CORE, core.functions],
    ...peers.map((peer) => [`module:${peer.name}`, peer.functions] as const),
  ])
  checkClaims(bytes, sha256, claims.sha256, allowance, problems)
  checkManifest(claims, allowance, problems)
  checkRanges(claims, core, peers, allowance, problems)
  const read = readChecked(bytes, allowance, problems, (module, report) => {
    for (const item of module.imports) checkImport(module, item, owners, claims, problems)
    checkShared(module, allowance, problems)
    checkNothingElse(module, problems)
    checkCount(module, allowance, problems)
    checkData(module, claims.memory, problems)
    const slots = checkElements(module, claims.table, problems)
    const { longest } = checkCode(module, report, (index) => {
      const item = module.importedFunctions[index]!
      return owners.get(item.module)?.get(item.name)?.depth
    })
    functions = checkOffered(module, claims.functions, slots, longest, problems)
    checkOffered(module, new Map(claims.entries.map((entry) => [entry.name, entry])), slots, longest, problems)
  })
  if (!read || problems.length > 0) return { ok: false, problems: problems.slice(0, PROBLEMS_MAX) }
  const compiled = compile(bytes)
  const { name, memory, table } = claims
  return compiled.ok ? { ...compiled, facts: { name, sha256, core: core.sha256, memory, table, functions } } : compiled
}

/** The core is the one that it was bound to, so are its peers, and its ranges are its own. */
function checkRanges(
  claims: BoundClaims,
  core: CoreFacts,
  peers: readonly BoundFacts[],
  allowance: Allowance,
  problems: Problem[],
): void {
  const where = `module ${claims.name}`
  if (claims.core !== core.sha256)
    problems.push({ code: 'binding', where, message: `it is bound to core ${claims.core}; this one is ${core.sha256}` })
  for (const peer of peers)
    if (peer.core !== core.sha256) {
      const message = `${peer.name} is bound to core ${peer.core}; this one is ${core.sha256}`
      problems.push({ code: 'binding', where, message })
    }
  const range = (what: string, { start, end }: Bounds, within: Bounds) => {
    if (start > end || start < within.start || end > within.end) {
      const message = `${start} to ${end} of ${what} expected between ${within.start} and ${within.end}`
      problems.push({ code: 'range', where, message })
    }
  }
  range('memory', claims.memory, core.area)
  range('the table', claims.table, { start: core.tableEnd, end: allowance.tableEntriesMax })
  for (const text of overlaps([claims, ...peers])) problems.push({ code: 'range', where, message: text })
}

/** Ranges that two modules of a domain share, as sentences. Whoever loads several modules asks this of all of them. */
export function overlaps(modules: readonly Pick<BoundFacts, 'name' | 'memory' | 'table'>[]): string[] {
  return (['memory', 'table'] as const).flatMap((what) => {
    const ranges = modules.map((module) => ({ ...module[what], name: module.name }))
    const used = ranges.filter(({ start, end }) => end > start).toSorted((a, b) => a.start - b.start)
    return used.flatMap(({ name, start }, i) => {
      const before = used[i - 1]
      return before === undefined || before.end <= start ? [] : [`${name} and ${before.name} share ${what} at ${start}`]
    })
  })
}

function checkImport(
  module: WasmModule,
  item: Import,
  owners: ReadonlyMap<string, ReadonlyMap<string, FunctionFact>>,
  claims: BoundClaims,
  problems: Problem[],
): void {
  if (isShared(item)) return
  const where = at(`import ${item.module}.${item.name}`, item.offset)
  const owner = owners.get(item.module)
  if (owner !== undefined) {
    const found = item.kind === 'func' ? owner.get(item.name) : undefined
    if (found === undefined)
      problems.push({ code: 'unknown-import', where, message: `${item.module} does not offer it` })
    else checkType(module, item, found.type, where, problems)
  } else if (item.module === CORE_HANDLES && item.kind === 'global') {
    const { type, mutable } = item.global!
    if (!HANDLE_NAMES.includes(item.name) || type !== 'i32' || !mutable)
      problems.push({ code: 'unknown-import', where, message: 'only the machine’s handles may be imported as globals' })
  } else {
    const name = checkCall(module, item, problems)
    if (name !== undefined) checkDeclared(name, item, claims, problems)
  }
}

/** No state and no way in but what its core knows of. */
function checkNothingElse(module: WasmModule, problems: Problem[]): void {
  const none = (what: string, count: number) => {
    if (count > 0) problems.push({ code: 'binding', where: what, message: `a bound module has none; found ${count}` })
  }
  none('global section', module.globals.length)
  none('export section', module.exports.length)
}
