/**
 * A core: a whole kernel that modules are bound to, and that every domain has an instance of.
 *
 * It is held to what any program is held to: calls of the ABI only, checks in all code, entries and handles where the machine
 * expects them. It holds nothing by itself, so it may import every group. Memory and table are the domain's; its data lies above the
 * area for modules. And what it is said to offer to modules is proved: each name's slot has a function of that type.
 *
 * The proof of a core is as long as the core, so its facts are kept: modules are proved against them, without its bytes.
 */
import { entries, shared } from '../../linux-api/capabilities.ts'
import { HANDLE_NAMES } from '../wasm/checks.ts'
import type { WasmModule } from '../wasm/module.ts'
import { checkCode } from './code.ts'
import { checkCall } from './imports.ts'
import {
  checkData,
  checkElements,
  checkOffered,
  checkShared,
  isShared,
  memoryBytes,
  type Bounds,
  type ClaimedFunction,
  type FunctionFact,
} from './linked.ts'
import type { Allowance } from './allowance.ts'
import type { Problem } from './problem.ts'
import { checkEntry, checkHandles, checkWord, type Exports } from './shape.ts'
import { checkClaims, checkCount, compile, PROBLEMS_MAX, readChecked } from './verdict.ts'

/** What is said of a core. */
export interface CoreClaims {
  /** Of its bytes. */
  readonly sha256: string
  /** Memory for modules: between the first stack and the core's data. */
  readonly area: Bounds
  /** One past the slots that it takes. */
  readonly tableEnd: number
  /** Functions and data that modules may bind to (bind/symbols.ts). */
  readonly functions: ReadonlyMap<string, ClaimedFunction>
  readonly data: ReadonlyMap<string, { readonly address: number }>
  /** Entries and shared words that the machine needs of it. */
  readonly entries: readonly string[]
  readonly words: readonly string[]
}

/** What is known of a core that was accepted. */
export interface CoreFacts {
  readonly sha256: string
  readonly area: Bounds
  readonly tableEnd: number
  readonly functions: ReadonlyMap<string, FunctionFact>
}

export type CoreVerdict =
  | { readonly ok: true; readonly module: WebAssembly.Module; readonly facts: CoreFacts }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Verify a core's bytes, whose SHA-256 the caller has taken. Never throws on bad input. */
export function verifyCoreHashed(
  bytes: Uint8Array,
  sha256: string,
  claims: CoreClaims,
  allowance: Allowance,
): CoreVerdict {
  const problems: Problem[] = []
  let functions = new Map<string, FunctionFact>()
  checkClaims(bytes, sha256, claims.sha256, allowance, problems)
  const read = readChecked(bytes, allowance, problems, (module, report) => {
    for (const item of module.imports) if (!isShared(item)) checkCall(module, item, problems)
    checkShared(module, allowance, problems)
    checkExports(module, claims, problems)
    checkCount(module, allowance, problems)
    const end = memoryBytes(module)
    checkData(module, { start: claims.area.end, end }, problems)
    const slots = checkElements(module, { start: 1, end: claims.tableEnd }, problems)
    const { longest } = checkCode(module, report)
    functions = checkOffered(module, claims.functions, slots, longest, problems)
    for (const [name, { address }] of claims.data)
      if (address < claims.area.end || address >= end)
        problems.push({
          code: 'symbols',
          where: `symbol ${name}`,
          message: `0x${address.toString(16)} is not in the core's data`,
        })
  })
  if (!read || problems.length > 0) return { ok: false, problems: problems.slice(0, PROBLEMS_MAX) }
  const compiled = compile(bytes)
  const { area, tableEnd } = claims
  return compiled.ok ? { ...compiled, facts: { sha256, area, tableEnd, functions } } : compiled
}

/** Entries, words and handles are there, and no function besides entries. */
function checkExports(module: WasmModule, claims: CoreClaims, problems: Problem[]): void {
  const exports: Exports = new Map(module.exports.map((item) => [item.name, item]))
  const known = new Set(entries.map(({ name }) => name))
  for (const entry of entries) checkEntry(module, entry, exports, problems, claims.entries.includes(entry.name))
  checkHandles(module, exports, problems)
  for (const word of shared)
    checkWord(module, word, exports, memoryBytes(module), claims.words.includes(word.name), problems)
  for (const { name, kind, index } of module.exports) {
    const global = kind === 'global' ? module.globals[index - module.importedGlobals.length] : undefined
    if (kind === 'func' ? known.has(name) : global !== undefined && (!global.mutable || HANDLE_NAMES.includes(name)))
      continue
    const message = `a ${kind} that is neither an entry nor a handle of the machine is exported`
    problems.push({ code: 'entry-type', where: `export ${name}`, message })
  }
}
