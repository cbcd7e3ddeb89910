/**
 * A domain: one program in its own memory, with its capabilities, fibers and interrupts.
 *
 * Two ways in: a *process* entry runs on a fiber; an *atomic* one is a plain call that must not block, on another domain's thread,
 * nested on whatever C stack it interrupts. Whatever leaves the program as an exception ends the domain, and only it. What the
 * program's calls do is not known here: the machine provides them.
 */
import { CNode } from './capability.ts'
import { Delivery } from './delivery.ts'
import { type DriverFault, describeFault, Failure, type Frame, KILLED } from './fault.ts'
import { Fiber, PRIORITY_NORMAL, type ProcessEntry, type StackRegion } from './fiber.ts'
import { BLOCK, type Party } from './ipc.ts'
import type { InterruptSet } from './interrupts.ts'
import { Meter } from './meter.ts'
import type { Processor, Told } from './processor.ts'
import { RoomLeft } from './room.ts'
import type { Partition } from './schedule.ts'
import { DEFAULT_LIMITS, type DomainLimits, type Program } from './program.ts'
import { Ledger } from './quota.ts'

/** Work that giving way counts as: a fiber that does nothing else must not stop the clock. */
const SWITCH_UNITS = 200
/** and that asking for what one has not got counts as. */
const REFUSAL_UNITS = 200
/** Atomic entries of one domain on top of each other. */
const DEPTH_MAX = 16
/** Said of calls nested so deep in an atomic entry that the host's own stack could run out below them. */
const NO_ROOM = 'calls are nested too deep in an atomic entry'
/** Bytes below a stack's limit that belong to it but must not be used. */
const GUARD = 256

/** What a task is told that goes on though nobody switched to it: it must fail there. */
const ASKED = 1

/** A task that idles waits for a timer of so soon, ns, without letting others run. */
const AS_GOOD_AS_NOW_NS = 2000

/** Bytes left free below the frames of a task whose fiber begins anew. */
const RED_ZONE = 64

/** A task of a domain that was frozen. */
export interface FrozenTask {
  readonly id: number
  readonly stack: StackRegion
  readonly stackPointer: number
  /** What its entry was told. */
  readonly argument: number
  /** It has run: it lost its frames. */
  readonly begun: boolean
  /** It goes on first; the others when they are switched to. */
  readonly runs: boolean
}

export interface Frozen {
  readonly tasks: readonly FrozenTask[]
  readonly nextFiber: number
  /** Time to its deadline, ns; Infinity for none. */
  readonly timerInNs: number
}

export class Domain {
  readonly processor: Processor
  readonly id: number
  readonly name: string
  readonly limits: DomainLimits
  /** Whose budget its fibers use. */
  readonly partition: Partition
  readonly capabilities: CNode
  /** What it may have more of. */
  readonly ledger: Ledger
  readonly fibers = new Map<number, Fiber>()
  /** What its fibers have unless they are started with another. */
  priority = PRIORITY_NORMAL
  /** How much later than asked its timers and deadlines may come, so that they come together with others. */
  slackNs = 0
  /** The fiber whose frames are on the engine's stack: running, or interrupted by an atomic entry. */
  current: Fiber | undefined
  /** Atomic entries on the stack. */
  depth = 0
  dead = false
  /** In the kernel's list of those that may have something to deliver. */
  awaited = false
  fault: DriverFault | undefined
  /** Called when it has failed, with everything it holds still there: to look, not to touch. */
  onFail: ((domain: Domain, fault: DriverFault) => void) | undefined
  /** Called once, when it has ended. */
  onEnd: ((domain: Domain) => void) | undefined
  /** The same, for whoever lent it its memory. */
  onLeave: (() => void) | undefined
  /** Called when `answer` has something. */
  onAnswer: (() => void) | undefined
  readonly #program: Program
  readonly #words: Int32Array
  readonly #meter: Meter
  readonly #delivery: Delivery
  readonly room: RoomLeft
  /** Of the first fiber, which starts before the program could say where. */
  readonly #first: StackRegion
  /** Where atomic entries run that interrupt nothing. */
  readonly #idle: StackRegion
  /** Whose stack the program is on; undefined: on the idle one. */
  #onStack: Fiber | undefined
  #nextFiber = 1
  /** The task that waits for something to do. */
  #idling: Fiber | undefined
  /** The same, until it runs again. */
  #idled: Fiber | undefined
  /** Since when its fiber is to go and holds off interrupts, ns. */
  #heldFrom = Infinity
  readonly #answers: Told[] = []
  /** It hangs: what its fibers say, instead of failing it, and what it fails of whatever happens. */
  #inquest: { readonly verdict: Failure; readonly traces: Trace[] } | undefined
  /** Fibers it had when it ended. */
  #last: readonly Fiber[] = []

