/**
 * Hot replacement as a scenario's step: under traffic, with what it cost counted and what was handed over checked.
 */
import type { DriverPackage } from '../machine/load/package.ts'
import { buildOf } from '../machine/supervise/replace.ts'
import { attempt, type Check } from './check.ts'
import type { Climber, Session } from './run.ts'

const ITEMS = 20_000
/** What passes before the replacement begins. */
const BEFORE = 0.1

const milliseconds = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`

/** Replace a module's running driver by another build while work goes both ways. */
export function replaceUnderTraffic({ machine }: Session, one: Climber, pack: DriverPackage): Promise<Check> {
  const exercise = one.exercise!
  return attempt(`${one.name}: replaced under traffic by the build for ${buildOf(pack).tree}`, async () => {
    const settings = exercise.settings()
    const { generation } = machine.driver(one.name)!
    const work = exercise.begin(ITEMS)
    await machine.run(() => work.progress >= BEFORE, 10e9)
    const before = await exercise.counted()
    const old = machine.driver(one.name)!
    const done = await machine.replace(one.name, pack)
    one.driver = machine.driver(one.name)
    const remains = Object.entries(old.domain.remains()).filter(([, count]) => count !== 0)
    const [up, link] = await exercise.settled()
    await work.finish()
    const { damaged, lost } = work.stop()
    const now = await exercise.counted()
    const after = await exercise.proof(100)
    const wrong = [
      ...(done.ok ? [] : [done.reason ?? 'not replaced']),
      ...(up ? [] : ['it did not come up again']),
      ...(exercise.settings() === settings ? [] : [`${settings} became ${exercise.settings()}`]),
      ...(Object.entries(before).every(([name, count]) => now[name]! >= count) ? [] : ['statistics went back']),
      ...(damaged ? ['contents damaged'] : []),
      ...(done.left === '' && remains.length === 0 ? [] : [`left behind: ${done.left} ${remains.join(' ')}`]),
      ...(after.ok ? [] : [after.detail]),
    ]
    const handed = Object.entries(done.handed).map(([name, count]) => `${name} ${count}`)
    const what = [
      `generation ${generation} (${done.from.tree}) to ${done.generation} (${done.to.tree})`,
      `paused ${milliseconds(done.pausedNs)}, ${link}`,
      `handed over: ${handed.join(', ')}`,
      `of ${ITEMS} each way lost: ${lost}`,
    ]
    return [wrong.length === 0, [...wrong, ...what].join('; ')]
  })
}
