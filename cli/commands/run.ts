/**
 * `drvport run MODULE[=DEVICE]...`: boot a machine with these drivers and devices and take them up the ladder.
 *
 * What only some options need is read when they are given: reading code is most of what a start takes.
 */
import { openSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { buildModules, type BuildDocument, type ModuleResult } from '../../pipeline/build/index.ts'
import { DriverFailure, UsageError } from '../../pipeline/errors.ts'
import type { Workspace } from '../../pipeline/workspace.ts'
import { ENGINES, type EngineName } from '../../pipeline/engine/types.ts'
import { describeDevices, modelNamed } from '../../lab/classes.ts'
import type { Machine } from '../../machine/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildId, recordedBuild, recordRun, type RunRecorder } from '../../lab/recording.ts'
import { COMMANDS, parseCommand, perform, type Performed } from '../../lab/commands.ts'
import { boot, runMachine, type ModuleRequest, type RunReport, type RunRequest } from '../../lab/run.ts'
import type { PostMortem } from '../../machine/observe/post-mortem.ts'
import { count, duration, paint, table } from '../output.ts'
import type { Command, Context } from '../context.ts'
import type { EngineFacts } from '../engine/guest.ts'
import { renderEngine, thisEngine } from '../engine/facts.ts'
import type { EngineRun } from '../engine/index.ts'
import type { Profiling } from '../profile.ts'
import type { Replacements } from '../replacement.ts'
import { checkTogether } from '../together.ts'
import { readFirmware, symbolizerOf, verifyPackage } from '../machine.ts'
import { modelOf, modelOptions } from '../model.ts'
import { parsePolicies } from '../policies.ts'
import { postMortemsTo, renderPostMortem } from '../post-mortem.ts'
import type { Watchdog } from '../watchdog.ts'
import { announce } from '../announce.ts'
import { showBuild } from '../show-build.ts'
import { workspaceOf } from '../workspace.ts'

/** Frames each way: every size from 60 to 1514 bytes about seventy times. */
const FRAMES = 100_000

export interface Wanted {
  readonly module: string
  readonly device: string | undefined
}

/** `e1000=82540em` -> module and device. */
export function parseWanted(words: readonly string[]): Wanted[] {
  return words.map((word) => {
    const [module, device, ...rest] = word.split('=')
    if (module === undefined || module === '' || device === '' || rest.length > 0) {
      throw new UsageError(`cannot read ${word}`, {
        expected: 'MODULE or MODULE=DEVICE',
        todo: `devices: ${describeDevices()}`,
      })
    }
    if (device !== undefined && modelNamed(device) === undefined) {
      throw new UsageError(`no device model named ${device}`, { where: word, expected: `one of ${describeDevices()}` })
    }
    return { module, device }
  })
}

/** A number that counts something. */
export function countOf(option: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new UsageError(`--${option} takes a whole number, 0 or more`, {
    found: String(value),
    todo: `give one, as in --${option} 1000`,
  })
}

/** Build modules, or take them from the store; refuses to go on without every one of them. */
export async function buildAll(
  context: Context,
  workspace: Workspace,
  selectors: readonly string[],
): Promise<BuildDocument> {
  const document = await buildModules({
    tree: workspace.tree,
    selectors,
    toolchain: workspace.toolchain,
    signal: context.signal,
    progress: (event) => showBuild(context, event),
  })
  context.signal.throwIfAborted()
  const failed = document.modules.find((module) => module.package === undefined)
  if (failed !== undefined) throw notBuilt(failed)
  return document
}

function notBuilt(module: ModuleResult): DriverFailure {
  const [first] = module.diagnostics
  const what =
    first === undefined
      ? (module.detail ?? module.unresolved.join(', '))
      : `${first.file}:${first.line}: ${first.message}`
  return new DriverFailure(`${module.name} does not build: ${module.reason ?? 'unknown'}`, {
    where: module.path,
    found: what,
    todo: `see \`drvport build ${module.name} -v\` for every missing symbol with its use`,
  })
}

/** The modules of a machine, from a build. */
export async function modulesFor(
  document: BuildDocument,
  wanted: readonly Wanted[],
  args: readonly string[],
): Promise<ModuleRequest[]> {
  const packs = await Promise.all(document.modules.map((module) => readPackage(module.package!, module.name)))
  const same = (a: string, b: string): boolean => a.replaceAll('-', '_') === b.replaceAll('-', '_')
  return packs.map((pack) => {
    const { name } = pack.manifest
    const device = wanted.find(({ module }) => same(module, name))?.device
    const own = args.filter((arg) => pack.manifest.modules.some((module) => same(arg.split('.')[0] ?? '', module)))
    return { pack, args: own, ...(device !== undefined && { device }) }
  })
}

/** Lines shown of a driver that failed, without -v. */
const LOG_LINES = 6

/** What the drivers themselves said: all with -v, else the last lines of those that failed. */
function driverLog(report: RunReport, verbose: boolean): string[] {
  const text = ({ domain, text: said }: RunReport['log'][number]): string =>
    paint('dim', `    ${domain}: ${said.trimEnd()}`)
  if (verbose) return report.log.map(text)
  const failed = report.modules.filter(({ reason }) => reason !== undefined)
  return failed.flatMap(({ name }) =>
    report.log
      .filter(({ domain }) => domain === name)
      .slice(-LOG_LINES)
      .map(text),
  )
}

export function renderRun(report: RunReport & { readonly engine?: EngineFacts }, verbose = false): string {
  const mark = (ok: boolean): string => (ok ? paint('green', 'ok') : paint('red', 'FAILED'))
  const modules = report.modules.map((module) => [module.name, module.device, module.rung, module.reason ?? ''])
  const checks = report.checks.map((check) => `${mark(check.ok)}  ${check.name}\n    ${paint('dim', check.detail)}`)
  const faults = report.modules.flatMap((module) => module.faults).map(renderFault)
  const { virtualMs, wallMs } = report.time
  return [
    ...checks,
    ...faults,
    ...driverLog(report, verbose),
    '',
    table([{ title: 'module' }, { title: 'device' }, { title: 'rung' }, { title: '' }], modules),
    ...renderPartitions(report),
    '',
    `seed ${report.seed}: ${duration(virtualMs)} of virtual time in ${duration(wallMs)}, ${count(report.machine.events)} events, log ${report.machine.eventHash}`,
    ...(report.engine === undefined ? [] : renderEngine(report.engine)),
  ].join('\n')
}

/** What each partition was promised and what it used. */
function renderPartitions({ machine, time }: RunReport): string[] {
  const { partitions } = machine
  if (partitions === undefined) return []
  const rows = partitions.map(({ name, share, usedMs }) => [
    name,
    `${(share * 100).toFixed(0)} %`,
    `${usedMs.toFixed(3)} ms`,
    `${((100 * usedMs) / time.virtualMs).toFixed(1)} %`,
  ])
  return ['', table([{ title: 'partition' }, { title: 'share' }, { title: 'used' }, { title: 'of all time' }], rows)]
}

/** Fault and C backtrace, as a kernel engineer reads one. */
export function renderFault(fault: RunReport['modules'][number]['faults'][number]): string {
  const frames = fault.frames.map(
    (frame) => `    at ${frame.function} (${frame.file === '' ? 'unknown' : `${frame.file}:${frame.line}`})`,
  )
  return [`${paint('red', fault.kind)} in ${fault.domain}: ${fault.message}`, ...frames].join('\n')
}

export const run: Command = {
  usage: 'run <modules..>',
  describe: 'boot a machine with these drivers and devices, and take them up the ladder',
  options: (argv) =>
    modelOptions(argv)
      .positional('modules', { array: true, type: 'string', describe: 'MODULE, or MODULE=DEVICE' })
      .option('frames', { type: 'number', default: FRAMES, describe: 'frames each way' })
      .option('brief', { type: 'boolean', default: false, describe: 'bind, link and traffic only' })
      .option('inject', { type: 'number', default: 0, describe: 'inject this many seeded faults into each driver' })
      .option('param', { type: 'string', array: true, default: [] as string[], describe: 'module.parameter=value' })
      .option('policy', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'NAME.KEY=VALUE: quotas, restarts, heartbeats and dependencies of a driver, or of all (*)',
      })
      .option('replace-with', {
        type: 'string',
        describe: 'replace the drivers under traffic by their build for this tree, or from this package folder',
      })
      .option('post-mortem', { type: 'string', describe: 'write a record of each failure into this folder' })
      .option('firmware', { type: 'string', describe: 'folder that drivers see as /lib/firmware' })
      .option('events', { type: 'string', describe: 'write the event log to this file: the same for the same seed' })
      .option('watchdog', {
        type: 'number',
        describe: 'end the run, and say where it was, when the machine itself stands still for so many seconds',
      })
      .option('record', {
        type: 'string',
        describe: 'write what makes this run again to this file: see `drvport replay`',
      })
      .option('embed', { type: 'boolean', default: false, describe: 'put packages and firmware into the recording' })
      .option('engine', {
        choices: ENGINES,
        default: 'node' as const,
        describe: 'what runs the machine: this Node, Node for arm64 (emulated elsewhere), or headless chromium',
      })
      .option('profile', {
        type: 'string',
        describe: 'count entries and calls of every function into this file: see `drvport optimize`',
      })
      .option('optimized', {
        type: 'boolean',
        default: false,
        describe: 'run the artefacts that `drvport optimize` made for this computer',
      })
      .option('do', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: `instead of the ladder, into the first driver's kernel: ${COMMANDS}`,
      })
      .option('capture', { type: 'string', describe: 'write what passes the first NIC to this pcap file' }),
  async run(context, argv) {
    const watch = argv['watchdog'] === undefined ? undefined : await watchdogOf(context, argv['watchdog'])
    if (typeof watch === 'number') return watch
    const wanted = parseWanted(argv['modules'] as string[])
    const frames = countOf('frames', argv['frames'])
    checkTogether(argv)
    const policies = parsePolicies(argv['policy'] as string[])
    const record = argv['record'] as string | undefined
    const postMortem = recorder(argv['post-mortem'] as string | undefined)
    const model = modelOf(
      argv,
      wanted.map(({ module }) => module),
    )
    await announce(context, [context.tree], 'operate')
    const workspace = await workspaceOf(context)
    try {
      const document = await buildAll(
        context,
        workspace,
        wanted.map(({ module }) => module),
      )
      const built = await modulesFor(document, wanted, argv['param'] as string[])
      const asked = argv['optimized'] === true ? await Promise.all(built.map(optimized)) : built
      const other = argv['replace-with'] as string | undefined
      const { modules, keys } =
        other === undefined ? { modules: asked, keys: {} } : await replaced(context, asked, other)
      const profile = await profileTo(argv['profile'] as string | undefined)
      const capture = captureTo(argv['capture'] as string | undefined)
      const onEvents = eventsTo(argv['events'] as string | undefined)
      const request: RunRequest & EngineRun = {
        seed: context.seed,
        modules,
        frames,
        policies,
        againAt: againAt(record),
        onPostMortem: postMortem.keep,
        until: argv['brief'] === true ? 'traffic' : 'contain',
        inject: countOf('inject', argv['inject']),
        ...model,
        observe: (machine) => {
          freezeOnSignal(machine)
          watch?.().watch(machine.board.kernel)
        },
        verify: verifyPackage,
        symbolizer: symbolizerOf,
        wallMs: () => performance.now(),
        signal: context.signal,
        onCheck: (check) => context.progress.update(`${check.ok ? 'ok' : 'FAILED'}: ${check.name}`),
        ...(argv['firmware'] !== undefined && { firmware: readFirmware(argv['firmware'] as string) }),
        ...(profile && { observer: profile.observer }),
        ...(capture && { capture }),
        ...(onEvents && { onEvents }),
      }
      const doing = argv['do'] as string[]
      if (doing.length > 0) return await performed(context, request, doing)
      const engine = argv['engine'] as EngineName
      const report = await (engine !== 'node'
        ? (await import('../engine/index.ts')).runElsewhere(context, engine, request)
        : record === undefined
          ? runMachine(request)
          : runRecorded(request, { ...keysOf(document, asked), ...keys }, record, argv['embed'] === true))
      profile?.write(report)
      context.result({ engine: thisEngine(modules), ...report }, (result) =>
        [renderRun(result, context.verbose > 0), ...postMortem.texts()].join('\n\n'),
      )
      if (report.interrupted) return 130
      return report.checks.every((check) => check.ok) ? 0 : 1
    } finally {
      await workspace.close()
    }
  },
}

