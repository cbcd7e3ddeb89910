/**
 * WASI preview 1 for a driver domain, through @wasmer/wasi: arguments, firmware files in an in-memory file system that can be
 * read, standard output into the log. Never on a hot path. Clock and random source are the machine's, so that a run repeats.
 *
 * One library serves every domain, so nothing a program says reaches it unless it is within bounds (linux-api/bounds.ts): what is
 * written never does, files cannot be made or grow, and those open are counted.
 */
import type { MemFS } from '@wasmer/wasi'
import { LOG } from '../../linux-api/generated/abi.ts'
import { Failure } from '../../kernel/fault.ts'
import { bounded, hasBounds } from './bounds.ts'
import type { Host } from './host.ts'
import { Output } from './output.ts'

const NAMESPACE = 'wasi_snapshot_preview1'
/** Results, of WASI preview 1. */
const ERRNO = { SUCCESS: 0, BADF: 8, ROFS: 69 } as const
/** Flags of path_open that make or change a file: create, exclusive, truncate. */
const CHANGING = 1 | 4 | 8
/** Rights that let one be changed: datasync, write, allocate, set size and times. */
const WRITING = (1n << 0n) | (1n << 6n) | (1n << 8n) | (1n << 22n) | (1n << 23n)
/** Bytes moved for a unit of work, as a power of two. */
const BYTES_SHIFT = 3
/** Most bytes that one call writes. */
const WRITTEN_MAX = 65_536

/** It is no group of the ABI and has its own namespace, but is granted like one. */
export const FILES = { name: 'wasi', authority: 'files' } as const

export interface WasiOptions {
  /** Arguments, as `module.parameter=value`. */
  readonly args: readonly string[]
  /** Contents by name below /lib/firmware. */
  readonly firmware: Readonly<Record<string, Uint8Array>>
}

export interface WasiHost {
  readonly imports: WebAssembly.ModuleImports
  /** The instance exists. */
  bind(instance: WebAssembly.Instance): void
  /** Move what was written to standard output and error to the log, whole lines or not. */
  flush(): void
}

/** True when a module uses WASI at all. */
export const usesWasi = (module: WebAssembly.Module): boolean =>
  WebAssembly.Module.imports(module).some((imported) => imported.module === NAMESPACE)

export { NAMESPACE as WASI_NAMESPACE }

type Library = typeof import('@wasmer/wasi')

let library: Promise<Library> | undefined

/** Loaded only for a module that needs it: it costs tens of milliseconds, once. Early, it overlaps compilation. */
export function loadWasi(): Promise<Library> {
  library ??= load()
  return library
}

async function load(): Promise<Library> {
  const wasmer = await import('@wasmer/wasi')
  await wasmer.init()
  return wasmer
}

export async function createWasi(module: WebAssembly.Module, host: Host, options: WasiOptions): Promise<WasiHost> {
  const wasmer = await loadWasi()
  const fs = new wasmer.MemFS()
  writeFiles(fs, options.firmware)
  const wasi = new wasmer.WASI({ args: ['driver', ...options.args], env: {}, preopens: { '/': '/' }, fs })
  const library = (wasi.getImports(module) as Record<string, Record<string, WasiCall>>)[NAMESPACE] ?? {}
  const output = new Output((text) => host.board.write(host.domain, LOG.INFO, text))
  const own = ownCalls(host, output, library)
  const names = Object.keys({ ...library, ...own })
  return {
    imports: Object.fromEntries(names.map((name) => [name, guarded(host, name, own[name] ?? library[name]!)])),
    bind: (instance) => void wasi.instantiate(instance, {}),
    flush: () => output.flush(),
  }
}

/**
 * A module that imports memory and hands it out again, and one call that shows the library which WASI is meant: in its place
 * for a program whose memory is not its own.
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

/** The same calls for a program in this memory. */
export async function createFiles(
  host: Host,
  memory: WebAssembly.Memory,
  options: WasiOptions,
): Promise<WebAssembly.ModuleImports> {
  const module = await WebAssembly.compile(memoryModule())
  const wasi = await createWasi(module, host, options)
  wasi.bind(await WebAssembly.instantiate(module, { [NAMESPACE]: { fd_close: () => 0 }, env: { memory } }))
  return wasi.imports
}

/** Words, and numbers of 64 bits. */
type WasiCall = (...args: (number | bigint)[]) => number

