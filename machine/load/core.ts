/**
 * From a core and modules bound to it to a running domain: memory, table, imports, instances.
 *
 * The core is a whole kernel that was linked once; a module was bound against it and lies at addresses of its own in the
 * same memory and table. The core is the same for every driver and holds nothing by itself: a call of a group that the
 * domain was not granted ends it by name. Nothing of the domain has run when this returns.
 */
import { CALLS } from '../../linux-api/generated/abi.ts'
import { CapabilityError } from '../../kernel/capability.ts'
import { Failure } from '../../kernel/fault.ts'
import type { ProcessEntry } from '../../kernel/fiber.ts'
import type { Program } from '../../kernel/program.ts'
import { memoryBank } from '../../hw/iommu.ts'
import type { EntryName, Exported } from '../abi/group.ts'
import { Host } from '../abi/host.ts'
import { bounded } from '../abi/bounds.ts'
import { ABI_GROUPS } from '../abi/index.ts'
import { createFiles, FILES, WASI_NAMESPACE } from '../abi/wasi.ts'
import type { Board } from '../board.ts'
import type { Symbolizer } from '../../kernel/fault.ts'
import type { Call, ModuleCopy } from '../observe/observer.ts'
import { type Apart, dataApart, type Segment } from './data-segments.ts'
import { type Content, giveMemory, takeMemory } from './memories.ts'
import { corePart, modulePart, PackageError, type Part } from './package.ts'
import type { KeptImages } from './image.ts'
import type { LoadedProgram, LoadOptions } from './program.ts'

export interface CorePackage {
  /** Of `wasm`. */
  readonly sha256: string
  readonly wasm: Uint8Array<ArrayBuffer>
  /** Line table of the core. */
  readonly lines: Uint8Array | undefined
  /** Entries of the table that it takes. */
  readonly tableEnd: number
  /** sizeof(struct module). */
  readonly moduleBytes: number
  /** What it booted to, kept from other processes; absent where nothing is kept. */
  readonly images?: KeptImages
  /** How it is compiled, where whoever has it knows better than to have the engine check all of it beforehand. */
  readonly compile?: () => WebAssembly.Module
}

/** A module bound to one core, at its place in memory and table. */
export interface BoundPackage {
  readonly name: string
  /** Of `wasm`. */
  readonly sha256: string
  /** Set for one that is there for other domains: the groups it asks for. */
  readonly along?: readonly string[] | undefined
  /** Loaded when somebody asks for it by name. */
  readonly onCall: boolean
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly lines: Uint8Array | undefined
  readonly memory: { readonly start: number; readonly end: number }
  readonly table: { readonly start: number; readonly end: number }
  /** Functions it takes from the core or from other modules, by their slots; those without are calls of the ABI. */
  readonly imports: readonly { readonly from: string; readonly name: string; readonly slot?: number | undefined }[]
  /** What the kernel's module loader is told of it. */
  readonly image: Uint8Array
}

export interface CoreProgram extends LoadedProgram {
  readonly memory: WebAssembly.Memory
  readonly table: WebAssembly.Table
  /** What is to be in memory before the kernel boots: it is not there yet. */
  readonly data: readonly Segment[]
  /** Make memory hold this and nothing else: until then it holds what others left. */
  lay(content: Content): void
  /** Instantiate a bound module in the domain: its data and functions are in place, and nothing of it has run. */
  instantiate(module: BoundPackage): Promise<void>
  /** The same at once: whoever asks for it waits in the domain. */
  instantiateNow(module: BoundPackage): void
}

interface Jspi {
  promising(f: unknown): ProcessEntry
  Suspending: new (f: unknown) => WebAssembly.ImportValue
}

const jspi = WebAssembly as unknown as Jspi

/** Compiled in this process: every domain shares them. */
const compiled = new WeakMap<Uint8Array, Promise<WebAssembly.Module>>()

function compile(
  wasm: Uint8Array<ArrayBuffer>,
  how: () => Promise<WebAssembly.Module> | WebAssembly.Module = () => WebAssembly.compile(wasm),
): Promise<WebAssembly.Module> {
  const known = compiled.get(wasm) ?? Promise.resolve(how())
  compiled.set(wasm, known)
  return known
}

/** Cores apart from their data. */
const cores = new WeakMap<Uint8Array, Apart>()

function apart(wasm: Uint8Array<ArrayBuffer>): Apart {
  const known = cores.get(wasm) ?? dataApart(wasm)
  cores.set(wasm, known)
  return known
}

/** The instances of a domain: of its core and modules, or of what an observer runs in their place; and the lines of all of it. */
class Instances {
  readonly #host: Host
  readonly #options: LoadOptions
  /** Of modules by name, as engines show it; what has another name is the core. */
  readonly #modules = new Map<string, ModuleCopy | undefined>()
  #core: ModuleCopy | undefined

  constructor(host: Host, options: LoadOptions) {
    this.#host = host
    this.#options = options
    host.symbolize = options.symbolize && this.#symbolize
  }

