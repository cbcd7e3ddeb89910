/** `drvport replay FILE`: run a recording again, and hold every event against it. */
import { Comparison, type Divergence } from '../../hw/machine/recording.ts'
import { runMachine, type RunReport, type RunRequest } from '../../hw/machine/run.ts'
import { count, duration, paint } from '../output.ts'
import type { Command, Context } from '../context.ts'
import { readFirmware, symbolizerOf, verifyPackage } from '../machine.ts'
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
  readonly interrupted: boolean
  readonly time: { readonly virtualMs: number; readonly wallMs: number }
}

async function replayRun(context: Context, recording: Recording, request: RunRequest): Promise<ReplayDocument> {
  const stop = new AbortController()
  let comparison: Comparison | undefined
  const started = performance.now()
  const report: RunReport = await runMachine({
    ...request,
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    signal: AbortSignal.any([context.signal, stop.signal]),
    onCheck: (check) => context.progress.update(`${check.ok ? 'ok' : 'FAILED'}: ${check.name}`),
    observe: (machine) => {
      comparison = new Comparison(machine.board.kernel, recording.frames, () => stop.abort())
    },
  })
  if (!report.interrupted) comparison!.finish()
  const { divergence, end, checkpoints } = comparison!
  const foreign = foreignMaker(recording)
  return {
    schema: 'drvport.replay/1',
    recording: recording.path,
    seed: report.seed,
    modules: recording.header.modules.map(({ name }) => name),
    events: report.machine.events,
    eventHash: report.machine.eventHash,
    checkpoints,
    recorded: { events: end.count, cut: end.cut },
    identical: divergence === undefined && report.machine.events >= end.count,
    ...(divergence && { divergence }),
    ...(foreign !== undefined && { foreign }),
    interrupted: context.signal.aborted,
    time: { virtualMs: report.time.virtualMs, wallMs: performance.now() - started },
  }
}

function render(document: ReplayDocument): string {
  const { divergence, recorded, time, foreign } = document
  const cut = recorded.cut ? ' (the recording was cut off there)' : ''
  const ran = `seed ${document.seed}: ${duration(time.virtualMs)} of virtual time in ${duration(time.wallMs)}, ${count(document.events)} events, log ${document.eventHash}`
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

export const replay: Command = {
  usage: 'replay <file>',
  describe: 'run a recording again, and hold every event against it',
  options: (argv) =>
    argv
      .positional('file', { type: 'string', demandOption: true, describe: 'written by `drvport run --record`' })
      .option('firmware', { type: 'string', describe: 'folder of the firmware files it was given' }),
  async run(context, argv) {
    const recording = readRecording(argv['file'] as string)
    const folder = argv['firmware'] as string | undefined
    const request = await requestOf(recording, folder === undefined ? {} : readFirmware(folder))
    const document = await replayRun(context, recording, request)
    context.result(document, render)
    if (document.interrupted) return 130
    return document.identical ? 0 : 1
  },
}
