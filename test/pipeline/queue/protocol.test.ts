/** The queue's decisions, under every order, repetition and loss that a network of mortal workers can produce. */
import test from 'ava'
import fc from 'fast-check'
import { lasting } from '../../../pipeline/matrix/summary.ts'
import type { MatrixRow } from '../../../pipeline/matrix/types.ts'
import {
  batchesOf,
  differences,
  describeDifferences,
  failedRow,
  poisonedRow,
  RowBook,
  runId,
  takeUp,
  WORKERS_LOST_MAX,
  type BatchProgress,
  type QueueModule,
} from '../../../pipeline/queue/protocol.ts'

const moduleOf = (n: number): QueueModule => ({ name: `m${n}`, path: `drivers/d${n % 7}/m${n}.ko` })
const modulesOf = (count: number): QueueModule[] => Array.from({ length: count }, (_, n) => moduleOf(n))
const rowOf = (module: QueueModule): MatrixRow => ({ ...failedRow(module, ''), rung: 'link', reason: '' })

const someModules = fc.integer({ min: 1, max: 40 }).map(modulesOf)

test('batches hold every module once, whatever the order they came in', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), fc.infiniteStream(fc.nat()), (count, dice) => {
      const modules = modulesOf(count)
      const shuffled = modules
        .map((module) => [dice.next().value as number, module] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, module]) => module)
      const batches = batchesOf(shuffled)
      t.deepEqual(batches, batchesOf(modules))
      t.deepEqual(
        batches.flatMap((batch) => batch.modules.map(({ path }) => path)),
        modules.map(({ path }) => path).toSorted(),
      )
      t.is(new Set(batches.map(({ id }) => id)).size, batches.length)
    }),
    { numRuns: 30 },
  )
})

test('few modules are spread over many jobs, many are not', (t) => {
  t.is(batchesOf(modulesOf(20)).length, 20)
  t.true(batchesOf(modulesOf(8000)).length <= 1000)
})

test('a run is known again by what decides its rows, and by nothing else', (t) => {
  const run = { tree: 'linux-6.1', toolchain: 'clang', until: 'link' as const, seed: 1, agreement: { a: '1', b: '2' } }
  const modules = modulesOf(5)
  const id = runId(run, modules)
  t.is(runId({ ...run, agreement: { b: '2', a: '1' } }, modules.toReversed()), id)
  t.not(runId({ ...run, until: 'verify' }, modules), id)
  t.not(runId({ ...run, agreement: { a: '1', b: '3' } }, modules), id)
  t.not(runId(run, modules.slice(1)), id)
})

test('rows count once, in any order and however often they come', (t) => {
  fc.assert(
    fc.property(someModules, fc.array(fc.nat(60), { maxLength: 200 }), (modules, order) => {
      const book = new RowBook(modules)
      const seen = new Set<string>()
      for (const pick of order) {
        const module = moduleOf(pick)
        const wanted = pick < modules.length
        const expected = !wanted ? 'unknown' : seen.has(module.path) ? 'again' : 'new'
        t.is(book.accept({ ...rowOf(module), ms: { compile: pick } }), expected)
        if (wanted) seen.add(module.path)
        t.is(book.missing, modules.length - seen.size)
      }
      for (const batch of batchesOf(modules))
        t.deepEqual(
          book.openOf(batch),
          batch.modules.filter(({ path }) => !seen.has(path)),
        )
    }),
  )
})

test('a second row that says something else is told, and the first stays', (t) => {
  const [module] = modulesOf(1) as [QueueModule]
  const book = new RowBook([module])
  t.is(book.accept(rowOf(module)), 'new')
  t.is(book.accept({ ...rowOf(module), ms: { link: 3 } }), 'again')
  t.is(book.accept({ ...rowOf(module), detail: 'other' }), 'differs')
  t.is(book.missing, 0)
})

test('a job loses no module, and only what was in hand counts against it', (t) => {
  const losses = fc.array(fc.option(fc.nat(9), { nil: undefined }), { maxLength: 30 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), losses, (count, hands) => {
      const modules = modulesOf(count)
      const lost = new Map<string, number>()
      let left: BatchProgress = { done: [], lost: {} }
      for (const hand of hands) {
        const taken = takeUp({ modules }, left)
        const all = [
          ...taken.progress.done,
          ...taken.todo.map(({ path }) => path),
          ...taken.poisoned.map(({ path }) => path),
        ]
        t.deepEqual(all.toSorted(), modules.map(({ path }) => path).toSorted())
        for (const { path } of taken.poisoned) t.true((lost.get(path) ?? 0) >= WORKERS_LOST_MAX)
        for (const { path } of taken.todo) t.true((lost.get(path) ?? 0) < WORKERS_LOST_MAX)
        // This worker makes some rows, takes one more in hand, and is lost, or gives the rest back.
        const made = taken.todo.slice(0, hand === undefined ? 0 : hand % (taken.todo.length + 1))
        const next = hand === undefined ? undefined : taken.todo[made.length]
        if (next !== undefined) lost.set(next.path, (lost.get(next.path) ?? 0) + 1)
        left = {
          done: [...taken.progress.done, ...made.map(({ path }) => path)],
          lost: taken.progress.lost,
          ...(next && { current: next.path }),
        }
      }
    }),
  )
})

