/**
 * Options that say what machine it is: who gets how much of the processor, what things cost, how fast time goes.
 *
 * They are objects, which yargs reads from a configuration file ({"schedule": {"e1000": {"priority": 40}}}) and from the
 * command line with dots (`--schedule.e1000.priority 40`). Checks them and runs nothing.
 */
import type { Argv } from 'yargs'
import type { Costs } from '../kernel/costs.ts'
import { checkSchedule, COST_NAMES, type DriverShare, type Schedule, ScheduleError } from '../machine/load/placement.ts'
import type { Pace } from '../kernel/pace.ts'
import { UsageError } from '../pipeline/errors.ts'
import { parsePace, wallPace } from './pace.ts'

/** What machine it is, as a run's request has it. */
export interface Model {
  readonly schedule?: Schedule
  readonly costs?: Partial<Costs>
  readonly pace?: Pace
}

const FIELDS: readonly (keyof DriverShare)[] = ['partition', 'share', 'priority', 'slack']

export const modelOptions = (argv: Argv): Argv =>
  argv
    .option('pace', {
      type: 'string',
      describe: 'virtual time follows the wall: real, or how many of its seconds go with one',
    })
    .option('schedule', {
      describe:
        'who gets how much: --schedule.MODULE.priority 0..63, .share 0..1, .partition NAME, .slack MICROSECONDS',
    })
    .option('cost', { describe: 'what things cost in virtual time, such as --cost.registerReadNs 250' })

/** As yargs may have it: a name with dashes is there once more, in camel case. */
const spellings = (name: string): string[] => {
  const plain = name.replaceAll('-', '_')
  const camel = name.replaceAll(/-+(\w)/g, (_, letter: string) => letter.toUpperCase())
  return [name, plain, plain.replaceAll('_', '-'), camel]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The model of a command line. `modules` are the machine's. Throws UsageError. */
export function modelOf(argv: Record<string, unknown>, modules: readonly string[]): Model {
  const { schedule, cost } = argv
  const ratio = parsePace(argv['pace'])
  return {
    ...(ratio !== undefined && { pace: wallPace(ratio) }),
    ...(schedule !== undefined && { schedule: readSchedule(schedule, modules) }),
    ...(cost !== undefined && { costs: readCosts(cost) }),
  }
}

function readSchedule(given: unknown, modules: readonly string[]): Schedule {
  const expected = 'such as {"e1000": {"partition": "net", "share": 0.6, "priority": 40}}'
  if (!isObject(given)) throw new UsageError('--schedule takes modules with their shares', { expected })
  const schedule: Record<string, DriverShare> = {}
  for (const [name, share] of Object.entries(given)) {
    const module = modules.find((each) => spellings(each).includes(name))
    if (module === undefined)
      throw new UsageError(`--schedule names ${name}, which is not in this machine`, {
        expected: `one of ${modules.join(', ')}`,
      })
    const strange = isObject(share) ? Object.keys(share).find((key) => !FIELDS.includes(key as never)) : ''
    if (strange !== undefined)
      throw new UsageError(`cannot read the schedule of ${module}`, {
        found: JSON.stringify(share),
        expected: `an object with ${FIELDS.join(', ')}, ${expected}`,
      })
    schedule[module] = share as DriverShare
  }
  try {
    checkSchedule(schedule)
  } catch (error) {
    if (error instanceof ScheduleError) throw new UsageError(error.message, { todo: 'correct --schedule' })
    throw error
  }
  return schedule
}

function readCosts(given: unknown): Partial<Costs> {
  if (!isObject(given))
    throw new UsageError('--cost takes costs by name', { expected: `some of ${COST_NAMES.join(', ')}` })
  for (const [name, value] of Object.entries(given)) {
    if (!COST_NAMES.includes(name))
      throw new UsageError(`--cost has no ${name}`, { expected: `one of ${COST_NAMES.join(', ')}` })
    const least = name === 'workBetweenLooks' || name === 'sliceNs' ? 1 : 0
    if (typeof value !== 'number' || !(value >= least && value <= 1e12))
      throw new UsageError(`--cost.${name} takes a number, ${least} or more`, { found: JSON.stringify(value) })
  }
  return given as Partial<Costs>
}