  constructor(
    processor: Processor,
    id: number,
    name: string,
    program: Program,
    partition: Partition,
    limits: DomainLimits = DEFAULT_LIMITS,
  ) {
    this.processor = processor
    this.id = id
    this.name = name
    this.limits = limits
    this.partition = partition
    this.capabilities = new CNode(name, limits.capabilities)
    this.capabilities.onRefusal = () => this.charge(REFUSAL_UNITS)
    this.ledger = new Ledger(limits)
    this.#program = program
    const words = new Int32Array(program.memory.buffer)
    this.#words = words
    this.#meter = new Meter(this, processor, program, limits)
    this.#delivery = new Delivery(this, processor, program, words)
    this.room = new RoomLeft(program.room)
    // The core's own stack serves two: atomic entries that interrupt nothing, and the first fiber.
    const top = program.stackPointer.value
    const split = (top >> 4) * 6
    this.#idle = { base: 0, top: split }
    this.#first = { base: split, top }
    this.#setStack(this.#idle, this.#idle.top)
  }

  // ---- fibers ----

  /** Start a process entry on a new fiber, with this C stack, which is nobody else's. Undefined when the quota is used up. */
  start(
    name: string,
    entry: ProcessEntry,
    args: readonly number[] = [],
    stack = this.#first,
    priority = this.priority,
  ): Fiber | undefined {
    if (this.dead || !this.ledger.allows('fibers', this.fibers.size, 1)) return undefined
    const fiber = new Fiber(this, this.processor, this.#nextFiber++, name, stack, () => entry(...args), priority)
    this.fibers.set(fiber.id, fiber)
    this.processor.ready(fiber)
    return fiber
  }

  /** From the run loop: let a fiber of this domain run. */
  resume(fiber: Fiber): void {
    this.#take(fiber)
    fiber.go()
  }

  /** It runs here from now on. */
  #take(fiber: Fiber): void {
    this.current = fiber
    this.#idled = undefined
    this.#heldFrom = Infinity
    this.#useStackOf(fiber)
    this.room.resume()
    this.#meter.begin(fiber.work, fiber.busyNs)
  }

  /**
   * What an IPC operation of the current fiber gave: itself, or, when it must wait, LATER; what it came to is then an `answer`, at the
   * latest at `deadline` (ns).
   */
  converse(result: number, deadline: number): number {
    if (result !== BLOCK) return result
    const fiber = this.current!
    if (deadline !== Infinity) fiber.deadline.armWithin(deadline, this.slackNs)
    return fiber.waitLater()
  }

  /** The current fiber's side of conversations. A failure where it may not wait. */
  party(what: string): Party {
    const fiber = this.#mayBlock(what)
    // It gets its answer later, and may not ask again before.
    if (fiber.conversing) throw new Failure('undefined-behaviour', `${what} by a fiber that waits in a conversation`)
    return fiber.party
  }

  /** Let others run. */
  yield(): Promise<number> {
    const fiber = this.#mayBlock('yield')
    this.charge(SWITCH_UNITS)
    fiber.work = 0
    fiber.busyNs = 0
    this.current = undefined
    const promise = fiber.suspend('ready')
    this.processor.requeue(fiber, true)
    this.processor.switched()
    return promise
  }

  // ---- tasks, between which the program switches itself ----

