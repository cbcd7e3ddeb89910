/**
 * From a core and modules bound to it to a running domain: memory, table, imports, instances.
 *
 * The core is a whole kernel that was linked once; a module was bound against it and lies at addresses of its own in the
 * same memory and table. The core is the same for every driver and holds nothing by itself: a call of a group that the
 * domain was not granted ends it by name. Nothing of the domain has run when this returns.
 */
import { CALLS } from '../../linux-api/generated/abi.ts'
import { CapabilityError } from '../../kernel/capability.ts'
import type { Domain } from '../../kernel/domain.ts'
import { Failure } from '../../kernel/fault.ts'
import type { DomainLimits, Program } from '../../kernel/program.ts'
import { memoryBank } from '../../hw/iommu.ts'
import type { Exported } from '../abi/group.ts'
import { Host } from '../abi/host.ts'
import { bounded } from '../abi/bounds.ts'
import { ABI_GROUPS } from '../abi/index.ts'
import { createFiles, FILE_CALLS, FILES, WASI_NAMESPACE } from '../abi/wasi.ts'
import type { Board } from '../board.ts'
import type { Symbolizer } from '../../kernel/fault.ts'
import type { Call, ModuleCopy, Observer } from '../observe/observer.ts'
import { type Apart, dataApart, type Segment } from './data-segments.ts'
import { Housing, type Kind, leaveHousing, takeHousing } from './housing.ts'
import { type Content, takeMemory } from './memories.ts'
import { corePart, modulePart, PackageError, type Part } from './package.ts'
import type { KeptImages } from './image.ts'
import type { Placement } from './placement.ts'

export interface LoadOptions {
  readonly name: string
  /** Parameters, `MODULE.NAME=VALUE`. */
  readonly args: readonly string[]
  /** Contents by name below /lib/firmware. */
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
  readonly compile?: (wasm: Uint8Array<ArrayBuffer>) => WebAssembly.Module
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

export interface CoreProgram extends Exported {
  readonly host: Host
  readonly domain: Domain
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

/** Throws PackageError where the engine cannot suspend wasm. */
function checkEngine(): void {
  if ('promising' in WebAssembly) return
  throw new PackageError('this engine has no WebAssembly JS Promise Integration: use Node 24 or newer')
}

/** Compiled in this process: every domain shares them. */
const compiled = new WeakMap<Uint8Array, Promise<WebAssembly.Module>>()

function compile(
  wasm: Uint8Array<ArrayBuffer>,
  how: (wasm: Uint8Array<ArrayBuffer>) => Promise<WebAssembly.Module> | WebAssembly.Module = WebAssembly.compile,
): Promise<WebAssembly.Module> {
  const known = compiled.get(wasm) ?? Promise.resolve(how(wasm))
  compiled.set(wasm, known)
  return known
}

/** Code apart from its data. */
const parts = new WeakMap<Uint8Array, Apart>()

function apart(wasm: Uint8Array<ArrayBuffer>): Apart {
  const known = parts.get(wasm) ?? dataApart(wasm)
  parts.set(wasm, known)
  return known
}

/** An instance, and what is to be in memory for it. */
interface Made {
  readonly instance: WebAssembly.Instance
  readonly code: Apart
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

