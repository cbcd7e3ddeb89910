/**
 * What a domain's running costs: counted work becomes virtual time, a run without end becomes a failure, and a fiber whose turn is
 * over is made to look whether it must go.
 */
import { Failure, KILLED } from './fault.ts'
import type { Attended, Turns } from './processor.ts'
import type { DomainLimits, Program } from './program.ts'

/** Units of work until the next look when a fiber should go but may not, or its program has not looked: at least this many, */
const SOON = 512
/** and less than twice as many, another number each time: a loop that takes as many would be at the same place of its turn. */
const SOON_BITS = 9
/** The fewest between two looks, however much happens. */
const LEAST = 256

/** Bytes of a range of memory that the program's own checks charge as one unit, as a power of two. */
const RANGE_SHIFT = 6

/** Whose work is counted. */
export interface Metered extends Attended {
  /** The fiber whose frames are on the engine's stack; undefined in an atomic entry that interrupts nothing. */
  readonly current: object | undefined
  /** Atomic entries on the stack. */
  readonly depth: number
  readonly dead: boolean
}

export class Meter {
  readonly #domain: Metered
  readonly #processor: Turns
  readonly #program: Program
  readonly #limits: DomainLimits
  readonly #slice: number
  readonly #workNs: number
  /** Units that can have been done since the counter was filled: it ran out, and a range of all its memory was worked on. */
  readonly #most: number
  #fuelSeen: number
  #fuelUsed = 0
  #scatter = 0
  /** Units of the host's work that are not in the account yet. */
  #owed = 0
  /** It is to look whether it must go, and has not yet; what time its calls took since then, ns. */
  #mustLook = false
  #lateNs = 0.5
  // Doubles from the start, so that the engine never changes how it keeps them.
  #busySince = 0.5
  /** The earlier of what time brings: the longest run, the end of the fiber's turn. */
  #lookAt = 0.5

  constructor(domain: Metered, processor: Turns, program: Program, limits: DomainLimits) {
    this.#domain = domain
    this.#processor = processor
    this.#program = program
    this.#limits = limits
    this.#slice = this.#processor.costs.workBetweenLooks
    this.#workNs = this.#processor.costs.workNs
    this.#most = this.#slice + (program.memory.buffer.byteLength >>> RANGE_SHIFT)
    this.#fuelSeen = this.#slice
    if (program.fuel !== undefined) program.fuel.value = this.#slice
  }

  /** Work counted and time passed since the entry began. */
  get run(): readonly [work: number, ns: number] {
    return [this.#fuelUsed, this.#processor.clock.now() - this.#busySince]
  }

  /** A fiber goes on, or an atomic entry that interrupts nothing begins. One that was stopped has run before. */
  begin(work = 0, ns = 0): void {
    this.#looked()
    this.relay(work, ns)
  }

  /** Another task of the program's goes on in the place of one, which nobody else had a say in. */
  relay(work = 0, ns = 0): void {
    this.#busySince = this.#processor.clock.now() - ns
    this.#fuelUsed = work
    this.#plan()
  }

  #plan(): void {
    const turn = this.#domain.current === undefined ? Infinity : this.#processor.turnUntil
    this.#lookAt = Math.min(turn, this.#busySince + this.#limits.busyNs)
  }

