/**
 * The kernel: one clock, one random source, one log, the domains, and the loop that runs them.
 *
 * One thing runs at a time. Fibers run until they block; between fibers, due events fire and interrupts are delivered;
 * when nobody can run, time jumps to the next event. Events also fire at the running domain's own delivery points, so
 * devices work while a driver busy-waits. Nothing here knows what a domain's program is for.
 */
import { Domain } from './domain.ts'
import type { DomainLimits, Program } from './program.ts'
import { Failure, TRACE_DEPTH } from './fault.ts'
import type { Fiber } from './fiber.ts'
import { Ipc } from './ipc.ts'
import { EventLog } from './log.ts'
import { Queue } from './queue.ts'
import { createRandom, type SeededRandom } from './random.ts'
import { Outside } from './record.ts'
import { Partition, Scheduler } from './schedule.ts'
import { Clock } from './time.ts'

/** Why the loop returned: the condition held; nothing can ever happen again; the limit has passed. */
export type RunEnd = 'stopped' | 'idle' | 'limit'

/** Turns of the loop between two looks at the host's own event loop (signals, streams). */
const TURNS_PER_BREATH = 65536

export class Kernel {
  readonly seed: number
  readonly random: SeededRandom
  readonly clock: Clock
  readonly log: EventLog
  readonly outside: Outside
  readonly kinds: Readonly<
    Record<'interrupt' | 'softirq' | 'timer' | 'run' | 'fault' | 'start' | 'end' | 'message', number>
  >
  readonly domains: Domain[] = []
  readonly scheduler = new Scheduler()
  /** Where a domain runs unless it is put elsewhere: it has what others leave. */
  readonly partition: Partition
  readonly ipc = new Ipc(this.scheduler)
  /** Runs next if nobody is more urgent, without passing through a queue. */
  #direct: Fiber | undefined
  readonly #attention = new Queue<Domain>()
  readonly #later = new Queue<Domain>()
  readonly #tasks = new Queue<() => void>()
  #onSwitch: (() => void) | undefined
  #nextDomain = 1
  #turns = 0
  #running = false
  readonly #awaitSwitch = (resolve: () => void): void => {
    this.#onSwitch = resolve
  }

  constructor(seed: number) {
    this.seed = seed
    this.random = createRandom(seed)
    this.partition = this.scheduler.add(new Partition('rest', 0))
    this.clock = new Clock(this.random.fork())
    this.log = new EventLog(() => this.clock.now())
    const kind = (name: string): number => this.log.kind(name)
    this.kinds = {
      interrupt: kind('interrupt'),
      softirq: kind('softirq'),
      timer: kind('timer'),
      run: kind('run'),
      fault: kind('fault'),
      start: kind('start'),
      end: kind('end'),
      message: kind('message'),
    }
    this.outside = new Outside(this.clock, this.log)
    // Traces of failures must reach the entry; the engine keeps ten frames unless told.
    if (Error.stackTraceLimit < TRACE_DEPTH) Error.stackTraceLimit = TRACE_DEPTH
  }

  createDomain(name: string, program: Program, limits?: DomainLimits, partition?: Partition): Domain {
    const domain = new Domain(this, this.#nextDomain++, name, program, limits, partition)
    this.domains.push(domain)
    this.log.text(this.kinds.start, domain.id, name)
    return domain
  }

  // ---- for domains and fibers ----

  /** A message was given to this fiber: it goes on in the sender's place. */
  handOver(fiber: Fiber): void {
    if (this.#direct === undefined) this.#direct = fiber
    else this.scheduler.enqueue(fiber)
  }

  /** It will not run any more. */
  withdraw(fiber: Fiber): void {
    this.scheduler.remove(fiber)
    if (this.#direct === fiber) this.#direct = undefined
  }

  /** The running fiber suspended or ended. */
  switched(): void {
    const resolve = this.#onSwitch
    this.#onSwitch = undefined
    resolve?.()
  }

  /** This domain may have something to deliver. */
  attention(domain: Domain): void {
    if (domain.awaited) return
    domain.awaited = true
    this.#attention.push(domain)
  }

  get attentive(): boolean {
    return this.#attention.length > 0
  }

  /** The same, but only after others had a turn. */
  later(domain: Domain): void {
    this.#later.push(domain)
  }

  /** Run `task` from the loop itself, when no domain is on the stack. */
  post(task: () => void): void {
    this.#tasks.push(task)
  }

  /** A domain has ended. */
  forget(domain: Domain): void {
    const at = this.domains.indexOf(domain)
    if (at >= 0) this.domains.splice(at, 1)
  }

  /** Fire what is due and deliver what it causes. Also called from inside a domain's calls. */
  dispatch(): void {
    do {
      for (let event = this.clock.take(); event !== undefined; event = this.clock.take()) event.fire()
      for (let domain = this.#attention.shift(); domain !== undefined; domain = this.#attention.shift()) {
        domain.awaited = false
        domain.attend()
      }
    } while (this.clock.due())
  }

  // ---- the loop ----

  /** Run until `stop()` holds, but not past `limitNs` of virtual time. One call at a time. */
  async run(stop: () => boolean, limitNs = Infinity): Promise<RunEnd> {
    if (this.#running) throw new Error('the machine is running already: wait for the operation that runs it')
    this.#running = true
    try {
      return await this.#loop(stop, limitNs)
    } finally {
      this.#running = false
    }
  }

  async #loop(stop: () => boolean, limitNs: number): Promise<RunEnd> {
    for (;;) {
      const turn = ++this.#turns
      if (this.outside.waiting) this.outside.take(turn)
      this.#work()
      if (stop()) return 'stopped'
      const fiber = this.#pick()
      if (fiber !== undefined) await this.#switchTo(fiber)
      else if (!this.#busy() && !this.outside.ahead(turn + 1) && !this.clock.advance(limitNs))
        return this.#exhausted(limitNs)
      if (turn % TURNS_PER_BREATH === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /**
   * Run until a fiber is done. One that is not by `limitNs` from now, or that nothing can wake any more, hangs: it is
   * failed where it waits, and its domain with it.
   */
  async complete(fiber: Fiber, limitNs: number): Promise<number | undefined> {
    const end = await this.run(() => fiber.done, this.clock.now() + limitNs)
    if (end !== 'stopped') await this.#unhang(fiber, limitNs)
    return fiber.result
  }

  async #unhang(fiber: Fiber, limitNs: number): Promise<void> {
    const message = `${fiber.name} has not returned after ${limitNs / 1e9} s`
    fiber.condemned = message
    // Woken, it finds that it must wait again, and fails there: the trace then shows what it waits for.
    fiber.domain.wake(fiber.id)
    await this.run(() => fiber.done, this.clock.now() + 1e9)
    if (!fiber.done) {
      fiber.domain.fail(new Failure('hang', message))
      await this.run(() => fiber.done, this.clock.now() + 1e9)
    }
  }

  #exhausted(limitNs: number): RunEnd {
    // A turn that is no turn: what comes in before the next run came after this one ended, not while it waited.
    this.#turns++
    if (limitNs === Infinity) return 'idle'
    this.clock.reach(limitNs)
    return 'limit'
  }

  #busy(): boolean {
    return this.#attention.length > 0 || this.#later.length > 0 || this.#tasks.length > 0
  }

  #work(): void {
    for (let domain = this.#later.shift(); domain !== undefined; domain = this.#later.shift()) this.attention(domain)
    this.dispatch()
    // Only what was posted before: a task that posts another must not keep the fibers waiting.
    for (let count = this.#tasks.length; count > 0; count--) this.#tasks.shift()!()
  }

  /** The next fiber: the one a message was handed to, unless somebody more urgent is ready. */
  #pick(): Fiber | undefined {
    const direct = this.#direct
    const now = this.clock.now()
    this.#direct = undefined
    if (direct !== undefined) {
      if (!this.scheduler.shouldPreempt(direct, now)) return direct
      this.scheduler.enqueue(direct)
    }
    return this.scheduler.take(now) as Fiber | undefined
  }

  async #switchTo(fiber: Fiber): Promise<void> {
    this.log.note(this.kinds.run, fiber.domain.id, fiber.id)
    const from = this.clock.now()
    const switched = new Promise<void>(this.#awaitSwitch)
    fiber.domain.resume(fiber)
    await switched
    const now = this.clock.now()
    fiber.partition.charge(now - from, now)
  }
}
