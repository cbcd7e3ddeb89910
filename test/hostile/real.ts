/**
 * The corpus on the real path: hostile modules loaded, matched, restarted, replaced and unloaded by `Machine` as a run does it,
 * with the limits, restarts and heartbeats that a run has unless it is told otherwise.
 *
 * Beside them are a driver whose interrupt line they share and a server that they may talk to; neither may notice. Which module
 * and which course number N of a seed is follows from both alone. Processor time is held against the virtual time that passed:
 * what a program makes the host do beyond that was not charged.
 */
import { createMachine, type Machine } from '../../machine/machine.ts'
import { DriverEnded, InitRefused } from '../../machine/driver.ts'
import { type DriverPackage, PackageError } from '../../machine/load/package.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import { createRandom, type SeededRandom } from '../../base/random.ts'
import { verify } from '../../pipeline/verify/index.ts'
import { TestDevice } from '../machine/support.ts'
import { attackNames, evil, shortNames } from './evil.ts'
import { packageOf, type Outcome } from './arena.ts'
import { forever, LAYERED, say, script, witness, word, WORDS, type Witness } from './script.ts'
import { op } from '../kernel/support.ts'
import type { Report, Trials } from './trials.ts'

/** One in so many runs on until its limits stop it: a second of virtual time each. */
const LONG = 50
/** Trials on one machine before a new one. */
const TRIALS_PER_MACHINE = 100
const LULL_NS = 3e6
/** The hostile driver's place, and one on the same interrupt line. */
const [SLOT, SHARED_SLOT] = [1, 9]

/** Answers whoever asks, for ever. */
const server = script(
  'server',
  [
    {
      name: 'init',
      params: 0,
      result: true,
      body: [...say('ipc.offer', [WORDS, 4, 0, 0], WORDS + 32), ...say('sched.spawn', [0]), op.value(0)],
    },
    {
      name: 'fiber',
      params: 1,
      body: [
        ...say('ipc.window', [200, 3]),
        ...forever([
          ...say('ipc.receive', [word(WORDS + 32), WORDS + 64, -1, -1]),
          ...say('ipc.reply', [WORDS + 64]),
          ...say('cap.remove', [200]),
          ...say('cap.remove', [201]),
          ...say('cap.remove', [202]),
        ]),
      ],
    },
  ],
  { policy: LAYERED, texts: { [WORDS]: 'echo' } },
)

interface Scene {
  readonly machine: Machine
  readonly fn: PciFunction
  readonly other: Witness
}

async function sceneOf(seed: number): Promise<Scene> {
  const machine = createMachine({ seed, firmware: { f: new Uint8Array([1, 2, 3]) } })
  const fn = machine.board.pci.plug((context) => new TestDevice(context), SLOT)
  const other = await witness(machine, SHARED_SLOT)
  await machine.load(server)
  machine.board.exchange.link({ client: 'hostile', name: 'echo', server: 'server', service: 'echo' })
  return { machine, fn, other }
}

/** What is done with it, in this order, as far as it lives. */
const COURSES: readonly (readonly Step[])[] = [
  ['match', 'run', 'unload'],
  ['match', 'run', 'replace', 'run', 'unload'],
  ['match', 'kill', 'run', 'unload'],
  ['match', 'pull', 'run', 'unload'],
  ['run', 'match', 'open', 'run', 'replace', 'unload'],
]
type Step = 'match' | 'run' | 'replace' | 'kill' | 'pull' | 'open' | 'unload'

function hostile(random: SeededRandom, long: boolean): { pack: DriverPackage; what: string } {
  const { bytes, what } = evil(random, long ? attackNames : shortNames)
  const pack = packageOf(bytes, 'hostile')
  const ids = [{ module: 'hostile', table: 'pci', entries: [{ vendor: 0x1af4, device: 0x10ff }] }]
  return { pack: { ...pack, manifest: { ...pack.manifest, ids: ids as never } }, what: what.join('; ') }
}

