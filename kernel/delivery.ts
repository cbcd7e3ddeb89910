/**
 * Delivery to a domain: when its interrupt, timer and softirq entries are called.
 *
 * They are called at delivery points only, nested on what they interrupt: hard entries (interrupt, timer) one at a time
 * and not while the program holds interrupts off; the softirq entry after them, one at a time as well. What is held back
 * sets the program's `pending` word, and the program asks for it when it turns interrupts on.
 */
import { Failure } from './fault.ts'
import { InterruptSet } from './interrupts.ts'
import type { Attended, Deliveries } from './processor.ts'
import type { Program } from './program.ts'
import type { Partition } from './schedule.ts'
import type { ClockEvent } from './time.ts'

/** Deliveries in a row that leave an interrupt asserted, before its driver is taken to have failed. */
const STORM = 100_000
/** A timer armed for less than this ahead is armed for now. */
const NO_LATER_NS = 500
/** Softirq rounds before other work gets a turn. */
const SOFTIRQ_ROUNDS = 8
/** Such rounds without a pause: more than a saturated link makes of them in seconds. */
const SOFTIRQ_STORM = 250_000

/** To whom it is delivered. */
export interface Receiver extends Attended {
  readonly partition: Partition
  readonly slackNs: number
  readonly dead: boolean
  /** Call an entry on the interrupted stack. */
  enter(entry: (...args: number[]) => number | void, a?: number): number
  fail(cause: unknown): void
  /** There is something to take, for a program that looks for itself. */
  rouse(): void
}

export class Delivery {
  readonly interrupts = new InterruptSet()
  readonly #domain: Receiver
  readonly #processor: Deliveries
  readonly #program: Program
  readonly #words: Int32Array
  readonly #timer: ClockEvent
  readonly #latency: ClockEvent
  #timerDue = false
  /** When the timer was last armed for, and how often in a row its entry armed it for no later than now. */
  #timerAt = Infinity
  #overdue = 0
  #softirqWanted = false
  /** Rounds since the softirq last did not ask for itself. */
  #unbroken = 0
  #inHard = false
  #inSoft = false
  readonly #raised: number[] = []

