/** The verifier, as Node calls it: the hash taken, then the proof (verdict.ts). */
import { createHash } from 'node:crypto'
import { DEFAULT_ALLOWANCE, type ManifestClaims, type Allowance } from './allowance.ts'
import { verifyHashed, type Verdict } from './verdict.ts'

export { DEFAULT_ALLOWANCE, allowanceFor, type ManifestClaims, type Allowance } from './allowance.ts'
export type { Problem, ProblemCode } from './problem.ts'
export type { Verdict } from './verdict.ts'

/** Verify the bytes of NAME.wasm against its manifest and policy. Never throws on bad input. */
export function verify(bytes: Uint8Array, manifest: ManifestClaims, allowance: Allowance = DEFAULT_ALLOWANCE): Verdict {
  return verifyHashed(bytes, createHash('sha256').update(bytes).digest('hex'), manifest, allowance)
}
