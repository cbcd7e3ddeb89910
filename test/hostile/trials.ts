/** The numbered trials: which script number N of a seed is, and how it fared, with what it took of the host. */
import { createRandom } from '../../base/random.ts'
import { Scene, type Outcome, type Subjects } from './scene.ts'

export interface Report {
  readonly index: number
  readonly what: string
  readonly scripts: number
  readonly outcome: Outcome
  /** Processor time of the host, everything included. */
  readonly cpuMs: number
  /** Virtual time that passed meanwhile: what was charged. */
  readonly chargedMs: number
}

/** Trials on one machine before a new one: what piles up shows, and does not pile up for ever. */
export const TRIALS_PER_SCENE = 100
/** One scene in so many restarts what ends, as a run does unless told otherwise. */
const RESTARTING = 10
/** Trials until everything was done once. */
const WARM = 8
/** One script in so many does not stop by itself: a second of virtual time each. */
const LONG_EACH = 60

export class Trials {
  readonly #subjects: Subjects
  readonly #seed: number
  #scene: Scene | undefined
  #group = -1

  constructor(subjects: Subjects, seed: number) {
    this.#subjects = subjects
    this.#seed = seed
  }

  /** The scene of trial N, with what was tried before it in its group unless it is asked for alone. */
  async #sceneOf(index: number): Promise<Scene> {
    const group = Math.floor(index / TRIALS_PER_SCENE)
    if (this.#scene === undefined || group !== this.#group)
      this.#scene = await Scene.open(this.#subjects, this.#seed, LONG_EACH, group % RESTARTING === RESTARTING - 1)
    this.#group = group
    return this.#scene
  }

  /** What a process does once (code compiled, tables of lines read) is done before anything is measured. */
  async warm(): Promise<void> {
    for (let index = 0; index < WARM; index++) await this.run(-1 - index)
    this.#scene = undefined
  }

  async run(index: number): Promise<Report> {
    const scene = await this.#sceneOf(index)
    const random = createRandom(this.#seed * 1_000_003 + index)
    const before = process.cpuUsage()
    const startNs = scene.machine.now()
    let result: { outcome: Outcome; what: string; scripts: number }
    try {
      result = await scene.trial(random)
    } catch (error) {
      result = { outcome: { kind: 'escaped', message: (error as Error).stack ?? String(error) }, what: '?', scripts: 1 }
    }
    const { user, system } = process.cpuUsage(before)
    const chargedMs = (scene.machine.now() - startNs) / 1e6
    const wrong = index % TRIALS_PER_SCENE === TRIALS_PER_SCENE - 1 ? await told(scene) : undefined
    if (wrong !== undefined) result = { ...result, outcome: { kind: 'escaped', message: wrong } }
    if (result.outcome.kind === 'escaped') this.#scene = undefined
    return { index, ...result, cpuMs: (user + system) / 1000, chargedMs }
  }
}

/** What the third domain has to say at the end of a scene. */
async function told(scene: Scene): Promise<string | undefined> {
  try {
    return await scene.asked()
  } catch (error) {
    return (error as Error).message
  }
}
