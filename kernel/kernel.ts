/**
 * The kernel: one clock, one random source, one log, the domains, and the loop that runs them.
 *
 * One thing runs at a time. Fibers run until they block, or until somebody more urgent, or an equal whose turn it is,
 * takes their place; between fibers, due events fire and interrupts are delivered; when nobody can run, time jumps to
 * the next event. Events also fire at the running domain's own delivery points, so devices work while a driver
 * busy-waits. Nothing here knows what a domain's program is for.
 */
import { breath } from './breath.ts'
import { Domain, type Trace } from './domain.ts'
import { type Costs, DEFAULT_COSTS } from './costs.ts'
import type { DomainLimits, Program } from './program.ts'
import { Failure, TRACE_DEPTH } from './fault.ts'
import type { Fiber } from './fiber.ts'
import { Ipc } from './ipc.ts'
import { EventLog } from './log.ts'
import { Pacing } from './pace.ts'
import type { Attended, Entered, Processor } from './processor.ts'
import { Queue } from './queue.ts'
import { createRandom, type SeededRandom } from '../base/random.ts'
import { Outside } from './record.ts'
import { Partition, Scheduler } from './schedule.ts'
import { Clock, type ClockEvent } from './time.ts'

/** Why the loop returned: the condition held; nothing can ever happen again; the limit has passed. */
export type RunEnd = 'stopped' | 'idle' | 'limit'

/** Something went wrong in the kernel, or in somebody who listens to it, and nobody's stack was the place to say so. */
export interface Accident {
  readonly atNs: number
  /** What was being done. */
  readonly during: string
  /** For whom; empty for nobody. */
  readonly domain: string
  readonly message: string
}

/** Accidents kept; later ones are counted. */
const ACCIDENTS_KEPT = 64

/** Turns of the loop between two looks at the host's own event loop (signals, streams). */
const TURNS_PER_BREATH = 65536
/** A fiber that should go and does not (it holds a lock, or is where it does not count) is looked at this often. */
const INSIST_NS = 50_000

