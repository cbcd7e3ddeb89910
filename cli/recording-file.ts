/**
 * A recording as a file: one line a frame, written as the run goes and never changed.
 *
 * A line is a checksum, a space and JSON. The checksum covers the line and all before it, so that a line changed,
 * missing or in another place shows; a last line without its end is what a killed process was writing, and is left out.
 * The first line is the header. Events are deflated, as are packages, which are in the file only when embedded.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { contentKey, sha256 } from '../pipeline/cache.ts'
import { admitCore, symbolsOf } from '../pipeline/core/kept.ts'
import { DriverFailure, UsageError } from '../pipeline/errors.ts'
import { packageRoot } from '../pipeline/root.ts'
import { getPackage } from '../pipeline/store/index.ts'
import type { Manifest } from '../pipeline/package.ts'
import type { EventRecord } from '../kernel/log.ts'
import type { CorePackage } from '../machine/load/core.ts'
import { boundFrom, coreFrom, partsOf, type DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import {
  buildId,
  headerOf,
  recordedBuild,
  RECORDING_SCHEMA,
  type Frame,
  type RecordedBuild,
  type RecordingHeader,
} from '../lab/recording.ts'
import type { ModuleRequest, RunRequest } from '../lab/run.ts'

/** What made a recording; where another one runs it, a difference has a likely cause. */
interface Maker {
  readonly version: string
  /** Hash of the machine's own code. */
  readonly code: string
}

interface FileHeader extends RecordingHeader {
  readonly drvport: Maker
  /** Key of each package in the store, by `buildId`. */
  readonly packages: Readonly<Record<string, string>>
  /** Hash of each firmware file given, by name. */
  readonly firmware: Readonly<Record<string, string>>
}

/** Something that the run reads, in the recording itself. */
type Embedded =
  EmbeddedPackage | EmbeddedCore | { readonly kind: 'firmware'; readonly name: string; readonly data: string }

interface EmbeddedPackage {
  readonly kind: 'package'
  readonly name: string
  readonly manifest: Manifest
  readonly wasm: string
  readonly lines?: string
  /** In the order of the manifest's. */
  readonly modules: readonly { readonly wasm: string; readonly lines?: string; readonly image: string }[]
}

/** A kernel, once for all packages that stand on it. */
interface EmbeddedCore {
  readonly kind: 'core'
  readonly sha256: string
  readonly wasm: string
  readonly lines?: string
  /** What it offers to modules: it is proved by whoever runs it. */
  readonly symbols: string
}

type Row = readonly [at: number, kind: string, domain: number, a: number | string, b?: number]
type Line = Exclude<Frame, { kind: 'events' }> | Embedded | EventsLine
interface EventsLine {
  readonly kind: 'events'
  readonly from: number
  readonly hash: string
  readonly rows: string
}

export interface Recording {
  readonly path: string
  readonly header: FileHeader
  readonly frames: readonly Frame[]
  /** No end: its process was killed. */
  readonly cut: boolean
  readonly embedded: readonly Embedded[]
}

const pack = (data: Uint8Array | string): string => deflateRawSync(data).toString('base64')
const unpack = (text: string): Buffer<ArrayBuffer> => inflateRawSync(Buffer.from(text, 'base64'))

const rowOf = ({ atNs, kind, domain, a, b, text }: EventRecord): Row =>
  text === undefined ? [atNs, kind, domain, a, b] : [atNs, kind, domain, text]

const recordOf = ([atNs, kind, domain, a, b = 0]: Row): EventRecord =>
  typeof a === 'string' ? { atNs, kind, domain, a: a.length, b: 0, text: a } : { atNs, kind, domain, a, b }

function lineOf(frame: Frame): Line {
  if (frame.kind !== 'events') return frame
  const { kind, from, hash, events } = frame
  return { kind, from, hash, rows: pack(JSON.stringify(events.map(rowOf))) }
}