/** What starts a watchdog; or the status of the process that ran under one in this one's place. Throws UsageError. */
async function watchdogOf({ signal }: Context, seconds: unknown): Promise<(() => Watchdog) | number> {
  const { parseWatchdog, startWatchdog, watched } = await import('../watchdog.ts')
  const ms = parseWatchdog(seconds)
  return (await watched(signal)) ?? (() => startWatchdog(ms))
}

/** Boot, and carry commands out in the kernel under the first driver. */
async function performed(context: Context, request: RunRequest, commands: readonly string[]): Promise<number> {
  const wrong = commands.find((command) => parseCommand(command) === undefined)
  if (wrong !== undefined)
    throw new UsageError(`cannot do ${wrong}`, { expected: COMMANDS, todo: "as in --do 'cat /proc/modules'" })
  const { climbers } = await boot(request)
  const [first] = climbers
  if (first?.driver === undefined)
    throw new DriverFailure(`${first?.name ?? 'the driver'} did not start: ${first?.reason}`)
  const done: Performed[] = []
  for (const command of commands) done.push(await perform(first.driver, command))
  context.result({ schema: 'drvport.do/1', driver: first.name, commands: done }, ({ commands: list }) =>
    list
      .map(({ command, ok, output }) => `${paint('dim', `$ ${command}`)}\n${ok ? '' : 'failed: '}${output.trimEnd()}`)
      .join('\n'),
  )
  return done.every(({ ok }) => ok) ? 0 : 1
}

