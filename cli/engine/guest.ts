/**
 * The machine on another engine: what runs there. It reads its request and the packages by name, holds every file
 * against its hash, verifies, runs, and tells what it finds. Everything it imports must run in a browser.
 */
import { runMachine, type RunReport, type RunRequest, type RunRung } from '../../lab/run.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import type { Check } from '../../lab/check.ts'
import type { Manifest } from '../../pipeline/package.ts'
import { verifyHashed } from '../../pipeline/verify/verdict.ts'
import { accept, DEVICE_ALLOWANCE, symbolizerOf } from '../trust.ts'

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
    readonly device: string | null
    readonly args: readonly string[]
  }[]
  readonly firmware: readonly { readonly name: string; readonly file: string }[]
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

async function open(io: GuestIo): Promise<{ request: RunRequest; loaded: EngineFacts['loaded'] }> {
  const wanted = JSON.parse(new TextDecoder().decode(await io.read('request.json'))) as GuestRequest
  const loaded: { name: string; sha256: string }[] = []
  const modules: { pack: DriverPackage; args: readonly string[]; device?: string }[] = []
  for (const { manifest, wasm, lines, device, args } of wanted.modules) {
    const bytes = await io.read(wasm)
    loaded.push({ name: manifest.name, sha256: await sha256(bytes) })
    const pack = { manifest, wasm: bytes, lines: lines === null ? undefined : await io.read(lines) }
    modules.push({ pack, args, ...(device !== null && { device }) })
  }
  const firmware: Record<string, Uint8Array> = {}
  for (const { name, file } of wanted.firmware) firmware[name] = await io.read(file)
  const hashes = new Map(modules.map(({ pack }, i) => [pack, loaded[i]!.sha256]))
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
    verify: (pack) => accept(pack, verifyHashed(pack.wasm, hashes.get(pack)!, pack.manifest, DEVICE_ALLOWANCE)),
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
