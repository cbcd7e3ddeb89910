/** `--engine`: the same run somewhere else. The request becomes files, the guest's messages a report again. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { DriverFailure, InfrastructureError } from '../../pipeline/errors.ts'
import { bringEngine, type Engine, type EngineName } from '../../pipeline/engine/index.ts'
import { writePlain } from '../../pipeline/engine/plain.ts'
import type { RunReport, RunRequest } from '../../lab/run.ts'
import type { Context } from '../context.ts'
import { sha256 } from '../../pipeline/cache.ts'
import type { CorePackage } from '../../machine/load/core.ts'
import { encodeImage, imageOf } from '../../machine/load/image.ts'
import type { OnCore } from '../../machine/load/package.ts'
import type { EngineFacts, GuestCore, GuestMessage, GuestRequest } from './guest.ts'

/** Of a run, what can go to another engine: it verifies and times for itself. */
export type EngineRun = Pick<
  RunRequest,
  | 'modules'
  | 'firmware'
  | 'schedule'
  | 'costs'
  | 'onCheck'
  | 'onEvents'
  | 'signal'
  | 'seed'
  | 'frames'
  | 'inject'
  | 'until'
> & {
  /** Asked once for the sink of the first NIC's wire. */
  readonly capture?: () => ((bytes: Uint8Array) => void) | undefined
  /** Whether kernels boot there, instead of beginning from what they booted to here. */
  readonly bootThere?: boolean
}

export type EngineReport = RunReport & { readonly engine: EngineFacts }

const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
const entry = (name: string): string => path.join(import.meta.dirname, `${name}.${extension}`)

/** Modules that run there: for Node, and for a page. */
export const guestEntries = (): string[] => [entry('guest-node'), entry('guest-page')]

/** Run it there. Throws DriverFailure for a refused package, InfrastructureError for an engine that fails, Interrupted. */
export async function runOn(engine: Engine, run: EngineRun): Promise<EngineReport> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-engine-'))
  try {
    const [node, page] = await writePlain(guestEntries(), path.join(dir, 'code'))
    await writeRequest(dir, run)
    const sink = run.capture?.()
    let ended: GuestMessage | undefined
    await engine.run({
      dir,
      entries: { node: `code/${node!}`, page: `code/${page!}` },
      onMessage: (message) => (ended = receive(run, sink, message as GuestMessage) ?? ended),
      ...(run.signal && { signal: run.signal }),
    })
    return outcome(engine, ended)
  } finally {
    await fs.rm(dir, { recursive: true, force: true })
  }
}

/** Pass on what comes while it runs; what ends it is returned. */
function receive(
  run: EngineRun,
  sink: ((bytes: Uint8Array) => void) | undefined,
  message: GuestMessage,
): GuestMessage | undefined {
  if ('check' in message) run.onCheck?.(message.check)
  else if ('events' in message) run.onEvents?.(message.events)
  else if ('capture' in message) sink?.(Buffer.from(message.capture, 'base64'))
  else return message
  return undefined
}

function outcome(engine: Engine, ended: GuestMessage | undefined): EngineReport {
  if (ended !== undefined && 'report' in ended) return { ...ended.report, engine: ended.engine }
  if (ended !== undefined && 'failed' in ended && ended.status !== 3) throw new DriverFailure(ended.failed)
  throw new InfrastructureError(`the machine did not run on ${engine.name}`, {
    where: engine.about,
    found: ended !== undefined && 'failed' in ended ? ended.failed : 'it ended without a report',
    todo: 'run it without --engine to see whether it is the engine',
  })
}

/** Files of a job, by names given out in order. */
class JobFiles {
  readonly #dir: string
  #count = 0

  constructor(dir: string) {
    this.#dir = dir
  }

  async write(bytes: Uint8Array): Promise<string> {
    const name = `file-${this.#count++}`
    await fs.writeFile(path.join(this.#dir, name), bytes)
    return name
  }

  async lines(bytes: Uint8Array | undefined): Promise<string | null> {
    return bytes === undefined ? null : this.write(bytes)
  }
}

async function writeRequest(dir: string, run: EngineRun): Promise<void> {
  const files = new JobFiles(dir)
  const modules: GuestRequest['modules'][number][] = []
  const cores: Record<string, GuestCore> = {}
  for (const { pack, device, args } of run.modules) {
    const { core } = pack.on
    cores[core.sha256] ??= await writeCore(files, core, run.bootThere === true)
    modules.push({
      manifest: pack.manifest,
      wasm: await files.write(pack.wasm),
      lines: await files.lines(pack.lines),
      on: await writeModules(files, pack.on),
      device: device ?? null,
      args: args ?? [],
    })
  }
  const firmware: GuestRequest['firmware'][number][] = []
  for (const [name, bytes] of Object.entries(run.firmware ?? {}))
    firmware.push({ name, file: await files.write(bytes) })
  const { seed = 1, frames = 1000, inject = 0, until = 'contain', schedule = {}, costs = {} } = run
  const [events, capture] = [run.onEvents !== undefined, run.capture !== undefined]
  const what: GuestRequest = { seed, frames, inject, until, schedule, costs, events, capture, modules, cores, firmware }
  await fs.writeFile(path.join(dir, 'request.json'), JSON.stringify(what))
}

async function writeModules(
  files: JobFiles,
  { core, modules }: OnCore,
): Promise<GuestRequest['modules'][number]['on']> {
  const written: { wasm: string; lines: string | null; image: string }[] = []
  for (const { wasm, lines, image } of modules)
    written.push({
      wasm: await files.write(wasm),
      lines: await files.lines(lines),
      image: await files.write(image),
    })
  return { core: core.sha256, modules: written }
}

async function writeCore(files: JobFiles, core: CorePackage, bootThere: boolean): Promise<GuestCore> {
  const { wasm, lines } = core
  const image = bootThere ? undefined : encodeImage(await imageOf(core))
  return {
    wasm: await files.write(wasm),
    lines: await files.lines(lines),
    image: image === undefined ? null : { file: await files.write(image), sha256: sha256(image) },
  }
}

/** `run --engine NAME`: the engine is brought if it is missing. */
export async function runElsewhere(
  context: Context,
  name: Exclude<EngineName, 'node'>,
  run: EngineRun,
): Promise<EngineReport> {
  const { signal, progress } = context
  const engine = await bringEngine(name, { signal, progress: (line) => progress.update(line) })
  progress.note(`running on ${engine.about}`)
  return runOn(engine, run)
}
