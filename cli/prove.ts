/** A package proved against the core that is kept here. Read only when that was not done before: it takes all of the verifier. */
import { provedCore } from '../pipeline/core/kept.ts'
import { PackageProof } from '../pipeline/core/proof.ts'
import { DriverFailure } from '../pipeline/errors.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { accept } from './trust.ts'

/** Throws DriverFailure. */
export function prove(pack: DriverPackage): void {
  const { manifest, on } = pack
  const facts = manifest.core
  const core = provedCore(facts.key)
  if (core === undefined || core.sha256 !== facts.sha256)
    throw new DriverFailure(`${manifest.name} is refused: its kernel is not known here`, {
      expected: `core ${facts.key}, linked and proved on this computer`,
      found: core === undefined ? 'none of that name' : `one with sha256 ${core.sha256}`,
      todo: 'build the driver here',
    })
  const problems = new PackageProof(facts, on.modules, core).problems(manifest.imports)
  if (problems.length > 0) accept(pack, { ok: false, problems })
}
