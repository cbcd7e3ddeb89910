/** The verifier, as Node calls it: the hash taken, then the proof (verdict.ts). */
import { createHash } from 'node:crypto'
import { verifyBoundHashed, type BoundClaims, type BoundFacts, type BoundVerdict } from './bound.ts'
import { verifyCoreHashed, type CoreClaims, type CoreFacts, type CoreVerdict } from './core.ts'
import { DEFAULT_ALLOWANCE, type Allowance } from './allowance.ts'

export { overlaps, type BoundClaims, type BoundFacts, type BoundVerdict } from './bound.ts'
export type { CoreClaims, CoreFacts, CoreVerdict } from './core.ts'
export { DEFAULT_ALLOWANCE, allowanceFor, type ManifestClaims, type Allowance } from './allowance.ts'
export type { Problem, ProblemCode } from './problem.ts'
export type { Verdict } from './verdict.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Verify a core's bytes. Never throws on bad input. */
export function verifyCore(
  bytes: Uint8Array,
  claims: CoreClaims,
  allowance: Allowance = DEFAULT_ALLOWANCE,
): CoreVerdict {
  return verifyCoreHashed(bytes, sha256(bytes), claims, allowance)
}

/** Verify a module's bytes against the core and the modules it is bound to. Never throws on bad input. */
export function verifyBound(
  bytes: Uint8Array,
  claims: BoundClaims,
  core: CoreFacts,
  peers: readonly BoundFacts[],
  allowance: Allowance = DEFAULT_ALLOWANCE,
): BoundVerdict {
  return verifyBoundHashed(bytes, sha256(bytes), claims, core, peers, allowance)
}