  /** Of a part, without its data. */
  async make(part: Part, imports: WebAssembly.Imports): Promise<Made> {
    const copy = this.#copyOf(part)
    const code = apart(copy?.wasm ?? part.wasm)
    const module = await (copy === undefined ? compile(code.wasm, part.compile) : compile(code.wasm))
    const instance = await this.#instantiate(module, { ...imports, ...copy?.imports })
    copy?.instantiated?.(instance)
    return { instance, code }
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
  makeNow(part: Part, imports: WebAssembly.Imports): Made {
    const copy = this.#copyOf(part)
    const code = apart(copy?.wasm ?? part.wasm)
    const module = new WebAssembly.Module(code.wasm)
    const instance = new WebAssembly.Instance(module, { ...imports, ...copy?.imports })
    copy?.instantiated?.(instance)
    return { instance, code }
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

/** Every call of the ABI; of a group that was not granted, one that ends the domain by name. */
function callsOf(host: Host, exported: Exported, grants: ReadonlySet<string>, options: LoadOptions) {
  const table: Record<string, Record<string, Call>> = {}
  for (const group of ABI_GROUPS) {
    const calls = group.calls(host, exported) as unknown as Record<string, Call>
    const granted = grants.has(group.name)
    const into: Record<string, Call> = {}
    for (const [name, { blocking }] of Object.entries<{ blocking: boolean }>(CALLS[group.name])) {
      const refused = (): never => {
        throw new Failure('no-capability', `${group.name}.${name}: the domain was not granted ${group.name}`)
      }
      const call = granted ? bounded(host, group.name, name, calls[name]!) : refused
      into[name] = options.observer?.call?.(host, group.name, name, blocking, call) ?? call
    }
    table[group.name] = into
  }
  return table
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
): Promise<Record<string, Call>> {
  if (grants.has(FILES.name) && Object.keys(options.firmware).length > 0)
    return (await createFiles(host, memory, options.firmware)) as Record<string, Call>
  const answer = (name: string) => (): number => {
    if (grants.has(FILES.name)) return NOENT
    throw new Failure('no-capability', `wasi.${name}: the domain was not granted ${FILES.name}`)
  }
  return Object.fromEntries(FILE_CALLS.map((name) => [name, answer(name)]))
}

function programOf(housing: Housing, symbolize: Symbolizer | undefined): Program {
  return {
    memory: housing.lent.memory,
    stackPointer: housing.word('__stack_pointer'),
    stackLimit: housing.word('drvport_stack_limit'),
    fuel: housing.word('drvport_fuel'),
    ...(housing.has('drvport_room') && { room: housing.word('drvport_room') }),
    irqsOff: housing.address('drvport_irqs_off'),
    pending: housing.address('drvport_pending'),
    ...(symbolize === undefined ? {} : { symbolize }),
  }
}

/** Groups that a core calls whatever its driver is. */
export const CORE_GROUPS: readonly string[] = ['log', 'time', 'sched', 'irq', 'call']

/**
 * Load a core as a new domain of the board; nothing is laid into its memory yet. `modules` are those that will be instantiated, for
 * making room later takes as long as making all of it. Throws PackageError.
 */
export async function loadCore(
  board: Board,
  core: CorePackage,
  options: LoadOptions,
  modules: readonly BoundPackage[] = [],
): Promise<CoreProgram> {
  checkEngine()
  const grants = new Set([...CORE_GROUPS, ...(options.grants ?? [])])
  const host = new Host(board, options.name)
  const instances = new Instances(host, options)
  // What it shares with other domains is beside its own memory, and counts.
  const shared = grants.has('mem') ? options.limits.memory >>> SHARED_SHIFT : 0
  const kind: Kind = {
    core: core.wasm,
    pages: Math.floor((options.limits.memory - shared) / PAGE),
    tableEnd: Math.max(core.tableEnd, ...modules.map(({ table }) => table.end)),
    modules: modules.filter(({ onCall }) => !onCall),
  }
  const housing = await housingOf(kind, core, instances, options)
  const { lent } = housing
  const { memory } = lent
  const wasi = await filesOf(host, memory, grants, options)
  housing.enter({ ...callsOf(host, housing, grants, options), [WASI_NAMESPACE]: wasi })
  const { name, limits, placement } = options
  const domain = board.kernel.createDomain(name, programOf(housing, host.symbolize), limits, placement?.partition)
  domain.onLeave = () => leaveHousing(kind, housing, domain.fault !== undefined, () => domain.quiet)
  if (placement !== undefined) {
    domain.priority = placement.priority
    domain.slackNs = placement.slackNs
  }
  board.tellRefusals(domain)
  try {
    host.attach(domain, memoryBank(memory), grants)
  } catch (error) {
    domain.end()
    if (!(error instanceof CapabilityError)) throw error
    throw new PackageError(`${name}: cannot be given its call groups: ${error.message}`, { cause: error })
  }
  const { data } = apart(core.wasm)
  host.dataStart = Math.min(...data.map(({ at }) => at))
  return {
    process: housing.process,
    atomic: housing.atomic,
    address: housing.address,
    host,
    domain,
    memory,
    table: housing.table,
    data,
    lay: (content) => lent.lay(content),
    instantiate: (bound) => instantiate(housing, instances, bound),
    instantiateNow: (bound) => instantiateNow(housing, instances, bound),
  }
}

/** One that was left, or a new one. What an observer runs in a part's place is the domain's own. */
async function housingOf(
  kind: Kind,
  core: CorePackage,
  instances: Instances,
  { observer }: LoadOptions,
): Promise<Housing> {
  const own = observer?.copy !== undefined
  const left = own ? undefined : takeHousing(kind)
  if (left !== undefined) return left
  const lent = takeMemory(kind.pages)
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: kind.tableEnd })
  const housing = new Housing(lent, table, [WASI_NAMESPACE, FILE_CALLS])
  const env = { memory: lent.memory, __indirect_function_table: table }
  const { instance, code } = await instances.make(corePart(core), { ...housing.calls, env })
  housing.core = [instance, code.wasm]
  if (own || !code.complete) housing.lasting = false
  return housing
}

/** Put a module in its place: it is there already where the last domain had it. */
async function instantiate(housing: Housing, instances: Instances, bound: BoundPackage): Promise<void> {
  if (!housing.modules.has(bound))
    moveIn(housing, bound, await instances.make(modulePart(bound), moduleImports(housing, bound)))
  housing.modules.get(bound)!.lay()
}

/** The same of one that the next domain may never ask for. */
function instantiateNow(housing: Housing, instances: Instances, bound: BoundPackage): void {
  housing.lasting = false
  moveIn(housing, bound, instances.makeNow(modulePart(bound), moduleImports(housing, bound)))
  housing.modules.get(bound)!.lay()
}

function moveIn(housing: Housing, bound: BoundPackage, { code: { data, complete } }: Made): void {
  if (!complete) housing.lasting = false
  const memory = new Uint8Array(housing.lent.memory.buffer)
  const { start, end } = bound.memory
  const lay = (): void => {
    if (complete) memory.fill(0, start, end)
    for (const { at, bytes } of data) memory.set(bytes, at)
  }
  housing.modules.set(bound, { lay })
}

/** Make room for a module in memory and table; what it imports. */
function moduleImports({ table, lent, handles, calls, atomic }: Housing, bound: BoundPackage): WebAssembly.Imports {
  if (table.length < bound.table.end) table.grow(bound.table.end - table.length)
  const { memory } = lent
  new Uint8Array(memory.buffer, bound.memory.start, bound.memory.end - bound.memory.start).fill(0)
  // Where a module's work is counted, its core looks for interrupts: a check of the core's own code comes first.
  const sched = { ...calls['sched'], preempt: atomic('look') }
  const env = { memory, __indirect_function_table: table, ...handles }
  const imports: Record<string, WebAssembly.ModuleImports> = { ...calls, sched, env }
  for (const { from, name, slot } of bound.imports) {
    if (slot === undefined) continue
    const into = (imports[from] ??= {})
    into[name] = table.get(slot) as WebAssembly.ImportValue
  }
  return imports
}
