/** The kernel's scheduler and the model of it, given the same random operations. */
import fc from 'fast-check'
import { Partition, PRIORITY_MAX, type Runnable, Scheduler } from '../../../kernel/schedule.ts'
import { ScheduleModel } from './_schedule.ts'

const THREADS = 8
const WINDOW_NS = 5000

class Thread implements Runnable {
  readonly partition: Partition
  readonly number: number
  effective: number
  queuedAt = -1
  queueNext: Runnable | undefined
  queuePrevious: Runnable | undefined

  constructor(number: number, partition: Partition, priority: number) {
    this.number = number
    this.partition = partition
    this.effective = priority
  }
}

const KINDS = ['enqueue', 'enqueueFirst', 'remove', 'reprioritize', 'take', 'rival', 'charge', 'wait'] as const

interface Operation {
  readonly do: (typeof KINDS)[number]
  readonly thread: number
  readonly priority: number
  readonly ns: number
  readonly over: boolean
}

/** Both ends of each word of levels, and what lies between. */
const priority = fc.oneof(fc.constantFrom(0, 1, 31, 32, 33, 62, 63), fc.nat(PRIORITY_MAX))

const operation: fc.Arbitrary<Operation> = fc.record({
  do: fc.constantFrom(...KINDS, 'enqueue', 'enqueue', 'take', 'charge', 'rival'),
  thread: fc.nat(THREADS - 1),
  priority,
  // From a part of a part to more than the window.
  ns: fc.oneof(
    { weight: 6, arbitrary: fc.nat(400) },
    { weight: 2, arbitrary: fc.nat(WINDOW_NS) },
    { weight: 1, arbitrary: fc.nat(3 * WINDOW_NS) },
    { weight: 1, arbitrary: fc.constantFrom(100, 4900, 5000, 5100, 0) },
  ),
  over: fc.boolean(),
})

interface Setting {
  readonly shares: readonly number[]
  readonly threads: readonly { readonly partition: number; readonly priority: number }[]
}

const setting: fc.Arbitrary<Setting> = fc.record({
  shares: fc.constantFrom([1], [0], [0.5, 0.5], [0.2, 0.3, 0], [0.6, 0.2, 0.2], [0.25, 0.25, 0.5], [0, 0, 0.1]),
  threads: fc.array(fc.record({ partition: fc.nat(2), priority: fc.oneof(fc.constant(16), priority) }), {
    minLength: THREADS,
    maxLength: THREADS,
  }),
})

class Pair {
  readonly model: ScheduleModel
  readonly scheduler = new Scheduler()
  readonly partitions: Partition[]
  readonly threads: Thread[]
  #now = 0

  constructor({ shares, threads }: Setting) {
    const within = threads.map((one) => ({ ...one, partition: one.partition % shares.length }))
    this.partitions = shares.map((share, i) => this.scheduler.add(new Partition(`p${i}`, share, WINDOW_NS)))
    this.threads = within.map((one, i) => new Thread(i, this.partitions[one.partition]!, one.priority))
    this.model = new ScheduleModel(
      within,
      shares.map((share) => ({ share, windowNs: WINDOW_NS, charges: [] })),
    )
  }

  run(op: Operation): void {
    const { model, scheduler } = this
    const thread = this.threads[op.thread]!
    const ready = model.line.includes(op.thread)
    const now = this.#now
    if (op.do === 'wait') this.#now += op.ns
    else if (op.do === 'charge') this.#charge(op)
    else if (op.do === 'reprioritize') {
      model.reprioritize(op.thread, op.priority)
      scheduler.reprioritize(thread, op.priority)
    } else if (op.do === 'remove') {
      model.remove(op.thread)
      scheduler.remove(thread)
    } else if (op.do === 'take') same('take', scheduler.take(now), model.take(now))
    else if (op.do === 'rival') {
      const rival = op.over ? scheduler.rival(thread, now, true) : scheduler.rival(thread, now)
      if (!ready) same('rival', rival, model.rival(op.thread, now, op.over))
    } else if (!ready) {
      model[op.do](op.thread)
      scheduler[op.do](thread)
    }
    this.#same()
  }

  /** Time passes while somebody of the partition runs. */
  #charge({ thread, ns }: Operation): void {
    const { partition } = this.model.threads[thread]!
    this.#now += ns
    this.model.partitions[partition]!.charges.push({ ns, at: this.#now })
    this.partitions[partition]!.charge(ns, this.#now)
  }

  #same(): void {
    const { model, scheduler } = this
    const now = this.#now
    equal('ready', scheduler.ready, model.line.length)
    this.partitions.forEach((partition, i) => {
      equal('top', partition.top, model.top(i))
      same('first', partition.first, model.first(i))
      equal('used', partition.used(now), model.used(i, now))
      equal('total', partition.total, model.total(i))
      equal('budget', partition.hasBudget(now), model.hasBudget(i, now))
    })
    for (const [i, thread] of this.threads.entries()) {
      const priority_ = model.line.includes(i) ? model.threads[i]!.priority : -1
      equal(`thread ${i} is queued at`, thread.queuedAt, priority_)
      equal(`thread ${i} has priority`, thread.effective, model.threads[i]!.priority)
      // A thread that is not queued keeps nobody.
      if (thread.queuedAt < 0) equal('links', thread.queueNext ?? thread.queuePrevious, undefined)
    }
  }
}

function same(what: string, found: Runnable | undefined, expected: number | undefined): void {
  equal(what, found === undefined ? undefined : (found as Thread).number, expected)
}

function equal(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: the kernel says ${String(found)}, the model ${String(expected)}`)
}

/** What is refused when partitions are made. */
function refusals(): void {
  const refused = (work: () => unknown): string => {
    try {
      work()
      return ''
    } catch (error) {
      return error instanceof RangeError ? error.message : `not a RangeError: ${String(error)}`
    }
  }
  for (const share of [-0.1, 1.1, Number.NaN])
    equal(
      'a share',
      refused(() => new Partition('a', share)),
      `share of partition a is ${share}: expected 0 to 1`,
    )
  for (const share of [0, 1])
    equal(
      'a share',
      refused(() => new Partition('a', share)),
      '',
    )
  equal('the window', new Partition('a', 1).windowNs, 100e6)
  const scheduler = new Scheduler()
  for (const share of [0.1, 0.2, 0.7, 0]) scheduler.add(new Partition('a', share))
  const said = refused(() => scheduler.add(new Partition('b', 0.01)))
  if (!/^with partition b the shares add up to 1\.01\d*: expected at most 1$/.test(said)) throw new Error(said)
  equal('partitions', scheduler.partitions.length, 4)
}

/** Hold the kernel to the model over `runs` sequences of up to `length` operations. Returns how many operations that were. */
export function holdScheduleToModel(runs: number, length: number, seed: number): number {
  refusals()
  let done = 0
  fc.assert(
    fc.property(setting, fc.array(operation, { minLength: 1, maxLength: length, size: 'max' }), (parts, operations) => {
      const pair = new Pair({ ...parts, threads: parts.threads.map((one) => ({ ...one })) })
      for (const op of operations) pair.run(op)
      done += operations.length
    }),
    { numRuns: runs, seed },
  )
  return done
}
