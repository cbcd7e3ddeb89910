/**
 * A profile-guided rebuild of a stored bytecode: nothing of the source, the compiler or the linker is needed, and the
 * bytecode stays as it is. What comes out is verified as any module is, against the manifest the bytecode has, so its
 * capabilities cannot grow.
 */
import { sha256 } from '../cache.ts'
import { InfrastructureError, UsageError } from '../errors.ts'
import type { Manifest } from '../package.ts'
import { getArtefact, putArtefact, type ArtefactFiles, type Binding } from '../store/artefacts.ts'
import { verify } from '../verify/index.ts'
import { inlineHot, OPTIMISER } from '../rewrite/inline.ts'
import { relocateLines } from '../rewrite/relocate.ts'
import { countsOf, PROFILE_SCHEMA, type ModuleProfile, type ProfileDocument } from './profile.ts'

export interface Bytecode {
  readonly manifest: Manifest
  readonly wasm: Uint8Array
  readonly lines: Uint8Array | undefined
}

export interface Optimised extends ArtefactFiles {
  /** It was kept from before. */
  readonly kept: boolean
}

/** The part of a document about a bytecode. Throws UsageError when it is of another, or no profile. */
export function profileFor(document: unknown, { name, wasm }: Manifest, where: string): ModuleProfile {
  const { schema, modules = [] } = (document ?? {}) as Partial<ProfileDocument>
  const todo = `make one of this build: drvport run ${name} --profile FILE`
  if (schema !== PROFILE_SCHEMA)
    throw new UsageError('not a profile', { where, expected: PROFILE_SCHEMA, found: String(schema), todo })
  const own = modules.filter((module) => module.name === name)
  const found = own.find((module) => module.sha256 === wasm.sha256)
  if (found !== undefined) return found
  throw new UsageError(`the profile is not of this build of ${name}`, {
    where,
    expected: `${name} with sha256 ${wasm.sha256}`,
    found: own[0]?.sha256 ?? `profiles of ${modules.map((module) => module.name).join(', ') || 'nothing'}`,
    todo,
  })
}

/** The artefact of a bytecode for a profile, made unless it is kept already. */
export async function optimise(
  bytecode: Bytecode,
  profile: ModuleProfile,
  binding: Binding,
  onDamage?: (why: string) => void,
): Promise<Optimised> {
  const { manifest, wasm, lines } = bytecode
  const source = {
    ...binding,
    bytecode: manifest.wasm.sha256,
    optimiser: OPTIMISER,
    profile: sha256(JSON.stringify(profile)),
  }
  const kept = await getArtefact(source, onDamage)
  if (kept !== undefined) return { ...kept, kept: true }
  const { rewritten, inlined } = inlineHot(wasm, countsOf(profile))
  const claims = { ...manifest, wasm: { ...manifest.wasm, sha256: sha256(rewritten.bytes) } }
  const verdict = verify(rewritten.bytes, claims)
  if (!verdict.ok) {
    const [first] = verdict.problems
    throw new InfrastructureError(`the optimised ${manifest.name} is refused, and not kept`, {
      where: first?.where ?? 'module',
      expected: 'a module that the verifier accepts, as its bytecode is',
      found: first?.message ?? 'unknown',
      todo: 'please report it, with the profile',
    })
  }
  const made = { wasm: rewritten.bytes, lines: lines && relocateLines(lines, rewritten), inlined }
  return { ...(await putArtefact(manifest.name, source, made)), kept: false }
}
