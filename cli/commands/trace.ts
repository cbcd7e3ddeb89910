/**
 * `drvport trace MODULE[=DEVICE]...` or `drvport trace RECORDING`: what a run does, as text or for chrome://tracing and
 * Perfetto.
 */
import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { UsageError } from '../../pipeline/errors.ts'
import { CALLS_MODULE, functionsOf, withCalls } from '../../pipeline/rewrite/calls.ts'
import { modelNamed } from '../../lab/classes.ts'
import type { Part } from '../../machine/load/package.ts'
import { together, type Observer } from '../../machine/observe/observer.ts'
import { Comparison } from '../../lab/recording.ts'
import { runMachine, type RunRequest } from '../../lab/run.ts'
import { chromeTrace, textTrace, type TraceFormat } from '../../machine/observe/trace-format.ts'
import { TRACE_CATEGORIES, Tracer } from '../../machine/observe/tracer.ts'
import { parseStop, STOP_SYNTAX, stopAt, type StopAt } from '../../machine/observe/until.ts'
import type { Command, Context } from '../context.ts'
import { readFirmware, symbolizerOf, verifyPackage } from '../machine.ts'
import { count } from '../output.ts'
import { readRecording, requestOf, type Recording } from '../recording-file.ts'
import { filterOf, type Filter } from '../trace-filter.ts'
import { workspaceOf } from '../workspace.ts'
import { buildAll, countOf, modulesFor, parseWanted } from './run.ts'

/** Frames each way: enough to see one of each kind, few enough to read. */
const FRAMES = 4

interface TraceDocument {
  readonly schema: 'drvport.trace/1'
  readonly format: 'text' | 'chrome'
  readonly output: string
  readonly seed: number
  readonly events: Readonly<Record<string, number>>
  readonly eventHash: string
  /** Of a recording: the traced run is the recorded one. */
  readonly identical?: boolean
}

interface Telling extends ReturnType<typeof withCalls> {
  /** Of the functions that tell, by number. */
  readonly names: ReadonlyMap<number, string>
}

/** The copy of a part in which the functions wanted tell; undefined when none is. `own`: the drivers' source files. */
function tellingCopy({ role, wasm, lines }: Part, filter: Filter, own: ReadonlySet<string>): Telling | undefined {
  // A kernel has no file of the drivers', and its line table takes long to read: only functions asked for by name are told.
  if (filter.calls === 'none' || (role === 'core' && filter.calls === 'own')) return undefined
  const told = filter.functions(functionsOf(wasm, role === 'core' ? undefined : lines), own)
  const names = new Map(told.map(({ index, name }) => [index, name]))
  return names.size === 0 ? undefined : { ...withCalls(wasm, new Set(names.keys())), names }
}

/** An observer that tells the tracer of C calls. */
function callsObserver(tracer: Tracer, filter: Filter, modules: RunRequest['modules']): Observer {
  const own = new Set(modules.flatMap(({ pack }) => pack.manifest.sources.map(({ path }) => path)))
  /** Every generation of a driver runs the same copy. */
  const made = new Map<Part['wasm'], Telling | undefined>()
  return {
    copy(part, host, symbolize) {
      if (!made.has(part.wasm)) made.set(part.wasm, tellingCopy(part, filter, own))
      const copy = made.get(part.wasm)
      if (copy === undefined) return undefined
      const { bytes, original, names } = copy
      const passed: (number | bigint)[] = []
      const pass = (value: number | bigint): void => void passed.push(value)
      const enter = (index: number): void => tracer.enter(host, names.get(index)!, passed.splice(0))
      const leave = (index: number): void => tracer.leave(host, names.get(index)!, passed.splice(0)[0])
      return {
        wasm: bytes,
        symbolize: (offset, index) => symbolize?.(original(offset) ?? 0, index) ?? [],
        imports: { [CALLS_MODULE]: { i32: pass, i64: pass, f32: pass, f64: pass, enter, leave } },
      }
    },
  }
}

interface Output {
  write(text: string): void
  close(): void
}

/** Bytes gathered before they are written. */
const CHUNK = 1 << 16

function outputTo(path: string | undefined): Output {
  let file: number | undefined
  try {
    file = path === undefined ? undefined : openSync(path, 'w')
  } catch (cause) {
    throw new UsageError(`cannot write ${path}`, { expected: 'a file that can be created', cause })
  }
  let held = ''
  const flush = (): void => {
    if (file === undefined) process.stdout.write(held)
    else writeSync(file, held)
    held = ''
  }
  return {
    write(text) {
      held += text
      if (held.length >= CHUNK) flush()
    },
    close() {
      flush()
      if (file !== undefined) closeSync(file)
    },
  }
}

interface TraceOptions {
  readonly filter: Filter
  readonly format: 'text' | 'chrome'
  readonly output: string | undefined
  readonly until: StopAt | undefined
}

