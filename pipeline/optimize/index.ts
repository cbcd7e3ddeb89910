/**
 * A profile-guided rebuild of a stored bytecode: nothing of the source, the compiler or the linker is needed, and the
 * bytecode stays as it is. What comes out is verified as any module is, against the manifest the bytecode has, so its
 * capabilities cannot grow.
 */
import { sha256 } from '../cache.ts'
import { InfrastructureError, UsageError } from '../errors.ts'
import { getArtefact, putArtefact, type ArtefactFiles, type Binding } from '../store/artefacts.ts'
import { inlineHot, OPTIMISER } from '../rewrite/inline.ts'
import { relocateLines } from '../rewrite/relocate.ts'
import type { Bytecode } from './bytecode.ts'
import { countsOf, PROFILE_SCHEMA, type ModuleProfile, type ProfileDocument } from './profile.ts'

export { bytecodesOf, type Bytecode } from './bytecode.ts'

export interface Optimised extends ArtefactFiles {
  /** It was kept from before. */
  readonly kept: boolean
}

type Named = Pick<Bytecode, 'name' | 'sha256'>

/** What a document says of a bytecode; undefined when it says nothing of this one. Throws UsageError for what is no profile. */
export function profileIn(
  document: unknown,
  { name, sha256: wanted }: Named,
  where: string,
): ModuleProfile | undefined {
  const { schema, modules = [] } = (document ?? {}) as Partial<ProfileDocument>
  if (schema !== PROFILE_SCHEMA)
    throw new UsageError('not a profile', {
      where,
      expected: PROFILE_SCHEMA,
      found: String(schema),
      todo: `make one of this build: drvport run ${name} --profile FILE`,
    })
  return modules.find((module) => module.name === name && module.sha256 === wanted)
}

/** The part of a document about a bytecode. Throws UsageError when it is of another, or no profile. */
export function profileFor(document: unknown, bytecode: Named, where: string): ModuleProfile {
  const found = profileIn(document, bytecode, where)
  if (found !== undefined) return found
  const { name, sha256: wanted } = bytecode
  const { modules } = document as ProfileDocument
  const own = modules.find((module) => module.name === name)
  throw new UsageError(`the profile is not of this build of ${name}`, {
    where,
    expected: `${name} with sha256 ${wanted}`,
    found: own?.sha256 ?? `profiles of ${modules.map((module) => module.name).join(', ') || 'nothing'}`,
    todo: `make one of this build: drvport run ${name} --profile FILE`,
  })
}

/** The artefact of a bytecode for a profile, made unless it is kept already. Throws InfrastructureError when it is refused. */
export async function optimise(
  bytecode: Bytecode,
  profile: ModuleProfile,
  binding: Binding,
  onDamage?: (why: string) => void,
): Promise<Optimised> {
  const { name, wasm, lines } = bytecode
  const source = {
    ...binding,
    bytecode: bytecode.sha256,
    optimiser: OPTIMISER,
    profile: sha256(JSON.stringify(profile)),
  }
  const kept = await getArtefact(source, onDamage)
  if (kept !== undefined) return { ...kept, kept: true }
  const { rewritten, inlined } = inlineHot(wasm, countsOf(profile))
  const [problem] = bytecode.prove(rewritten.bytes)
  if (problem !== undefined) {
    throw new InfrastructureError(`the optimised ${name} is refused, and not kept`, {
      where: problem.where,
      expected: 'a module that the verifier accepts, as its bytecode is',
      found: problem.message,
      todo: 'please report it, with the profile',
    })
  }
  const made = { wasm: rewritten.bytes, lines: lines && relocateLines(lines, rewritten), inlined }
  return { ...(await putArtefact(name, source, made)), kept: false }
}
