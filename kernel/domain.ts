/**
 * A domain: one program in its own memory, with its capabilities, fibers and interrupts.
 *
 * Two ways in: an *atomic* entry is a plain call, nested on whatever C stack it interrupts, that must not block; a
 * *process* entry runs on a fiber. Whatever leaves the program as an exception ends the domain, and only it. What the
 * program's calls do is not known here: the machine provides them.
 */
import { CapabilitySpace } from './capability.ts'
import { type DriverFault, describeFault, Failure, KILLED, type Symbolizer } from './fault.ts'
import { Fiber, type ProcessEntry, type StackRegion } from './fiber.ts'
import { InterruptSet } from './interrupts.ts'
import type { Kernel } from './kernel.ts'
import type { ClockEvent } from './time.ts'

/** What the kernel needs of a program. Addresses are byte offsets in its memory. */
export interface Program {
  readonly memory: WebAssembly.Memory
  readonly stackPointer: WebAssembly.Global
  /** Present when the program checks its stack. */
  readonly stackLimit: WebAssembly.Global | undefined
  /** Present when the program counts its work. */
  readonly fuel: WebAssembly.Global | undefined
  /** Word that is non-zero while the program holds interrupts off. */
  readonly irqsOff: number
  /** Word the kernel sets when it held a delivery back. */
  readonly pending: number
  /** Where the tick count (64 bits) is kept current; 0 for a program that has none. */
  readonly tick: number
  /** ns of one tick. */
  readonly tickNs: number
  interrupt(number: number): void
  timer(): void
  softirq(): void
  /** Memory for a fiber's stack; 0 when there is none. */
  allocate(bytes: number): number
  release(address: number): void
  readonly symbolize?: Symbolizer
}

export interface DomainLimits {
  readonly fibers: number
  readonly stackBytes: number
  /** Longest uninterrupted run of one entry, in counted work: units. */
  readonly fuel: number
  /** and in virtual time: ns. */
  readonly busyNs: number
}

export const DEFAULT_LIMITS: DomainLimits = { fibers: 256, stackBytes: 32768, fuel: 200_000_000, busyNs: 10e9 }

/** Work between two calls of `preempt`. */
const FUEL_SLICE = 20_000
const FUEL_NS = 5
const ATOMIC_ENTRY_NS = 100
const INTERRUPT_LATENCY_NS = 500
const INTERRUPT_JITTER_NS = 256
/** Deliveries in a row that leave an interrupt asserted, before its driver is taken to have failed. */
const STORM = 100_000
/** Softirq rounds before other work gets a turn. */
const SOFTIRQ_ROUNDS = 8
/** Bytes below a stack's limit that belong to it but must not be used. */
const GUARD = 256

export class Domain {
  readonly kernel: Kernel
  readonly id: number
  readonly name: string
  readonly limits: DomainLimits
  readonly capabilities: CapabilitySpace
  readonly interrupts = new InterruptSet()
  readonly fibers = new Map<number, Fiber>()
  /** The fiber whose frames are on the engine's stack: running, or interrupted by an atomic entry. */
  current: Fiber | undefined
  /** Atomic entries on the stack. */
  depth = 0
  dead = false
  fault: DriverFault | undefined
  /** Called once, when it has ended. */
  onEnd: ((domain: Domain) => void) | undefined
  readonly #words: Int32Array
  readonly #program: Program
  readonly #stacks: StackRegion[]
  readonly #ownStacks: number[] = []
  readonly #idle: StackRegion
  readonly #timer: ClockEvent
  readonly #latency: ClockEvent
  #timerDue = false
  #softirqWanted = false
  #inHard = false
  #inSoft = false
  #nextFiber = 1
  #fuelSeen = FUEL_SLICE
  #fuelUsed = 0
  #busySince = 0.5
  /** When the tick count is next out of date. */
  #tickUntil = 0.5

