/**
 * The numbered hostile modules: which module number N of a seed is, and how it fared. Two in three are mutations of real
 * packages, one in three is made by hand; without packages all are.
 */
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { createRandom } from '../../base/random.ts'
import { createArena, packageOf, type Arena, type Outcome } from './arena.ts'
import { evil } from './evil.ts'
import { mutationNames, mutations, subjectOf, type Subject } from './mutations.ts'

export interface Report {
  readonly index: number
  /** What was done to it. */
  readonly what: string
  readonly outcome: Outcome
  /** Processor time of the host, everything included. */
  readonly cpuMs: number
  /** Virtual time that passed meanwhile, where that is asked. */
  readonly chargedMs?: number
}

/** Where packages are. */
export interface Subjects {
  readonly mutated: readonly { readonly directory: string; readonly name: string }[]
  readonly bystander?: { readonly directory: string; readonly name: string; readonly model: string }
}

export interface Trials {
  run(index: number): Promise<Report>
}

/** Trials on one machine before a new one: what piles up shows, and does not pile up for ever. */
const TRIALS_PER_ARENA = 250

export async function createTrials(subjects: Subjects, seed: number): Promise<Trials> {
  const originals: { pack: DriverPackage; subject: Subject }[] = []
  for (const { directory, name } of subjects.mutated) {
    const pack = await readPackage(directory, name)
    originals.push({ pack, subject: subjectOf(pack.wasm) })
  }
  const { bystander } = subjects
  const options = bystander && {
    bystander: { pack: await readPackage(bystander.directory, bystander.name), model: bystander.model },
  }
  let arena: Arena | undefined
  let used = 0
  const make = (index: number): { pack: DriverPackage; what: string } => {
    const random = createRandom(seed * 1_000_003 + index)
    if (originals.length === 0 || index % 3 === 2) {
      const { bytes, what } = evil(random)
      return { pack: packageOf(bytes, `evil${index}`), what: what.join('; ') }
    }
    const { pack, subject } = originals[random.below(originals.length)]!
    const name = mutationNames[random.below(mutationNames.length)]!
    const bytes = mutations[name]!(subject, random)
    // Half of the time the manifest is the forger's too.
    const like = random.below(2) === 0 ? pack : undefined
    return { pack: packageOf(bytes, `mutant${index}`, like), what: `${pack.manifest.name}: ${name}` }
  }
  return {
    run: async (index) => {
      if (arena === undefined || used++ === TRIALS_PER_ARENA) {
        arena = await createArena({ seed, ...options })
        used = 0
      }
      const { pack, what } = make(index)
      const before = process.cpuUsage()
      const outcome = await arena.trial(pack)
      const { user, system } = process.cpuUsage(before)
      if (outcome.kind === 'escaped') arena = undefined
      return { index, what, outcome, cpuMs: (user + system) / 1000 }
    },
  }
}