  /**
   * Charge the work counted since last time to the clock. A range that is longer than memory is charged, and not worked on: the
   * program ends of it, and no time passes for what nobody did.
   */
  account(): void {
    const { fuel } = this.#program
    if (fuel === undefined) return void (this.#owed = 0)
    const left = fuel.value
    const counted = this.#fuelSeen - left
    const owed = this.#owed
    this.#fuelSeen = left
    this.#owed = 0
    this.#fuelUsed += counted + owed
    const ns = (Math.min(counted, this.#most) + owed) * this.#workNs
    this.#processor.clock.spend(ns)
    if (this.#mustLook) this.#lateNs += ns
  }

  /**
   * Count work that the host did for a call. It is kept beside the program's own counter, which is a word that could turn over,
   * and costs an addition; beyond what is counted between two looks it goes to the account at once, so that calls without a
   * loop around them do not go on without end.
   */
  charge(units: number): void {
    const owed = this.#owed + units
    this.#owed = owed
    if (owed > this.#slice) this.#pay()
  }

  /** Much was done: the program is to look what that brought as soon as it counts again. */
  #pay(): void {
    this.account()
    this.hurry()
    this.#limit()
    this.#overdue()
  }

  /** Calls in a row, with nothing between them that counts, must not keep it from looking. */
  #overdue(): void {
    if (this.#lateNs <= this.#processor.costs.sliceNs) return
    throw new Failure(
      'endless-loop',
      `${Math.round(this.#lateNs / 1e6)} ms of calls in a row, and others may be waiting`,
    )
  }

  #limit(): void {
    if (this.#fuelUsed <= this.#limits.fuel) return
    throw new Failure('endless-loop', `${this.#fuelUsed} loop turns and calls without blocking or returning`)
  }

  #refill(units: number): void {
    this.#looked()
    this.#program.fuel!.value = units
    this.#fuelSeen = units
  }

  #looked(): void {
    this.#mustLook = false
    this.#lateNs = 0
  }

  /** The work counter ran out. */
  preempt(): void {
    this.account()
    this.#refill(this.#slice)
    this.#limit()
    this.spend(0)
    // In a fiber's loop the next look is when something happens, so that it happens on time.
    if (this.#domain.depth === 0) this.#refillUntilNext()
  }

  #refillUntilNext(): void {
    const { clock } = this.#processor
    const units = Math.trunc((clock.next() - clock.now()) / this.#workNs) + 1
    if (units >= this.#slice) return
    this.account()
    this.#refill(Math.max(units, LEAST))
  }

  /** The fiber must go: leave the counter below zero, which is what the code around `preempt` looks at. */
  stop(): void {
    this.#refill(-1)
    this.#mustLook = true
  }

  /** It goes on after that. */
  goOn(): void {
    this.#refill(this.#slice)
  }

  /** It must go, and may not now, or did not look: ask again soon. */
  askSoon(): void {
    // The upper bits of a linear congruence (Numerical Recipes): the same in every run, and in step with no loop.
    this.#scatter = (Math.imul(this.#scatter, 1_664_525) + 1_013_904_223) | 0
    this.#refill(SOON + (this.#scatter >>> (32 - SOON_BITS)))
  }

  /** Make the fiber look at its next loop turn or call: what it has left is taken away, and not charged. */
  hurry(): void {
    const { fuel } = this.#program
    if (fuel === undefined) return
    this.#mustLook = true
    const left = fuel.value
    if (left <= 0) return
    this.#fuelSeen -= left
    fuel.value = 0
  }

  /** It is to look, and has not yet. */
  get hurried(): boolean {
    return this.#mustLook
  }

  /** When time brings the next look, if that is not overdue. */
  get nextLook(): number {
    return Math.max(this.#lookAt, this.#processor.clock.now() + 1)
  }

  /** A point where time passes, events fire and interrupts may arrive. */
  spend(ns: number): void {
    const { clock } = this.#processor
    if (clock.spend(ns) || this.#processor.attentive) this.#processor.dispatch()
    if (this.#domain.dead) throw KILLED
    if (this.#mustLook) {
      this.#lateNs += ns
      this.#overdue()
    }
    const now = clock.now()
    if (now >= this.#lookAt) this.#look(now)
  }

  #look(now: number): void {
    if (now - this.#busySince > this.#limits.busyNs) {
      throw new Failure('endless-loop', `busy for ${this.#limits.busyNs / 1e9} s without blocking or returning`)
    }
    this.#processor.turnOver(now)
    this.#plan()
  }
}