  /** Of the core, without its data: returns that too. */
  async makeCore(part: Part, imports: WebAssembly.Imports) {
    const copy = this.#copyOf(part)
    const { wasm, data } = apart(copy?.wasm ?? part.wasm)
    const instance = await this.#instantiate(await compile(wasm), { ...imports, ...copy?.imports })
    copy?.instantiated?.(instance)
    return { exports: instance.exports, data }
  }

  /** Of a module. */
  async make(part: Part, imports: WebAssembly.Imports): Promise<void> {
    const copy = this.#copyOf(part)
    const module = await (copy === undefined ? compile(part.wasm, part.compile) : compile(copy.wasm))
    const instance = await this.#instantiate(module, { ...imports, ...copy?.imports })
    copy?.instantiated?.(instance)
  }

  /** Mostly there is less memory than a kernel's own data takes, when that fails. */
  async #instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): Promise<WebAssembly.Instance> {
    try {
      return await WebAssembly.instantiate(module, imports)
    } catch (error) {
      const { name, limits } = this.#options
      const quota = `its memory quota of ${limits.memory / 1024} KiB`
      throw new PackageError(`${name}: its kernel cannot be instantiated in ${quota}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  /** The same while the domain waits for it. */
  makeNow(part: Part, imports: WebAssembly.Imports): void {
    const copy = this.#copyOf(part)
    const module = new WebAssembly.Module(copy?.wasm ?? part.wasm)
    const instance = new WebAssembly.Instance(module, { ...imports, ...copy?.imports })
    copy?.instantiated?.(instance)
  }

  #copyOf(part: Part): ModuleCopy | undefined {
    const { observer, symbolize } = this.#options
    const shown = part.role === 'core' ? undefined : part.name
    const copy = observer?.copy?.(part, this.#host, (offset, index) => symbolize?.(offset, index, shown) ?? [])
    if (shown === undefined) this.#core = copy
    else this.#modules.set(shown, copy)
    return copy
  }

  readonly #symbolize: Symbolizer = (offset, index, module = '') => {
    const copy = this.#modules.has(module) ? this.#modules.get(module) : this.#core
    return (copy?.symbolize ?? this.#options.symbolize!)(offset, index, module)
  }
}

const PAGE = 65536
/** Of a domain's memory, what is left for memory objects, as a power of two. */
const SHARED_SHIFT = 4

/** Every call of the ABI as an import; of a group that was not granted, one that ends the domain by name. */
function importsOf(host: Host, exported: Exported, grants: ReadonlySet<string>, options: LoadOptions) {
  const imports: Record<string, WebAssembly.ModuleImports> = {}
  for (const group of ABI_GROUPS) {
    const calls = group.calls(host, exported) as unknown as Record<string, Call>
    const granted = grants.has(group.name)
    const into: WebAssembly.ModuleImports = {}
    for (const [name, shape] of Object.entries<{ params: number; blocking: boolean }>(CALLS[group.name])) {
      const { params, blocking } = shape
      const refused = (): never => {
        throw new Failure('no-capability', `${group.name}.${name}: the domain was not granted ${group.name}`)
      }
      const call = granted ? (bounded(host, group.name, name, params, calls[name]!) as Call) : refused
      const seen = options.observer?.call?.(host, group.name, name, blocking, call) ?? call
      into[name] = blocking ? new jspi.Suspending(seen) : seen
    }
    imports[group.name] = into
  }
  return imports
}

/** WASI's way to say that there is no such file or directory. */
const NOENT = 44

/**
 * The calls by which files are read. Without any file there are none to be found, and the library that has them is not loaded.
 */
async function filesOf(
  host: Host,
  memory: WebAssembly.Memory,
  grants: ReadonlySet<string>,
  options: LoadOptions,
): Promise<WebAssembly.ModuleImports> {
  if (grants.has(FILES.name) && Object.keys(options.firmware).length > 0) return createFiles(host, memory, options)
  const answer = (name: string) => (): number => {
    if (grants.has(FILES.name)) return NOENT
    throw new Failure('no-capability', `wasi.${name}: the domain was not granted ${FILES.name}`)
  }
  return Object.fromEntries(CORE_FILE_CALLS.map((name) => [name, answer(name)]))
}

const address = (exports: WebAssembly.Exports, name: string): number =>
  (exports[name] as WebAssembly.Global).value as number

function programOf(
  exports: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  symbolize: Symbolizer | undefined,
): Program {
  const global = (name: string) => exports[name] as WebAssembly.Global
  const never = (): never => {
    throw new Failure('undefined-behaviour', 'a program that takes interrupts itself was called into')
  }
  return {
    memory,
    polls: true,
    stackPointer: global('__stack_pointer'),
    stackLimit: global('drvport_stack_limit'),
    fuel: global('drvport_fuel'),
    ...(exports['drvport_room'] === undefined ? {} : { room: global('drvport_room') }),
    irqsOff: address(exports, 'drvport_irqs_off'),
    pending: address(exports, 'drvport_pending'),
    tick: 0,
    tickNs: 4e6,
    interrupt: never,
    timer: never,
    softirq: never,
    allocate: never,
    release: never,
    ...(symbolize === undefined ? {} : { symbolize }),
  }
}

/** Calls of WASI that a core makes: shim/lower/files.c. */
const CORE_FILE_CALLS = ['fd_close', 'fd_pread', 'fd_prestat_get', 'path_filestat_get', 'path_open']

/** Groups that a core calls whatever its driver is. */
export const CORE_GROUPS: readonly string[] = ['log', 'time', 'sched', 'irq', 'call']

/**
 * Load a core as a new domain of the board; nothing is laid into its memory yet. `tableEnd`: entries that modules will take included, for making
 * room later takes as long as making all of it. Throws PackageError.
 */
export async function loadCore(
  board: Board,
  core: CorePackage,
  options: LoadOptions,
  tableEnd = core.tableEnd,
): Promise<CoreProgram> {
  const grants = new Set([...CORE_GROUPS, ...(options.grants ?? [])])
  const host = new Host(board, options.name)
  const instances = new Instances(host, options)
  // What it shares with other domains is beside its own memory, and counts.
  const shared = grants.has('mem') ? options.limits.memory >>> SHARED_SHIFT : 0
  const pages = Math.floor((options.limits.memory - shared) / PAGE)
  const lent = takeMemory(pages)
  const { memory } = lent
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: tableEnd })
  let exports: WebAssembly.Exports = {}
  const wrapped = new Map<string, ProcessEntry>()
  const process = (name: EntryName): ProcessEntry | undefined => {
    const known = wrapped.get(name)
    if (known !== undefined || typeof exports[name] !== 'function') return known
    const entry = jspi.promising(exports[name])
    wrapped.set(name, entry)
    return entry
  }
  const exported: Exported = {
    process,
    atomic: (name) => exports[name] as (...args: number[]) => number,
    address: (name) => address(exports, name),
  }
  const wasi = await filesOf(host, memory, grants, options)
  const calls: Record<string, WebAssembly.ModuleImports> = importsOf(host, exported, grants, options)
  calls[WASI_NAMESPACE] = wasi
  const env = { memory, __indirect_function_table: table }
  const made = await instances.makeCore(corePart(core), { ...calls, env })
  exports = made.exports
  const domain = board.kernel.createDomain(
    options.name,
    programOf(exports, memory, host.symbolize),
    options.limits,
    options.placement?.partition,
  )
  domain.onLeave = () => giveMemory(lent, () => domain.quiet)
  if (options.placement !== undefined) {
    domain.priority = options.placement.priority
    domain.slackNs = options.placement.slackNs
  }
  board.tellRefusals(domain)
  try {
    host.attach(domain, memoryBank(memory), grants)
  } catch (error) {
    domain.end()
    if (!(error instanceof CapabilityError)) throw error
    throw new PackageError(`${options.name}: cannot be given its call groups: ${error.message}`, { cause: error })
  }
  const common = { ...env, ...globalsOf(exports) }
  // Where a module's work is counted, its core looks for interrupts: a check of the core's own code comes first.
  const forModules = { ...calls, sched: { ...calls['sched'], preempt: exports['look'] as WebAssembly.ImportValue } }
  const instantiate = async (bound: BoundPackage): Promise<void> => {
    await instances.make(modulePart(bound), moduleImports(bound, common, forModules, memory, table))
  }
  const instantiateNow = (bound: BoundPackage): void =>
    instances.makeNow(modulePart(bound), moduleImports(bound, common, forModules, memory, table))
  return {
    ...exported,
    host,
    domain,
    wasi: undefined,
    memory,
    table,
    data: made.data,
    lay: (content) => lent.lay(content),
    instantiate,
    instantiateNow,
  }
}

/** Globals that a module shares with its core. */
function globalsOf(exports: WebAssembly.Exports): WebAssembly.ModuleImports {
  const names = ['__stack_pointer', 'drvport_fuel', 'drvport_stack_limit', 'drvport_room']
  return Object.fromEntries(
    names.flatMap((name) => (exports[name] === undefined ? [] : [[name, exports[name] as WebAssembly.Global]])),
  )
}

/** Make room for a module in memory and table; what it imports. */
function moduleImports(
  bound: BoundPackage,
  env: WebAssembly.ModuleImports,
  calls: Record<string, WebAssembly.ModuleImports>,
  memory: WebAssembly.Memory,
  table: WebAssembly.Table,
): WebAssembly.Imports {
  if (table.length < bound.table.end) table.grow(bound.table.end - table.length)
  new Uint8Array(memory.buffer, bound.memory.start, bound.memory.end - bound.memory.start).fill(0)
  const imports: Record<string, WebAssembly.ModuleImports> = { ...calls, env }
  for (const { from, name, slot } of bound.imports) {
    if (slot === undefined) continue
    const into = (imports[from] ??= {})
    into[name] = table.get(slot) as WebAssembly.ImportValue
  }
  return imports
}