/** Keys of a build's packages in the store, by `buildId`. */
export const keysOf = (document: BuildDocument, modules: readonly ModuleRequest[]): Record<string, string> =>
  Object.fromEntries(
    document.modules.flatMap(({ name, package: directory }) => {
      const pack = modules.find((module) => module.pack.manifest.name === name)?.pack
      return pack === undefined ? [] : [[buildId(recordedBuild(pack)), basename(directory!)]]
    }),
  )

/** Run, and write a recording as it goes: one that is killed leaves what happened until then. */
async function runRecorded(
  request: RunRequest,
  packages: Readonly<Record<string, string>>,
  path: string,
  embed: boolean,
): Promise<RunReport> {
  const { createRecording } = await import('../recording-file.ts')
  const write = createRecording(path, request, { packages, embed })
  let recorder: RunRecorder | undefined
  const report = await runMachine({
    ...request,
    observe: (machine) => {
      request.observe?.(machine)
      recorder = recordRun(machine.board.kernel, write)
    },
    onCheck: (check) => {
      recorder?.flush()
      request.onCheck?.(check)
    },
  })
  recorder?.end(report.interrupted)
  return report
}

/** SIGUSR2 freezes the machine, and lets it go on the next time. */
function freezeOnSignal(machine: Machine): void {
  process.on('SIGUSR2', () => {
    if (machine.frozen) machine.thaw()
    else machine.freeze()
    process.stderr.write(`${machine.frozen ? 'goes on' : 'frozen'} at ${(machine.now() / 1e9).toFixed(6)} s\n`)
  })
}

