/**
 * Who runs next: fixed priorities, round robin among equals, partitions with budgets of processor time.
 *
 * A *partition* is a share of the processor, guaranteed over a sliding window (QNX's adaptive partitions). While others
 * have work, it gets no more than its share; when they have none, it may use what is idle. Within a partition the highest
 * effective priority runs, equals in turn. Knows threads only as `Runnable`: what they are is not its business. Nothing
 * here allocates once its queues exist.
 */

/** Highest priority; 0 is the lowest. */
export const PRIORITY_MAX = 63
const LEVELS = PRIORITY_MAX + 1

export interface Runnable {
  readonly partition: Partition
  /** Base priority, or what it inherited if that is higher. */
  effective: number
  /** Links of the queue it is in; only this module writes these. */
  queuedAt: number
  queueNext: Runnable | undefined
  queuePrevious: Runnable | undefined
}

/** Parts of the window: time that falls out of it is forgotten this finely. */
const PARTS = 50

export class Partition {
  readonly name: string
  /** Guaranteed part of the processor, 0 to 1. */
  readonly share: number
  readonly windowNs: number
  readonly #used = new Float64Array(PARTS)
  /** [sum of #used, index of the part that is being filled] */
  readonly #sum = new Float64Array(2)
  readonly #first: (Runnable | undefined)[] = Array.from({ length: LEVELS })
  readonly #last: (Runnable | undefined)[] = Array.from({ length: LEVELS })
  /** Bit p % 32 of word p / 32: somebody of priority p is ready. */
  readonly #levels = new Int32Array(2)
  /** Nanoseconds used since the start. */
  total = 0

  constructor(name: string, share: number, windowNs = 100e6) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`share of partition ${name} is ${share}: expected 0 to 1`)
    this.name = name
    this.share = share
    this.windowNs = windowNs
  }

  /** Highest priority of those that are ready; -1 when nobody is. */
  get top(): number {
    const [low, high] = [this.#levels[0]!, this.#levels[1]!]
    return high !== 0 ? 63 - Math.clz32(high) : low !== 0 ? 31 - Math.clz32(low) : -1
  }

  push(thread: Runnable): void {
    const level = thread.effective
    const last = this.#last[level]
    thread.queuedAt = level
    thread.queueNext = undefined
    thread.queuePrevious = last
    if (last === undefined) this.#first[level] = thread
    else last.queueNext = thread
    this.#last[level] = thread
    this.#levels[level >> 5]! |= 1 << (level & 31)
  }

  /** The same, but before its equals: it has not used up its turn. */
  pushFirst(thread: Runnable): void {
    const level = thread.effective
    const first = this.#first[level]
    if (first === undefined) return this.push(thread)
    thread.queuedAt = level
    thread.queueNext = first
    thread.queuePrevious = undefined
    first.queuePrevious = thread
    this.#first[level] = thread
  }

  /** The one `take` would give. */
  get first(): Runnable | undefined {
    const { top } = this
    return top < 0 ? undefined : this.#first[top]
  }

  remove(thread: Runnable): void {
    const level = thread.queuedAt
    if (level < 0) return
    const { queueNext: next, queuePrevious: previous } = thread
    if (previous === undefined) this.#first[level] = next
    else previous.queueNext = next
    if (next === undefined) this.#last[level] = previous
    else next.queuePrevious = previous
    if (this.#first[level] === undefined) this.#levels[level >> 5]! &= ~(1 << (level & 31))
    thread.queuedAt = -1
    thread.queueNext = undefined
    thread.queuePrevious = undefined
  }

  /** The first of the highest priority, taken off the queue. */
  take(): Runnable | undefined {
    const { top } = this
    if (top < 0) return undefined
    const thread = this.#first[top]!
    this.remove(thread)
    return thread
  }

  /** Time passed to `now`: what is older than the window is forgotten. */
  #slide(now: number): void {
    const part = Math.floor(now / (this.windowNs / PARTS))
    const from = this.#sum[1]!
    if (part - from >= PARTS) {
      this.#used.fill(0)
      this.#sum[0] = 0
    } else {
      for (let at = from + 1; at <= part; at++) {
        this.#sum[0]! -= this.#used[at % PARTS]!
        this.#used[at % PARTS] = 0
      }
    }
    if (part > from) this.#sum[1] = part
  }

  charge(ns: number, now: number): void {
    this.#slide(now)
    this.#used[this.#sum[1]! % PARTS]! += ns
    this.#sum[0]! += ns
    this.total += ns
  }

  /** Nanoseconds used within the window that ends now. */
  used(now: number): number {
    this.#slide(now)
    return this.#sum[0]!
  }

  hasBudget(now: number): boolean {
    return this.used(now) < this.share * this.windowNs
  }
}

export class Scheduler {
  readonly partitions: Partition[] = []
  #ready = 0

  /** Threads that are ready and not running. */
  get ready(): number {
    return this.#ready
  }

  /** Add a partition. Shares may not add up to more than the whole. */
  add(partition: Partition): Partition {
    const sum = this.partitions.reduce((total, { share }) => total + share, partition.share)
    if (sum > 1 + 1e-9)
      throw new RangeError(`with partition ${partition.name} the shares add up to ${sum}: expected at most 1`)
    this.partitions.push(partition)
    return partition
  }

  enqueue(thread: Runnable): void {
    this.#ready++
    thread.partition.push(thread)
  }

  enqueueFirst(thread: Runnable): void {
    this.#ready++
    thread.partition.pushFirst(thread)
  }

  remove(thread: Runnable): void {
    if (thread.queuedAt < 0) return
    this.#ready--
    thread.partition.remove(thread)
  }

  /** Its effective priority is another now. It goes to the end of the new level. */
  reprioritize(thread: Runnable, effective: number): void {
    const queued = thread.queuedAt >= 0
    if (queued) thread.partition.remove(thread)
    thread.effective = effective
    if (queued) thread.partition.push(thread)
  }

  /** The partition that goes next: the highest priority among those with budget, else among all: idle time is free. */
  #next(now: number): Partition | undefined {
    let best: Partition | undefined
    let bestBudget = false
    for (const partition of this.partitions) {
      const { top } = partition
      if (top < 0) continue
      const budget = partition.hasBudget(now)
      const better =
        best === undefined ||
        (budget !== bestBudget ? budget : top !== best.top ? top > best.top : behind(partition, best, now))
      if (!better) continue
      best = partition
      bestBudget = budget
    }
    return best
  }

  take(now: number): Runnable | undefined {
    const thread = this.#next(now)?.take()
    if (thread !== undefined) this.#ready--
    return thread
  }

  /**
   * Who should run instead of `thread`: somebody of higher priority, or with budget where it has none; an equal as well
   * once its turn is over.
   */
  rival(thread: Runnable, now: number, turnOver = false): Runnable | undefined {
    const next = this.#next(now)
    if (next === undefined) return undefined
    const budget = next.hasBudget(now)
    const own = thread.partition.hasBudget(now)
    const least = thread.effective + (turnOver ? 0 : 1)
    return (budget !== own ? budget : next.top >= least) ? next.first : undefined
  }
}

/** Of two partitions of equal standing, the one that has had less of what it is due. */
const behind = (a: Partition, b: Partition, now: number): boolean => a.used(now) * b.share < b.used(now) * a.share
