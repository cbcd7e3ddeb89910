/** The numbered trials: which script number N of a seed is, and how it fared, with what it took of the host. */
import { createRandom } from '../../base/random.ts'
import { Scene, type Outcome, type Subjects, type Trial } from './scene.ts'
import { Steps, type Longest } from './steps.ts'

export interface Report {
  readonly index: number
  readonly what: string
  readonly scripts: number
  readonly outcome: Outcome
  /** Processor time of the host, everything included. */
  readonly cpuMs: number
  /** Virtual time that passed meanwhile: what was charged. */
  readonly chargedMs: number
  /** The step of the host that took most beyond what was charged for it. */
  readonly longest: Longest
  readonly steps: number
  /** The longest that the bystander waited for the processor, and whether it has a share of it. */
  readonly waitedMs: number
  readonly shared: boolean
}

/** Trials on one machine before a new one: what piles up shows, and does not pile up for ever. */
export const TRIALS_PER_SCENE = 100
/** One scene in so many restarts what ends, as a run does unless told otherwise. */
const RESTARTING = 10
/** One scene in so many declares a share of the processor for the bystander, */
const SHARING = 2
/** which is this. */
const SHARE = 0.25
/** Trials until everything was done once. */
const WARM = 8
/** One script in so many does not stop by itself: a second of virtual time each. */
const LONG_EACH = 60

const isShared = (index: number): boolean => Math.floor(index / TRIALS_PER_SCENE) % SHARING === 0

export class Trials {
  readonly #subjects: Subjects
  readonly #seed: number
  readonly #steps = new Steps()
  #scene: Scene | undefined
  #group = -1

  constructor(subjects: Subjects, seed: number) {
    this.#subjects = subjects
    this.#seed = seed
  }

  /** The scene of trial N, with what was tried before it in its group unless it is asked for alone. */
  async #sceneOf(index: number): Promise<Scene> {
    const group = Math.floor(index / TRIALS_PER_SCENE)
    if (group !== this.#group) this.#leave()
    this.#group = group
    const restarts = group % RESTARTING === RESTARTING - 1
    const share = isShared(index) ? SHARE : 0
    return (this.#scene ??= await Scene.open(this.#subjects, this.#steps, this.#seed, LONG_EACH, { restarts, share }))
  }

  /** What a process does once (code compiled, tables of lines read) is done before anything is measured. */
  async warm(): Promise<void> {
    for (let index = 0; index < WARM; index++) await this.run(-1 - index)
    this.#leave()
  }

  #leave(): void {
    this.#scene?.close()
    this.#scene = undefined
  }

  async run(index: number): Promise<Report> {
    const scene = await this.#sceneOf(index)
    const random = createRandom(this.#seed * 1_000_003 + index)
    const before = process.cpuUsage()
    const startNs = scene.machine.now()
    await this.#steps.take()
    const startSteps = this.#steps.count
    let result: Trial
    try {
      result = await scene.trial(random)
    } catch (error) {
      result = {
        outcome: { kind: 'escaped', message: (error as Error).stack ?? String(error) },
        what: '?',
        scripts: 1,
        waitedNs: 0,
      }
    }
    const { user, system } = process.cpuUsage(before)
    const longest = await this.#steps.take()
    const steps = this.#steps.count - startSteps
    const chargedMs = (scene.machine.now() - startNs) / 1e6
    const wrong = index % TRIALS_PER_SCENE === TRIALS_PER_SCENE - 1 ? await told(scene) : undefined
    if (wrong !== undefined) result = { ...result, outcome: { kind: 'escaped', message: wrong } }
    if (result.outcome.kind === 'escaped') this.#leave()
    const { waitedNs, ...rest } = result
    const cpuMs = (user + system) / 1000
    return { index, ...rest, cpuMs, chargedMs, longest, steps, waitedMs: waitedNs / 1e6, shared: isShared(index) }
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
