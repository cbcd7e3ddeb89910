/**
 * What a machine does, as a stream of trace events: register accesses by name, DMA, interrupts, IPC, scheduling, C calls,
 * and what the event log has.
 *
 * A tracer is an observer: it puts itself between modules and their calls, and between devices and their ports, when they
 * are set up. A machine that is traced runs as it would without. Knows no format: trace-format.ts.
 */
import { describeRecord, type EventLog, type EventRecord } from '../../kernel/log.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { PciBar } from '../../hw/pci/function.ts'
import type { DeviceContext, DmaPort, InterruptPort } from '../../hw/types.ts'
import type { Host } from '../abi/host.ts'
import { ABI_GROUPS } from '../abi/index.ts'
import { CLASSES } from '../class/index.ts'
import type { Machine } from '../machine.ts'
import type { Window } from '../reach/page-table.ts'
import type { Call, Observer } from './observer.ts'

/** What `--filter` names, and what each covers. */
export const TRACE_CATEGORIES: Readonly<Record<string, string>> = {
  registers: 'accesses of device registers and ports, by name',
  pci: 'configuration space, BARs, vectors',
  dma: 'windows mapped and unmapped, and what devices read and write through them',
  irq: 'interrupts raised by devices, attached, masked and delivered',
  ipc: 'messages, notifications and capabilities',
  sched: 'which fiber runs, blocking and waking, softirqs and timers',
  time: 'timers armed, delays, clocks read',
  ...Object.fromEntries(CLASSES.map(({ trace, traced }) => [trace, traced.what])),
  calls: 'C functions entered and left',
  log: 'what drivers write to the kernel log',
  device: 'what devices say of themselves',
  events: 'domains that start, end and fail, drivers bound, inputs from outside',
}

/** A name of TRACE_CATEGORIES. */
export type TraceCategory = string

/** Where something happens: a line of its own in a trace. */
export interface Track {
  /** Domain id; 0 for the machine. */
  readonly domain: number
  /** Fiber; 0 for atomic entries, and for the machine; PROCESSOR for which fiber runs. */
  readonly fiber: number
}

/** The track on which the running fibers follow each other. */
export const PROCESSOR = 1

export interface TraceEvent extends Track {
  readonly atNs: number
  readonly category: TraceCategory
  /** Begin and end nest on their track. */
  readonly phase: 'begin' | 'end' | 'point'
  readonly name: string
  /** The rest of the line. */
  readonly detail: string
}

export interface TraceFilter {
  wants(category: TraceCategory, name: string): boolean
}

/** Groups of the ABI by category; what has none tells nothing that the event log does not. */
const GROUPS: Readonly<Record<string, TraceCategory>> = Object.fromEntries(
  ABI_GROUPS.flatMap(({ name, trace }) => (trace === undefined ? [] : [[name, trace]])),
)

/** Calls that only say that time passes, or who one is, or ask for what the event log tells of. */
const CHATTER = new Set(['sched.preempt', 'sched.resched', 'sched.self', 'sched.relax', 'irq.take'])

/** Kinds of the event log by category; every other one is among `events`. `run` becomes a span. */
const KINDS: Readonly<Record<string, TraceCategory>> = {
  interrupt: 'irq',
  softirq: 'sched',
  timer: 'sched',
  ...Object.fromEntries(CLASSES.flatMap(({ trace, traced }) => traced.kinds.map((kind) => [kind, trace]))),
  message: 'log',
  device: 'device',
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`
const wide = (value: number, width: number): string => `0x${(value >>> 0).toString(16).padStart(2 * width, '0')}`
/** Small numbers as such; anything else may be an address. */
export const word = (value: number | bigint): string => {
  if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`
  return !Number.isInteger(value) || (value > -4096 && value < 4096) ? String(value) : hex(value)
}

interface OpenCall {
  readonly name: string
}

export class Tracer implements Observer {
  readonly #filter: TraceFilter
  readonly #sink: (event: TraceEvent) => void
  readonly #now: () => number
  #kernel!: Kernel
  #running: { name: string } | undefined
  /** C functions entered and not left, by track. */
  readonly #open = new Map<string, OpenCall[]>()
  #ended = false

  /** @param now virtual time, ns: valid once the machine exists */
  constructor(filter: TraceFilter, sink: (event: TraceEvent) => void) {
    this.#filter = filter
    this.#sink = sink
    this.#now = () => this.#kernel.clock.now()
  }

  /** Follow a machine that is about to run. */
  follow({ board }: Machine): void {
    const { kernel } = board
    this.#kernel = kernel
    kernel.log.watch(1, (log) => this.#logged(log))
    // The kernel tells who goes on, not who stops: its one call for that is told here as well.
    const switched = kernel.switched.bind(kernel)
    kernel.switched = () => {
      this.#stopRunning()
      switched()
    }
  }

  /** Close what is open: the run is over. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#stopRunning()
    for (const key of this.#open.keys()) this.#close(key)
  }

  /** Names of the domains and fibers seen, for the tracks. */
  readonly names = new Map<number, string>([[0, 'machine']])

  #emit(track: Track, category: TraceCategory, phase: TraceEvent['phase'], name: string, detail: string): void {
    const { domain, fiber } = track
    this.#sink({ atNs: this.#now(), domain, fiber, category, phase, name, detail })
  }