  constructor(kernel: Kernel, id: number, name: string, program: Program, limits: DomainLimits = DEFAULT_LIMITS) {
    this.kernel = kernel
    this.id = id
    this.name = name
    this.limits = limits
    this.capabilities = new CapabilitySpace(name)
    this.#program = program
    this.#words = new Int32Array(program.memory.buffer)
    // The module's own stack serves two: atomic entries that interrupt nothing, and the first fiber, which starts
    // before the program can allocate.
    const top = program.stackPointer.value as number
    const split = (top >> 4) * 6
    this.#idle = { base: 0, top: split }
    this.#stacks = [{ base: split, top }]
    this.#timer = kernel.clock.event(`${name}: timer`, () => {
      this.#timerDue = true
      kernel.attention(this)
    })
    this.#latency = kernel.clock.event(`${name}: interrupt`, () => {
      this.interrupts.arrive()
      kernel.attention(this)
    })
    this.#useStack(this.#idle, this.#idle.top)
    if (program.fuel !== undefined) program.fuel.value = FUEL_SLICE
  }

  // ---- fibers ----

  /** Start a process entry on a new fiber. Undefined when the quota or memory is used up. */
  start(name: string, entry: ProcessEntry, args: readonly number[] = [], priority = 0): Fiber | undefined {
    if (this.dead || this.fibers.size >= this.limits.fibers) return undefined
    const stack = this.#takeStack()
    if (stack === undefined) return undefined
    const fiber = new Fiber(this, this.#nextFiber++, name, stack, () => entry(...args), priority)
    this.fibers.set(fiber.id, fiber)
    this.kernel.enqueue(fiber)
    return fiber
  }

  /** From the run loop: let a fiber of this domain run. */
  resume(fiber: Fiber): void {
    this.current = fiber
    this.#useStack(fiber.stack, fiber.stackPointer)
    this.#beginRun()
    fiber.go()
  }

  /** The blocking call: suspend the current fiber until woken (0) or until `deadline` ns (1). */
  block(deadline: number): number | Promise<number> {
    const fiber = this.#mayBlock('block')
    if (fiber.condemned !== undefined) throw new Failure('hang', fiber.condemned)
    if (fiber.wakePending) {
      fiber.wakePending = false
      return 0
    }
    if (deadline <= this.kernel.clock.now()) return 1
    if (deadline !== Infinity) fiber.deadline.armAt(deadline)
    return this.#leave(fiber, 'blocked')
  }

  /** Let others run. */
  yield(): Promise<number> {
    const fiber = this.#mayBlock('yield')
    const promise = this.#leave(fiber, 'ready')
    this.kernel.enqueue(fiber)
    return promise
  }

  wake(id: number): void {
    const fiber = this.fibers.get(id)
    if (fiber === undefined) return
    if (fiber.state === 'blocked') fiber.makeReady(0)
    else fiber.wakePending = true
  }

  #mayBlock(what: string): Fiber {
    if (this.depth > 0 || this.current === undefined) {
      throw new Failure('sleep-in-atomic', `${what} called in an interrupt, softirq, timer or transmit entry`)
    }
    this.account()
    return this.current
  }

  #leave(fiber: Fiber, state: 'blocked' | 'ready'): Promise<number> {
    fiber.stackPointer = this.#program.stackPointer.value as number
    this.current = undefined
    this.#useStack(this.#idle, this.#idle.top)
    this.kernel.switched()
    return fiber.suspend(state)
  }

  /** A fiber has ended, with `error` if it failed. Called by Fiber. */
  fiberEnded(fiber: Fiber, error: unknown): void {
    if (this.current === fiber) this.current = undefined
    this.fibers.delete(fiber.id)
    if (!this.dead) {
      this.account()
      this.#stacks.push(fiber.stack)
      this.#useStack(this.#idle, this.#idle.top)
      if (error !== undefined) this.fail(error)
    }
    this.kernel.switched()
  }

  #takeStack(): StackRegion | undefined {
    const pooled = this.#stacks.pop()
    if (pooled !== undefined) return pooled
    const bytes = this.limits.stackBytes
    const base = this.enter(this.#program.allocate, bytes) >>> 0
    if (base === 0 || this.dead) return undefined
    this.#ownStacks.push(base)
    return { base, top: (base + bytes) & ~15 }
  }

  /** Give the program its stack memory back; no fiber may exist. */
  releaseStacks(): void {
    for (const base of this.#ownStacks.splice(0)) this.enter(this.#program.release, base)
    this.#stacks.length = 1
  }

  #useStack(stack: StackRegion, pointer: number): void {
    this.#program.stackPointer.value = pointer
    if (this.#program.stackLimit !== undefined) this.#program.stackLimit.value = stack.base + GUARD
  }

  // ---- atomic entries ----

  /** Call an entry on the interrupted stack. 0 when the domain is dead or dies of it. */
  enter(entry: (a: number, b: number, c: number) => number | void, a = 0, b = 0, c = 0): number {
    if (this.dead) return 0
    const outermost = this.depth === 0 && this.current === undefined
    if (outermost) this.#beginRun()
    this.depth++
    try {
      this.kernel.clock.spend(ATOMIC_ENTRY_NS)
      return (entry(a, b, c) as number | undefined) ?? 0
    } catch (error) {
      if (!this.dead) this.fail(error)
      return 0
    } finally {
      this.depth--
      if (outermost && !this.dead) this.account()
    }
  }

  /** The controller has an interrupt for us: it arrives after the interrupt latency. */
  notify(number: number): void {
    if (this.dead || !this.interrupts.notify(number) || this.#latency.armed) return
    this.#latency.armIn(INTERRUPT_LATENCY_NS + this.kernel.random.below(INTERRUPT_JITTER_NS))
  }

  /** Ask for the softirq entry. */
  kick(): void {
    this.#softirqWanted = true
    this.kernel.attention(this)
  }

  setTimer(ns: number): void {
    this.#timerDue = false
    if (ns === Infinity) this.#timer.disarm()
    else this.#timer.armAt(ns)
  }

  get timerArmed(): boolean {
    return this.#timer.armed
  }

  /** Interrupts are on again: deliver what was held back. */
  deliver(): void {
    this.#words[this.#program.pending >> 2] = 0
    this.attend()
  }

  /** Deliver what may be delivered here and now. */
  attend(): void {
    for (let round = 0; !this.dead;) {
      if (this.#words[this.#program.irqsOff >> 2] !== 0) {
        if (this.#timerDue || this.#softirqWanted || this.interrupts.pending)
          this.#words[this.#program.pending >> 2] = 1
        return
      }
      if (this.#hard()) continue
      if (!this.#softirqWanted || this.#inSoft || this.#inHard) return
      if (round++ === SOFTIRQ_ROUNDS) return this.kernel.later(this)
      this.#softirqWanted = false
      this.#inSoft = true
      this.kernel.log.note(this.kernel.kinds.softirq, this.id)
      this.enter(this.#program.softirq)
      this.#inSoft = false
    }
  }

  /** One interrupt or timer entry; false when there is nothing to do or one is being handled already. */
  #hard(): boolean {
    if (this.#inHard) return false
    const number = this.interrupts.begin()
    if (number < 0 && !this.#timerDue) return false
    this.#inHard = true
    if (number >= 0) {
      this.kernel.log.note(this.kernel.kinds.interrupt, this.id, number)
      this.enter(this.#program.interrupt, number)
      if (this.interrupts.end(number) > STORM) {
        this.fail(new Failure('endless-loop', `interrupt ${number} stays asserted after ${STORM} deliveries`))
      }
    } else {
      this.#timerDue = false
      this.kernel.log.note(this.kernel.kinds.timer, this.id)
      this.enter(this.#program.timer)
    }
    this.#inHard = false
    return true
  }

  // ---- work and time ----

  #beginRun(): void {
    const now = this.kernel.clock.now()
    this.#busySince = now
    this.#fuelUsed = 0
    if (now >= this.#tickUntil) this.#ticked(now)
  }

  /** Bring the program's tick count up to date. */
  #ticked(now: number): void {
    const { tick, tickNs } = this.#program
    const count = Math.floor(now / tickNs)
    this.#tickUntil = (count + 1) * tickNs
    if (tick === 0) return
    this.#words[tick >> 2] = count | 0
    this.#words[(tick >> 2) + 1] = Math.floor(count / 0x1_0000_0000)
  }

  /** Charge the work counted since last time to the clock. */
  account(): void {
    const { fuel } = this.#program
    if (fuel === undefined) return
    const left = fuel.value as number
    const used = this.#fuelSeen - left
    this.#fuelSeen = left
    this.#fuelUsed += used
    this.kernel.clock.spend(used * FUEL_NS)
  }

  /** The work counter ran out. */
  preempt(): void {
    this.account()
    this.#program.fuel!.value = FUEL_SLICE
    this.#fuelSeen = FUEL_SLICE
    if (this.#fuelUsed > this.limits.fuel) {
      throw new Failure('endless-loop', `${this.#fuelUsed} loop turns and calls without blocking or returning`)
    }
    this.spend(0)
  }

  /** A point where time passes, events fire and interrupts may arrive. */
  spend(ns: number): void {
    const { clock } = this.kernel
    if (clock.spend(ns) || this.kernel.attentive) this.kernel.dispatch()
    if (this.dead) throw KILLED
    const now = clock.now()
    if (now >= this.#tickUntil) this.#ticked(now)
    if (now - this.#busySince > this.limits.busyNs) {
      throw new Failure('endless-loop', `busy for ${this.limits.busyNs / 1e9} s without blocking or returning`)
    }
  }

  // ---- the end ----

  /** It failed: record how, and end it. */
  fail(error: unknown): void {
    if (this.dead) return
    this.fault = describeFault(this.name, error, this.kernel.clock.now(), this.#program.symbolize)
    this.kernel.log.text(this.kernel.kinds.fault, this.id, `${this.fault.kind}: ${this.fault.message}`)
    this.end()
  }

  /** Stop it and take everything away. */
  end(): void {
    if (this.dead) return
    this.dead = true
    this.#timer.disarm()
    this.#latency.disarm()
    this.interrupts.clear()
    const revoked = this.capabilities.clear()
    this.kernel.log.note(this.kernel.kinds.end, this.id, revoked, this.fibers.size)
    for (const fiber of this.fibers.values()) fiber.abandon(KILLED)
    // A fiber still on the engine's stack goes when it next returns to the kernel.
    for (const fiber of this.fibers.values()) if (fiber.done) this.fibers.delete(fiber.id)
    this.kernel.forget(this)
    this.onEnd?.(this)
  }

  /** What is left of it; all zero once it has ended and its last frame has gone. */
  remains(): { capabilities: number; fibers: number; interrupts: number; timers: number } {
    return {
      capabilities: this.capabilities.count,
      fibers: this.fibers.size,
      interrupts: this.interrupts.count,
      timers: (this.#timer.armed ? 1 : 0) + (this.#latency.armed ? 1 : 0),
    }
  }
}
