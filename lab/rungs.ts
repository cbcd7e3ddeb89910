/**
 * The rungs above init, as a scenario climbs them: one list, the lowest first. Each step takes all modules of a session as
 * far as that rung, through what their class offers (class-lab.ts); no class is known here by name.
 */
import type { Rung } from '../pipeline/ladder.ts'
import { isClean, leftList } from '../machine/driver.ts'
import { since } from '../machine/observe/newest.ts'
import { attempt, type Check } from './check.ts'
import { nounOf } from './classes.ts'
import type { Exercise } from './class-lab.ts'
import { inject } from './inject.ts'
import { describePlace } from './place.ts'
import type { Climber, RunRequest, Session } from './run.ts'
import { replaceUnderTraffic } from './succession.ts'

/** Items of work each way, unless a request says how many. */
const ITEMS = 1000
/** The same while something is done to a driver, and how far it gets before that. */
const UNDER_WAY = 400
const UNDER_WAY_FROM = 0.25
/** and to see that it works again. */
const PROOF = 100

interface Step {
  readonly rung: Rung
  climb(session: Session, request: RunRequest): Promise<void>
}

/** One module's part of a step, for each in turn. */
const each =
  (climb: (session: Session, one: Climber, request: RunRequest) => Promise<void>): Step['climb'] =>
  async (session, request) => {
    for (const one of session.climbers) await climb(session, one, request)
  }

export const STEPS: readonly Step[] = [
  { rung: 'probe', climb: each(bound) },
  { rung: 'operate', climb: each(open) },
  { rung: 'traffic', climb: passTraffic },
  { rung: 'traffic', climb: each(replaced) },
  { rung: 'reload', climb: each(operations) },
  { rung: 'reload', climb: each(hotPlug) },
  { rung: 'reload', climb: each(reload) },
  { rung: 'recover', climb: each(kill) },
  { rung: 'contain', climb: each(contain) },
]

/** What boot found. */
async function bound(session: Session, one: Climber): Promise<void> {
  const name = `${one.name}: bound to ${one.model?.name ?? 'a device'}`
  const detail = one.reason ?? one.exercise?.title ?? `no ${nounOf(one.model)}`
  await session.check(Promise.resolve({ name, ok: one.rung === 'probe', detail }))
}

async function open(session: Session, one: Climber): Promise<void> {
  if (one.exercise === undefined) return
  if ((await session.check(one.exercise.open())).ok) one.rung = 'operate'
}

async function passTraffic(session: Session, request: RunRequest): Promise<void> {
  const up = session.climbers.filter((one) => one.rung === 'operate')
  const worlds = Map.groupBy(up, (one) => session.worlds.with(one.model!))
  for (const [world, ones] of worlds) {
    const exercises = ones.map((one) => one.exercise!)
    const held = await world.traffic(exercises, request.frames ?? ITEMS, (promise) => session.check(promise))
    for (const one of ones) if (held.has(one.exercise!)) one.rung = 'traffic'
  }
}

async function replaced(session: Session, one: Climber): Promise<void> {
  const { replacement } = one.request
  if (replacement !== undefined && one.rung === 'traffic')
    await session.check(replaceUnderTraffic(session, one, replacement))
}

const driven = ({ exercise }: Climber): Exercise | undefined =>
  exercise?.unit.driver === undefined ? undefined : exercise

/** Everything an administrator does with a unit. */
async function operations(session: Session, one: Climber): Promise<void> {
  for (const operation of driven(one)?.operations ?? []) {
    await session.check(operation())
    await session.machine.recover()
  }
}

/** Pulled out and plugged in again, while it works. */
async function hotPlug(session: Session, one: Climber): Promise<void> {
  const exercise = driven(one)
  if (exercise === undefined) return
  const check = await session.check(plugAgain(session, one, exercise))
  if (!check.ok && one.rung === 'traffic') one.rung = 'operate'
  await session.machine.recover()
}

/** A driver may sleep in its remove; none needs longer. */
const REMOVE_NS = 60e9

/**
 * Pull the device out in the middle of traffic, without a word: from then on it reads all ones. The driver's remove is
 * called and leaves nothing. Another device in the same slot is bound, and carries traffic.
 */
function plugAgain({ machine, worlds }: Session, one: Climber, exercise: Exercise): Promise<Check> {
  const { unit } = exercise
  return attempt(`${unit.name}: pulled out under traffic, and plugged in again`, async () => {
    const world = worlds.with(one.model!)
    const device = one.device!
    const driver = machine.driver(one.name)!
    const { fn } = device
    const failed = machine.faults.at(-1)
    const work = exercise.begin(UNDER_WAY)
    await machine.run(() => work.progress >= UNDER_WAY_FROM, 10e9)
    world.unplug(device)
    const silent = fn.configRead(0, 4) === 0xffffffff && fn.bars.every((bar) => bar.read(0, 1) === 0xff)
    await machine.run(() => machine.board.tree.node(fn) === undefined, REMOVE_NS)
    work.stop()
    const [fault] = since(machine.faults, failed)
    if (fault !== undefined) return [false, `it failed: ${fault.kind}: ${fault.message}`]
    const gone = machine.board.tree.node(fn) === undefined && !driver.drives(fn) && unit.driver === undefined
    if (!silent || !gone) return [false, silent ? 'the driver still has it' : 'it still answers']
    world.replug(device)
    await machine.match()
    if (unit.driver === undefined) return [false, 'plugged in again, it is not bound']
    const up = await exercise.open()
    const moved = await exercise.proof(PROOF)
    const left = driver.leftBehind === '' ? 'nothing left' : `left: ${driver.leftBehind}`
    return [driver.leftBehind === '' && up.ok && moved.ok, `${left}; ${up.detail}; ${moved.detail}`]
  })
}

