/**
 * What a person sees while a matrix is made: how far, how fast, how long still, what is under way, how far rows got.
 *
 * `Tally` counts and knows no terminal; `showMatrix` draws it at its own pace, however fast rows come.
 */
import type { MatrixProgress } from '../pipeline/matrix/run.ts'
import { RUNGS, type Rung } from '../pipeline/ladder.ts'
import { count, share, waiting, type Progress } from './output.ts'

/** A module costs something even without objects of its own: its link, mostly. */
const MODULE_WEIGHT = 2

/** Seconds over which the rate is taken: long enough to be calm, short enough to notice that the cached part is over. */
const WINDOW_SECONDS = 60

interface Sample {
  readonly at: number
  readonly modules: number
  readonly objects: number
}

/** How far a run is. Times are in milliseconds of any clock. */
export class Tally {
  total = { modules: 0, objects: 0 }
  done = { modules: 0, objects: 0 }
  readonly rungs = new Map<Rung, number>()
  readonly current = new Set<string>()
  /** Objects of modules that are under way. */
  private readonly settled = new Map<string, number>()
  elsewhere: readonly string[] = []
  /** What is done for the kernel below them all, until one of them is begun. */
  kernel = ''
  private samples: Sample[] = []

  hear(event: MatrixProgress, now: number): void {
    if (event.step === 'plan') {
      this.total = { modules: event.modules, objects: event.objects }
      this.samples = [{ at: now, modules: 0, objects: 0 }]
    } else if (event.step === 'kernel') this.kernel = event.text
    else if (event.step === 'start') {
      this.kernel = ''
      this.current.add(event.module)
    } else if (event.step === 'object') this.settled.set(event.module, (this.settled.get(event.module) ?? 0) + 1)
    else if (event.step === 'elsewhere') this.elsewhere = event.current
    else if (event.step === 'row') {
      const { row, objects } = event
      this.kernel = ''
      this.current.delete(row.module)
      this.settled.delete(row.module)
      this.done = { modules: this.done.modules + 1, objects: this.done.objects + objects }
      this.rungs.set(row.rung, (this.rungs.get(row.rung) ?? 0) + 1)
    }
  }

  /** What is done by now, large modules under way included. */
  private now(): Omit<Sample, 'at'> {
    const { modules, objects } = this.done
    let more = 0
    for (const module of this.current) more += this.settled.get(module) ?? 0
    return { modules, objects: objects + more }
  }

  /** Modules and objects a second, lately; remaining seconds, once there is something to tell them from. */
  rate(now: number): { modules: number; objects: number; remaining: number | undefined } {
    const last = this.samples.at(-1)
    const done = this.now()
    if (last === undefined || now - last.at >= 1000) this.samples.push({ at: now, ...done })
    while (this.samples.length > 2 && now - (this.samples[1] as Sample).at > WINDOW_SECONDS * 1000) this.samples.shift()
    const first = this.samples[0] as Sample
    const seconds = Math.max(0.001, (now - first.at) / 1000)
    const modules = (done.modules - first.modules) / seconds
    const objects = (done.objects - first.objects) / seconds
    const left = MODULE_WEIGHT * (this.total.modules - done.modules) + this.total.objects - done.objects
    const speed = MODULE_WEIGHT * modules + objects
    return { modules, objects, remaining: speed > 0 ? left / speed : undefined }
  }

  /** "compile 12, link 30" */
  ladder(): string {
    const reached = RUNGS.filter((rung) => this.rungs.has(rung))
    return reached.map((rung) => `${rung} ${count(this.rungs.get(rung) ?? 0)}`).join(', ')
  }
}

const BAR = 24
const bar = (part: number, whole: number): string => {
  const filled = whole === 0 ? 0 : Math.floor((part / whole) * BAR)
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}]`
}

const speed = (perSecond: number): string => perSecond.toFixed(perSecond < 10 ? 1 : 0)

const modulesOf = (modules: number): string => (modules === 1 ? '1 module' : `${count(modules)} modules`)

/** What there is to say now: one line, and lines below it for a terminal. */
export function describeTally(tally: Tally, now: number, live: boolean): { text: string; below: string[] } {
  const { total, done } = tally
  if (total.modules === 0) return { text: 'finding the modules', below: [] }
  if (tally.kernel !== '') return { text: `${tally.kernel}, for ${modulesOf(total.modules)}`, below: [] }
  const { modules, objects, remaining } = tally.rate(now)
  const far = `${count(done.modules)} of ${count(total.modules)} modules (${share(done.modules, total.modules)})`
  const left = remaining === undefined ? '' : `, ${waiting(remaining)} left`
  const fast = `${speed(modules)} modules/s, ${speed(objects)} objects/s${left}`
  const busy = [...tally.current, tally.elsewhere.join(', ')].filter(Boolean).join(' ')
  const below = [fast, tally.ladder(), busy === '' ? '' : `now ${busy}`]
  if (!live) return { text: [`${far}: ${fast}`, ...below.slice(1)].filter(Boolean).join('; '), below: [] }
  return { text: `${bar(done.modules, total.modules)} ${far}`, below }
}

/** Milliseconds between two drawings. */
const LIVE_MS = 200
const PLAIN_MS = 5000

/** Draw progress until `close`. */
export function showMatrix(
  progress: Progress,
  signal: AbortSignal,
): { hear: (event: MatrixProgress) => void; close: () => void } {
  const tally = new Tally()
  const draw = () => {
    const { text, below } = describeTally(tally, performance.now(), progress.live)
    progress.update(text, signal.aborted ? [...below, 'interrupted: ending what is under way'] : below)
  }
  const timer = setInterval(draw, progress.live ? LIVE_MS : PLAIN_MS).unref()
  return {
    hear: (event) => {
      tally.hear(event, performance.now())
      if (event.step === 'plan' || event.step === 'select') draw()
    },
    close: () => {
      clearInterval(timer)
      progress.done()
    },
  }
}
