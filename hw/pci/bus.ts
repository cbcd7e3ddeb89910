/**
 * The PCI host bridges, each with its root bus: configuration access by location, address assignment, decoding of memory
 * and ports, and the wiring of INTx pins to interrupt lines.
 *
 * It must not know drivers or domains.
 */

import type { InterruptController } from '../interrupts.ts'
import { createDmaSpace } from '../iommu.ts'
import type { DmaFault } from '../iommu.ts'
import type { Timeline } from '../../base/timeline.ts'
import type { Random } from '../../base/random.ts'
import type { DeviceContext, PciDevice } from '../types.ts'
import { createDecoder } from './decode.ts'
import { allOnes, locationName, PciFunction } from './function.ts'
import type { PciBar } from './function.ts'

export interface PciBusOptions {
  readonly timeline: Timeline
  readonly random: Random
  readonly interrupts: InterruptController
  /** One line for the event log. */
  readonly trace?: (text: string) => void
  /** A function has its addresses and is on the bus, or has just left it. */
  readonly onPlug?: (fn: PciFunction) => void
  readonly onUnplug?: (fn: PciFunction) => void
  /** A device's access was refused. Called from within the device's access: take note and return. */
  readonly onDmaFault?: (fn: PciFunction, fault: DmaFault) => void
  /** A device model threw in an event of its own. Without it the exception goes where the event was fired. */
  readonly onModelError?: (fn: PciFunction, error: unknown) => void
  /** Memory the bus decodes: powers of two. Below 4 GiB, above any linear memory. */
  readonly memory?: { readonly start: number; readonly bytes: number }
  /** First of the interrupt lines INTA# to INTD# of a bus are spread over, and how many: the next bus has the next ones. */
  readonly firstLine?: number
  readonly lines?: number
}

export interface PciBus {
  /** Gets what the next device plugged in will be given, and may put itself in between. `name` is its location's. */
  tap: ((name: string, context: DeviceContext) => DeviceContext) | undefined
  /** Functions on the bus, by location. */
  readonly functions: readonly PciFunction[]
  at(location: number): PciFunction | undefined
  /** Plug a device in, at a slot (bus * 32 + 1 to 31) or the first free one, and give its BARs addresses. */
  plug(make: (context: DeviceContext) => PciDevice, slot?: number): PciFunction
  /**
   * Pull a device out, without asking anybody: from now on it reads all ones. Its place is free again after `fn.leave()`,
   * which is up to `onUnplug` where there is one: somebody may hold it still.
   */
  unplug(fn: PciFunction): void
  /** All ones where no function answers. */
  configRead(location: number, offset: number, width: number): number
  configWrite(location: number, offset: number, width: number, value: number): void
  /** The BAR an address or port is placed in, whether or not the function decodes now. */
  findMemory(address: number): PciBar | undefined
  findPort(port: number): PciBar | undefined
  memoryRead(address: number, width: number): number
  memoryWrite(address: number, width: number, value: number): void
  portRead(port: number, width: number): number
  portWrite(port: number, width: number, value: number): void
}

const MEMORY_START = 0xe0000000
const MEMORY_BYTES = 0x10000000
const PAGE = 4096
/** Ports below this belong to the board. */
const PORTS_START = 0x1000
const PORTS_END = 0x10000
const PORT_GRAIN = 4
const FIRST_LINE = 16
const LINES = 8
/** Devices of a bus, of which the first is its host bridge; and buses: what a location can name. */
const DEVICES = 32
const SLOTS = 256 * DEVICES

/** The timeline as one device has it: what its events throw is that device's. */
class GuardedTimeline implements Timeline {
  readonly #timeline: Timeline
  readonly #failed: (error: unknown) => void

  constructor(timeline: Timeline, failed: (error: unknown) => void) {
    this.#timeline = timeline
    this.#failed = failed
  }

  now(): number {
    return this.#timeline.now()
  }

  event(name: string, fire: () => void): ReturnType<Timeline['event']> {
    return this.#timeline.event(name, () => {
      try {
        fire()
      } catch (error) {
        this.#failed(error)
      }
    })
  }
}

/** An empty bus. */
export const createPciBus = (options: PciBusOptions): PciBus => {
  const trace = options.trace ?? (() => {})
  const memory = createDecoder<PciBar>(
    options.memory?.start ?? MEMORY_START,
    options.memory?.bytes ?? MEMORY_BYTES,
    PAGE,
  )
  const ports = createDecoder<PciBar>(PORTS_START, PORTS_END - PORTS_START, PORT_GRAIN)
  const functions: PciFunction[] = []

  const at = (location: number): PciFunction | undefined => functions.find((fn) => fn.location === location)

  const firstFreeSlot = (): number => {
    for (let slot = 1; slot < SLOTS; slot++) if (slot % DEVICES !== 0 && !at(slot << 3)) return slot
    throw new RangeError('the PCI buses have no free slot')
  }

  const plug = (make: (context: DeviceContext) => PciDevice, slot = firstFreeSlot()): PciFunction => {
    const location = slot << 3
    if (slot < 1 || slot >= SLOTS || slot % DEVICES === 0 || at(location))
      throw new RangeError(`PCI slot ${slot} is not free`)
    const name = locationName(location)
    const onFault = (fault: DmaFault): void => {
      fn.masterAbort()
      options.onDmaFault?.(fn, fault)
    }
    const dma = createDmaSpace(name, { onFault })
    // Every host bridge has lines of its own, as long as there are any.
    const lines = options.lines ?? LINES
    const firstLine = options.firstLine ?? FIRST_LINE
    const spread = Math.floor(slot / DEVICES) * lines + (slot % lines)
    const line = firstLine + (spread % Math.max(lines, options.interrupts.lines - firstLine))
    const say = (text: string): void => trace(`${name} ${text}`)
    const fn = new PciFunction({ location, interrupts: options.interrupts, line, memory, ports, dma, trace: say })
    const { random, onModelError } = options
    const timeline =
      onModelError === undefined
        ? options.timeline
        : new GuardedTimeline(options.timeline, (error) => onModelError(fn, error))
    const context: DeviceContext = { timeline, random, dma: dma.port, interrupts: fn, trace: say }
    fn.install(make(host.tap?.(name, context) ?? context))
    fn.assignAddresses()
    functions.push(fn)
    functions.sort((a, b) => a.location - b.location)
    options.onPlug?.(fn)
    return fn
  }

  const host: PciBus = {
    tap: undefined,
    functions,
    at,
    plug,
    unplug: (fn) => {
      const index = functions.indexOf(fn)
      if (index < 0) throw new RangeError(`${fn.name} is not on this bus`)
      functions.splice(index, 1)
      fn.vanish()
      if (options.onUnplug === undefined) fn.leave()
      else options.onUnplug(fn)
    },
    configRead: (location, offset, width) => at(location)?.configRead(offset, width) ?? allOnes(width),
    configWrite: (location, offset, width, value) => at(location)?.configWrite(offset, width, value),
    findMemory: (address) => memory.find(address),
    findPort: (port) => ports.find(port),
    memoryRead: (address, width) => {
      const bar = memory.find(address)
      return bar ? bar.read(address - bar.start, width) : allOnes(width)
    },
    memoryWrite: (address, width, value) => {
      const bar = memory.find(address)
      bar?.write(address - bar.start, width, value)
    },
    portRead: (port, width) => {
      const bar = ports.find(port)
      return bar ? bar.read(port - bar.start, width) : allOnes(width)
    },
    portWrite: (port, width, value) => {
      const bar = ports.find(port)
      bar?.write(port - bar.start, width, value)
    },
  }
  return host
}
