/**
 * Fibers: threads of a domain that may block, on JavaScript Promise Integration.
 *
 * The engine switches its own stack, not the C stack in linear memory: each fiber therefore has a region of it, and
 * stack pointer and limit are saved when it waits and restored when it goes on. A fiber suspends only inside the
 * blocking calls, by the promise they return; between its entry and that call there is no JavaScript frame.
 */
import { Party } from './ipc.ts'
import { IPC } from './message.ts'
import type { FiberOwner, Queues } from './processor.ts'
import type { Partition, Runnable } from './schedule.ts'
import { Talker } from './talker.ts'
import type { ClockEvent } from './time.ts'

/** `parked`: it goes on when its program switches to it. `blocked`: none of the program's tasks could run when it did. */
export type FiberState = 'parked' | 'ready' | 'running' | 'blocked' | 'done'

/** A region of a domain's linear memory used as C stack; it grows down from `top`. */
export interface StackRegion {
  readonly base: number
  readonly top: number
}

/** An export wrapped by WebAssembly.promising. */
export type ProcessEntry = (...args: number[]) => Promise<number | undefined>

/** What a fiber has unless its domain says otherwise. */
export const PRIORITY_NORMAL = 16

export class Fiber implements Runnable {
  readonly id: number
  readonly domain: FiberOwner
  readonly name: string
  readonly base: number
  effective: number
  readonly partition: Partition
  queuedAt = -1
  queueNext: Runnable | undefined
  queuePrevious: Runnable | undefined
  readonly stack: StackRegion
  state: FiberState = 'ready'
  /** What the entry of a task was told. */
  argument = 0
  /** What the entry returned, once done. */
  result: number | undefined
  /** Why it ended early, once done. */
  error: unknown
  /** Why it is failed the next time it waits: there, so that the trace shows where it waits. */
  condemned: string | undefined
  /** Since when it does not run, ns. */
  stoppedNs = 0.5
  disturbed = false
  stackPointer: number
  /** What is left of its turn when it runs next, ns. */
  turnLeft: number
  /** Work and time since its entry began or it last waited: kept while it is stopped. */
  work = 0
  busyNs = 0.5
  readonly deadline: ClockEvent
  readonly #processor: Queues
  #party: Party | undefined
  /** In its place in conversations. */
  #talker: Talker | undefined
  /** What the call returns in which it was suspended. */
  #outcome = 0
  #entry: (() => Promise<number | undefined>) | undefined
  #resume: ((outcome: number) => void) | undefined
  #unwind: ((reason: unknown) => void) | undefined
  readonly #keep = (resolve: (outcome: number) => void, reject: (reason: unknown) => void): void => {
    this.#resume = resolve
    this.#unwind = reject
  }

  constructor(
    domain: FiberOwner,
    processor: Queues,
    id: number,
    name: string,
    stack: StackRegion,
    entry: () => Promise<number | undefined>,
    priority: number,
  ) {
    this.domain = domain
    this.#processor = processor
    this.id = id
    this.name = name
    this.base = priority
    this.effective = priority
    this.partition = domain.partition
    this.stack = stack
    this.stackPointer = stack.top
    this.turnLeft = processor.costs.sliceNs
    this.#entry = entry
    this.deadline = processor.clock.event(`${domain.name}: fiber ${id} deadline`, () => this.#expire())
  }

  /** Its side of conversations; made when it first has one. */
  get party(): Party {
    this.#talker ??= new Talker(this)
    return (this.#party ??= new Party(this.#talker, this.domain.capabilities))
  }

  /** The same if it has ever had one. */
  get conversation(): Party | undefined {
    return this.#party
  }

  /** It waits in a conversation. */
  get conversing(): boolean {
    return this.#party !== undefined && this.#party.wait !== 'nothing'
  }

  #expire(): void {
    const party = this.#party!
    this.#processor.ipc.cancel(party)
    party.thread.resume(IPC.DEADLINE)
  }

  /** It must wait in a conversation, and its program sees to that: what the call comes to is an answer, later. */
  waitLater(): number {
    this.#talker!.waits = true
    return IPC.LATER
  }

  get done(): boolean {
    return this.state === 'done'
  }

  /** Its frames are off the engine's main stack, and wait there. */
  get suspended(): boolean {
    return this.#resume !== undefined
  }

  /** Run it from the run loop until it suspends or ends; the kernel hears of either through `switched`. */
  go(): void {
    this.state = 'running'
    const entry = this.#entry
    if (entry !== undefined) {
      this.#entry = undefined
      entry().then(
        (value) => this.#finish(value, undefined),
        (error: unknown) => this.#finish(undefined, error ?? new Error('fiber failed')),
      )
      return
    }
    const resume = this.#resume!
    this.#resume = undefined
    resume(this.#outcome)
  }

  /** Suspend: the promise a blocking call must return. */
  suspend(state: 'blocked' | 'ready' | 'parked'): Promise<number> {
    this.state = state
    this.#outcome = 0
    this.stoppedNs = this.#processor.clock.now()
    return new Promise<number>(this.#keep)
  }

  /** It waits, or could go on, with its frames on the engine's stack still. */
  pause(state: 'blocked' | 'ready'): void {
    this.state = state
    this.#outcome = 0
    this.stoppedNs = this.#processor.clock.now()
  }

  /** A parked one goes on where its program did not switch to it: `outcome` tells it so. */
  disturb(outcome: number): void {
    this.disturbed = true
    this.#outcome = outcome
    this.state = 'ready'
    this.#processor.ready(this)
  }

  makeReady(): void {
    if (this.state !== 'blocked') return
    this.state = 'ready'
    this.#processor.ready(this)
  }

  /** The domain has ended: unwind what is suspended, forget what has not started. */
  abandon(reason: Error): void {
    this.deadline.disarm()
    this.#processor.withdraw(this)
    this.#part()
    if (this.state === 'done' || this.state === 'running') return
    this.state = 'done'
    this.error = reason
    this.#resume = undefined
    this.#unwind?.(reason)
  }

  /** Nobody waits for what it will not say any more. */
  #part(): void {
    if (this.#party !== undefined) this.#processor.ipc.leave(this.#party)
  }

  #finish(value: number | undefined, error: unknown): void {
    // Abandoned while suspended: its frames are unwound now, nobody waits for this switch.
    if (this.state === 'done') return
    this.state = 'done'
    this.result = value
    this.error = error
    this.#part()
    this.domain.fiberEnded(this, error)
  }
}