async function trace(
  context: Context,
  request: RunRequest,
  { filter, format, output, until }: TraceOptions,
  recording?: Recording,
): Promise<TraceDocument> {
  const out = outputTo(output)
  const counts: Record<string, number> = {}
  let lines: TraceFormat
  const tracer = new Tracer(filter, (event) => {
    counts[event.category] = (counts[event.category] ?? 0) + 1
    out.write(lines.event(event))
  })
  lines = format === 'text' ? textTrace(tracer.names) : chromeTrace({ seed: request.seed ?? 1 })
  const stop = new AbortController()
  let comparison: Comparison | undefined
  const report = await runMachine({
    ...request,
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    observer: together([callsObserver(tracer, filter, request.modules), tracer]),
    signal: AbortSignal.any([context.signal, stop.signal]),
    onCheck: (check) => context.progress.update(`${check.ok ? 'ok' : 'FAILED'}: ${check.name}`),
    observe: (machine) => {
      const { log } = machine.board.kernel
      const done = (): void => {
        tracer.end()
        comparison?.cease()
        stop.abort()
      }
      if (recording !== undefined) comparison = new Comparison(machine.board.kernel, recording.frames, done)
      tracer.follow(machine)
      if (until !== undefined) stopAt(log, until, done)
    },
  })
  tracer.end()
  out.write(lines.end(tracer.names))
  out.close()
  if (!report.interrupted) comparison?.finish()
  return {
    schema: 'drvport.trace/1',
    format,
    output: output ?? '-',
    seed: report.seed,
    events: counts,
    eventHash: report.machine.eventHash,
    ...(comparison && { identical: comparison.divergence === undefined }),
  }
}

function optionsOf(context: Context, argv: Record<string, unknown>): TraceOptions {
  const text = argv['until'] as string | undefined
  const until = text === undefined ? undefined : parseStop(text)
  if (text !== undefined && until === undefined) {
    throw new UsageError('cannot read --until', { expected: STOP_SYNTAX, found: text })
  }
  const output = argv['output'] as string | undefined
  if (context.json && output === undefined) {
    throw new UsageError('--json prints one document, and the trace is not it', { todo: 'name a file with --output' })
  }
  return { filter: filterOf(argv['filter'] as string[]), format: argv['format'] as 'text' | 'chrome', output, until }
}

/** A recording is a file; a module is not (and is not called like one: `./8139too` names a file). */
const isRecording = (words: readonly string[]): boolean =>
  words.length === 1 && existsSync(words[0]!) && modelNamed(words[0]!) === undefined

async function moduleRequest(context: Context, argv: Record<string, unknown>): Promise<RunRequest> {
  const wanted = parseWanted(argv['run'] as string[])
  const workspace = await workspaceOf(context)
  try {
    const selectors = wanted.map(({ module }) => module)
    const document = await buildAll(context, workspace, selectors)
    return {
      seed: context.seed,
      modules: await modulesFor(document, wanted, argv['param'] as string[]),
      frames: countOf('frames', argv['frames']),
      until: argv['full'] === true ? 'contain' : 'traffic',
      ...(argv['firmware'] !== undefined && { firmware: readFirmware(argv['firmware'] as string) }),
    }
  } finally {
    await workspace.close()
  }
}

const filterHelp = `CATEGORY or CATEGORY:GLOB, several with commas: ${Object.keys(TRACE_CATEGORIES).join(', ')}`

export const traceRun: Command = {
  usage: 'trace <run..>',
  describe: 'show what a run does: registers, DMA, interrupts, IPC, scheduling, C calls',
  options: (argv) =>
    argv
      .positional('run', { array: true, type: 'string', describe: 'MODULE, MODULE=DEVICE, or a recording' })
      .option('filter', { type: 'string', array: true, default: [] as string[], describe: filterHelp })
      .option('format', {
        choices: ['text', 'chrome'] as const,
        default: 'text' as const,
        describe: 'chrome: for Perfetto',
      })
      .option('output', { alias: 'o', type: 'string', describe: 'write the trace to this file' })
      .option('until', { type: 'string', describe: `stop at an event: ${STOP_SYNTAX}` })
      .option('frames', { type: 'number', default: FRAMES, describe: 'frames each way' })
      .option('full', { type: 'boolean', default: false, describe: 'the whole ladder, not only up to traffic' })
      .option('param', { type: 'string', array: true, default: [] as string[], describe: 'module.parameter=value' })
      .option('firmware', { type: 'string', describe: 'folder that drivers see as /lib/firmware' }),
  async run(context, argv) {
    const options = optionsOf(context, argv)
    const words = argv['run'] as string[]
    const recording = isRecording(words) ? readRecording(words[0]!) : undefined
    const folder = argv['firmware'] as string | undefined
    const request =
      recording === undefined
        ? await moduleRequest(context, argv)
        : await requestOf(recording, folder === undefined ? {} : readFirmware(folder))
    const document = await trace(context, request, options, recording)
    if (options.output !== undefined) context.result(document, render)
    else context.progress.done()
    if (context.signal.aborted) return 130
    return document.identical === false ? 1 : 0
  },
}

function render({ events, output, format, identical }: TraceDocument): string {
  const found = Object.entries(events).map(([category, many]) => `${count(many)} ${category}`)
  const list = found.length > 0 ? found : ['nothing of that kind']
  const same = identical === undefined ? '' : identical ? ', identical to the recording' : ', NOT the recorded run'
  const open = format === 'chrome' ? '; open it in chrome://tracing or https://ui.perfetto.dev' : ''
  return `${output}: ${list.join(', ')}${same}${open}`
}