  /** Where a domain's code runs now. */
  #track({ domain }: Host): Track {
    return { domain: domain.id, fiber: domain.depth > 0 ? 0 : (domain.current?.id ?? 0) }
  }

  // ---- the event log

  #logged(log: EventLog): number {
    const [record] = log.records(1)
    if (record!.kind === 'run') this.#run(record!)
    else {
      if (record!.kind === 'start') this.names.set(record!.domain, record!.text ?? '')
      const category = KINDS[record!.kind] ?? 'events'
      if (this.#filter.wants(category, record!.kind)) this.#point(record!, category)
      if (record!.kind === 'end') this.#closeDomain(record!.domain)
    }
    return log.count + 1
  }

  #point(record: EventRecord, category: TraceCategory): void {
    const detail = describeRecord(record).split(' ').slice(3).join(' ').trimEnd()
    const domain = this.#kernel.domains.find(({ id }) => id === record.domain)
    const fiber = domain === undefined || domain.depth > 0 ? 0 : (domain.current?.id ?? 0)
    const name = record.kind === 'interrupt' ? 'delivered' : record.kind
    this.#emit({ domain: record.domain, fiber }, category, 'point', name, detail)
  }

  #run({ domain, a }: EventRecord): void {
    this.#stopRunning()
    if (!this.#filter.wants('sched', 'run')) return
    const owner = this.#kernel.domains.find(({ id }) => id === domain)
    const name = `${this.names.get(domain) ?? domain}/${a} ${owner?.fibers.get(a)?.name ?? ''}`.trimEnd()
    this.#running = { name }
    this.#emit({ domain: 0, fiber: PROCESSOR }, 'sched', 'begin', name, '')
  }

  #stopRunning(): void {
    const running = this.#running
    this.#running = undefined
    if (running !== undefined) this.#emit({ domain: 0, fiber: PROCESSOR }, 'sched', 'end', running.name, '')
  }

  // ---- calls of the ABI

  call(host: Host, group: string, name: string, _blocking: boolean, call: Call): Call {
    const title = `${group}.${name}`
    const leaves = title === 'sched.exit' ? this.#leavesFiber(host, call) : call
    const category = GROUPS[group]
    if (category === undefined || CHATTER.has(title)) return leaves
    if (group === 'mmio' && /^(?:read|write)/.test(name)) return this.#mmio(host, name, call)
    if (group === 'pio') return this.#pio(host, name, call)
    if (!this.#filter.wants(category, title)) return leaves
    return (...args) => {
      const track = this.#track(host)
      const said = `(${args.map(word).join(', ')})`
      const result = leaves(...args)
      const gave = typeof result === 'number' ? ` = ${word(result)}` : result instanceof Promise ? ' waits' : ''
      this.#emit(track, category, 'point', title, `${said}${gave}`)
      return result
    }
  }

  /** The fiber ends where it is: its functions do not return. */
  #leavesFiber(host: Host, call: Call): Call {
    return (...args) => {
      this.#close(this.#key(this.#track(host)))
      return call(...args)
    }
  }

  #mmio(host: Host, name: string, call: Call): Call {
    const { pages } = host
    return (address = 0, ...rest) => {
      const width = name.endsWith('_rep') ? (rest[0] ?? 4) : Number(name.replaceAll(/\D/g, '')) / 8
      const place = pages.find(address, width) ? this.#register(pages.bar, pages.offset) : hex(address)
      return this.#access(host, name, place, width, [address, ...rest], call)
    }
  }

  #pio(host: Host, name: string, call: Call): Call {
    return (port = 0, ...rest) => {
      const width = name.endsWith('_rep') ? (rest[0] ?? 4) : Number(name.replaceAll(/\D/g, '')) / 8
      const bar = host.ports.find(port, width)
      const place = bar instanceof PciBar ? this.#register(bar, port - bar.start) : `port ${hex(port)}`
      return this.#access(host, name, place, width, [port, ...rest], call)
    }
  }

  /** One access of a register, or a run of them. */
  #access(host: Host, name: string, place: string, width: number, args: readonly number[], call: Call): unknown {
    if (!this.#filter.wants('registers', place)) return call(...args)
    const track = this.#track(host)
    const writes = /^(?:write|out)/.test(name)
    const many = name.endsWith('_rep') ? `, ${args[3]} times` : ''
    // A write is told before it acts, so that what it causes comes after it.
    if (writes)
      this.#emit(
        track,
        'registers',
        'point',
        name,
        `${place} = ${many === '' ? wide(args[1]!, width) : `memory${many}`}`,
      )
    const value = call(...args)
    if (!writes)
      this.#emit(
        track,
        'registers',
        'point',
        name,
        `${place}${many === '' ? ` is ${wide(value as number, width)}` : many}`,
      )
    return value
  }

  #register(bar: Window, offset: number): string {
    if (!(bar instanceof PciBar)) return `shared memory+${hex(offset)}`
    const name = bar.function.device.view?.name(bar.index, offset)
    return `${bar.function.name} ${name ?? `BAR${bar.index}+${hex(offset)}`}`
  }

  // ---- devices

  device(location: string, context: DeviceContext): DeviceContext {
    const at: Track = { domain: 0, fiber: 0 }
    const dma = this.#filter.wants('dma', 'device')
      ? new TracedDma(context.dma, (what) => this.#emit(at, 'dma', 'point', 'device', `${location} ${what}`))
      : context.dma
    const interrupts = this.#filter.wants('irq', 'raised')
      ? tracedInterrupts(context.interrupts, (what) => this.#emit(at, 'irq', 'point', 'raised', `${location} ${what}`))
      : context.interrupts
    return { ...context, dma, interrupts }
  }

  // ---- C calls: by the copy of the module that tells of them

  #key({ domain, fiber }: Track): string {
    return `${domain}/${fiber}`
  }

  enter(host: Host, name: string, args: readonly (number | bigint)[]): void {
    const track = this.#track(host)
    const key = this.#key(track)
    let open = this.#open.get(key)
    if (open === undefined) this.#open.set(key, (open = []))
    open.push({ name })
    this.#emit(track, 'calls', 'begin', name, `(${args.map(word).join(', ')})`)
  }

  leave(host: Host, name: string, result: number | bigint | undefined): void {
    const track = this.#track(host)
    this.#open.get(this.#key(track))?.pop()
    this.#emit(track, 'calls', 'end', name, result === undefined ? '' : ` = ${word(result)}`)
  }

  /** How deep in C calls a track is. */
  depth(track: Track): number {
    return this.#open.get(this.#key(track))?.length ?? 0
  }

  #close(key: string): void {
    const [domain = 0, fiber = 0] = key.split('/').map(Number)
    const open = this.#open.get(key)
    this.#open.delete(key)
    for (const { name } of open?.toReversed() ?? []) {
      this.#emit({ domain, fiber }, 'calls', 'end', name, ' did not return')
    }
  }

  #closeDomain(domain: number): void {
    for (const key of this.#open.keys()) if (key.startsWith(`${domain}/`)) this.#close(key)
  }
}

