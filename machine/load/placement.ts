/**
 * Who gets how much of the processor: priorities and partitions of drivers, as a machine's configuration says them.
 *
 * A driver is put into a partition, which has a share of the processor guaranteed while others want it, and its fibers
 * get a priority. A driver that is not named runs at normal priority in the partition that has what others leave. The
 * same holds for every generation of a driver. Must not know what a driver does.
 */
import { PRIORITY_NORMAL } from '../../kernel/fiber.ts'
import { DEFAULT_COSTS } from '../../kernel/costs.ts'
import { Partition, PRIORITY_MAX, Scheduler } from '../../kernel/schedule.ts'

export interface DriverShare {
  /** Partition by name; a driver with a share and no partition has one of its own. */
  readonly partition?: string
  /** The partition's part of the processor, 0 to 1; to be said by one of its drivers at least. */
  readonly share?: number
  /** 0 (lowest) to 63. */
  readonly priority?: number
  /** How much later its timers may come, so that they come together with others, us. */
  readonly slack?: number
}

/** By driver name. */
export type Schedule = Readonly<Record<string, DriverShare>>

export interface Placement {
  readonly partition: Partition | undefined
  readonly priority: number
  readonly slackNs: number
}

/** A schedule that cannot be kept. The message says what was expected and found. */
export class ScheduleError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ScheduleError'
  }
}

/** Dashes and underscores are the same in a driver's name. */
const plain = (driver: string): string => driver.replaceAll('-', '_')

const ANYWHERE: Placement = { partition: undefined, priority: PRIORITY_NORMAL, slackNs: 0 }

const within = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && value >= least && value <= most

/** Make the partitions of a schedule. Throws ScheduleError. */
export function placementsOf(scheduler: Scheduler, schedule: Schedule): ReadonlyMap<string, Placement> {
  const shares = sharesOf(schedule)
  const partitions = new Map<string, Partition>()
  try {
    for (const [name, share] of shares) partitions.set(name, scheduler.add(new Partition(name, share)))
  } catch (error) {
    throw new ScheduleError((error as Error).message)
  }
  return new Map(
    Object.entries(schedule).map(([driver, { partition, share, priority = PRIORITY_NORMAL, slack = 0 }]) => {
      if (!within(priority, 0, PRIORITY_MAX) || !Number.isInteger(priority))
        throw new ScheduleError(
          `priority of ${driver} is ${priority}: expected a whole number from 0 to ${PRIORITY_MAX}`,
        )
      if (!within(slack, 0, 1e6))
        throw new ScheduleError(`slack of ${driver} is ${slack}: expected microseconds, 0 to 1000000`)
      const name = partition ?? (share === undefined ? undefined : driver)
      return [
        plain(driver),
        { partition: name === undefined ? undefined : partitions.get(name), priority, slackNs: slack * 1000 },
      ]
    }),
  )
}

/** Whether a machine could keep it. Throws ScheduleError. */
export const checkSchedule = (schedule: Schedule): void => void placementsOf(new Scheduler(), schedule)

/** Names of what has a cost. */
export const COST_NAMES: readonly string[] = Object.keys(DEFAULT_COSTS)

/** The share of each partition named. */
function sharesOf(schedule: Schedule): Map<string, number> {
  const shares = new Map<string, number>()
  for (const [driver, { partition = driver, share }] of Object.entries(schedule)) {
    if (share === undefined) continue
    if (!within(share, 0, 1)) throw new ScheduleError(`share of ${driver} is ${share}: expected a number from 0 to 1`)
    const before = shares.get(partition)
    if (before !== undefined && before !== share)
      throw new ScheduleError(`partition ${partition} has two shares, ${before} and ${share}: say it once`)
    shares.set(partition, share)
  }
  for (const { partition } of Object.values(schedule))
    if (partition !== undefined && !shares.has(partition))
      throw new ScheduleError(`partition ${partition} has no share: give it one, in one of its drivers`)
  return shares
}

/** Where a driver runs, in every generation. */
export const placementOf = (placements: ReadonlyMap<string, Placement>, driver: string): Placement =>
  placements.get(plain(driver)) ?? ANYWHERE