async function take(scene: Scene, step: Step, random: SeededRandom): Promise<void> {
  const { machine, fn } = scene
  const driver = machine.driver('hostile')
  if (driver === undefined) return
  if (step === 'run') return machine.sleep(LULL_NS)
  if (step === 'unload') return void (await machine.unload('hostile'))
  if (driver.dead) return machine.sleep(LULL_NS)
  if (step === 'match' && machine.board.owners.get(fn) === undefined) await driver.bind(fn)
  if (step === 'replace') await machine.replace('hostile', hostile(random, false).pack)
  if (step === 'kill') driver.domain.end()
  if (step === 'pull') machine.board.pci.unplug(fn)
  if (step === 'open')
    for (const unit of driver.units.slice(0, 2)) await driver.call('net_open', (unit as { id?: number }).id ?? 0)
}

async function trial(scene: Scene, random: SeededRandom, long: boolean): Promise<{ outcome: Outcome; what: string }> {
  const { machine } = scene
  const { pack, what } = hostile(random, long)
  const course = COURSES[random.below(COURSES.length)]!
  const verdict = verify(pack.wasm, pack.manifest, LAYERED)
  if (!verdict.ok) {
    const { code, where, message } = verdict.problems[0]!
    return { outcome: { kind: 'refused', code, where, message }, what }
  }
  const faults = machine.faults.length
  try {
    await machine.load(pack)
    for (const step of course) await expected(() => take(scene, step, random))
  } catch (error) {
    if (error instanceof PackageError)
      return { outcome: { kind: 'refused', code: 'load', where: 'hostile', message: error.message }, what }
    if (!(error instanceof DriverEnded) && !(error instanceof InitRefused)) throw error
  }
  if (machine.driver('hostile') !== undefined) await expected(() => machine.unload('hostile'))
  const wrong = await noticed(scene)
  const what2 = `${what} | ${course.join(' ')}`
  if (wrong !== undefined) return { outcome: { kind: 'escaped', message: wrong }, what: what2 }
  const fault = machine.faults[faults]
  return {
    outcome:
      fault === undefined
        ? { kind: 'harmless', how: course.join(' '), reached: true }
        : { kind: 'contained', fault: fault.kind, message: fault.message.slice(0, 200) },
    what: what2,
  }
}

/** A driver may end of anything that is done with it. */
async function expected(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof DriverEnded)) throw error
  }
}

/** What is not as it was before. */
async function noticed({ machine, fn, other }: Scene): Promise<string | undefined> {
  const { board, faults } = machine
  const internal = faults.find(({ kind }) => kind === 'internal')
  if (internal !== undefined) return internal.message
  const [accident] = board.kernel.accidents
  if (accident !== undefined) return `${accident.during}: ${accident.message}`
  if (board.kernel.domains.length !== 2) return `${board.kernel.domains.map(({ name }) => name).join(', ')} live`
  if (fn.dma.windows !== 0 || fn.vectorCount !== 0 || board.owners.has(fn)) return 'its device is not free'
  if (machine.driver('server')!.dead) return `the server ended: ${machine.driver('server')!.domain.fault?.message}`
  return other.ask()
}

export async function createRealTrials(seed: number): Promise<Trials> {
  let scene: Scene | undefined
  let used = 0
  return {
    run: async (index): Promise<Report> => {
      if (scene === undefined || used++ === TRIALS_PER_MACHINE || !scene.fn.present) {
        scene = await sceneOf(seed)
        used = 0
      }
      const random = createRandom(seed * 1_000_003 + index)
      const before = process.cpuUsage()
      const startNs = scene.machine.now()
      let result: { outcome: Outcome; what: string }
      try {
        result = await trial(scene, random, random.below(LONG) === 0)
      } catch (error) {
        result = { outcome: { kind: 'escaped', message: (error as Error).stack ?? String(error) }, what: '?' }
      }
      const { user, system } = process.cpuUsage(before)
      const chargedMs = (scene.machine.now() - startNs) / 1e6
      if (result.outcome.kind === 'escaped') scene = undefined
      return { index, ...result, cpuMs: (user + system) / 1000, chargedMs }
    },
  }
}
