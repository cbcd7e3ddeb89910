/**
 * Recordings: what makes a run again, and what shows that it is the same run.
 *
 * A recording is a header (packages by hash, settings, seed) and frames in the order they came about: events with the
 * running hash after them, what came in from outside, the end. `recordRun` makes the frames of a machine as it runs,
 * `Comparison` holds a machine that runs again against them, frame by frame, and names the first event that differs.
 * Knows nothing of files: cli/recording-file.ts keeps frames as lines.
 */
import { describeRecord, type EventRecord } from '../kernel/log.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { OutsideInput } from '../kernel/record.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import type { ModuleRequest, RunRequest } from './run.ts'

export const RECORDING_SCHEMA = 'drvport.recording/3'

export interface RecordedModule {
  readonly name: string
  /** Of the wasm file. */
  readonly sha256: string
  /** Of what it stands on: the kernel, and the modules loaded before it. */
  readonly on?: readonly string[]
  readonly tree: { readonly name: string; readonly version: string }
  readonly toolchain: { readonly name: string; readonly version: string }
  /** Device model; by the module's id table when not given. */
  readonly device?: string
  readonly args: readonly string[]
  /** What it is replaced by while it runs. */
  readonly replacement?: RecordedBuild
}

/** One build of a module. */
export type RecordedBuild = Pick<RecordedModule, 'name' | 'sha256' | 'on' | 'tree' | 'toolchain'>

export interface RecordingHeader {
  readonly schema: typeof RECORDING_SCHEMA
  readonly seed: number
  readonly modules: readonly RecordedModule[]
  /** Everything else of the run's request that is data. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** Events `from` + 1 to `from` + events.length, and the log's hash after the last. */
export interface EventsFrame {
  readonly kind: 'events'
  readonly from: number
  readonly hash: string
  readonly events: readonly EventRecord[]
}

export interface InputFrame {
  readonly kind: 'input'
  readonly input: OutsideInput
}

/** The run ended here by itself, or (`interrupted`) because somebody stopped it. */
export interface EndFrame {
  readonly kind: 'end'
  readonly count: number
  readonly hash: string
  readonly interrupted: boolean
}

export type Frame = EventsFrame | InputFrame | EndFrame

/** Events between two checkpoints: what a run that is killed may lose. Well below what the log's ring holds. */
const CHECKPOINT_EVENTS = 256

/** Fields of a request that are not the run's own: how it is watched, and what is recorded by hash. */
const FOREIGN = new Set(['seed', 'modules', 'firmware'])

const isData = (value: unknown): boolean =>
  value !== undefined &&
  typeof value !== 'function' &&
  !(value instanceof AbortSignal) &&
  (typeof value !== 'object' || value === null || Object.values(value).every(isData))

/** The settings of a request: what is data in it. */
export const settingsOf = (request: RunRequest): Record<string, unknown> =>
  Object.fromEntries(Object.entries(request).filter(([name, value]) => !FOREIGN.has(name) && isData(value)))

export function recordedBuild({ manifest }: Pick<DriverPackage, 'manifest'>): RecordedBuild {
  const { name, wasm, tree, toolchain, core } = manifest
  const below = core && [core.sha256, ...core.modules.slice(0, -1).map((module) => module.wasm.sha256)]
  return { name, sha256: wasm.sha256, ...(below && { on: below }), tree, toolchain }
}

/** Names a build by all its code: a module's bytes alone may be the same on another kernel. */
export const buildId = ({ sha256, on = [] }: Pick<RecordedBuild, 'sha256' | 'on'>): string => [sha256, ...on].join('+')

const recordedModule = ({ pack, device, args, replacement }: ModuleRequest): RecordedModule => ({
  ...recordedBuild(pack),
  ...(device !== undefined && { device }),
  args: args ?? [],
  ...(replacement !== undefined && { replacement: recordedBuild(replacement) }),
})

/**
 * The header of a request's recording. With nothing after it, it is a recording already: seed and settings make the run
 * again, and there is nothing to hold it against.
 */
export const headerOf = (request: RunRequest): RecordingHeader => ({
  schema: RECORDING_SCHEMA,
  seed: request.seed ?? 1,
  modules: request.modules.map(recordedModule),
  settings: settingsOf(request),
})

export interface RunRecorder {
  /** Write the events since the last checkpoint. */
  flush(): void
  /** The run is over. */
  end(interrupted: boolean): void
}

/** Write the frames of a machine that is about to run. */
export function recordRun({ log, outside, kinds }: Kernel, write: (frame: Frame) => void): RunRecorder {
  let written = 0
  const flush = (): void => {
    const fresh = log.count - written
    if (fresh === 0) return
    write({ kind: 'events', from: written, hash: log.hash, events: log.records(fresh) })
    written = log.count
  }
  const fault = log.kinds[kinds.fault]
  log.watch(1, () => {
    // A fault is written at once: it may be the last thing this process does.
    if (log.count - written >= CHECKPOINT_EVENTS || log.records(1)[0]?.kind === fault) flush()
    return log.count + 1
  })
  outside.onTaken = (input) => {
    flush()
    write({ kind: 'input', input })
  }
  return {
    flush,
    end(interrupted) {
      flush()
      write({ kind: 'end', count: log.count, hash: log.hash, interrupted })
    },
  }
}

/** The first event in which a run differs from its recording. */
export interface Divergence {
  /** Number of the event, from 1. */
  readonly event: number
  /** The event as a line; that the run ends, or goes on, where nothing was expected or found. */
  readonly expected: string
  readonly found: string
}

const END = 'the end of the run'

const sameRecord = (a: EventRecord, b: EventRecord): boolean =>
  a.atNs === b.atNs && a.kind === b.kind && a.domain === b.domain && a.a === b.a && a.b === b.b && a.text === b.text

/** Where a recording ends. */
export interface RecordingEnd {
  readonly count: number
  /** It was cut off, or its run was: what comes after is not known. */
  readonly cut: boolean
}

export function endOf(frames: readonly Frame[]): RecordingEnd {
  const last = frames.findLast((frame) => frame.kind !== 'input')
  if (last === undefined) return { count: 0, cut: true }
  if (last.kind === 'end') return { count: last.count, cut: last.interrupted }
  return { count: last.from + last.events.length, cut: true }
}

/** Holds a machine against the frames of its recording as it runs. */
export class Comparison {
  readonly end: RecordingEnd
  /** Checkpoints that were equal. */
  checkpoints = 0
  divergence: Divergence | undefined
  readonly #kernel: Kernel
  readonly #frames: readonly (EventsFrame | EndFrame)[]
  readonly #onStop: () => void
  #next = 0

