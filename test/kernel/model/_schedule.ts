/**
 * Who runs next, said as plainly as possible: one line of those that are ready, every charge remembered for ever, every
 * question answered by looking at all of them. Shares no code with the kernel.
 */
export interface ModelThread {
  readonly partition: number
  priority: number
}

export interface ModelPartition {
  readonly share: number
  readonly windowNs: number
  readonly charges: { readonly ns: number; readonly at: number }[]
}

/** Parts of a window: time falls out of it this finely. */
const PARTS = 50

export class ScheduleModel {
  readonly threads: readonly ModelThread[]
  readonly partitions: readonly ModelPartition[]
  /** Those that are ready, in the order in which equals have their turns. */
  line: number[] = []

  constructor(threads: readonly ModelThread[], partitions: readonly ModelPartition[]) {
    this.threads = threads
    this.partitions = partitions
  }

  enqueue = (thread: number): void => void this.line.push(thread)

  enqueueFirst = (thread: number): void => void this.line.unshift(thread)

  remove(thread: number): void {
    this.line = this.line.filter((other) => other !== thread)
  }

  reprioritize(thread: number, priority: number): void {
    this.threads[thread]!.priority = priority
    if (!this.line.includes(thread)) return
    this.remove(thread)
    this.enqueue(thread)
  }

  /** Nanoseconds that fell into the window's parts up to now's. */
  used(partition: number, now: number): number {
    const { charges, windowNs } = this.partitions[partition]!
    const part = (at: number): number => Math.floor(at / (windowNs / PARTS))
    return charges.filter(({ at }) => part(now) - part(at) < PARTS).reduce((sum, { ns }) => sum + ns, 0)
  }

  total = (partition: number): number => this.partitions[partition]!.charges.reduce((sum, { ns }) => sum + ns, 0)

  hasBudget(partition: number, now: number): boolean {
    const { share, windowNs } = this.partitions[partition]!
    return this.used(partition, now) < share * windowNs
  }

  /** The most urgent of a partition that are ready, the first of equals; undefined when nobody is. */
  first(partition: number): number | undefined {
    const own = this.line.filter((thread) => this.threads[thread]!.partition === partition)
    const highest = Math.max(...own.map((thread) => this.threads[thread]!.priority))
    return own.find((thread) => this.threads[thread]!.priority === highest)
  }

  top(partition: number): number {
    const first = this.first(partition)
    return first === undefined ? -1 : this.threads[first]!.priority
  }

  /**
   * The partition that goes next. With budget before without; then the most urgent; then the one that has had less of what
   * it is due; then the one that was there first.
   */
  next(now: number): number | undefined {
    const due = this.partitions.map((_, i) => i).filter((i) => this.first(i) !== undefined)
    const before = (a: number, b: number): boolean => {
      const [rich, poor] = [this.hasBudget(a, now), this.hasBudget(b, now)]
      if (rich !== poor) return rich
      if (this.top(a) !== this.top(b)) return this.top(a) > this.top(b)
      const [has, had] = [this.used(a, now) * this.partitions[b]!.share, this.used(b, now) * this.partitions[a]!.share]
      return has < had
    }
    return due.reduce<number | undefined>((best, i) => (best === undefined || before(i, best) ? i : best), undefined)
  }

  take(now: number): number | undefined {
    const partition = this.next(now)
    const thread = partition === undefined ? undefined : this.first(partition)
    if (thread !== undefined) this.remove(thread)
    return thread
  }

  /** Who should run instead of a thread that is running. */
  rival(thread: number, now: number, turnOver: boolean): number | undefined {
    const partition = this.next(now)
    if (partition === undefined) return undefined
    const { partition: own, priority } = this.threads[thread]!
    const [theirs, mine] = [this.hasBudget(partition, now), this.hasBudget(own, now)]
    const urgent = turnOver ? this.top(partition) >= priority : this.top(partition) > priority
    return (theirs === mine ? urgent : theirs) ? this.first(partition) : undefined
  }
}