/** How this run was asked for. */
const commandLine = (): string => ['drvport', ...process.argv.slice(2)].map(quoted).join(' ')
const quoted = (word: string): string => (/^[\w./=:,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

/** The command that comes to an event of this run again. */
const againAt =
  (recording: string | undefined) =>
  (event: number): string =>
    recording === undefined ? commandLine() : `drvport replay ${quoted(recording)} --until ${event}`

/** Records of failures: into a folder and, shortened, below the result; nowhere without a folder. */
function recorder(folder: string | undefined): { keep(record: PostMortem): void; texts(): string[] } {
  if (folder === undefined) return { keep: () => {}, texts: () => [] }
  const write = postMortemsTo(folder)
  const records: PostMortem[] = []
  return {
    keep: (record) => {
      write(record)
      records.push(record)
    },
    texts: () => records.map(renderPostMortem),
  }
}

async function optimized(module: ModuleRequest): Promise<ModuleRequest> {
  const { withArtefact } = await import('../artefacts.ts')
  return { ...module, pack: await withArtefact(module.pack) }
}

async function replaced(context: Context, modules: readonly ModuleRequest[], by: string): Promise<Replacements> {
  const { replacementsFor } = await import('../replacement.ts')
  return replacementsFor(context, modules, by)
}

/** Counts while the run goes, and writes the profile when it has ended. */
async function profileTo(
  path: string | undefined,
): Promise<(Pick<Profiling, 'observer'> & { write(report: RunReport): void }) | undefined> {
  if (path === undefined) return undefined
  const { profiling } = await import('../profile.ts')
  const sink = fileSink(path)
  const { observer, document } = profiling()
  return {
    observer,
    write: ({ seed, machine }) => sink(`${JSON.stringify(document(seed, machine.eventHash))}\n`),
  }
}

/** A file written as the run goes. Throws UsageError when it cannot be. */
function fileSink(path: string): (data: string | Uint8Array) => void {
  try {
    const file = openSync(path, 'w')
    return (data) => void writeSync(file, typeof data === 'string' ? Buffer.from(data) : data)
  } catch (cause) {
    throw new UsageError(`cannot write ${path}`, { expected: 'a file that can be created', where: path, cause })
  }
}

/** A sink for the first NIC's wire. */
function captureTo(path: string | undefined): (() => ((bytes: Uint8Array) => void) | undefined) | undefined {
  if (path === undefined) return undefined
  const sink = fileSink(path)
  let taken = false
  return () => {
    if (taken) return undefined
    taken = true
    return sink
  }
}

/** A sink for the event log. */
function eventsTo(path: string | undefined): ((lines: readonly string[]) => void) | undefined {
  if (path === undefined) return undefined
  const sink = fileSink(path)
  return (lines) => sink(`${lines.join('\n')}\n`)
}
