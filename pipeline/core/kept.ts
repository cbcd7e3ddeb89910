/**
 * Cores that are kept: what was proved of each. All that a package is held to before it runs, and
 * nothing of how a core is made.
 */

import { entries, shared } from '../../linux-api/capabilities.ts'
import { existsSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { coreClaims, keptCoreFacts } from '../bind/claims.ts'
import { decodeSymbols } from '../bind/symbols.ts'
import { sha256 } from '../cache.ts'
import { DEFAULT_ALLOWANCE, verifyCore, type CoreFacts as ProvedCore, type Problem } from '../verify/index.ts'
import { coreDir, factsIn } from './places.ts'

/** Where modules are bound to: above the first stack, below the kernel's data. */
export const MODULE_AREA = { start: 0x20000, end: 0x800000 } as const

/** Exports by which the machine finds its way into a core. */
export const FOUND = { entries: entries.map(({ name }) => name), words: shared.map(({ name }) => name) }

/** The core's memory may be as large as a policy says. */
export const ALLOWANCE = { ...DEFAULT_ALLOWANCE, memoryPagesMax: 65_536 }

const proofs = new Map<string, ProvedCore | undefined>()

/** What was proved of a core that is kept here; undefined when there is none of this name. Read once in a process. */
export function provedCore(key: string): ProvedCore | undefined {
  if (proofs.has(key)) return proofs.get(key)
  let proved: ProvedCore | undefined
  // A package names it: nothing but the name of a core is looked for.
  if (/^[0-9a-f]{64}$/.test(key) && existsSync(factsIn(key))) {
    const { sha256: hash } = JSON.parse(readFileSync(factsIn(key), 'utf8')) as { sha256: string }
    proved = keptCoreFacts(decodeSymbols(readFileSync(path.join(coreDir(key), 'core.symbols'))), hash, MODULE_AREA)
  }
  proofs.set(key, proved)
  return proved
}

/** The symbols of a core that is kept here, as `admitCore` takes them elsewhere. */
export const symbolsOf = (key: string): Uint8Array => readFileSync(path.join(coreDir(key), 'core.symbols'))

/**
 * Prove a core that was made elsewhere, as one that is made here is proved, so that packages on it can be. What is said of it is
 * believed in nothing. Returns problems; none for one that is known here.
 */
export function admitCore(key: string, wasm: Uint8Array, symbols: Uint8Array): readonly Problem[] {
  if (provedCore(key) !== undefined) return []
  const claims = coreClaims(decodeSymbols(symbols), sha256(wasm), MODULE_AREA, FOUND)
  const verdict = verifyCore(wasm, claims, ALLOWANCE)
  if (!verdict.ok) return verdict.problems
  proofs.set(key, verdict.facts)
  return []
}