/** Unload, see that nothing is left, load and bind again, pass traffic. */
async function reload(session: Session, one: Climber): Promise<void> {
  const { exercise } = one
  if (exercise === undefined) return
  const { machine } = session
  const check = await session.check(
    attempt(`${one.name}: unload leaves nothing, and it binds again`, async () => {
      // Those that need it go before it and come after it.
      const others = machine
        .dependents(one.name)
        .flatMap((name) => session.climbers.filter((climber) => climber.name === name))
      for (const other of others.toReversed()) await machine.unload(other.name)
      const left = await machine.unload(one.name)
      for (const climber of [one, ...others]) {
        climber.driver = await machine.load(climber.request.pack, climber.request.args)
        await machine.match()
        if (climber.device !== undefined && !climber.driver.drives(climber.device.fn))
          return [false, `${climber.name} does not bind again`]
      }
      for (const other of others) await other.exercise?.open()
      const again = await exercise.open()
      const moved = await exercise.proof(PROOF)
      const what = isClean(left) ? 'nothing left' : `left: ${leftList(left)}`
      return [isClean(left) && again.ok && moved.ok, `${what}; ${again.detail}; ${moved.detail}`]
    }),
  )
  if (check.ok && one.rung === 'traffic') one.rung = 'reload'
}

/** How long a driver may leave its device alone before it notices that it has lost it. */
const NOTICE_NS = 5e9

/**
 * Take the driver's registers away in the middle of traffic. Its next access is refused and ends it; the supervisor
 * brings it back, configuration and traffic resume.
 */
async function kill(session: Session, one: Climber): Promise<void> {
  const exercise = driven(one)
  if (exercise === undefined) return
  const { machine } = session
  const check = await session.check(
    attempt(`${one.name}: registers revoked under traffic, restarted`, async () => {
      const work = exercise.begin(UNDER_WAY)
      await machine.run(() => work.progress >= UNDER_WAY_FROM, 10e9)
      const before = machine.recoveries.at(-1)
      const victim = machine.driver(one.name)!
      victim.revokeRegisters()
      await machine.run(() => machine.recoveries.at(-1) !== before, NOTICE_NS)
      const left = Object.entries(victim.domain.remains()).filter(([, count]) => count !== 0)
      const [recovery] = since(machine.recoveries, before)
      one.driver = machine.driver(one.name)
      const [up, how] = await exercise.settled()
      await work.finish()
      const { lost } = work.stop()
      const after = await exercise.proof(PROOF)
      const ok = recovery?.ok === true && up && after.ok && left.length === 0
      const took = recovery === undefined ? '' : `${(recovery.tookNs / 1e6).toFixed(3)} ms`
      return [
        ok,
        `${describePlace(recovery?.fault, one.request.pack)}; ${recovery?.reason ?? `restarted in ${took}`}; ${how}; lost meanwhile: ${lost}; then ${after.detail}`,
      ]
    }),
  )
  if (check.ok && one.rung === 'reload') one.rung = 'recover'
}

/** Break the driver `request.inject` times in seeded ways; somebody whom it does not serve must not notice. */
async function contain(session: Session, one: Climber, request: RunRequest): Promise<void> {
  const { exercise } = one
  const count = request.inject ?? 0
  if (exercise === undefined || count === 0) return
  const { machine, climbers } = session
  const world = session.worlds.with(one.model!)
  const others = climbers.flatMap((other) =>
    other !== one && other.exercise !== undefined && session.worlds.with(other.model!) === world
      ? [other.exercise]
      : [],
  )
  const bystander = world.bystander(others)
  const check = await session.check(
    attempt(`${one.name}: ${count} injected faults contained`, async () => {
      const done = await inject(machine, one.name, exercise, bystander, count)
      const bad = done.filter((injected) => !injected.bystander || !injected.recovered)
      const counts = Map.groupBy(done, ({ name, outcome }) => `${name}: ${outcome}`)
      const list = [...counts].map(([what, these]) => `${these.length} ${what}`).join(', ')
      const failed = bad.map(
        (injected) => `${injected.name}: ${injected.bystander ? 'not recovered' : 'a bystander noticed'}`,
      )
      return [bad.length === 0, [list, ...failed].join('; ')]
    }),
  )
  one.driver = machine.driver(one.name)
  if (check.ok && one.rung === 'recover') one.rung = 'contain'
}
