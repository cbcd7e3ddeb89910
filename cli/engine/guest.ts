/**
 * The machine on another engine: what runs there. It reads its request and the packages by name, holds every file
 * against its hash, verifies, runs, and tells what it finds. Everything it imports must run in a browser.
 */
import { runMachine, type RunReport, type RunRequest, type RunRung } from '../../lab/run.ts'
import type { CorePackage } from '../../machine/load/core.ts'
import { decodeImage, type KeptImages } from '../../machine/load/image.ts'
import { boundFrom, coreFrom, partsOf, type DriverPackage } from '../../machine/load/package.ts'
import type { Check } from '../../lab/check.ts'
import type { Manifest, OnCoreFacts } from '../../pipeline/package.ts'
import { acceptParts, DEVICE_ALLOWANCE, symbolizerOf } from '../trust.ts'

/** `request.json` of a job. Files are names below the job's directory. */
export interface GuestRequest {
  readonly seed: number
  readonly frames: number
  readonly inject: number
  readonly until: RunRung
  readonly schedule: NonNullable<RunRequest['schedule']>
  readonly costs: NonNullable<RunRequest['costs']>
  /** Send the event log and the first NIC's wire too. */
  readonly events: boolean
  readonly capture: boolean
  readonly modules: readonly {
    readonly manifest: Manifest
    readonly wasm: string
    readonly lines: string | null
    /** Of one that stands on a kernel. */
    readonly on: {
      /** SHA-256 of one of `cores`. */
      readonly core: string
      readonly modules: readonly { readonly wasm: string; readonly lines: string | null; readonly image: string }[]
    }
    readonly device: string | null
    readonly args: readonly string[]
  }[]
  /** Kernels, each once, by SHA-256. */
  readonly cores: Readonly<Record<string, GuestCore>>
  readonly firmware: readonly { readonly name: string; readonly file: string }[]
}

export interface GuestCore {
  readonly wasm: string
  readonly lines: string | null
  /** What it booted to elsewhere; without one it boots there. */
  readonly image: { readonly file: string; readonly sha256: string } | null
}

/** What ran the machine. */
export interface EngineFacts {
  readonly name: string
  readonly version: string
  readonly arch: string
  /** SHA-256 of each module as it was loaded there. */
  readonly loaded: readonly { readonly name: string; readonly sha256: string }[]
}

export type GuestMessage =
  | { readonly check: Check }
  | { readonly events: readonly string[] }
  /** Bytes of a pcap file, base64. */
  | { readonly capture: string }
  | { readonly report: RunReport; readonly engine: EngineFacts }
  /** What a person is told, with its exit status; 3 for what should not happen. */
  | { readonly failed: string; readonly status: number }

export interface GuestIo {
  read(name: string): Promise<Uint8Array<ArrayBuffer>>
  tell(message: GuestMessage): void
  readonly engine: Omit<EngineFacts, 'loaded'>
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(''))

/** Run the request and tell its report, or why there is none. Never throws. */
export async function runGuest(io: GuestIo): Promise<void> {
  try {
    const { request, loaded } = await open(io)
    const report = await runMachine(request)
    io.tell({ report, engine: { ...io.engine, loaded } })
  } catch (error) {
    const { status = 3 } = error as { status?: number }
    const failed = status === 3 ? ((error as Error).stack ?? String(error)) : (error as Error).message
    io.tell({ failed, status })
  }
}

/** Reads packages by the names of their files; a kernel that several stand on is read once. */
class Packages {
  readonly #io: GuestIo
  readonly #cores: GuestRequest['cores']
  readonly #read = new Map<string, Promise<CorePackage>>()

  constructor(io: GuestIo, cores: GuestRequest['cores']) {
    this.#io = io
    this.#cores = cores
  }

  async open({ manifest, wasm, lines, on }: GuestRequest['modules'][number]): Promise<DriverPackage> {
    const plain = { manifest, wasm: await this.#io.read(wasm), lines: await this.#lines(lines) }
    const facts = manifest.core
    const core = this.#read.get(on.core) ?? this.#core(facts, this.#cores[on.core]!)
    this.#read.set(on.core, core)
    const modules = facts.modules.map(async (module, i) => {
      const files = on.modules[i]!
      const [code, image] = [await this.#io.read(files.wasm), await this.#io.read(files.image)]
      return boundFrom(module, { wasm: code, lines: await this.#lines(files.lines), image })
    })
    return { ...plain, on: { core: await core, modules: await Promise.all(modules) } }
  }

  async #core(facts: OnCoreFacts, { wasm, lines, image }: GuestCore): Promise<CorePackage> {
    const core = coreFrom(facts, await this.#io.read(wasm), await this.#lines(lines))
    return image === null ? core : { ...core, images: await this.#image(image) }
  }

  async #image({ file, sha256: expected }: NonNullable<GuestCore['image']>): Promise<KeptImages> {
    const bytes = await this.#io.read(file)
    const image = (await sha256(bytes)) === expected ? decodeImage(bytes) : undefined
    const read: KeptImages['read'] = (size) => Promise.resolve(size === image?.content.size ? image : undefined)
    return { read, write: () => Promise.resolve() }
  }

  async #lines(file: string | null): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return file === null ? undefined : this.#io.read(file)
  }
}

async function open(io: GuestIo): Promise<{ request: RunRequest; loaded: EngineFacts['loaded'] }> {
  const wanted = JSON.parse(new TextDecoder().decode(await io.read('request.json'))) as GuestRequest
  const packages = new Packages(io, wanted.cores)
  const hashes = new Map<Uint8Array, string>()
  const loaded: { name: string; sha256: string }[] = []
  const modules: { pack: DriverPackage; args: readonly string[]; device?: string }[] = []
  for (const module of wanted.modules) {
    const pack = await packages.open(module)
    for (const { wasm } of partsOf(pack)) if (!hashes.has(wasm)) hashes.set(wasm, await sha256(wasm))
    const own = partsOf(pack).at(-1)!
    loaded.push({ name: pack.manifest.name, sha256: hashes.get(own.wasm)! })
    modules.push({ pack, args: module.args, ...(module.device !== null && { device: module.device }) })
  }
  const firmware: Record<string, Uint8Array> = {}
  for (const { name, file } of wanted.firmware) firmware[name] = await io.read(file)
  const hashOf = ({ wasm }: { wasm: Uint8Array }): string => hashes.get(wasm)!
  let tapped = false
  const { seed, frames, inject, until, schedule, costs } = wanted
  const request: RunRequest = {
    seed,
    frames,
    inject,
    until,
    schedule,
    costs,
    modules,
    firmware,
    verify: (pack) => acceptParts(pack, hashOf, DEVICE_ALLOWANCE),
    symbolizer: symbolizerOf,
    wallMs: () => performance.now(),
    onCheck: (check) => io.tell({ check }),
    ...(wanted.events && { onEvents: (events: readonly string[]) => io.tell({ events }) }),
    ...(wanted.capture && {
      capture: () => {
        if (tapped) return undefined
        tapped = true
        return (bytes: Uint8Array) => io.tell({ capture: base64(bytes) })
      },
    }),
  }
  return { request, loaded }
}
