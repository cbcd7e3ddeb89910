/**
 * Files that a domain may read, by calls of WASI preview 1 through @wasmer/wasi: firmware, in a file system in memory. Never on a hot
 * path.
 *
 * One library serves every domain, so nothing a program says reaches it unless it is within bounds (linux-api/bounds.ts): files
 * cannot be made or changed, and those open are counted. There are no other calls than those of the table.
 */
import type { MemFS } from '@wasmer/wasi'
import { BOUNDS } from '../../linux-api/generated/abi.ts'
import { bounded } from './bounds.ts'
import type { Host } from './host.ts'

const NAMESPACE = 'wasi_snapshot_preview1'
/** Results, of WASI preview 1. */
const ERRNO = { SUCCESS: 0, ROFS: 69 } as const
/** Flags of path_open that make or change a file: create, exclusive, truncate. */
const CHANGING = 1 | 4 | 8
/** Rights that let one be changed: datasync, write, allocate, set size and times. */
const WRITING = (1n << 0n) | (1n << 6n) | (1n << 8n) | (1n << 22n) | (1n << 23n)
/** Bytes moved for a unit of work, as a power of two. */
const BYTES_SHIFT = 3

/** It is no group of the ABI and has its own namespace, but is granted like one. */
export const FILES = { name: 'wasi', authority: 'files' } as const

/** Every call there is. */
export const FILE_CALLS: readonly string[] = Object.keys(BOUNDS).flatMap((call) =>
  call.startsWith(`${FILES.name}.`) ? [call.slice(FILES.name.length + 1)] : [],
)

export { NAMESPACE as WASI_NAMESPACE }

type Library = typeof import('@wasmer/wasi')

let library: Promise<Library> | undefined

/** Loaded only where there are files: it costs tens of milliseconds, once. */
function loadWasi(): Promise<Library> {
  library ??= load()
  return library
}

async function load(): Promise<Library> {
  const wasmer = await import('@wasmer/wasi')
  await wasmer.init()
  return wasmer
}

/**
 * A module that imports memory and hands it out again, and one call that shows the library which WASI is meant: in the place of a
 * program, whose memory is not its own.
 */
const memoryModule = (): Uint8Array<ArrayBuffer> => {
  const text = (word: string): number[] => [word.length, ...new TextEncoder().encode(word)]
  const section = (id: number, content: number[]): number[] => [id, content.length, ...content]
  const imports = [2, ...text(NAMESPACE), ...text('fd_close'), 0, 0, ...text('env'), ...text('memory'), 2, 0, 0]
  const [types, exports] = [
    [1, 0x60, 1, 0x7f, 1, 0x7f],
    [1, ...text('memory'), 2, 0],
  ]
  const sections = [...section(1, types), ...section(2, imports), ...section(7, exports)]
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections])
}

/** The calls, for a program in this memory; `firmware`: contents by name below /lib/firmware. */
export async function createFiles(
  host: Host,
  memory: WebAssembly.Memory,
  firmware: Readonly<Record<string, Uint8Array>>,
): Promise<WebAssembly.ModuleImports> {
  const wasmer = await loadWasi()
  const module = await WebAssembly.compile(memoryModule())
  const fs = new wasmer.MemFS()
  writeFiles(fs, firmware)
  const wasi = new wasmer.WASI({ args: ['driver'], env: {}, preopens: { '/': '/' }, fs })
  const given = (wasi.getImports(module) as Record<string, Record<string, WasiCall>>)[NAMESPACE] ?? {}
  wasi.instantiate(await WebAssembly.instantiate(module, { [NAMESPACE]: { fd_close: () => 0 }, env: { memory } }), {})
  const own = ownCalls(host, given)
  return Object.fromEntries(FILE_CALLS.map((name) => [name, guarded(host, name, own[name] ?? given[name]!)]))
}

/** Words, and numbers of 64 bits. */
type WasiCall = (...args: (number | bigint)[]) => number

/** Authority, lengths, quotas and charges first, as for any call of the ABI. */
function guarded(host: Host, name: string, call: WasiCall): WasiCall {
  const may = bounded(host, 'wasi', name, () => undefined)
  return (...args) => {
    const [a, b, c, d, e, f] = args as [number, number, number, number, number, number]
    return (may(a, b, c, d, e, f) as number | undefined) ?? call(...args)
  }
}

/** Calls that the library sees changed. */
function ownCalls(host: Host, given: Readonly<Record<string, WasiCall>>): Record<string, WasiCall> {
  const open = new Set<number>()
  return {
    fd_pread: (...args) => {
      host.worked(bytesOf(host, Number(args[1]), Number(args[2])) >>> BYTES_SHIFT)
      return given['fd_pread']!(...args)
    },
    path_open: (fd, dirflags, path, length, flags, rights, inheriting, fdflags, out) => {
      if ((Number(flags) & CHANGING) !== 0) return ERRNO.ROFS
      host.within('wasi.path_open', Number(out) >>> 0, 4)
      const may = (asked: number | bigint | undefined): bigint => BigInt(asked ?? 0) & ~WRITING
      const asked = [fd!, dirflags!, path!, length!, flags!, may(rights), may(inheriting), fdflags!, out!]
      const result = given['path_open']!(...asked)
      if (result === ERRNO.SUCCESS) open.add(host.words[Number(out) >>> 2] ?? 0)
      host.files = open.size
      return result
    },
    fd_close: (fd) => {
      const result = given['fd_close']!(fd!)
      if (result === ERRNO.SUCCESS) open.delete(Number(fd))
      host.files = open.size
      return result
    },
  }
}

/** Bytes in the pieces that a list of vectors names, all of them the program's. */
function bytesOf(host: Host, at: number, count: number): number {
  const view = new DataView(host.bank.bytes.buffer)
  let bytes = 0
  for (let i = 0; i < count >>> 0; i++) {
    const entry = (at >>> 0) + 8 * i
    bytes += host.bytes('wasi.fd_pread', view.getUint32(entry, true), view.getUint32(entry + 4, true)).length
  }
  return bytes
}

function writeFiles(fs: MemFS, firmware: Readonly<Record<string, Uint8Array>>): void {
  const made = new Set<string>()
  for (const [name, bytes] of Object.entries(firmware)) {
    const parts = ['lib', 'firmware', ...name.split('/')]
    for (let depth = 1; depth < parts.length; depth++) {
      const directory = `/${parts.slice(0, depth).join('/')}`
      if (!made.has(directory)) fs.createDir(directory)
      made.add(directory)
    }
    const file = fs.open(`/${parts.join('/')}`, { read: true, write: true, create: true })
    file.write(bytes)
    file.flush()
    file.free()
  }
}