/** Authority, lengths, quotas and charges first, as for any call of the ABI. */
function guarded(host: Host, name: string, call: WasiCall): WasiCall {
  if (!hasBounds('wasi', name)) {
    return () => {
      throw new Failure('no-capability', `wasi.${name}: no driver may call it`)
    }
  }
  const may = bounded(host, 'wasi', name, () => undefined)
  return (...args) => {
    const [a, b, c, d, e, f] = args as [number, number, number, number, number, number]
    return (may(a, b, c, d, e, f) as number | undefined) ?? call(...args)
  }
}

/** Calls that the library does not see, or sees changed. */
function ownCalls(host: Host, output: Output, library: Readonly<Record<string, WasiCall>>): Record<string, WasiCall> {
  const open = new Set<number>()
  const reading =
    (name: string): WasiCall =>
    (...args) => {
      host.worked(vectorsOf(host, name, Number(args[1]), Number(args[2])).bytes >>> BYTES_SHIFT)
      return library[name]!(...args)
    }
  return {
    ...deterministic(host),
    fd_read: reading('fd_read'),
    fd_pread: reading('fd_pread'),
    fd_pwrite: () => ERRNO.ROFS,
    fd_write: (fd, at, count, out) => {
      if (fd !== 1 && fd !== 2) return open.has(Number(fd)) ? ERRNO.ROFS : ERRNO.BADF
      return write(host, output, Number(at), Number(count), Number(out))
    },
    path_open: (fd, dirflags, path, length, flags, rights, inheriting, fdflags, out) => {
      if ((Number(flags) & CHANGING) !== 0) return ERRNO.ROFS
      host.within('wasi.path_open', Number(out) >>> 0, 4)
      const may = (asked: number | bigint | undefined): bigint => BigInt(asked ?? 0) & ~WRITING
      const given = [fd!, dirflags!, path!, length!, flags!, may(rights), may(inheriting), fdflags!, out!]
      const result = library['path_open']!(...given)
      if (result === ERRNO.SUCCESS) open.add(host.words[Number(out) >>> 2] ?? 0)
      host.files = open.size
      return result
    },
    fd_close: (fd) => {
      const result = library['fd_close']!(fd!)
      if (result === ERRNO.SUCCESS) open.delete(Number(fd))
      host.files = open.size
      return result
    },
    proc_exit: (code) => {
      throw new Failure('panic', `exit(${code})`)
    },
  }
}

/** The pieces that a list of vectors names, all of them the program's. */
function vectorsOf(host: Host, name: string, at: number, count: number): { pieces: Uint8Array[]; bytes: number } {
  const view = new DataView(host.bank.bytes.buffer)
  const pieces = Array.from({ length: count >>> 0 }, (_, i) => {
    const entry = (at >>> 0) + 8 * i
    return host.bytes(`wasi.${name}`, view.getUint32(entry, true), view.getUint32(entry + 4, true))
  })
  return { pieces, bytes: pieces.reduce((sum, { length }) => sum + length, 0) }
}

/** To the log, as much as one call may: the program is told how much that was. */
function write(host: Host, output: Output, at: number, count: number, out: number): number {
  const told = host.bytes('wasi.fd_write', out, 4)
  let written = 0
  for (const piece of vectorsOf(host, 'fd_write', at, count).pieces) {
    const taken = piece.subarray(0, WRITTEN_MAX - written)
    host.worked(taken.length)
    output.take(taken)
    written += taken.length
  }
  new DataView(told.buffer, told.byteOffset).setUint32(0, written, true)
  return ERRNO.SUCCESS
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

/** What the outside world would make different from run to run. */
function deterministic(host: Host): Record<string, WasiCall> {
  const { kernel } = host.board
  const random = kernel.random.fork()
  return {
    clock_time_get: (_clock, _precision, out) => {
      const bytes = host.bytes('wasi.clock_time_get', Number(out), 8)
      const ns = BigInt(Math.floor(host.board.wallStartNs + kernel.clock.now()))
      new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, ns, true)
      return ERRNO.SUCCESS
    },
    random_get: (address, length) => {
      const bytes = host.bytes('wasi.random_get', Number(address), Number(length))
      host.worked(bytes.length)
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.next()
      return ERRNO.SUCCESS
    },
  }
}
