/**
 * From a package to a running domain: imports, instance, the kernel's view of it.
 */
import { CALLS, ENTRIES, SHARED, TICK } from '../../linux-api/generated/abi.ts'
import { CapabilityError } from '../../kernel/capability.ts'
import type { Domain } from '../../kernel/domain.ts'
import type { DomainLimits, Program } from '../../kernel/program.ts'
import type { Symbolizer } from '../../kernel/fault.ts'
import type { ProcessEntry } from '../../kernel/fiber.ts'
import { memoryBank } from '../../hw/iommu.ts'
import type { Board } from '../board.ts'
import type { EntryName, Exported } from '../abi/group.ts'
import { bounded } from '../abi/bounds.ts'
import { Host } from '../abi/host.ts'
import { ABI_GROUPS } from '../abi/index.ts'
import { pagesWithin, withMemory } from './memory-limit.ts'
import { compilePackage, type DriverPackage, PackageError, partsOf } from './package.ts'
import type { Placement } from './placement.ts'
import type { Call, ModuleCopy, Observer } from '../observe/observer.ts'
import { createWasi, loadWasi, usesWasi, WASI_NAMESPACE, type WasiHost } from '../abi/wasi.ts'

export interface LoadOptions {
  readonly name: string
  readonly args: readonly string[]
  readonly firmware: Readonly<Record<string, Uint8Array>>
  readonly symbolize: Symbolizer | undefined
  readonly limits: DomainLimits
  /** Where in the schedule it runs; anywhere at normal priority when not given. */
  readonly placement?: Placement
  readonly observer?: Observer | undefined
  /** Drivers serve each other's buses. */
  readonly layered?: boolean | undefined
  /** Call groups granted; default those that its manifest asks for. */
  readonly grants?: readonly string[] | undefined
}

export interface LoadedProgram extends Exported {
  readonly host: Host
  readonly domain: Domain
  readonly wasi: WasiHost | undefined
}

interface Jspi {
  promising(f: unknown): ProcessEntry
  Suspending: new (f: unknown) => WebAssembly.ImportValue
}

/** This engine can suspend wasm. */
export const canSuspend = (): boolean => 'promising' in WebAssembly

/** Load a package as a new domain of the board; nothing of it has run yet. Throws PackageError. */
export async function loadProgram(board: Board, pack: DriverPackage, options: LoadOptions): Promise<LoadedProgram> {
  if (!canSuspend()) throw new PackageError('this Node has no WebAssembly JS Promise Integration: use Node 24 or newer')
  if (pack.manifest.capabilities.includes('wasi')) void loadWasi()
  const pages = pagesWithin(pack.manifest.memory.pages, options.limits.memory)
  const module = await compilePackage(pack, pages)
  const grants = new Set(options.grants ?? pack.manifest.capabilities)
  checkGrants(pack, module, grants)
  const host = new Host(board, options.name)
  host.symbolize = options.symbolize
  const wrapped = new Map<string, ProcessEntry>()
  let exports: WebAssembly.Exports = {}
  const process = (name: EntryName): ProcessEntry | undefined => {
    let entry = wrapped.get(name)
    if (entry === undefined && typeof exports[name] === 'function') {
      entry = (WebAssembly as unknown as Jspi).promising(exports[name])
      wrapped.set(name, entry)
    }
    return entry
  }
  const exported: Exported = {
    process,
    atomic: (name) => exports[name] as (...args: number[]) => number,
    address: (name) => (exports[name] as WebAssembly.Global).value as number,
  }
  const copy = options.observer?.copy?.(partsOf(pack)[0]!, host, options.symbolize)
  if (copy !== undefined) host.symbolize = copy.symbolize
  const wasi = usesWasi(module) ? await createWasi(module, host, options) : undefined
  const imports = importsOf(host, exported, grants, wasi, observed(host, options.observer))
  const instance = await (copy === undefined
    ? instantiate(pack, module, imports, pages)
    : instantiateCopy(pack, copy, imports, pages))
  copy?.instantiated?.(instance)
  exports = instance.exports
  checkExports(pack, exports)
  const { name, limits, placement } = options
  const domain = board.kernel.createDomain(name, programOf(exports, host.symbolize), limits, placement?.partition)
  if (placement !== undefined) {
    domain.priority = placement.priority
    domain.slackNs = placement.slackNs
  }
  board.tellRefusals(domain)
  try {
    host.attach(domain, memoryBank(exports['memory'] as WebAssembly.Memory), grants)
  } catch (error) {
    domain.end()
    if (!(error instanceof CapabilityError)) throw error
    throw new PackageError(`${options.name}: cannot be given its call groups: ${error.message}`, { cause: error })
  }
  wasi?.bind(instance)
  return { ...exported, host, domain, wasi }
}