  constructor(domain: Receiver, processor: Deliveries, program: Program, words: Int32Array) {
    const { name } = domain
    this.#domain = domain
    this.#processor = processor
    this.#program = program
    this.#words = words
    this.#timer = processor.clock.event(`${name}: timer`, () => {
      this.#timerDue = true
      processor.attention(domain)
    })
    this.#latency = processor.clock.event(`${name}: interrupt`, () => {
      this.interrupts.arrive()
      processor.attention(domain)
    })
  }

  /** The controller has an interrupt for us: it arrives after the interrupt latency. */
  notify(number: number): void {
    if (!this.interrupts.notify(number) || this.#latency.armed) return
    const { interruptLatencyNs, interruptJitterNs } = this.#processor.costs
    this.#latency.armIn(interruptLatencyNs + this.#processor.random.below(interruptJitterNs))
  }

  /** Ask for the softirq entry. */
  kick(): void {
    this.#softirqWanted = true
    this.#processor.attention(this.#domain)
  }

  setTimer(ns: number): void {
    this.#timerDue = false
    this.#timerAt = ns
    if (ns === Infinity) this.#timer.disarm()
    else this.#timer.armWithin(ns, this.#domain.slackNs)
  }

  /** Interrupts are on again: deliver what was held back. */
  deliver(): void {
    this.#words[this.#program.pending >> 2] = 0
    this.attend()
  }

  /** Deliver what may be delivered here and now. */
  attend(): void {
    if (this.#program.polls) return this.#announce()
    for (let round = 0; !this.#domain.dead;) {
      if (this.#words[this.#program.irqsOff >> 2] !== 0) return this.#hold()
      if (this.#processor.overdrawn(this.#domain.partition)) return this.#defer()
      if (this.#hard()) continue
      if (!this.#softirqWanted || this.#inSoft || this.#inHard) {
        if (!this.#softirqWanted) this.#unbroken = 0
        return
      }
      if (round++ === SOFTIRQ_ROUNDS) return this.#again()
      this.#softirqWanted = false
      this.#inSoft = true
      this.#processor.log.note(this.#processor.kinds.softirq, this.#domain.id)
      this.#domain.enter(this.#program.softirq)
      this.#inSoft = false
    }
  }

  /** The softirq still asks for itself: after others had their turn, if it ever stops. */
  #again(): void {
    if (++this.#unbroken <= SOFTIRQ_STORM) return this.#processor.later(this.#domain)
    const message = `the softirq asked for itself ${SOFTIRQ_STORM * SOFTIRQ_ROUNDS} times without a pause`
    this.#domain.fail(new Failure('endless-loop', message))
  }

  /** Others come first: only what there is to deliver waits. */
  #defer(): void {
    if (this.#timerDue || this.#softirqWanted || this.interrupts.pending) this.#processor.later(this.#domain)
  }

  #hold(): void {
    if (this.#timerDue || this.#softirqWanted || this.interrupts.pending) this.#words[this.#program.pending >> 2] = 1
  }

  /** One interrupt or timer entry; false when there is nothing to do or one is being handled already. */
  #hard(): boolean {
    if (this.#inHard) return false
    const number = this.interrupts.begin()
    if (number < 0 && !this.#timerDue) return false
    this.#inHard = true
    if (number >= 0) this.#interrupt(number)
    else {
      this.#timerDue = false
      this.#processor.log.note(this.#processor.kinds.timer, this.#domain.id)
      this.#timerAt = Infinity
      this.#domain.enter(this.#program.timer)
      this.#rearmed(this.#timerAt)
    }
    this.#inHard = false
    return true
  }

  /** The timer entry armed the timer anew, for `ns`: in the past again and again, time would never leave this instant. */
  #rearmed(ns: number): void {
    this.#overdue = ns < this.#processor.clock.now() + NO_LATER_NS ? this.#overdue + 1 : 0
    if (this.#overdue <= STORM || this.#domain.dead) return
    this.#domain.fail(new Failure('endless-loop', `the timer was armed ${STORM} times in a row for no later than now`))
  }

  #interrupt(number: number): void {
    this.#processor.log.note(this.#processor.kinds.interrupt, this.#domain.id, number)
    this.#domain.enter(this.#program.interrupt, number)
    if (this.interrupts.end(number) > STORM) {
      this.#domain.fail(new Failure('endless-loop', `interrupt ${number} stays asserted after ${STORM} deliveries`))
    }
  }

  // ---- for a program that looks for itself ----

  /** Something that is no interrupt of a device's is to be taken: a number the program knows. */
  raise(number: number): void {
    if (!this.#raised.includes(number)) this.#raised.push(number)
    this.#processor.attention(this.#domain)
  }

  /** Time to the deadline that is armed, ns. */
  get timerInNs(): number {
    return this.#timer.armed ? this.#timerAt - this.#processor.clock.now() : Infinity
  }

  /** There is something to take. */
  get waiting(): boolean {
    return this.#timerDue || this.#raised.length > 0 || this.interrupts.pending
  }

  #announce(): void {
    if (this.#domain.dead || !this.waiting) return
    this.#words[this.#program.pending >> 2] = 1
    this.#domain.rouse()
  }

  /** The next thing to handle: an interrupt, `timer` when the deadline passed, what was raised; -1 for nothing. */
  take(timer: number): number {
    const number = this.interrupts.begin()
    if (number >= 0) {
      this.#processor.log.note(this.#processor.kinds.interrupt, this.#domain.id, number)
      return number
    }
    if (this.#timerDue) {
      this.#timerDue = false
      this.#processor.log.note(this.#processor.kinds.timer, this.#domain.id)
      return timer
    }
    return this.#raised.shift() ?? -1
  }

  /** What was taken has been handled. */
  done(number: number): void {
    if (this.interrupts.end(number) > STORM)
      throw new Failure('endless-loop', `interrupt ${number} stays asserted after ${STORM} deliveries`)
  }

  /** Armed timers, for leak checks. */
  get timers(): number {
    return (this.#timer.armed ? 1 : 0) + (this.#latency.armed ? 1 : 0)
  }

  stop(): void {
    this.#timer.disarm()
    this.#latency.disarm()
    this.interrupts.clear()
  }
}
