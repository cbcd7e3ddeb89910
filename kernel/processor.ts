/**
 * The processor, as those know it who run on it: fibers, what counts their work, what delivers to their domain, the domain
 * itself. Each knows its own part of it; Kernel is the only whole one in a machine, tests make small ones.
 */
import type { CNode } from './capability.ts'
import type { Costs } from './costs.ts'
import type { Fiber } from './fiber.ts'
import type { Ipc } from './ipc.ts'
import type { EventLog } from './log.ts'
import type { RoomLeft } from './room.ts'
import type { Partition } from './schedule.ts'
import type { Clock } from './time.ts'

/** Virtual time, and what things cost in it. */
export interface Timed {
  readonly clock: Clock
  readonly costs: Costs
}

/** To a fiber: when it runs. */
export interface Queues extends Timed {
  readonly ipc: Pick<Ipc, 'cancel' | 'leave'>
  /** This fiber can run. */
  ready(fiber: Fiber): void
  /** It will not run any more. */
  withdraw(fiber: Fiber): void
}

/** An answer to a task. */
export interface Told {
  readonly id: number
  readonly outcome: number
}

/** Whose fiber it is: what it runs in. */
export interface FiberOwner {
  readonly id: number
  readonly name: string
  readonly partition: Partition
  readonly capabilities: CNode
  /** Let a fiber of it run. */
  resume(fiber: Fiber): void
  /** The running fiber looks soon whether it must go. */
  hurry(): void
  /** One of its tasks need not wait in a conversation any more. */
  told(id: number, outcome: number): void
  /** What others lend its tasks has changed. */
  lent(): void
  /** A fiber has ended, with `error` if it failed. */
  fiberEnded(fiber: Fiber, error: unknown): void
}

/** To whoever counts work: whether somebody else is to have the processor. */
export interface Turns extends Timed {
  /** When the running fiber is to be looked at. */
  readonly turnUntil: number
  /** Somebody has something to deliver. */
  readonly attentive: boolean
  /** The running fiber's turn may be over. */
  turnOver(now: number): void
  /** Fire what is due, inside of a call. */
  dispatch(): void
}

/** To whoever delivers: when it may. */
export interface Deliveries extends Timed {
  readonly random: { below(bound: number): number }
  readonly log: Pick<EventLog, 'note'>
  readonly kinds: Readonly<Record<'interrupt' | 'timer', number>>
  /** It may have something to deliver. */
  attention(to: Attended): void
}

/** Who is attended when it may have something to deliver. */
export interface Attended {
  readonly id: number
  readonly name: string
  /** In the list of those that may have something to deliver. */
  awaited: boolean
  attend(): void
}

/** Whose atomic entry is on top of the engine's stack. */
export interface Entered {
  readonly room: RoomLeft
  fail(cause: unknown): void
}

/** To a domain: all of it. */
export interface Processor extends Queues, Turns, Deliveries {
  readonly log: EventLog
  readonly kinds: Readonly<Record<'interrupt' | 'timer' | 'run' | 'fault' | 'start' | 'end' | 'message', number>>
  /** The fiber whose turn it is. */
  readonly current: Fiber | undefined
  /** Whose entry is on top of the engine's stack: written by whoever enters and leaves. */
  inner: Entered | undefined
  /** Whose budget what runs is charged to. */
  readonly billed: Partition | undefined
  /** Charge the time since the last call, and what comes to `partition`. Returns who was charged. */
  bill(partition: Partition | undefined): Partition | undefined
  /** The running fiber must give way. */
  contended(): boolean
  /** It is more urgent now, or less. */
  reprioritize(fiber: Fiber, effective: number): void
  /** It stops, but could go on. */
  requeue(fiber: Fiber, gaveUp: boolean): void
  /** A domain put another fiber of its own into the place of the one that ran. */
  relay(fiber: Fiber): void
  /** It suspended or ended. */
  switched(): void
  /** It is to go, though it could go on, and is not suspended yet: let others do what they have to. True when it goes on. */
  giveWay(fiber: Fiber): boolean
  /** It waits and is not suspended yet: let time pass. True when it goes on without having been. */
  lull(fiber: Fiber): boolean
  /** Run `task` when no domain is on the stack. */
  post(task: () => void): void
  /** Do what is done for or about a domain by somebody who does not know where it is called from. */
  try(during: string, domain: Attended | undefined, work: () => void): void
  /** Something threw that must not: written down, and everybody goes on. */
  accident(during: string, domain: Attended | undefined, error: unknown): void
  /** A domain has ended. */
  forget(domain: Attended): void
  /** It is listed: made, and not forgotten. */
  lists(domain: Attended): boolean
}
