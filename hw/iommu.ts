/**
 * The IOMMU: the only way from a device into memory.
 *
 * Each device has one space: a page table of bus addresses (IOVA) to windows of memory banks. A window has its own
 * pages and is checked to the byte and by direction; addresses are handed out in rotation with a guard page after each
 * window, so a device that uses a stale address, or runs off the end of a buffer, faults instead of hitting the next.
 * A fault is recorded against the device and hits nothing.
 *
 * It must not know what a device is or who maps: a device sees a DmaPort, the kernel maps and unmaps.
 *
 * Terms: *bank*, a piece of memory with an address space of its own (a domain's linear memory); *window*, one mapping.
 */

import { copyBytes } from './bytes.ts'
import { type Mover, moverFor } from './moves.ts'
import type { Frame } from './net/frame.ts'
import type { DmaPort } from './types.ts'

/** Memory a window may lie in. Both views cover the same bytes and never change. */
export interface MemoryBank {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Moves bytes between it and frames; undefined where that must be done byte by byte. Made when first asked for. */
  readonly mover: Mover | undefined
}

/** What a device may do through a window; or-ed. */
export const DEVICE_READS = 1
export const DEVICE_WRITES = 2

export type DmaFaultReason =
  | 'unmapped' // no window there (or no longer)
  | 'bounds' // starts in a window, ends outside of it
  | 'rights' // the window is for the other direction
  | 'bus-master' // the function may not master the bus

export interface DmaFault {
  readonly device: string
  readonly iova: number
  readonly length: number
  readonly direction: 'read' | 'write'
  readonly reason: DmaFaultReason
}

export type UnmapResult = 'unmapped' | 'not-mapped' | 'wrong-length'

/** Returned by map when nothing could be mapped. */
export const MAP_FAILED = 0xffffffff

/** One device's address space, from the side of whoever maps. */
export interface DmaSpace {
  readonly device: string
  /** The device's side. */
  readonly port: DmaPort
  /**
   * Open a window of `length` bytes at `address` of a bank. Returns the bus address, which has the same offset in its
   * page as `address`, or MAP_FAILED: no room, length 0, outside of the bank, or a bank too many.
   */
  map(bank: MemoryBank, address: number, length: number, rights: number): number
  /** Close the window that `iova` is the start of. */
  unmap(iova: number, length: number): UnmapResult
  /** Close every window; returns how many there were. */
  unmapAll(): number
  /** Windows and free pages that the last `map` and `setMask` looked at: their cost to whoever called. */
  readonly searched: number
  /** Length of the window that starts at iova; -1 when there is none. */
  windowAt(iova: number): number
  /** Address bits the device drives. False when no address fits, or open windows would be out of reach. */
  setMask(bits: number): boolean
  /** Bus mastering, set by the PCI function's command register. */
  setEnabled(enabled: boolean): void
  readonly enabled: boolean
  /** Windows open now, and bytes in them. */
  readonly windows: number
  readonly mappedBytes: number
  /** Faults since the start; the first FAULTS_KEPT of them are kept. */
  readonly faultCount: number
  readonly faults: readonly DmaFault[]
}

export const FAULTS_KEPT = 64

const PAGE_SHIFT = 12
const PAGE = 1 << PAGE_SHIFT
const OFFSET = PAGE - 1
const SPACE_PAGES = 1 << 16
const WINDOWS = 1 << 14
/** Words of a window's record, and what is where. */
const RECORD = 4
const [START, LENGTH, ADDRESS, MAY] = [0, 1, 2, 3]
const RIGHTS_BITS = 2
/** Banks with windows at once: a byte tells them apart. */
const BANKS = 256

/** Above any linear memory, so that a CPU address given to a device by mistake is nobody's bus address. */
const BASE = 0x10000000
/** For devices with few address lines. Page 0 stays out: a device left with address 0 must fault. */
const LOW_BASE = PAGE

export interface IommuOptions {
  /** Told of every fault, from within the device's access: take note and return. */
  readonly onFault?: (fault: DmaFault) => void
  /** Windows a device can have open at once. */
  readonly windows?: number
}

