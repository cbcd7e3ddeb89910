/** `--engine`: the same run somewhere else. The request becomes files, the guest's messages a report again. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { DriverFailure, InfrastructureError } from '../../pipeline/errors.ts'
import { bringEngine, type Engine, type EngineName } from '../../pipeline/engine/index.ts'
import { writePlain } from '../../pipeline/engine/plain.ts'
import type { ModuleRequest, RunReport, RunRequest } from '../../lab/run.ts'
import type { Context } from '../context.ts'
import type { EngineFacts, GuestMessage, GuestRequest } from './guest.ts'

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

async function writeRequest(dir: string, run: EngineRun): Promise<void> {
  let files = 0
  const write = async (bytes: Uint8Array): Promise<string> => {
    const name = `file-${files++}`
    await fs.writeFile(path.join(dir, name), bytes)
    return name
  }
  const modules: GuestRequest['modules'][number][] = []
  for (const { pack, device, args } of run.modules)
    modules.push({
      manifest: pack.manifest,
      wasm: await write(pack.wasm),
      lines: pack.lines === undefined ? null : await write(pack.lines),
      device: device ?? null,
      args: args ?? [],
    })
  const firmware: GuestRequest['firmware'][number][] = []
  for (const [name, bytes] of Object.entries(run.firmware ?? {})) firmware.push({ name, file: await write(bytes) })
  const { seed = 1, frames = 1000, inject = 0, until = 'contain', schedule = {}, costs = {} } = run
  const [events, capture] = [run.onEvents !== undefined, run.capture !== undefined]
  const request: GuestRequest = { seed, frames, inject, until, schedule, costs, events, capture, modules, firmware }
  await fs.writeFile(path.join(dir, 'request.json'), JSON.stringify(request))
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

/** What this Node is, and what it loaded: verified, so the hash is that of the manifest. */
export const thisEngine = (modules: readonly ModuleRequest[]): EngineFacts => ({
  name: 'node',
  version: `${process.version}, V8 ${process.versions.v8}`,
  arch: process.arch,
  loaded: modules.map(({ pack: { manifest } }) => ({ name: manifest.name, sha256: manifest.wasm.sha256 })),
})

/** What loaded what, for a reader to hold against other runs. */
export const renderEngine = ({ name, version, arch, loaded }: EngineFacts): string[] => [
  `${name} ${version} on ${arch}`,
  ...loaded.map((module) => `  ${module.name} sha256 ${module.sha256}`),
]