/** A small world: a coordinator's book, jobs as Redis has them, workers that come and go. */
class World {
  readonly modules: readonly QueueModule[]
  readonly book: RowBook
  readonly rows: MatrixRow[] = []
  private readonly poison: string
  private waiting: MatrixRow[] = []
  private jobs = new Map<string, { modules: readonly QueueModule[]; left: BatchProgress; held: number }>()

  constructor(modules: readonly QueueModule[], poison: string) {
    this.modules = modules
    this.poison = poison
    this.book = new RowBook(modules)
  }

  reconcile(): void {
    for (const batch of batchesOf(this.modules)) {
      const open = this.book.openOf(batch)
      if (open.length > 0 && !this.jobs.has(batch.id))
        this.jobs.set(batch.id, { modules: open, left: { done: [], lost: {} }, held: 0 })
    }
  }

  /** Rows are read, and dropped only sometimes: a coordinator may be stopped in between. */
  takeRows(drop: boolean): void {
    for (const row of this.waiting) if (this.book.accept(row) === 'new') this.rows.push(row)
    if (drop) this.waiting = []
  }

  /** A worker works on a job for so many modules and is then lost, stopped in order, or done. */
  work(pick: number, steps: number, inOrder: boolean): void {
    const entry = [...this.jobs].at(pick % Math.max(1, this.jobs.size))
    if (entry === undefined) return
    const [id, job] = entry
    const { progress, todo, poisoned } = takeUp(job, job.left)
    let done = progress.done
    const send = (row: MatrixRow) => {
      this.waiting.push(row)
      done = [...done, row.path]
    }
    for (const module of poisoned) send(poisonedRow(module, progress.lost[module.path] ?? 0))
    for (const [at, module] of todo.entries()) {
      const lost = module.path === this.poison || (at >= steps && !inOrder)
      if (lost) job.left = { done, lost: progress.lost, current: module.path }
      else if (at >= steps) job.left = { done, lost: progress.lost }
      if (lost || at >= steps) return
      send(rowOf(module))
    }
    this.jobs.delete(id)
  }

  forgetEverything(): void {
    this.waiting = []
    this.jobs = new Map()
  }
}

test('whatever is lost, repeated or forgotten, every module ends with one row, and the same one', (t) => {
  const event = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('work' as const),
        pick: fc.nat(50),
        steps: fc.nat(8),
        inOrder: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('rows' as const), drop: fc.boolean() }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'reconcile' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'forget' as const }) },
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 150 }).map(modulesOf),
      fc.nat(149),
      fc.array(event, { maxLength: 120 }),
      (modules, at, events) => {
        const poison = modules[at % modules.length]?.path ?? ''
        const world = new World(modules, poison)
        for (const happens of events) {
          if (happens.kind === 'work') world.work(happens.pick, happens.steps, happens.inOrder)
          else if (happens.kind === 'rows') world.takeRows(happens.drop)
          else if (happens.kind === 'reconcile') world.reconcile()
          else world.forgetEverything()
        }
        // In the end things go well for long enough.
        for (let round = 0; round < 400 && world.book.missing > 0; round++) {
          world.takeRows(true)
          world.reconcile()
          world.work(round, 8, true)
        }
        world.takeRows(true)
        t.is(world.book.missing, 0)
        t.is(new Set(world.rows.map(({ path }) => path)).size, modules.length)
        for (const row of world.rows) {
          // A module may be blamed for workers that were lost by chance, never be left out.
          const whole = lasting(row) === lasting(rowOf({ name: row.module, path: row.path }))
          t.true(whole || row.reason === 'internal-error')
          if (row.path === poison) t.is(row.reason, 'internal-error')
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('what differs is told by its name', (t) => {
  const found = differences({ tree: 'a', toolchain: 'clang 19' }, { tree: 'a', toolchain: 'clang 22', V8: '13' })
  t.deepEqual(
    found.map(({ what }) => what),
    ['V8', 'toolchain'],
  )
  t.is(describeDifferences(found), 'V8: 13 here, none there; toolchain: clang 22 here, clang 19 there')
  t.deepEqual(differences({ a: '1', b: '2' }, { b: '2', a: '1' }), [])
})