  /** A fiber on a stack of the program's, which goes on when it is switched to. 0 when the quota is used up. */
  create(name: string, entry: ProcessEntry, args: readonly number[], stack: StackRegion): number {
    if (this.dead || !this.ledger.allows('fibers', this.fibers.size, 1)) return 0
    const fiber = new Fiber(this, this.processor, this.#nextFiber++, name, stack, () => entry(...args), this.priority)
    fiber.state = 'parked'
    fiber.argument = args[0] ?? 0
    this.fibers.set(fiber.id, fiber)
    return fiber.id
  }

  /** Another task goes on in the place of the current one, at once: nobody is asked and nothing is queued. */
  switchTo(id: number): Promise<number> {
    const fiber = this.#mayBlock('switch')
    const next = this.fibers.get(id)
    if (next?.state !== 'parked') throw new Failure('undefined-behaviour', `switch to fiber ${id}, which is not parked`)
    const promise = fiber.suspend('parked')
    this.current = next
    this.processor.relay(next)
    this.#useStackOf(next)
    this.#meter.relay()
    // The first frame of a new one must not lie on this one's stack.
    if (next.suspended) next.go()
    else queueMicrotask(() => (next.done ? undefined : next.go()))
    return promise
  }

  /** A task that is parked will not be switched to any more. */
  release(id: number): void {
    const fiber = this.fibers.get(id)
    if (fiber?.state !== 'parked')
      throw new Failure('undefined-behaviour', `release of fiber ${id}, which is not parked`)
    this.fibers.delete(id)
    fiber.abandon(KILLED)
  }

  /**
   * Its tasks as they are, to begin another domain of the same program from a copy of its memory: nobody runs, and whoever
   * could is the one that said so. What was on the engine's stack is lost: see the program's `resume` entry.
   */
  freeze(): Frozen {
    const tasks = [...this.fibers.values()].map((fiber): FrozenTask => {
      const pointer = this.#onStack === fiber ? this.#program.stackPointer.value : fiber.stackPointer
      const { id, stack, argument, suspended, state } = fiber
      return { id, stack, stackPointer: pointer, argument, begun: suspended, runs: state === 'ready' }
    })
    return { tasks, nextFiber: this.#nextFiber, timerInNs: this.#delivery.timerInNs }
  }

  /** Take over the tasks of a domain that was frozen. */
  thaw(frozen: Frozen, entry: (task: FrozenTask) => ProcessEntry): void {
    this.#nextFiber = frozen.nextFiber
    this.#delivery.setTimer(this.processor.clock.now() + frozen.timerInNs)
    for (const task of frozen.tasks) {
      const body = entry(task)
      const { argument, stack } = task
      const fiber = new Fiber(this, this.processor, task.id, 'task', stack, () => body(argument), this.priority)
      fiber.argument = argument
      // Below what its frames hold; clang keeps nothing under the pointer.
      fiber.stackPointer = task.begun ? (task.stackPointer - RED_ZONE) & ~15 : task.stackPointer
      this.fibers.set(task.id, fiber)
      if (task.runs) this.processor.ready(fiber)
      else fiber.state = 'parked'
    }
  }

  /** Nobody can run: wait until there is something to take. */
  idle(): number | Promise<number> {
    const fiber = this.#mayBlock('idle')
    // Whoever waits has its turn taken by others: what is due as good as now is not worth that.
    const { timerInNs } = this.#delivery
    if (timerInNs <= AS_GOOD_AS_NOW_NS) this.spend(Math.max(0, timerInNs))
    if (this.#delivery.waiting) return 0
    this.#idling = fiber
    this.#idled = fiber
    return this.#lull(fiber)
  }

  /** Mostly nobody else has anything to do either, and time passes until something comes for the fiber that idles. */
  #lull(fiber: Fiber): number | Promise<number> {
    fiber.work = 0
    fiber.busyNs = 0
    fiber.turnLeft = this.processor.costs.sliceNs
    this.current = undefined
    fiber.pause('blocked')
    if (this.processor.lull(fiber)) return this.#goOn(fiber)
    return this.#suspended(fiber, fiber.state === 'ready' ? 'ready' : 'blocked')
  }

  /** It was not suspended, and nobody came in between. */
  #goOn(fiber: Fiber): number {
    this.#take(fiber)
    fiber.state = 'running'
    return 0
  }

  /** It is suspended after all. */
  #suspended(fiber: Fiber, state: 'blocked' | 'ready'): Promise<number> {
    if (fiber.done) {
      // It ended meanwhile: its frames go with what is thrown here.
      this.processor.switched()
      throw KILLED
    }
    const promise = fiber.suspend(state)
    this.processor.switched()
    return promise
  }

  /** None of its tasks ran since one found nothing to do. */
  get idles(): boolean {
    return this.#idled !== undefined
  }