function frameOf(line: Exclude<Line, Embedded>): Frame {
  if (line.kind !== 'events') return line
  const { kind, from, hash, rows } = line
  return { kind, from, hash, events: (JSON.parse(unpack(rows).toString()) as Row[]).map(recordOf) }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')

// ---- writing

/** Version and code of the drvport that runs. */
function maker(): Maker {
  const files = ['base', 'kernel', 'hw', 'machine', 'lab'].flatMap((dir) =>
    readdirSync(join(import.meta.dirname, '..', dir), { recursive: true, withFileTypes: true })
      .filter((item) => item.isFile() && /\.[jt]s$/.test(item.name))
      .map((item) => join(item.parentPath, item.name)),
  )
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  return { version, code: contentKey(files.toSorted().map((file) => readFileSync(file, 'utf8'))).slice(0, 16) }
}

export interface RecordingOptions {
  /** Key of each package in the store, by `buildId`. */
  readonly packages: Readonly<Record<string, string>>
  /** Put packages and firmware into the file: it then needs nothing but drvport. */
  readonly embed: boolean
}

/** Begin a recording of a request; the frames go to what is returned. Throws UsageError when it cannot be written. */
export function createRecording(path: string, request: RunRequest, options: RecordingOptions): (frame: Frame) => void {
  let file: number
  try {
    file = openSync(path, 'w')
  } catch (cause) {
    throw new UsageError(`cannot write ${path}`, { expected: 'a file that can be created', where: path, cause })
  }
  let sum = 0
  const put = (value: object): void => {
    const json = JSON.stringify(value)
    sum = crc32(json, sum)
    writeSync(file, `${hex(sum)} ${json}\n`)
  }
  const firmware = Object.entries(request.firmware ?? {})
  put({
    ...headerOf(request),
    drvport: maker(),
    packages: options.packages,
    firmware: Object.fromEntries(firmware.map(([name, data]) => [name, sha256(data)])),
  } satisfies FileHeader)
  if (options.embed) {
    const packs = request.modules.flatMap(({ pack: module, replacement }) => [module, replacement ?? []].flat())
    const cores = new Map(packs.map(({ on, manifest }) => [on.core, manifest.core.key] as const))
    for (const [core, key] of cores) put(embeddedCore(core, symbolsOf(key)))
    for (const module of packs) put(embeddedPackage(module))
    for (const [name, data] of firmware) put({ kind: 'firmware', name, data: pack(data) } satisfies Embedded)
  }
  return (frame) => {
    put(lineOf(frame))
    if (frame.kind === 'end') closeSync(file)
  }
}

const packedLines = (lines: Uint8Array | undefined) => lines && { lines: pack(lines) }

const embeddedPackage = ({ manifest, wasm, lines, on }: DriverPackage): EmbeddedPackage => ({
  kind: 'package',
  name: manifest.name,
  manifest,
  wasm: pack(wasm),
  ...packedLines(lines),
  modules: on.modules.map((module) => ({
    wasm: pack(module.wasm),
    ...packedLines(module.lines),
    image: pack(module.image),
  })),
})

const embeddedCore = ({ sha256: hash, wasm, lines }: CorePackage, symbols: Uint8Array): EmbeddedCore => ({
  kind: 'core',
  sha256: hash,
  wasm: pack(wasm),
  ...packedLines(lines),
  symbols: pack(symbols),
})

// ---- reading

const refused = (
  path: string,
  facts: { found: string; expected?: string; todo?: string; cause?: unknown },
): UsageError =>
  new UsageError('cannot replay this file', {
    where: path,
    expected: `a recording (${RECORDING_SCHEMA}), as \`drvport run MODULE --record FILE\` writes it`,
    ...facts,
  })

/** Read a recording and hold every line against its checksum. Throws UsageError. */
export function readRecording(path: string): Recording {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw refused(path, { found: 'nothing that can be read', cause })
  }
  const lines = text.split('\n')
  // What follows the last line end was being written when the process was killed.
  lines.pop()
  const values = checkedLines(path, lines)
  const [header, ...rest] = values as [FileHeader | undefined, ...Line[]]
  if (header === undefined) throw refused(path, { found: 'no whole line' })
  if (header.schema !== RECORDING_SCHEMA) throw refused(path, { found: `schema ${JSON.stringify(header.schema)}` })
  const isEmbedded = (line: Line): line is Embedded => ['package', 'core', 'firmware'].includes(line.kind)
  const frames = rest.filter((line) => !isEmbedded(line)).map((line) => frameOf(line as Exclude<Line, Embedded>))
  return { path, header, frames, cut: frames.at(-1)?.kind !== 'end', embedded: rest.filter(isEmbedded) }
}

/** What the lines say, each held against its checksum. */
function checkedLines(path: string, lines: readonly string[]): unknown[] {
  let sum = 0
  return lines.map((line, i) => {
    const found = /^([0-9a-f]{8}) (\{.*\})$/.exec(line)
    if (found === null) throw refused(path, { found: i === 0 ? 'a file of another kind' : `line ${i + 1} is no frame` })
    sum = crc32(found[2]!, sum)
    if (hex(sum) !== found[1]) {
      throw refused(path, {
        expected: `line ${i + 1} to have the checksum ${found[1]}`,
        found: `${hex(sum)}: it was changed, or a line before it is missing`,
        todo: 'record the run again: a damaged recording would replay another run',
      })
    }
    return JSON.parse(found[2]!) as unknown
  })
}

/** Why a run may differ from this recording: it was made by other code than what runs here. */
export function foreignMaker({ header }: Recording): string | undefined {
  const here = maker()
  const { version, code } = header.drvport
  if (version === here.version && code === here.code) return undefined
  return `the recording was made by drvport ${version} (machine ${code}), this is ${here.version} (machine ${here.code})`
}

