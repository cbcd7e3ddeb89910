/** `drvport replay FILE`: run a recording again, and hold every event against it. */
import { describeState, Inspector, stateOf, type MachineState } from '../../machine/observe/inspect.ts'
import type { Machine } from '../../machine/machine.ts'
import { together } from '../../machine/observe/observer.ts'
import { Comparison, type Divergence } from '../../lab/recording.ts'
import { runMachine, type RunReport, type RunRequest } from '../../lab/run.ts'
import { parseStop, STOP_SYNTAX, stopAt, type StopAt } from '../../machine/observe/until.ts'
import { UsageError } from '../../pipeline/errors.ts'
import type { BreakSpec } from '../../pipeline/rewrite/breakpoints.ts'
import { count, duration, paint } from '../output.ts'
import { breakOf, breakProbe } from '../breakpoints.ts'
import type { Command, Context } from '../context.ts'
import { readFirmware, symbolizerOf, verifyPackage } from '../machine.ts'
import { countOf } from './run.ts'
import { foreignMaker, readRecording, requestOf, type Recording } from '../recording-file.ts'

interface ReplayDocument {
  readonly schema: 'drvport.replay/1'
  readonly recording: string
  readonly seed: number
  readonly modules: readonly string[]
  /** Events that ran again, and the log's hash after them. */
  readonly events: number
  readonly eventHash: string
  /** Checkpoints that were held against the recording, and equal. */
  readonly checkpoints: number
  /** How far the recording knows the run; `cut` when it does not know its end. */
  readonly recorded: { readonly events: number; readonly cut: boolean }
  readonly identical: boolean
  readonly divergence?: Divergence
  /** The recording is of another drvport. */
  readonly foreign?: string
  /** Where it was stopped, when that was asked for and reached. */
  readonly stopped?: MachineState
  readonly interrupted: boolean
  readonly time: { readonly virtualMs: number; readonly wallMs: number }
}

/** Where to stop. */
interface Stops {
  readonly until: StopAt | undefined
  readonly line: BreakSpec | undefined
  /** Stop when control comes to the line for this time, from 1. */
  readonly hit: number
}

/** Runs a recording once, up to its end or to a stop. */
class Replayer {
  readonly #context: Context
  readonly #recording: Recording
  readonly #stop = new AbortController()
  readonly #inspector = new Inspector()
  #machine!: Machine
  #comparison!: Comparison
  stopped: MachineState | undefined

  constructor(context: Context, recording: Recording) {
    this.#context = context
    this.#recording = recording
  }

