/**
 * Virtual time and its event queue: one per machine.
 *
 * Events are created once and armed many times; the queue is a binary heap over those objects, so nothing is allocated
 * on arming. Order is (time, seeded tie-break, sequence): the same seed gives the same order, another seed another one
 * among events of the same instant. Time only moves forward: by `spend` while something runs, by `advance` when nobody
 * can. Knows nothing of who arms what.
 */
import type { Timeline, TimelineEvent } from '../base/timeline.ts'
import type { SeededRandom } from '../base/random.ts'

const NOW = 0
const NEXT = 1

export class ClockEvent implements TimelineEvent {
  readonly name: string
  readonly fire: () => void
  readonly #clock: Clock
  /** Heap key and place; -1 when not armed. Only Clock writes these. */
  time = 0.5
  tie = 0
  sequence = 0
  place = -1

  constructor(clock: Clock, name: string, fire: () => void) {
    this.#clock = clock
    this.name = name
    this.fire = fire
  }

  get armed(): boolean {
    return this.place >= 0
  }

  armAt(ns: number): void {
    this.#clock.arm(this, ns)
  }

  armIn(ns: number): void {
    this.#clock.arm(this, this.#clock.now() + ns)
  }

  /**
   * Fire once between `ns` and `slackNs` later, wherever others are likely to: at the instant in there that is a multiple
   * of the highest power of two. Whoever has so much slack or more comes to the same one.
   */
  armWithin(ns: number, slackNs: number): void {
    this.#clock.arm(this, slackNs > 0 ? roundest(ns, ns + slackNs) : ns)
  }

  /** From `fire`: again whole periods after the time it was to fire at, however late it came. Returns the periods missed. */
  again(periodNs: number): number {
    const next = this.time + periodNs
    const missed = Math.max(0, Math.floor((this.#clock.now() - next) / periodNs) + 1)
    this.#clock.arm(this, next + missed * periodNs)
    return missed
  }

  disarm(): void {
    this.#clock.disarm(this)
  }
}

/** Of the whole ns from `from` to `to`, the multiple of the highest power of two. */
function roundest(from: number, to: number): number {
  for (let step = 2 ** Math.floor(Math.log2(Math.max(1, to - from + 1))) * 2; step > 1; step /= 2) {
    const at = Math.ceil(from / step) * step
    if (at <= to) return at
  }
  return Math.min(Math.ceil(from), to)
}

const before = (a: ClockEvent, b: ClockEvent): boolean =>
  a.time !== b.time ? a.time < b.time : a.tie !== b.tie ? a.tie < b.tie : a.sequence < b.sequence

export class Clock implements Timeline {
  /** [now, time of the next event]: doubles in place, so that neither reading nor spending allocates. */
  readonly #times = new Float64Array([0, Infinity])
  readonly #heap: ClockEvent[] = []
  readonly #random: SeededRandom
  #sequence = 0

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** ns since the machine started. */
  now(): number {
    return this.#times[NOW]!
  }

  /** ns of the earliest armed event, Infinity when there is none. */
  next(): number {
    return this.#times[NEXT]!
  }

  /** Let the running code use `ns` of time. True when an event is now due. */
  spend(ns: number): boolean {
    const now = this.#times[NOW]! + ns
    this.#times[NOW] = now
    return now >= this.#times[NEXT]!
  }

  /** An event is due. */
  due(): boolean {
    return this.#times[NOW]! >= this.#times[NEXT]!
  }

  event(name: string, fire: () => void): ClockEvent {
    return new ClockEvent(this, name, fire)
  }

  /** Move to the next event, but not past `limit` (ns). False when there is none before the limit. */
  advance(limit: number): boolean {
    const next = this.#times[NEXT]!
    if (next > limit || next === Infinity) return false
    if (next > this.#times[NOW]!) this.#times[NOW] = next
    return true
  }

  /** Move to `ns` if that is ahead. */
  reach(ns: number): void {
    if (ns > this.#times[NOW]!) this.#times[NOW] = ns
  }

  /** Take the earliest due event off the queue; undefined when none is due. */
  take(): ClockEvent | undefined {
    if (this.#times[NOW]! < this.#times[NEXT]!) return undefined
    const event = this.#heap[0]
    if (event !== undefined) this.disarm(event)
    return event
  }

  /** Armed events. */
  get size(): number {
    return this.#heap.length
  }

  arm(event: ClockEvent, ns: number): void {
    if (event.place >= 0) this.disarm(event)
    const now = this.#times[NOW]!
    event.time = ns > now ? ns : now
    event.tie = this.#random.next()
    event.sequence = this.#sequence++
    event.place = this.#heap.length
    this.#heap.push(event)
    this.#up(event)
    this.#times[NEXT] = this.#heap[0]!.time
  }

  disarm(event: ClockEvent): void {
    const place = event.place
    if (place < 0) return
    const last = this.#heap.pop()!
    event.place = -1
    if (last !== event) {
      last.place = place
      this.#heap[place] = last
      this.#up(last)
      this.#down(last)
    }
    this.#times[NEXT] = this.#heap.length === 0 ? Infinity : this.#heap[0]!.time
  }

  #up(event: ClockEvent): void {
    const heap = this.#heap
    while (event.place > 0) {
      const parent = heap[(event.place - 1) >> 1]!
      if (!before(event, parent)) return
      this.#swap(parent, event)
    }
  }

  #down(event: ClockEvent): void {
    const heap = this.#heap
    for (;;) {
      const left = 2 * event.place + 1
      if (left >= heap.length) return
      let child = heap[left]!
      const right = heap[left + 1]
      if (right !== undefined && before(right, child)) child = right
      if (!before(child, event)) return
      this.#swap(event, child)
    }
  }

  /** `upper` is `lower`'s parent; they change places. */
  #swap(upper: ClockEvent, lower: ClockEvent): void {
    const place = upper.place
    upper.place = lower.place
    lower.place = place
    this.#heap[upper.place] = upper
    this.#heap[lower.place] = lower
  }
}