  /** There is something to take. */
  rouse(): void {
    const fiber = this.#idling
    if (fiber === undefined) return this.hurry()
    this.#idling = undefined
    fiber.makeReady()
  }

  /** One of its tasks need not wait in a conversation any more. */
  told(id: number, outcome: number): void {
    if (this.dead) return
    this.#answers.push({ id, outcome })
    this.onAnswer?.()
  }

  /** The next of those, for the program. */
  answer(): Told | undefined {
    return this.#answers.shift()
  }

  /** Its tasks are as urgent as the most urgent of those who wait for one of them. */
  lent(): void {
    let highest = this.priority
    for (const { conversation } of this.fibers.values())
      highest = Math.max(highest, conversation?.thread.effective ?? highest)
    for (const fiber of this.fibers.values())
      if (fiber.effective !== highest) this.processor.reprioritize(fiber, highest)
  }

  /** See Delivery. */
  raise(number: number): void {
    if (!this.dead) this.#delivery.raise(number)
  }

  take(timer: number): number {
    return this.#delivery.take(timer)
  }

  taken(number: number): void {
    this.#delivery.done(number)
  }

  /** Interrupts are on, and something is to be taken. */
  get #interrupted(): boolean {
    return this.#delivery.waiting && this.#words[this.#program.irqsOff >> 2] === 0
  }

  /**
   * A busy wait. Devices work meanwhile, so it goes event by event; until something is to be taken, or the program is to look
   * whether it must go, and a turn's time at most: others may want the processor. Returns what is left, ns.
   */
  pass(ns: number): number {
    const { clock, costs } = this.processor
    const start = clock.now()
    const until = start + Math.min(ns, costs.sliceNs)
    for (let now = start; now < until && !this.#meter.hurried; now = clock.now()) {
      this.spend(Math.max(0, Math.min(until, clock.next(), this.#meter.nextLook) - now))
      if (this.#interrupted) break
    }
    return Math.max(0, Math.ceil(start + ns - clock.now()))
  }

  /** The running fiber may have to go: it looks as soon as it counts its work again. */
  hurry(): void {
    if (!this.dead) this.#meter.hurry()
  }

  /** The work counter ran out. It stays below zero when the fiber must let another go: then the program calls `resched`. */
  preempt(): void {
    this.#meter.preempt()
    const { processor } = this
    if (this.current !== undefined && this.current === processor.current && processor.contended()) {
      if (this.#mayStop()) this.#meter.stop()
      else this.#meter.askSoon()
      return
    }
    this.#heldFrom = Infinity
    // Only modules look for interrupts when it does: if it ran out in the code of their kernel, one is to come by soon.
    if (this.#interrupted) this.#meter.askSoon()
  }

  /**
   * Not in an atomic entry, nor for a turn's time while the program holds off interrupts. Then in the middle of that too: nobody
   * comes in meanwhile, and others are not to wait for a program that never lets interrupts in again.
   */
  #mayStop(): boolean {
    if (this.depth > 0) return false
    if (this.#words[this.#program.irqsOff >> 2] === 0) return true
    const now = this.processor.clock.now()
    this.#heldFrom = Math.min(this.#heldFrom, now)
    return now - this.#heldFrom >= this.processor.costs.sliceNs
  }

  /** The current fiber lets another domain's go, where it is. Mostly there is only something to be done on no domain's stack. */
  resched(): number | Promise<number> {
    const fiber = this.#mayBlock('resched')
    const [work, ns] = this.#meter.run
    fiber.work = work
    fiber.busyNs = ns
    this.#meter.goOn()
    this.current = undefined
    fiber.pause('ready')
    this.processor.requeue(fiber, false)
    if (this.processor.giveWay(fiber)) return this.#goOn(fiber)
    return this.#suspended(fiber, 'ready')
  }

  #mayBlock(what: string): Fiber {
    if (this.depth > 0 || this.current === undefined) {
      throw new Failure('sleep-in-atomic', `${what} called in an atomic entry`)
    }
    this.#meter.account()
    if (this.current.condemned !== undefined) throw new Failure('hang', this.current.condemned)
    return this.current
  }

  /** A fiber has ended, with `error` if it failed. Called by Fiber. */
  fiberEnded(fiber: Fiber, error: unknown): void {
    if (this.current === fiber) this.current = undefined
    this.fibers.delete(fiber.id)
    if (!this.dead) {
      this.#meter.account()
      this.room.fiberEnded()
      if (error !== undefined && !this.#testifies(fiber, error)) this.fail(error)
    }
    this.processor.switched()
  }

  /**
   * Put the program on a fiber's stack, or on the idle one. Done when somebody else's is needed and not when one is left:
   * mostly the next to run is who ran last.
   */
  #useStackOf(fiber: Fiber | undefined): void {
    const before = this.#onStack
    if (before === fiber) return
    if (before !== undefined) before.stackPointer = this.#program.stackPointer.value
    this.#onStack = fiber
    if (fiber === undefined) this.#setStack(this.#idle, this.#idle.top)
    else this.#setStack(fiber.stack, fiber.stackPointer)
  }

  #setStack(stack: StackRegion, pointer: number): void {
    this.#program.stackPointer.value = pointer
    if (this.#program.stackLimit !== undefined) this.#program.stackLimit.value = stack.base + GUARD
  }

  // ---- atomic entries ----

  /** Call an entry on the interrupted stack. 0 when the domain is dead or dies of it. */
  enter(entry: (...args: number[]) => number | void, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
    if (this.dead) return 0
    // Every level is on the engine's own stack, which must never run out while the kernel is at work.
    if (this.depth >= DEPTH_MAX) {
      this.fail(new Failure('stack-overflow', `${DEPTH_MAX} entries nested in each other`))
      return 0
    }
    const outermost = this.depth === 0 && this.current === undefined
    if (outermost) {
      this.#useStackOf(undefined)
      this.#meter.begin()
    }
    const { processor } = this
    const below = processor.inner
    const room = this.room.enter(below?.room, !outermost)
    if (room < 0) {
      ;(below ?? this).fail(new Failure('stack-overflow', NO_ROOM))
      return 0
    }
    processor.inner = this
    const other = processor.billed !== this.partition
    const billed = other ? processor.bill(this.partition) : undefined
    this.depth++
    try {
      processor.clock.spend(processor.costs.atomicEntryNs)
      return (entry(a, b, c, d, e, f) as number | undefined) ?? 0
    } catch (error) {
      if (!this.dead) this.fail(error)
      return 0
    } finally {
      this.depth--
      processor.inner = below
      this.room.leave(room)
      if (outermost && !this.dead) this.#meter.account()
      if (other) processor.bill(billed)
    }
  }

  // ---- delivery and time: see delivery.ts and meter.ts ----

  get interrupts(): InterruptSet {
    return this.#delivery.interrupts
  }

  notify(number: number): void {
    if (!this.dead) this.#delivery.notify(number)
  }

  setTimer(ns: number): void {
    this.#delivery.setTimer(ns)
  }

  attend(): void {
    this.#delivery.attend()
  }

  account(): void {
    if (!this.dead) this.#meter.account()
  }

  /** What a call made the host do is the domain's work too: counted as `units` of its own. A failure when it was too much. */
  charge(units: number): void {
    if (!this.dead) this.#meter.charge(units)
  }

  /** The program's checks found one of its stacks used up: the engine's, or else its own in memory. */
  overflow(): never {
    const message = this.room.exhausted ? NO_ROOM : 'the C stack left its region'
    throw new Failure('stack-overflow', message)
  }

  spend(ns: number): void {
    this.#meter.spend(ns)
  }

  // ---- the end ----

  /** It failed: record how, and end it. Never throws: what goes wrong on the way is an accident of the kernel's. */
  fail(cause: unknown): void {
    if (this.dead) return
    const error = this.#inquest?.verdict ?? cause
    const fault = this.#described(error)
    this.fault = fault
    this.processor.log.text(this.processor.kinds.fault, this.id, `${fault.kind}: ${fault.message}`)
    this.processor.try('told of a failure', this, () => this.onFail?.(this, fault))
    this.end()
  }

  /** Whatever the names of lines are made of may be damaged: then the fault has none. */
  #described(error: unknown): DriverFault {
    const now = this.processor.clock.now()
    try {
      return describeFault(this.name, error, now, this.#program.symbolize)
    } catch (mishap) {
      this.processor.accident('naming the lines of a failure', this, mishap)
      return describeFault(this.name, error, now)
    }
  }

  /**
   * It hangs, and is as good as ended: every task that waits goes on, fails there, and tells where that was (`traces`). Returns the
   * fibers that are asked.
   */
  question(verdict: Failure): readonly Fiber[] {
    this.#inquest = { verdict, traces: [] }
    const fibers = [...this.fibers.values()].filter((fiber) => this.#askable(fiber))
    // Whoever was stopped in the middle of something is one of many now.
    for (const fiber of fibers) {
      fiber.condemned = verdict.message
      if (fiber.state === 'parked') fiber.disturb(ASKED)
    }
    return fibers
  }

  /** A task that has no frames, or that idles, has nothing to tell. */
  #askable(fiber: Fiber): boolean {
    return fiber !== this.#idling && (fiber.suspended || fiber.state === 'running')
  }

  /** What its fibers said when it was interrogated; none otherwise. */
  get traces(): readonly Trace[] {
    return this.#inquest?.traces ?? []
  }

  #testifies(fiber: Fiber, error: unknown): boolean {
    if (this.#inquest === undefined) return false
    const { frames, message } = this.#described(error)
    // A task's own name is its program's to say.
    this.#inquest.traces.push({ fiber: fiber.disturbed ? message : fiber.name, error, frames })
    return true
  }

  /** Stop it and take everything away. */
  end(): void {
    if (this.dead) return
    this.dead = true
    let revoked = 0
    this.processor.try('stopping delivery', this, () => this.#delivery.stop())
    this.processor.try('taking capabilities', this, () => void (revoked = this.capabilities.clear()))
    this.processor.log.note(this.processor.kinds.end, this.id, revoked, this.fibers.size)
    this.#last = [...this.fibers.values()]
    for (const fiber of this.#last) fiber.abandon(KILLED)
    // A fiber still on the engine's stack goes when it next returns to the kernel.
    for (const fiber of this.fibers.values()) if (fiber.done) this.fibers.delete(fiber.id)
    this.processor.forget(this)
    this.processor.try('told of an end', this, () => this.onEnd?.(this))
    this.processor.try('giving its memory back', this, () => this.onLeave?.())
  }

  /** It has ended, and no frame of its is left on any of the engine's stacks. */
  get quiet(): boolean {
    return this.dead && this.depth === 0 && this.current === undefined && this.fibers.size === 0
  }

  /** What is left of it; all zero once it has ended and its last frame has gone. */
  remains(): Remains {
    const left = {
      capabilities: this.capabilities.count,
      fibers: this.fibers.size,
      interrupts: this.interrupts.count,
      timers: this.#delivery.timers,
      queued: (this.awaited ? 1 : 0) + (this.dead && this.processor.lists(this) ? 1 : 0),
      waits: 0,
      callers: 0,
      endpoints: 0,
    }
    for (const fiber of new Set([...this.#last, ...this.fibers.values()])) {
      left.timers += fiber.deadline.armed ? 1 : 0
      left.queued += fiber.queuedAt < 0 ? 0 : 1
      const conversation = fiber.conversation
      if (conversation === undefined) continue
      left.waits += conversation.wait === 'nothing' ? 0 : 1
      left.callers += conversation.callers.length
      left.endpoints += conversation.serves.length
    }
    return left
  }
}

/** What must be left after an end. */
export const NOTHING: Remains = {
  capabilities: 0,
  fibers: 0,
  interrupts: 0,
  timers: 0,
  queued: 0,
  waits: 0,
  callers: 0,
  endpoints: 0,
}

/** Where a fiber of a domain that hangs was waiting. */
export interface Trace {
  readonly fiber: string
  readonly error: unknown
  readonly frames: readonly Frame[]
}

/** What a domain holds of the kernel's, counted. */
export interface Remains {
  readonly capabilities: number
  readonly fibers: number
  readonly interrupts: number
  /** Armed: its timer, its interrupt latency, its fibers' deadlines. */
  readonly timers: number
  /** Entries in the kernel's queues: ready fibers, deliveries, the list of domains itself. */
  readonly queued: number
  /** Waits of its fibers at endpoints and notifications. */
  readonly waits: number
  /** Others that wait for its reply. */
  readonly callers: number
  /** Endpoints that count on it as a server. */
  readonly endpoints: number
}
