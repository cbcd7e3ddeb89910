/**
 * Delivery to a domain: what there is for it to take, and that it hears of it.
 *
 * The program looks by itself: its `pending` word is set, whoever idles in it is roused, and it takes interrupts, its timer and what
 * was raised one by one. Nobody calls into it from here.
 */
import { Failure } from './fault.ts'
import { InterruptSet } from './interrupts.ts'
import type { Attended, Deliveries } from './processor.ts'
import type { Program } from './program.ts'
import type { ClockEvent } from './time.ts'

/** Deliveries in a row that leave an interrupt asserted, before its driver is taken to have failed. */
const STORM = 100_000

/** To whom it is delivered. */
export interface Receiver extends Attended {
  readonly slackNs: number
  readonly dead: boolean
  /** There is something to take. */
  rouse(): void
}

export class Delivery {
  readonly interrupts = new InterruptSet()
  readonly #domain: Receiver
  readonly #processor: Deliveries
  readonly #pending: number
  readonly #words: Int32Array
  readonly #timer: ClockEvent
  readonly #latency: ClockEvent
  #timerDue = false
  #timerAt = Infinity
  readonly #raised: number[] = []

  constructor(domain: Receiver, processor: Deliveries, program: Program, words: Int32Array) {
    const { name } = domain
    this.#domain = domain
    this.#processor = processor
    this.#pending = program.pending
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

  setTimer(ns: number): void {
    this.#timerDue = false
    this.#timerAt = ns
    if (ns === Infinity) this.#timer.disarm()
    else this.#timer.armWithin(ns, this.#domain.slackNs)
  }

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

  /** Let the program know. */
  attend(): void {
    if (this.#domain.dead || !this.waiting) return
    this.#words[this.#pending >> 2] = 1
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