/** Where a piece of a frame of the store lies. A mover knows no frames: it would run on into the next. */
const placeOf = (frame: Frame, at: number, length: number): number => {
  if (at < 0 || at + length > frame.bytes.length)
    throw new RangeError(`${length} bytes at ${at} of a frame's buffer of ${frame.bytes.length}`)
  return frame.address + at
}

class Space implements DmaSpace, DmaPort {
  readonly device: string
  failed = false
  enabled = false
  windows = 0
  mappedBytes = 0
  faultCount = 0
  searched = 0
  readonly faults: DmaFault[] = []
  readonly #onFault: ((fault: DmaFault) => void) | undefined

  /** IOVA page -> window, 0 none. A window's guard page carries its number too: the bounds check refuses it. */
  readonly #table = new Uint16Array(SPACE_PAGES)
  #basePage = BASE >>> PAGE_SHIFT
  #pages = SPACE_PAGES
  /** Where the next search starts. */
  #cursor = 0
  /** No run of so many free pages was found, and no window was closed since. */
  #none = Infinity

  /** Of each window START, LENGTH and ADDRESS, and its bank's number with its rights below: together, for they are read together. */
  readonly #records: Uint32Array
  /** Free window numbers, as a stack. */
  readonly #free: Uint16Array
  #freeTop: number
  readonly #banks: MemoryBank[] = []

  /** The bank of the last successful translation. */
  #target: MemoryBank = NOTHING

