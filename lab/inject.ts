/**
 * Fault injection: break a running driver in seeded ways, and see that the break stays its own.
 *
 * What an injection does to the driver is not judged: it may survive, fail at once, or go wrong until it is restarted. Judged
 * is that the machine goes on, that a bystander's work does not notice, and that the driver is back afterwards.
 */
import { Failure } from '../kernel/fault.ts'
import { createRandom, type SeededRandom } from '../base/random.ts'
import type { Driver } from '../machine/driver.ts'
import type { Machine } from '../machine/machine.ts'
import { since } from '../machine/observe/newest.ts'
import type { Check } from './check.ts'
import type { Exercise } from './class-lab.ts'

export interface Injection {
  readonly name: string
  apply(driver: Driver, random: SeededRandom): void
}

/** Words in which a bit is flipped at once. */
const FLIPS = 500

export const INJECTIONS: readonly Injection[] = [
  { name: 'registers revoked', apply: (driver) => driver.revokeRegisters() },
  {
    name: 'memory corrupted',
    apply: (driver, random) => {
      const { words } = driver.host
      // Words that hold something: flipping what nobody uses would prove nothing.
      for (let flips = 0, tries = 0; flips < FLIPS && tries < FLIPS * 100; tries++) {
        const at = random.below(words.length)
        if (words[at] === 0) continue
        words[at]! ^= 1 << random.below(32)
        flips++
      }
    },
  },
  {
    name: 'DMA windows closed',
    apply: (driver) => {
      for (const fn of driver.devices.values()) fn.dma.unmapAll()
    },
  },
  {
    name: 'device reset under it',
    apply: (driver) => {
      for (const fn of driver.devices.values()) fn.device.reset()
    },
  },
]

export interface Injected {
  readonly name: string
  /** Kind of the fault it caused, or that the driver went on. */
  readonly outcome: string
  readonly bystander: boolean
  readonly recovered: boolean
}

/** A pause after which the supervisor has forgotten earlier failures. */
const FORGET_NS = 61e9
const PATIENCE_NS = 20e9

/** Items of work under way when it is broken, and to see whether it works again. */
const WORK = 200
const PROOF = 20

/** Break the driver behind `exercise` once; `bystander` works meanwhile. */
export async function injectOnce(
  machine: Machine,
  name: string,
  exercise: Exercise,
  bystander: () => Promise<Check>,
  random: SeededRandom,
): Promise<Injected> {
  const injection = INJECTIONS[random.below(INJECTIONS.length)]!
  const failed = machine.faults.at(-1)
  const work = exercise.begin(WORK)
  await machine.run(() => work.progress > 1 / 8, 1e9)
  injection.apply(machine.driver(name)!, random)
  await machine.run(() => work.over || machine.faults.at(-1) !== failed, 5e9)
  work.stop()
  await machine.recover()
  const { ok } = await bystander()
  const recovered = (await works(machine, exercise)) || (await again(machine, name, exercise))
  await machine.sleep(FORGET_NS)
  const outcome = since(machine.faults, failed)[0]?.kind ?? 'survived'
  return { name: injection.name, outcome, bystander: ok, recovered }
}

const works = async (machine: Machine, exercise: Exercise): Promise<boolean> => {
  await machine.run(() => exercise.usable, PATIENCE_NS)
  return exercise.usable && (await exercise.proof(PROOF)).ok
}

/** It lives, but does not work: what a watchdog of the service would see. Restart it. */
async function again(machine: Machine, name: string, exercise: Exercise): Promise<boolean> {
  machine.driver(name)?.domain.fail(new Failure('hang', 'nothing passes any more'))
  await machine.recover()
  return works(machine, exercise)
}

/** Inject `count` faults; the result says what each came to. */
export async function inject(
  machine: Machine,
  name: string,
  exercise: Exercise,
  bystander: () => Promise<Check>,
  count: number,
): Promise<Injected[]> {
  const random = createRandom(machine.seed)
  const done: Injected[] = []
  for (let i = 0; i < count; i++) done.push(await injectOnce(machine, name, exercise, bystander, random))
  return done
}
