/**
 * WASI preview 1 for a driver domain, through @wasmer/wasi: arguments, firmware files in an in-memory file system,
 * standard output into the log. Never on a hot path. Clock and random source are the machine's, so that a run repeats.
 */
import type { MemFS } from '@wasmer/wasi'
import type { Host } from './host.ts'

const NAMESPACE = 'wasi_snapshot_preview1'
const LOG_INFO = 6

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
  /** Move what was written to standard output and error to the log. */
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
  const imports = (wasi.getImports(module) as Record<string, WebAssembly.ModuleImports>)[NAMESPACE] ?? {}
  return {
    imports: behindCapability(host, { ...imports, ...deterministic(host) }),
    bind: (instance) => void wasi.instantiate(instance, {}),
    flush: () => {
      for (const text of [wasi.getStdoutString(), wasi.getStderrString()]) {
        for (const line of text.split('\n')) if (line !== '') host.board.write(host.domain, LOG_INFO, line)
      }
    },
  }
}

/** Every call looks for the domain's capability first. */
function behindCapability(host: Host, imports: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
  const grip = host.grip('wasi')
  const guarded = Object.entries(imports).map(([name, call]) => [
    name,
    (...args: unknown[]): unknown => {
      grip.need(name)
      return (call as (...args: unknown[]) => unknown)(...args)
    },
  ])
  return Object.fromEntries(guarded) as WebAssembly.ModuleImports
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
function deterministic(host: Host): WebAssembly.ModuleImports {
  const { kernel } = host.board
  const random = kernel.random.fork()
  return {
    clock_time_get: (_clock: number, _precision: bigint, out: number) => {
      new DataView(host.bank.bytes.buffer).setBigUint64(
        out >>> 0,
        BigInt(Math.floor(host.board.wallStartNs + kernel.clock.now())),
        true,
      )
      return 0
    },
    random_get: (address: number, length: number) => {
      const bytes = host.bytes('random_get', address, length)
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.next()
      return 0
    },
  }
}