async function instantiate(
  pack: DriverPackage,
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  pages: number,
): Promise<WebAssembly.Instance> {
  try {
    return await WebAssembly.instantiate(module, imports)
  } catch (error) {
    const { name, memory } = pack.manifest
    throw new PackageError(`${name}: cannot be instantiated${less(memory.pages, pages)}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

const instantiateCopy = async (
  pack: DriverPackage,
  copy: ModuleCopy,
  imports: WebAssembly.Imports,
  pages: number,
): Promise<WebAssembly.Instance> =>
  instantiate(pack, await WebAssembly.compile(withMemory(copy.wasm, pages)), { ...imports, ...copy.imports }, pages)

/** How an observer sees a domain's calls. */
const observed =
  (host: Host, observer: Observer | undefined) =>
  (group: string, name: string, blocking: boolean, call: Call): Call =>
    observer?.call?.(host, group, name, blocking, call) ?? call

const less = (asked: number, pages: number): string =>
  pages < asked ? ` in its memory quota of ${pages * 64} KiB (it asks for ${asked * 64} KiB)` : ''

/** Refuse a module that imports from a group it was not granted. Throws PackageError. */
function checkGrants(pack: DriverPackage, module: WebAssembly.Module, grants: ReadonlySet<string>): void {
  for (const imported of WebAssembly.Module.imports(module)) {
    const group = imported.module === WASI_NAMESPACE ? 'wasi' : imported.module
    if (grants.has(group)) continue
    const granted = [...grants].toSorted().join(', ')
    throw new PackageError(
      `${pack.manifest.name}: imports ${group}.${imported.name}, and was not granted ${group} (granted: ${granted})`,
    )
  }
}

/** The call groups granted, as imports; what may block is wrapped so that it can. No other call exists for the module. */
function importsOf(
  host: Host,
  exported: Exported,
  grants: ReadonlySet<string>,
  wasi: WasiHost | undefined,
  seen: ReturnType<typeof observed>,
): WebAssembly.Imports {
  const imports: Record<string, WebAssembly.ModuleImports> = {}
  for (const group of ABI_GROUPS) {
    if (!grants.has(group.name)) continue
    const implementation = group.calls(host, exported) as unknown as Record<string, (...args: number[]) => number>
    const into: WebAssembly.ModuleImports = {}
    for (const [name, shape] of Object.entries<{ params: number; blocking: boolean }>(CALLS[group.name])) {
      const inner = bounded(host, group.name, name, implementation[name]!)
      const call = seen(group.name, name, shape.blocking, inner) as (...args: number[]) => number
      into[name] = shape.blocking ? new (WebAssembly as unknown as Jspi).Suspending(call) : call
    }
    imports[group.name] = into
  }
  if (wasi !== undefined) imports[WASI_NAMESPACE] = wasi.imports
  return imports
}

function checkExports(pack: DriverPackage, exports: WebAssembly.Exports): void {
  const entries = Object.entries(ENTRIES).filter(([, entry]) => entry.required)
  const wanted = ['memory', '__stack_pointer', ...SHARED, ...entries.map(([name]) => name)]
  const missing = wanted.filter((name) => exports[name] === undefined)
  if (missing.length > 0) {
    throw new PackageError(`${pack.manifest.name}: the module does not export ${missing.join(', ')}`)
  }
}

function programOf(exports: WebAssembly.Exports, symbolize: Symbolizer | undefined): Program {
  const global = (name: string): WebAssembly.Global => exports[name] as WebAssembly.Global
  const entry = <T>(name: EntryName): T => exports[name] as T
  return {
    memory: exports['memory'] as WebAssembly.Memory,
    stackPointer: global('__stack_pointer'),
    stackLimit: global('drvport_stack_limit'),
    fuel: global('drvport_fuel'),
    room: global('drvport_room'),
    irqsOff: global('drvport_irqs_off').value as number,
    pending: global('drvport_pending').value as number,
    tick: global('drvport_tick').value as number,
    tickNs: 1e9 / TICK.HZ,
    interrupt: entry('irq'),
    timer: entry('timer'),
    softirq: entry('softirq'),
    ...(exports['preemptible'] === undefined ? {} : { preemptible: entry<() => number>('preemptible') }),
    allocate: entry('alloc'),
    release: entry('free'),
    ...(symbolize === undefined ? {} : { symbolize }),
  }
}