export class Kernel implements Processor {
  readonly seed: number
  readonly costs: Costs
  readonly random: SeededRandom
  readonly clock: Clock
  readonly log: EventLog
  readonly outside: Outside
  readonly pacing: Pacing
  readonly kinds: Readonly<Record<'interrupt' | 'timer' | 'run' | 'fault' | 'start' | 'end' | 'message', number>>
  readonly domains: Domain[] = []
  readonly scheduler = new Scheduler()
  /** Where a domain runs unless it is put elsewhere: it has what others leave. */
  readonly partition: Partition
  readonly ipc = new Ipc(this.scheduler)
  /** Where the machine is, for whoever watches from another thread: see the indexes at #tell. */
  vitals: Float64Array | undefined
  /** The domain whose atomic entry is on top of the engine's stack. */
  inner: Entered | undefined
  /** What went wrong on this side of the boundary, and how often. */
  readonly accidents: Accident[] = []
  accidentCount = 0
  /** Told of every domain that is made. */
  onDomain: ((domain: Domain) => void) | undefined
  /** When the running fiber is to be looked at: at the end of its turn, or soon after it should have gone. */
  turnUntil = 0.5
  #turnEnd = 0.5
  #current: Fiber | undefined
  /** Whose budget what runs is charged to, and since when. */
  #billed: Partition | undefined
  #billedFrom = 0.5
  /** Whom the loop is to switch to. */
  #chosen: Fiber | undefined
  /** A turn was made on top of a fiber that does not go on, and ended with this. */
  #made = false
  #end: RunEnd | undefined
  readonly #attention = new Queue<Attended>()
  readonly #tasks = new Queue<() => void>()
  #onSwitch: (() => void) | undefined
  /** Whether the run is to end: always, while there is none. */
  #stop: () => boolean = () => true
  #limit = Infinity
  #nextDomain = 1
  #turns = 0
  #running = false
  readonly #awaitSwitch = (resolve: () => void): void => {
    this.#onSwitch = resolve
  }

  constructor(seed: number, costs: Costs = DEFAULT_COSTS) {
    this.seed = seed
    this.costs = costs
    this.random = createRandom(seed)
    this.partition = this.scheduler.add(new Partition('rest', 0))
    this.clock = new Clock(this.random.fork())
    this.log = new EventLog(() => this.clock.now())
    const kind = (name: string): number => this.log.kind(name)
    this.kinds = {
      interrupt: kind('interrupt'),
      timer: kind('timer'),
      run: kind('run'),
      fault: kind('fault'),
      start: kind('start'),
      end: kind('end'),
      message: kind('message'),
    }
    this.outside = new Outside(this.clock, this.log)
    this.pacing = new Pacing(this)
    // Traces of failures must reach the entry; the engine keeps ten frames unless told.
    if (Error.stackTraceLimit < TRACE_DEPTH) Error.stackTraceLimit = TRACE_DEPTH
  }

  createDomain(name: string, program: Program, limits?: DomainLimits, partition = this.partition): Domain {
    const domain = new Domain(this, this.#nextDomain++, name, program, partition, limits)
    this.domains.push(domain)
    this.onDomain?.(domain)
    this.log.text(this.kinds.start, domain.id, name)
    return domain
  }

  // ---- accidents ----

  /**
   * Something threw that must not: it is written down, and everybody goes on. No exception of one domain's making reaches
   * another's stack, or the loop's.
   */
  accident(during: string, domain: Attended | undefined, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.accidentCount++
    if (this.accidents.length < ACCIDENTS_KEPT)
      this.accidents.push({ atNs: this.clock.now(), during, domain: domain?.name ?? '', message })
    this.log.text(this.kinds.fault, domain?.id ?? 0, `${during}: ${message}`)
  }

  /** Do what is done for or about a domain by somebody who does not know where it is called from. */
  try(during: string, domain: Attended | undefined, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.accident(during, domain, error)
    }
  }

  /** An event's own exception would unwind through whichever domain runs now. */
  #fire(event: ClockEvent): void {
    try {
      event.fire()
    } catch (error) {
      this.accident(event.name, undefined, error)
    }
  }

  // ---- for domains and fibers ----

  /** The fiber whose turn it is: running, or with an atomic entry on top. */
  get current(): Fiber | undefined {
    return this.#current
  }

  /** This fiber can run. Who runs now is made to look whether it must go. */
  ready(fiber: Fiber): void {
    this.scheduler.enqueue(fiber)
    const running = this.#current
    if (running === undefined) return
    if (fiber.effective > running.effective || fiber.partition !== running.partition) running.domain.hurry()
  }

  /** The running fiber stops, but could go on: behind its equals once its turn is over or given up, else before them. */
  requeue(fiber: Fiber, gaveUp: boolean): void {
    const left = gaveUp ? 0 : this.#turnEnd - this.clock.now()
    fiber.turnLeft = left > 0 ? left : this.costs.sliceNs
    if (left > 0) this.scheduler.enqueueFirst(fiber)
    else this.scheduler.enqueue(fiber)
  }

  /**
   * Whether the running fiber must give way: to the kernel's loop, or to a rival.
   */
  contended(): boolean {
    const fiber = this.#current
    if (fiber === undefined) return false
    const now = this.clock.now()
    const over = now >= this.#turnEnd
    this.#tell(1)
    if (now > this.#limit || this.#tasks.length > 0 || (over && this.#stop())) return true
    if (this.scheduler.ready === 0) return false
    this.bill(this.#billed)
    return this.scheduler.rival(fiber, now, over) !== undefined
  }

  /** The running fiber's turn may be over. */
  turnOver(now: number): void {
    if (now < this.turnUntil) return
    if (this.contended()) {
      this.#current!.domain.hurry()
      this.turnUntil = now + INSIST_NS
    } else {
      this.#turnEnd = now + this.costs.sliceNs
      this.turnUntil = Math.min(this.#turnEnd, this.#limit)
    }
  }

  /**
   * Charge the time since the last call, and what comes to `partition` (undefined: to nobody). Returns who was charged.
   * Who asks what budget is left charges first.
   */
  bill(partition: Partition | undefined): Partition | undefined {
    const before = this.#billed
    const now = this.clock.now()
    if (before !== undefined && now > this.#billedFrom) before.charge(now - this.#billedFrom, now)
    this.#billed = partition
    this.#billedFrom = now
    return before
  }

  get billed(): Partition | undefined {
    return this.#billed
  }

  /** A domain's tasks change places: the turn goes on. */
  relay(fiber: Fiber): void {
    this.log.note(this.kinds.run, fiber.domain.id, fiber.id)
    this.#current = fiber
  }

  reprioritize(fiber: Fiber, effective: number): void {
    this.scheduler.reprioritize(fiber, effective)
  }

  /** It will not run any more. */
  withdraw(fiber: Fiber): void {
    this.scheduler.remove(fiber)
  }

  /**
   * The running fiber suspended or ended: the next one goes on at once, without a turn of the loop, when that would do
   * nothing else.
   */
  switched(): void {
    this.#current = undefined
    if (!this.#made) {
      const next = this.#successor()
      if (next !== undefined) return this.#go(next)
      this.bill(undefined)
    }
    this.#onSwitch?.()
  }

  /**
   * The running fiber waits for whatever comes next, and is not suspended: turn after turn on top of it, as the loop would make
   * them, while nobody else has anything to do. True when it is the one that goes on; else it must be suspended.
   */
  lull(fiber: Fiber): boolean {
    this.#current = undefined
    this.bill(undefined)
    if (this.scheduler.ready > 0) return false
    // Where the host is to have its turn before: the one that goes on may be who waits here, again and again.
    while (this.#turns % TURNS_PER_BREATH !== 0 && !this.pacing.attentive && !this.outside.waiting) {
      const end = this.#make(this.#stop, this.#limit)
      if (end !== undefined || this.#chosen !== undefined || fiber.done) return this.#onTop(fiber, end)
    }
    return false
  }

  /**
   * The running fiber lets others go, and is not suspended: where it is to go only because something was posted, the loop's next turn
   * is made on top of it. True when it is the one that goes on; else it must be suspended.
   */
  giveWay(fiber: Fiber): boolean {
    if (!this.#busy() || this.pacing.attentive || this.outside.waiting) return false
    if (this.#turns % TURNS_PER_BREATH === 0) return false
    this.#current = undefined
    this.bill(undefined)
    return this.#onTop(fiber, this.#make(this.#stop, this.#limit))
  }

  /** A turn was made on top of a fiber: it goes on, or what the turn came to is the loop's, which makes no other in its place. */
  #onTop(fiber: Fiber, end: RunEnd | undefined): boolean {
    if (this.#chosen !== fiber) {
      this.#made = true
      this.#end = end
      return false
    }
    this.#chosen = undefined
    this.#begin(fiber)
    return true
  }

  /** This domain may have something to deliver. */
  attention(domain: Attended): void {
    if (domain.awaited) return
    domain.awaited = true
    this.#attention.push(domain)
  }

  get attentive(): boolean {
    return this.#attention.length > 0
  }

  /** Run `task` from the loop itself, when no domain is on the stack. */
  post(task: () => void): void {
    this.#tasks.push(task)
    this.#current?.domain.hurry()
  }

  /** A domain has ended. */
  forget(domain: Attended): void {
    const at = this.#place(domain)
    if (at >= 0) this.domains.splice(at, 1)
  }

  lists(domain: Attended): boolean {
    return this.#place(domain) >= 0
  }

  #place(domain: Attended): number {
    return (this.domains as readonly Attended[]).indexOf(domain)
  }

  /** Fire what is due and let those know for whom there is something. Also called from inside a domain's calls. */
  dispatch(): void {
    do {
      for (let event = this.clock.take(); event !== undefined; event = this.clock.take()) this.#fire(event)
      for (let domain = this.#attention.shift(); domain !== undefined; domain = this.#attention.shift()) {
        domain.awaited = false
        domain.attend()
      }
    } while (this.clock.due())
  }

  // ---- the loop ----

  /**
   * Run until `stop()` holds, but not past `limitNs` of virtual time: a fiber that works on is stopped at the end of its
   * turn, or when the limit has passed. One call at a time.
   */
  async run(stop: () => boolean, limitNs = Infinity): Promise<RunEnd> {
    if (this.#running) throw new Error('the machine is running already: wait for the operation that runs it')
    this.#running = true
    this.#stop = stop
    this.#limit = limitNs
    this.#tell(1)
    try {
      return await this.#loop(stop, limitNs)
    } finally {
      this.#running = false
      this.#tell(0)
    }
  }

  /** [turn, virtual ns, domain and fiber that ran last, events, in the loop] */
  #tell(running: number): void {
    const { vitals } = this
    if (vitals === undefined) return
    const fiber = this.#current
    vitals[0] = this.#turns
    vitals[1] = this.clock.now()
    if (fiber !== undefined) {
      vitals[2] = fiber.domain.id
      vitals[3] = fiber.id
    }
    vitals[4] = this.log.count
    vitals[5] = running
  }

  /** Turns that nothing is waited for in are made in one go; the others one by one. */
  async #loop(stop: () => boolean, limitNs: number): Promise<RunEnd> {
    for (;;) {
      const end = this.#made ? this.#taken() : this.#spin(stop, limitNs)
      if (end !== undefined) return end
      const fiber = this.#chosen
      this.#chosen = undefined
      if (fiber !== undefined) await this.#switchTo(fiber)
      else if (this.outside.waiting || this.pacing.attentive) {
        const slow = await this.#turn(stop, limitNs)
        if (slow !== undefined) return slow
      }
      if (this.#turns % TURNS_PER_BREATH === 0) await breath()
    }
  }

  /** Turn after turn, until it ends, a fiber is to go on (#chosen), or somebody is to be waited for. */
  #spin(stop: () => boolean, limitNs: number): RunEnd | undefined {
    while (!this.outside.waiting && !this.pacing.attentive) {
      const end = this.#make(stop, limitNs)
      if (end !== undefined || this.#chosen !== undefined) return end
      if (this.#turns % TURNS_PER_BREATH === 0) return undefined
    }
    return undefined
  }

  /** One turn: what it ends with, or who goes on (#chosen), or time has moved to what comes next. */
  #make(stop: () => boolean, limitNs: number): RunEnd | undefined {
    this.#turns++
    this.#work()
    if (stop()) return 'stopped'
    this.#tell(1)
    if (this.clock.now() > limitNs) return 'limit'
    this.#chosen = this.#pick()
    if (this.#chosen !== undefined || this.#busy()) return undefined
    return this.clock.advance(limitNs) ? undefined : this.#exhausted(limitNs)
  }

  /** What the turn ended with that was made on top of a fiber. */
  #taken(): RunEnd | undefined {
    this.#made = false
    return this.#end
  }

  /** One turn of a machine that something may come to from outside, or that keeps to the wall's time. */
  async #turn(stop: () => boolean, limitNs: number): Promise<RunEnd | undefined> {
    const turn = ++this.#turns
    if (this.outside.waiting) this.outside.take(turn)
    const { frozen } = this.pacing
    if (!frozen) this.#work()
    if (stop()) return 'stopped'
    this.#tell(frozen ? 0 : 1)
    if (frozen) {
      if (this.outside.replays && !this.outside.waiting) return 'idle'
      await this.pacing.stillness()
      return undefined
    }
    if (this.clock.now() > limitNs) return 'limit'
    if (this.pacing.pace !== undefined) await this.pacing.keepUp(turn)
    const fiber = this.#pick()
    if (fiber !== undefined) await this.#switchTo(fiber)
    else if (!this.#busy() && !this.outside.ahead(turn + 1)) {
      const next = Math.min(this.clock.next(), limitNs)
      if (this.pacing.pace !== undefined && next < Infinity && !(await this.pacing.until(next))) return undefined
      if (!this.clock.advance(limitNs)) return this.#exhausted(limitNs)
    }
    return undefined
  }

  /** Ask a domain that hangs where each of its fibers waits: for `limitNs` of virtual time at most. */
  async interrogate(domain: Domain, verdict: Failure, limitNs: number): Promise<readonly Trace[]> {
    const asked = domain.question(verdict)
    await this.run(() => domain.dead || asked.every(({ done }) => done), this.clock.now() + limitNs)
    return domain.traces
  }

  #exhausted(limitNs: number): RunEnd {
    // A turn that is no turn: what comes in before the next run came after this one ended, not while it waited.
    this.#turns++
    if (limitNs === Infinity) return 'idle'
    this.clock.reach(limitNs)
    return 'limit'
  }

  #busy(): boolean {
    return this.#attention.length > 0 || this.#tasks.length > 0
  }

  #work(): void {
    this.dispatch()
    // Only what was posted before: a task that posts another must not keep the fibers waiting.
    for (let count = this.#tasks.length; count > 0; count--) this.try('a task', undefined, this.#tasks.shift()!)
  }

  #pick(): Fiber | undefined {
    // Budgets are looked at.
    this.bill(this.#billed)
    return this.scheduler.take(this.clock.now()) as Fiber | undefined
  }

  /**
   * Who goes on in this very turn's place: somebody who only needs to be resumed, while nothing is due, nothing waits to
   * be delivered and nobody looks. It is counted as a turn, since the loop would have made one.
   */
  #successor(): Fiber | undefined {
    if (this.pacing.attentive || this.outside.waiting || this.clock.due() || this.#busy()) return undefined
    if (this.clock.now() > this.#limit || this.#turns % TURNS_PER_BREATH === 0 || this.#stop()) return undefined
    const next = this.#pick()
    if (next === undefined) return undefined
    if (next.suspended) {
      this.#turns++
      return next
    }
    // Its first frame must not lie on this one's stack.
    this.scheduler.enqueueFirst(next)
    return undefined
  }

  async #switchTo(fiber: Fiber): Promise<void> {
    const switched = new Promise<void>(this.#awaitSwitch)
    this.#go(fiber)
    await switched
  }

  #go(fiber: Fiber): void {
    this.#begin(fiber)
    fiber.domain.resume(fiber)
  }

  /** Its turn begins. */
  #begin(fiber: Fiber): void {
    this.log.note(this.kinds.run, fiber.domain.id, fiber.id)
    this.#current = fiber
    const now = this.clock.now()
    this.#turnEnd = now + fiber.turnLeft
    this.turnUntil = Math.min(this.#turnEnd, this.#limit)
    if (fiber.partition !== this.#billed) this.bill(fiber.partition)
    this.#tell(1)
  }
}