  async run(request: RunRequest, { until, line, hit }: Stops): Promise<ReplayDocument> {
    let hits = 0
    const observer =
      line &&
      (await breakProbe(request.modules, line, ({ place, running, arguments: passed }) => {
        if (++hits === hit) this.#pause(`${place.function} (${place.file}:${place.line})`, running, passed)
      }))
    const observers = [...(observer ? [observer] : []), ...((until ?? line) ? [this.#inspector] : [])]
    const started = performance.now()
    const report = await runMachine({
      ...request,
      verify: verifyPackage,
      symbolizer: symbolizerOf,
      signal: AbortSignal.any([this.#context.signal, this.#stop.signal]),
      onCheck: (check) => this.#context.progress.update(`${check.ok ? 'ok' : 'FAILED'}: ${check.name}`),
      ...(observers.length > 0 && { observer: together(observers) }),
      observe: (machine) => {
        this.#machine = machine
        const { kernel } = machine.board
        this.#comparison = new Comparison(kernel, this.#recording.frames, () => this.#stop.abort())
        if (until !== undefined) stopAt(kernel.log, until, (event) => this.#pause(event))
      },
    })
    if (!report.interrupted) this.#comparison.finish()
    return this.#document(report, performance.now() - started)
  }

  /** Called from within the run, at the place: take the state, and let it come to its end. */
  #pause(why: string, running?: MachineState['running'], passed?: MachineState['arguments']): void {
    if (this.stopped !== undefined || this.#stop.signal.aborted) return
    this.stopped = { ...stateOf(this.#machine, this.#inspector, why, running), ...(passed && { arguments: passed }) }
    this.#comparison.cease()
    this.#stop.abort()
  }

  #document({ seed, machine, time }: RunReport, wallMs: number): ReplayDocument {
    const { divergence, end, checkpoints } = this.#comparison
    const { stopped } = this
    const recording = this.#recording
    const foreign = foreignMaker(recording)
    const events = stopped?.event ?? machine.events
    return {
      schema: 'drvport.replay/1',
      recording: recording.path,
      seed,
      modules: recording.header.modules.map(({ name }) => name),
      events,
      eventHash: stopped?.hash ?? machine.eventHash,
      checkpoints,
      recorded: { events: end.count, cut: end.cut },
      identical: divergence === undefined && (stopped !== undefined || events >= end.count),
      ...(divergence && { divergence }),
      ...(foreign !== undefined && { foreign }),
      ...(stopped && { stopped }),
      interrupted: this.#context.signal.aborted,
      time: { virtualMs: (stopped?.atNs ?? time.virtualMs * 1e6) / 1e6, wallMs },
    }
  }
}

function render(document: ReplayDocument): string {
  const { divergence, recorded, time, foreign } = document
  const cut = recorded.cut ? ' (the recording was cut off there)' : ''
  const ran = `seed ${document.seed}: ${duration(time.virtualMs)} of virtual time in ${duration(time.wallMs)}, ${count(document.events)} events, log ${document.eventHash}`
  if (divergence === undefined && document.stopped !== undefined) {
    return [describeState(document.stopped), '', `${paint('green', 'identical')} so far: ${ran}`].join('\n')
  }
  if (divergence === undefined) {
    const verdict = document.identical ? paint('green', 'identical') : paint('red', 'not finished')
    return [`${verdict} to event ${count(recorded.events)}${cut}: ${document.modules.join(', ')}`, ran].join('\n')
  }
  return [
    `${paint('red', 'another run')} from event ${count(divergence.event)} on`,
    `  expected: ${divergence.expected}`,
    `  found:    ${divergence.found}`,
    ...(foreign === undefined ? [] : [`  because:  ${foreign}`]),
    ran,
  ].join('\n')
}

function stopsOf(argv: Record<string, unknown>): Stops {
  const text = argv['until'] as string | undefined
  const until = text === undefined ? undefined : parseStop(text)
  if (text !== undefined && until === undefined) {
    throw new UsageError('cannot read --until', { expected: STOP_SYNTAX, found: text })
  }
  const line = argv['break'] as string | undefined
  return { until, line: line === undefined ? undefined : breakOf(line), hit: countOf('hit', argv['hit']) }
}

/** The run ended before it came to where it was to be stopped. */
function neverCame({ frames, path }: Recording, { until }: Stops): UsageError {
  if (until === undefined) {
    return new UsageError('the run never came to the line it was to be stopped at', {
      where: path,
      todo: `see which functions it runs: \`drvport trace ${path} --filter calls\``,
    })
  }
  const kinds = new Map<string, number>()
  for (const frame of frames)
    if (frame.kind === 'events') for (const { kind } of frame.events) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const there = [...kinds].map(([kind, many]) => `${kind} (${many})`).join(', ')
  return new UsageError('the run never came to where it was to be stopped', {
    where: path,
    expected: `an event of the recording: ${there}`,
    todo: `see all of them: \`drvport trace ${path} --filter events\``,
  })
}

export const replay: Command = {
  usage: 'replay <file>',
  describe: 'run a recording again, and hold every event against it',
  options: (argv) =>
    argv
      .positional('file', { type: 'string', demandOption: true, describe: 'written by `drvport run --record`' })
      .option('until', { type: 'string', describe: `stop at an event and show the machine: ${STOP_SYNTAX}` })
      .option('break', { type: 'string', describe: 'stop before a line of C: FILE:LINE, FUNCTION or FILE:FUNCTION' })
      .option('hit', { type: 'number', default: 1, describe: 'with --break: at which time it comes there' })
      .option('firmware', { type: 'string', describe: 'folder of the firmware files it was given' }),
  async run(context, argv) {
    const stops = stopsOf(argv)
    const recording = readRecording(argv['file'] as string)
    const folder = argv['firmware'] as string | undefined
    const request = await requestOf(recording, folder === undefined ? {} : readFirmware(folder))
    const document = await new Replayer(context, recording).run(request, stops)
    if ((stops.until ?? stops.line) !== undefined && document.stopped === undefined && document.identical)
      throw neverCame(recording, stops)
    context.result(document, render)
    if (document.interrupted) return 130
    return document.identical ? 0 : 1
  },
}