  constructor(device: string, options: IommuOptions) {
    const windows = Math.min(options.windows ?? WINDOWS, 0xffff) + 1
    this.device = device
    this.#onFault = options.onFault
    this.#records = new Uint32Array(windows * RECORD)
    this.#free = new Uint16Array(windows)
    this.#freeTop = windows - 1
    for (let i = 0; i < this.#freeTop; i++) this.#free[i] = this.#freeTop - i
  }

  get port(): DmaPort {
    return this
  }

  setEnabled(enabled: boolean): void {
    this.enabled = enabled
  }

  setMask(bits: number): boolean {
    this.searched = 0
    this.#none = Infinity
    const limit = bits >= 32 ? 2 ** 32 : 2 ** bits
    const base = limit >= BASE + SPACE_PAGES * PAGE ? BASE : LOW_BASE
    const pages = Math.min(SPACE_PAGES, Math.floor((limit - base) / PAGE))
    if (pages < 2) return false
    if (base >>> PAGE_SHIFT !== this.#basePage || pages < this.#pages) {
      if (this.windows !== 0) return base >>> PAGE_SHIFT === this.#basePage && this.#below(pages)
      this.#basePage = base >>> PAGE_SHIFT
      this.#cursor = 0
    }
    this.#pages = pages
    return true
  }

  /** Narrow the space to `pages` if nothing is mapped beyond. */
  #below(pages: number): boolean {
    this.searched = this.#pages - pages
    for (let i = pages; i < this.#pages; i++) if (this.#table[i] !== 0) return false
    this.#pages = pages
    if (this.#cursor >= pages) this.#cursor = 0
    return true
  }

  map(bank: MemoryBank, address: number, length: number, rights: number): number {
    this.searched = 0
    if (length <= 0 || address < 0 || address + length > bank.bytes.length || this.#freeTop === 0) return MAP_FAILED
    const pages = ((address & OFFSET) + length + OFFSET) >>> PAGE_SHIFT
    // Whole pages are aligned to their order, as an operating system promises it of memory that it shares with a device.
    const align = (address & OFFSET) === 0 ? 1 << (32 - Math.clz32(pages - 1)) : 1
    const page = pages + 1 < this.#none ? this.#find(pages + 1, align) : -1
    if (page < 0) return MAP_FAILED
    const bankIndex = this.#bankIndex(bank)
    if (bankIndex < 0) return MAP_FAILED
    const window = this.#free[--this.#freeTop]!
    const iova = (((this.#basePage + page) << PAGE_SHIFT) | (address & OFFSET)) >>> 0
    const at = window * RECORD
    this.#records[at + START] = iova
    this.#records[at + LENGTH] = length
    this.#records[at + ADDRESS] = address
    this.#records[at + MAY] = (bankIndex << RIGHTS_BITS) | rights
    for (let one = page; one <= page + pages; one++) this.#table[one] = window
    this.#cursor = page + pages + 1
    this.windows++
    this.mappedBytes += length
    return iova
  }

  unmap(iova: number, length: number): UnmapResult {
    const window = this.#windowAt(iova)
    if (window === 0) return 'not-mapped'
    if (this.#records[window * RECORD + LENGTH] !== length) return 'wrong-length'
    this.#close(window)
    return 'unmapped'
  }

  unmapAll(): number {
    const open = this.windows
    for (let page = 0; this.windows !== 0 && page < this.#pages; page++) {
      const window = this.#table[page]!
      if (window !== 0) this.#close(window)
    }
    return open
  }

  windowAt(iova: number): number {
    const window = this.#windowAt(iova)
    return window === 0 ? -1 : this.#records[window * RECORD + LENGTH]!
  }

  #close(window: number): void {
    const length = this.#records[window * RECORD + LENGTH]!
    const start = this.#records[window * RECORD + START]!
    const page = (start >>> PAGE_SHIFT) - this.#basePage
    const after = this.#after(window)
    for (let at = page; at < after; at++) this.#table[at] = 0
    this.#free[this.#freeTop++] = window
    this.#none = Infinity
    this.windows--
    this.mappedBytes -= length
    // A bank goes with its last window, so that nothing keeps a dead domain's memory alive.
    if (this.windows === 0) this.#banks.length = 0
  }

  #windowAt(iova: number): number {
    const page = (iova >>> PAGE_SHIFT) - this.#basePage
    if (page < 0 || page >= this.#pages) return 0
    const window = this.#table[page]!
    return window !== 0 && this.#records[window * RECORD + START] === iova ? window : 0
  }

  /** -1 when there are as many as can be told apart. */
  #bankIndex(bank: MemoryBank): number {
    const index = this.#banks.indexOf(bank)
    return index >= 0 || this.#banks.length === BANKS ? index : this.#banks.push(bank) - 1
  }

  /** First of `count` free pages, next fit; -1 when there is no such run. `align`: of their bus address, in pages. */
  #find(count: number, align: number): number {
    // Mostly there is one right here.
    const here = this.#aligned(this.#cursor, align)
    if (this.#isFree(here, count)) {
      this.searched += count
      return here
    }
    let found = this.#search(this.#cursor, this.#pages, count, align)
    if (found < 0) found = this.#search(0, Math.min(this.#cursor + count + align, this.#pages), count, align)
    if (found < 0) this.#none = count
    return found
  }

  #aligned(page: number, align: number): number {
    return page + (-(this.#basePage + page) & (align - 1))
  }

  #isFree(page: number, count: number): boolean {
    if (page + count > this.#pages) return false
    const table = this.#table
    for (let at = page; at < page + count; at++) if (table[at] !== 0) return false
    return true
  }

  /** A window is passed over in one step. */
  #search(from: number, to: number, count: number, align: number): number {
    const table = this.#table
    let [run, steps, page] = [0, 0, this.#aligned(from, align)]
    for (; page < to && run < count; steps++) {
      const window = table[page]!
      run = window === 0 ? run + 1 : 0
      page = window === 0 ? page + 1 : this.#aligned(this.#after(window), align)
    }
    this.searched += steps
    return run === count ? page - count : -1
  }

  /** First page behind a window and its guard page. */
  #after(window: number): number {
    const start = this.#records[window * RECORD + START]!
    const pages = ((start & OFFSET) + this.#records[window * RECORD + LENGTH]! + OFFSET) >>> PAGE_SHIFT
    return (start >>> PAGE_SHIFT) - this.#basePage + pages + 1
  }

  /** Where an access lies in its bank (#target), or -1 after recording the fault. */
  #translate(iova: number, length: number, right: number): number {
    const page = (iova >>> PAGE_SHIFT) - this.#basePage
    const window = this.enabled && page >= 0 && page < this.#pages ? this.#table[page]! : 0
    if (window === 0) return this.#fault(iova, length, right, this.enabled ? 'unmapped' : 'bus-master')
    const records = this.#records
    const at = window * RECORD
    const offset = iova - records[at + START]!
    if (offset < 0 || length < 0 || offset + length > records[at + LENGTH]!)
      return this.#fault(iova, length, right, 'bounds')
    const may = records[at + MAY]!
    if ((may & right) === 0) return this.#fault(iova, length, right, 'rights')
    const target = this.#banks[may >>> RIGHTS_BITS]!
    // Mostly it is that of the access before, and a reference that is kept again costs the collector's bookkeeping.
    if (this.#target !== target) this.#target = target
    this.failed = false
    return records[at + ADDRESS]! + offset
  }

  #fault(iova: number, length: number, right: number, reason: DmaFaultReason): number {
    this.failed = true
    this.faultCount++
    const direction = right === DEVICE_READS ? 'read' : 'write'
    const fault: DmaFault = { device: this.device, iova, length, direction, reason }
    if (this.faults.length < FAULTS_KEPT) this.faults.push(fault)
    this.#onFault?.(fault)
    return -1
  }

  read(iova: number, into: Uint8Array, at: number, length: number): boolean {
    const from = this.#translate(iova, length, DEVICE_READS)
    if (from < 0) return false
    copyBytes(this.#target.bytes, from, into, at, length)
    return true
  }

  write(iova: number, from: Uint8Array, at: number, length: number): boolean {
    const to = this.#translate(iova, length, DEVICE_WRITES)
    if (to < 0) return false
    copyBytes(from, at, this.#target.bytes, to, length)
    return true
  }

  readFrame(iova: number, into: Frame, at: number, length: number): boolean {
    const from = this.#translate(iova, length, DEVICE_READS)
    if (from < 0) return false
    const { mover, bytes } = this.#target
    if (mover === undefined || into.address < 0) copyBytes(bytes, from, into.bytes, at, length)
    else mover.fetch(placeOf(into, at, length), from, length)
    return true
  }

  writeFrame(iova: number, from: Frame, at: number, length: number): boolean {
    const to = this.#translate(iova, length, DEVICE_WRITES)
    if (to < 0) return false
    const { mover, bytes } = this.#target
    if (mover === undefined || from.address < 0) copyBytes(from.bytes, at, bytes, to, length)
    else mover.store(to, placeOf(from, at, length), length)
    return true
  }

  read8(iova: number): number {
    const at = this.#translate(iova, 1, DEVICE_READS)
    return at < 0 ? 0xff : this.#target.bytes[at]!
  }

  read16(iova: number): number {
    const at = this.#translate(iova, 2, DEVICE_READS)
    return at < 0 ? 0xffff : this.#target.view.getUint16(at, true)
  }

  read32(iova: number): number {
    const at = this.#translate(iova, 4, DEVICE_READS)
    return at < 0 ? 0xffffffff : this.#target.view.getUint32(at, true)
  }

  write8(iova: number, value: number): boolean {
    const at = this.#translate(iova, 1, DEVICE_WRITES)
    if (at < 0) return false
    this.#target.bytes[at] = value
    return true
  }

  write16(iova: number, value: number): boolean {
    const at = this.#translate(iova, 2, DEVICE_WRITES)
    if (at < 0) return false
    this.#target.view.setUint16(at, value, true)
    return true
  }

  write32(iova: number, value: number): boolean {
    const at = this.#translate(iova, 4, DEVICE_WRITES)
    if (at < 0) return false
    this.#target.view.setUint32(at, value, true)
    return true
  }
}

/** An address space for one device; bus mastering starts off. */
export const createDmaSpace = (device: string, options: IommuOptions = {}): DmaSpace => new Space(device, options)

class Bank implements MemoryBank {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #memory: WebAssembly.Memory | undefined
  #mover: Mover | undefined
  #asked = false

  constructor(buffer: ArrayBufferLike, memory: WebAssembly.Memory | undefined) {
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.#memory = memory
  }

  get mover(): Mover | undefined {
    if (!this.#asked) {
      this.#asked = true
      this.#mover = this.#memory && moverFor(this.#memory)
    }
    return this.#mover
  }
}

/** A bank over a linear memory that does not grow, or over any buffer. */
export const memoryBank = (of: ArrayBufferLike | WebAssembly.Memory): MemoryBank =>
  of instanceof WebAssembly.Memory ? new Bank(of.buffer, of) : new Bank(of, undefined)

const NOTHING = memoryBank(new ArrayBuffer(0))