  /** `onStop` is called once: the run has diverged, or has reached the end of what is known of it. */
  constructor(kernel: Kernel, frames: readonly Frame[], onStop: () => void) {
    this.#kernel = kernel
    this.#frames = frames.filter((frame) => frame.kind !== 'input')
    this.#onStop = onStop
    this.end = endOf(frames)
    kernel.outside.replay(frames.flatMap((frame) => (frame.kind === 'input' ? [frame.input] : [])))
    if (this.#frames.length > 0) kernel.log.watch(this.#due(), () => this.#reached())
  }

  /** The count at which to look next: a frame's end, then the first event after a run that ended. */
  #due(): number {
    const frame = this.#frames[this.#next]
    if (frame === undefined) return Infinity
    return frame.kind === 'end' ? frame.count + (frame.interrupted ? 0 : 1) : frame.from + frame.events.length
  }

  #reached(): number {
    const frame = this.#frames[this.#next]
    if (frame === undefined || this.divergence !== undefined) return Infinity
    if (frame.kind === 'end' && !frame.interrupted) {
      const [found] = this.#kernel.log.records(1)
      return this.#stop({ event: frame.count + 1, expected: END, found: describeRecord(found!) })
    }
    if (frame.hash !== this.#kernel.log.hash) return this.#stop(this.#difference(frame))
    this.checkpoints++
    this.#next++
    if (this.#next === this.#frames.length) return this.#stop(undefined)
    return this.#due()
  }

  #stop(divergence: Divergence | undefined): number {
    this.divergence = divergence
    this.#onStop()
    return Infinity
  }

  /** The first record of the ring's last ones that is not the frame's. */
  #difference(frame: EventsFrame | EndFrame): Divergence {
    const { log } = this.#kernel
    const expected = frame.kind === 'end' ? [] : frame.events
    const from = frame.kind === 'end' ? frame.count : frame.from
    const found = log.records(log.count - from)
    for (let i = 0; i < Math.max(expected.length, found.length); i++) {
      const [want, have] = [expected[i], found[i]]
      if (want !== undefined && have !== undefined && sameRecord(want, have)) continue
      const line = (record: EventRecord | undefined): string => (record === undefined ? END : describeRecord(record))
      return { event: from + i + 1, expected: line(want), found: line(have) }
    }
    return { event: log.count, expected: `events with the hash ${frame.hash}`, found: `the hash ${log.hash}` }
  }

  /** The run is stopped here, on purpose: hold what it has done against the recording, and look no further. */
  cease(): Divergence | undefined {
    const frame = this.#frames[this.#next]
    const { log } = this.#kernel
    this.#next = this.#frames.length
    if (frame?.kind !== 'events' || this.divergence !== undefined) return this.divergence
    const done = frame.events.slice(0, log.count - frame.from)
    const found = log.records(done.length)
    if (!found.every((record, i) => sameRecord(record, done[i]!))) this.divergence = this.#difference(frame)
    return this.divergence
  }

  /** The run is over by itself: what the recording has beyond it is missing. */
  finish(): Divergence | undefined {
    const frame = this.#frames[this.#next]
    const { log } = this.#kernel
    if (frame === undefined || this.divergence !== undefined) return this.divergence
    if (frame.kind === 'events' || frame.count !== log.count || frame.hash !== log.hash) {
      this.divergence = this.#difference(frame)
    } else this.checkpoints++
    return this.divergence
  }
}