/** A buffer that goes from hand to hand. */
type Buffered = Parameters<DmaPort['readFrame']>[1]

/** A device's way into memory, told of. */
class TracedDma implements DmaPort {
  readonly #port: DmaPort
  readonly #tell: (what: string) => void

  constructor(port: DmaPort, tell: (what: string) => void) {
    this.#port = port
    this.#tell = tell
  }

  get failed(): boolean {
    return this.#port.failed
  }

  #moved(what: 'reads' | 'writes', iova: number, length: number, value?: number): void {
    const refused = this.#port.failed ? ' (refused)' : ''
    const content = value === undefined ? '' : `: ${wide(value, length)}`
    this.#tell(`${what} ${length} at ${hex(iova)}${refused === '' ? content : refused}`)
  }

  read(iova: number, into: Uint8Array, at: number, length: number): boolean {
    const ok = this.#port.read(iova, into, at, length)
    this.#moved('reads', iova, length)
    return ok
  }

  write(iova: number, from: Uint8Array, at: number, length: number): boolean {
    const ok = this.#port.write(iova, from, at, length)
    this.#moved('writes', iova, length)
    return ok
  }

  readFrame(iova: number, into: Buffered, at: number, length: number): boolean {
    const ok = this.#port.readFrame(iova, into, at, length)
    this.#moved('reads', iova, length)
    return ok
  }

  writeFrame(iova: number, from: Buffered, at: number, length: number): boolean {
    const ok = this.#port.writeFrame(iova, from, at, length)
    this.#moved('writes', iova, length)
    return ok
  }

  #scalar(iova: number, length: number, value: number): number {
    this.#moved('reads', iova, length, value)
    return value
  }

  read8(iova: number): number {
    return this.#scalar(iova, 1, this.#port.read8(iova))
  }

  read16(iova: number): number {
    return this.#scalar(iova, 2, this.#port.read16(iova))
  }

  read32(iova: number): number {
    return this.#scalar(iova, 4, this.#port.read32(iova))
  }

  write8(iova: number, value: number): boolean {
    const ok = this.#port.write8(iova, value)
    this.#moved('writes', iova, 1, value)
    return ok
  }

  write16(iova: number, value: number): boolean {
    const ok = this.#port.write16(iova, value)
    this.#moved('writes', iova, 2, value)
    return ok
  }

  write32(iova: number, value: number): boolean {
    const ok = this.#port.write32(iova, value)
    this.#moved('writes', iova, 4, value)
    return ok
  }
}

function tracedInterrupts(port: InterruptPort, tell: (what: string) => void): InterruptPort {
  let level = false
  return {
    setLevel(asserted) {
      if (asserted !== level) tell(asserted ? 'asserts INTx' : 'releases INTx')
      level = asserted
      port.setLevel(asserted)
    },
    message(vector) {
      tell(`sends message ${vector}`)
      port.message(vector)
    },
    get messageSignalled() {
      return port.messageSignalled
    },
  }
}
