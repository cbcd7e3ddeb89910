/**
 * What a domain's running costs: counted work becomes virtual time, a run without end becomes a failure, and the
 * program's tick count is kept current.
 */
import type { Domain } from './domain.ts'
import { Failure, KILLED } from './fault.ts'
import type { Kernel } from './kernel.ts'
import type { DomainLimits, Program } from './program.ts'

/** Work between two calls of `preempt`. */
const FUEL_SLICE = 20_000
const FUEL_NS = 5

export class Meter {
  readonly #domain: Domain
  readonly #kernel: Kernel
  readonly #program: Program
  readonly #limits: DomainLimits
  readonly #words: Int32Array
  #fuelSeen = FUEL_SLICE
  #fuelUsed = 0
  // Doubles from the start, so that the engine never changes how it keeps them.
  #busySince = 0.5
  /** When the tick count is next out of date. */
  #tickUntil = 0.5

  constructor(domain: Domain, program: Program, limits: DomainLimits, words: Int32Array) {
    this.#domain = domain
    this.#kernel = domain.kernel
    this.#program = program
    this.#limits = limits
    this.#words = words
    if (program.fuel !== undefined) program.fuel.value = FUEL_SLICE
  }

  /** A fiber goes on, or an atomic entry that interrupts nothing begins. */
  begin(): void {
    const now = this.#kernel.clock.now()
    this.#busySince = now
    this.#fuelUsed = 0
    if (now >= this.#tickUntil) this.#tick(now)
  }

  /** Bring the program's tick count up to date. */
  #tick(now: number): void {
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
    this.#kernel.clock.spend(used * FUEL_NS)
  }

  /** The work counter ran out. */
  preempt(): void {
    this.account()
    this.#program.fuel!.value = FUEL_SLICE
    this.#fuelSeen = FUEL_SLICE
    if (this.#fuelUsed > this.#limits.fuel) {
      throw new Failure('endless-loop', `${this.#fuelUsed} loop turns and calls without blocking or returning`)
    }
    this.spend(0)
  }

  /** A point where time passes, events fire and interrupts may arrive. */
  spend(ns: number): void {
    const { clock } = this.#kernel
    if (clock.spend(ns) || this.#kernel.attentive) this.#kernel.dispatch()
    if (this.#domain.dead) throw KILLED
    const now = clock.now()
    if (now >= this.#tickUntil) this.#tick(now)
    if (now - this.#busySince > this.#limits.busyNs) {
      throw new Failure('endless-loop', `busy for ${this.#limits.busyNs / 1e9} s without blocking or returning`)
    }
  }
}