// ---- running again

/** The packages of a recording: embedded, or from the store. Throws UsageError when one is not there. */
export async function modulesOf(recording: Recording): Promise<ModuleRequest[]> {
  const { header, embedded, path } = recording
  const cores = new Map<string, CorePackage>()
  const find = async (build: RecordedBuild): Promise<DriverPackage> => {
    const { name, tree } = build
    const wanted = buildId(build)
    const inside = embedded
      .filter((item) => item.kind === 'package')
      .find((item) => item.name === name && buildId(recordedBuild(item)) === wanted)
    const found = inside === undefined ? await stored(header.packages[wanted], name) : unpacked(inside, embedded, cores)
    const hashes = found && hashesOf(found)
    if (found !== undefined && hashes === wanted) return found
    throw new UsageError(`the recording needs ${name} as it was, and it is not in the store`, {
      where: path,
      expected: `${name}.wasm with SHA-256 ${wanted}`,
      found: hashes === undefined ? 'no such package' : `SHA-256 ${hashes}`,
      todo: `build it from the same tree and drvport (\`drvport build ${name} --tree ${tree.name}\`), or record with --embed`,
    })
  }
  return Promise.all(
    header.modules.map(async (module) => ({
      pack: await find(module),
      args: module.args,
      ...(module.device !== undefined && { device: module.device }),
      ...(module.replacement !== undefined && { replacement: await find(module.replacement) }),
    })),
  )
}

/** A package's `buildId`, taken of what it is and not of what it says. */
function hashesOf(found: DriverPackage): string {
  const [core, ...modules] = partsOf(found)
  const below = [core!, ...modules.slice(0, -1)].map(({ wasm }) => sha256(wasm))
  return buildId({ sha256: sha256(found.wasm), on: below })
}

const linesOf = (lines: string | undefined) => (lines === undefined ? undefined : unpack(lines))

/** `cores`: those of this recording that are unpacked. */
function unpacked(
  { manifest, wasm, lines, modules }: EmbeddedPackage,
  embedded: readonly Embedded[],
  cores: Map<string, CorePackage>,
): DriverPackage | undefined {
  const plain = { manifest, wasm: new Uint8Array(unpack(wasm)), lines: linesOf(lines) }
  const { core: facts } = manifest
  const packed = embedded.filter((item) => item.kind === 'core').find((item) => item.sha256 === facts.sha256)
  if (packed === undefined || modules.length !== facts.modules.length) return undefined
  const core = cores.get(facts.sha256) ?? coreFrom(facts, new Uint8Array(unpack(packed.wasm)), linesOf(packed.lines))
  cores.set(facts.sha256, core)
  const [problem] = admitCore(facts.key, core.wasm, unpack(packed.symbols))
  if (problem !== undefined)
    throw new DriverFailure(`the kernel under ${manifest.name} in the recording is refused`, {
      where: problem.where,
      expected: 'a kernel that does nothing but what can be proved of it',
      found: problem.message,
    })
  const files = modules.map((module) => ({
    wasm: new Uint8Array(unpack(module.wasm)),
    lines: linesOf(module.lines),
    image: unpack(module.image),
  }))
  return { ...plain, on: { core, modules: facts.modules.map((module, i) => boundFrom(module, files[i]!)) } }
}

async function stored(key: string | undefined, name: string): Promise<DriverPackage | undefined> {
  const at = key === undefined ? undefined : await getPackage(key, name)
  return at && readPackage(at.dir, name)
}

/** The firmware of a recording: embedded, or `given` when it is what was recorded. Throws UsageError. */
export function firmwareOf(
  recording: Recording,
  given: Readonly<Record<string, Uint8Array>>,
): Record<string, Uint8Array> {
  const { header, embedded, path } = recording
  const files = Object.entries(header.firmware).map(([name, wanted]): [string, Uint8Array] => {
    const inside = embedded.find((item) => item.kind === 'firmware' && item.name === name)
    const data = inside?.kind === 'firmware' ? unpack(inside.data) : given[name]
    if (data !== undefined && sha256(data) === wanted) return [name, data]
    throw new UsageError(`the recording needs the firmware ${name} as it was`, {
      where: path,
      expected: `SHA-256 ${wanted}`,
      found: data === undefined ? 'no such file' : `SHA-256 ${sha256(data)}`,
      todo: 'name its folder with --firmware, or record with --embed',
    })
  })
  return Object.fromEntries(files)
}

/** The request that makes a recorded run again. */
export async function requestOf(
  recording: Recording,
  given: Readonly<Record<string, Uint8Array>> = {},
): Promise<RunRequest> {
  const { header } = recording
  const modules = await modulesOf(recording)
  const firmware = firmwareOf(recording, given)
  return { ...header.settings, seed: header.seed, modules, ...(Object.keys(firmware).length > 0 && { firmware }) }
}
