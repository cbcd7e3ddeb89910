/**
 * One function's configuration space: the type 0 header, its BARs and its capability list, as 256 bytes with a write
 * mask and a write-1-to-clear mask each.
 *
 * It must not know addresses' meaning, the bus or interrupts: after a write it says which part changed, and the
 * function acts on it.
 */

import type { BarSpec, PciCapabilities, PciIdentity } from '../types.ts'
import * as R from './registers.ts'

/** Where each capability lies; 0 when there is none. */
export interface CapabilityOffsets {
  power: number
  msi: number
  msix: number
  express: number
}

export interface ConfigSpace {
  readonly capabilities: Readonly<CapabilityOffsets>
  /** Widths 1, 2, 4; all ones outside of the space or across its end. */
  read(offset: number, width: number): number
  /** As the hardware takes it: read-only bits keep, write-1-to-clear bits clear. */
  write(offset: number, width: number, value: number): void
  /** The device's own view, without masks: set or read any bits. */
  get16(offset: number): number
  get32(offset: number): number
  set16(offset: number, value: number): void
  set32(offset: number, value: number): void
  /** The address in a BAR: what is decoded when the function's decoding is on. */
  barAddress(spec: BarSpec): number
  setBarAddress(spec: BarSpec, address: number): void
  /** Registers to reset values; BARs too unless they are to be kept (a host that restores them). */
  reset(keepBars: boolean): void
}

class Space implements ConfigSpace {
  readonly capabilities: CapabilityOffsets = { power: 0, msi: 0, msix: 0, express: 0 }
  readonly bytes = new Uint8Array(R.CONFIG_BYTES)
  readonly mask = new Uint8Array(R.CONFIG_BYTES)
  readonly clears = new Uint8Array(R.CONFIG_BYTES)
  readonly view = new DataView(this.bytes.buffer)
  readonly maskView = new DataView(this.mask.buffer)
  readonly clearView = new DataView(this.clears.buffer)
  #initial = new Uint8Array(0)

  /** Everything written so far becomes the reset value. */
  seal(): void {
    this.#initial = this.bytes.slice()
  }

  read(offset: number, width: number): number {
    if (offset < 0 || offset + width > R.CONFIG_BYTES) return width === 4 ? 0xffffffff : (1 << (8 * width)) - 1
    return width === 4
      ? this.view.getUint32(offset, true)
      : width === 2
        ? this.view.getUint16(offset, true)
        : this.bytes[offset]!
  }

  write(offset: number, width: number, value: number): void {
    if (offset < 0 || offset + width > R.CONFIG_BYTES) return
    for (let i = 0; i < width; i++) {
      const at = offset + i
      const byte = (value >>> (8 * i)) & 0xff
      const mask = this.mask[at]!
      this.bytes[at] = ((this.bytes[at]! & ~mask) | (byte & mask)) & ~(byte & this.clears[at]!)
    }
  }

  get16(offset: number): number {
    return this.view.getUint16(offset, true)
  }

  get32(offset: number): number {
    return this.view.getUint32(offset, true)
  }

  set16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true)
  }

  set32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true)
  }

  barAddress(spec: BarSpec): number {
    const at = R.barRegister(spec.index)
    const low = this.get32(at)
    if (spec.index === R.ROM_INDEX) return (low & -R.ROM_BYTES_MIN) >>> 0
    if (spec.kind === 'io') return (low & ~3) >>> 0
    const high = spec.kind === 'mem64' ? this.get32(at + 4) : 0
    return high * 2 ** 32 + ((low & ~15) >>> 0)
  }

  setBarAddress(spec: BarSpec, address: number): void {
    const at = R.barRegister(spec.index)
    this.write(at, 4, address >>> 0)
    if (spec.kind === 'mem64') this.write(at + 4, 4, Math.floor(address / 2 ** 32))
  }

  reset(keepBars: boolean): void {
    const bars = this.bytes.slice(R.BAR0, R.BAR0 + 24)
    const rom = this.get32(R.ROM_BAR) & ~R.ROM_ENABLE
    const line = this.bytes[R.INTERRUPT_LINE]!
    this.bytes.set(this.#initial)
    if (!keepBars) return
    this.bytes.set(bars, R.BAR0)
    this.set32(R.ROM_BAR, rom)
    this.bytes[R.INTERRUPT_LINE] = line
  }
}

/** Bits of the first dword of a BAR that say what it is. */
const barType = (spec: BarSpec): number =>
  spec.kind === 'io'
    ? R.BAR_IS_IO
    : (spec.kind === 'mem64' ? R.BAR_IS_MEM64 : 0) | (spec.prefetchable ? R.BAR_IS_PREFETCHABLE : 0)

const checkBar = (spec: BarSpec, model: string): void => {
  const least = spec.kind === 'io' ? 4 : 16
  const last = spec.kind === 'mem64' ? 4 : 5
  if (spec.bytes < least || Math.log2(spec.bytes) % 1 !== 0 || spec.bytes > 2 ** 31)
    throw new RangeError(
      `${model}: BAR ${spec.index} is ${spec.bytes} bytes; expected a power of two, ${least} to 2^31`,
    )
  if (spec.index < 0 || spec.index > last)
    throw new RangeError(`${model}: a ${spec.kind} BAR cannot have index ${spec.index}; expected 0 to ${last}`)
}

const header = (space: Space, identity: PciIdentity): void => {
  const { view, maskView, clearView } = space
  view.setUint16(R.VENDOR_ID, identity.vendor, true)
  view.setUint16(R.DEVICE_ID, identity.device, true)
  view.setUint32(R.REVISION_ID, ((identity.classCode << 8) | identity.revision) >>> 0, true)
  view.setUint16(R.SUBSYSTEM_VENDOR_ID, identity.subsystemVendor, true)
  view.setUint16(R.SUBSYSTEM_ID, identity.subsystemDevice, true)
  view.setUint8(R.INTERRUPT_PIN, identity.interruptPin)
  maskView.setUint16(R.COMMAND, R.COMMAND_WRITABLE, true)
  clearView.setUint16(R.STATUS, R.STATUS_WRITE_1_CLEARS, true)
  maskView.setUint8(R.CACHE_LINE_SIZE, 0xff)
  maskView.setUint8(R.LATENCY_TIMER, 0xff)
  maskView.setUint8(R.INTERRUPT_LINE, 0xff)
}

const bars = (space: Space, specs: readonly BarSpec[], model: string): void => {
  const taken = new Set<number>()
  for (const spec of specs) {
    checkBar(spec, model)
    const slots = spec.kind === 'mem64' ? [spec.index, spec.index + 1] : [spec.index]
    for (const slot of slots) {
      if (taken.has(slot)) throw new RangeError(`${model}: BAR ${slot} is described twice`)
      taken.add(slot)
    }
    const at = R.BAR0 + 4 * spec.index
    space.view.setUint32(at, barType(spec), true)
    space.maskView.setUint32(at, -spec.bytes >>> 0, true)
    if (spec.kind === 'mem64') space.maskView.setUint32(at + 4, 0xffffffff, true)
  }
}

/** Address and enable can be written; it has no type. */
const rom = (space: Space, bytes: number, model: string): void => {
  if (bytes < R.ROM_BYTES_MIN || Math.log2(bytes) % 1 !== 0)
    throw new RangeError(`${model}: its ROM is ${bytes} bytes; expected a power of two, at least ${R.ROM_BYTES_MIN}`)
  space.maskView.setUint32(R.ROM_BAR, (-bytes | R.ROM_ENABLE) >>> 0, true)
}

/** Lays capabilities out from FIRST_CAPABILITY on and links them. */
class CapabilityList {
  #next = R.FIRST_CAPABILITY
  #link = R.CAPABILITIES_POINTER
  readonly #space: Space

  constructor(space: Space) {
    this.#space = space
  }

  add(id: number, bytes: number): number {
    const at = this.#next
    this.#space.bytes[this.#link] = at
    this.#space.bytes[at] = id
    this.#link = at + 1
    this.#next = (at + bytes + 3) & ~3
    this.#space.view.setUint16(R.STATUS, this.#space.get16(R.STATUS) | R.STATUS_CAPABILITIES, true)
    return at
  }
}

/** D0 and D3, wake-up from both. PMCSR: power state and PME enable are writable, PME status is write 1 to clear, No_Soft_Reset is set. */
const power = (space: Space, list: CapabilityList): number => {
  const at = list.add(R.CAP_POWER, 8)
  space.view.setUint16(at + R.PMC, 0xc802, true)
  space.view.setUint16(at + R.PMCSR, 1 << 3, true)
  space.maskView.setUint16(at + R.PMCSR, 0x0103, true)
  space.clearView.setUint16(at + R.PMCSR, 0x8000, true)
  return at
}

const msi = (space: Space, list: CapabilityList, spec: NonNullable<PciCapabilities['msi']>): number => {
  const at = list.add(R.CAP_MSI, spec.address64 ? 14 : 10)
  const capable = Math.log2(spec.vectors)
  space.view.setUint16(at + R.MSI_CONTROL, (capable << 1) | (spec.address64 ? R.MSI_64BIT : 0), true)
  space.maskView.setUint16(at + R.MSI_CONTROL, R.MSI_ENABLE | (7 << 4), true)
  space.maskView.setUint32(at + R.MSI_ADDRESS, 0xfffffffc, true)
  if (spec.address64) space.maskView.setUint32(at + R.MSI_ADDRESS + 4, 0xffffffff, true)
  space.maskView.setUint16(at + R.MSI_ADDRESS + (spec.address64 ? 8 : 4), 0xffff, true)
  return at
}

const msix = (space: Space, list: CapabilityList, spec: NonNullable<PciCapabilities['msix']>): number => {
  const at = list.add(R.CAP_MSIX, 12)
  space.view.setUint16(at + R.MSIX_CONTROL, spec.vectors - 1, true)
  space.maskView.setUint16(at + R.MSIX_CONTROL, R.MSIX_ENABLE | R.MSIX_FUNCTION_MASK, true)
  space.view.setUint32(at + R.MSIX_TABLE, spec.tableOffset | spec.tableBar, true)
  space.view.setUint32(at + R.MSIX_PBA, spec.pbaOffset | spec.tableBar, true)
  return at
}

/** A version 2 endpoint that can do function level reset, on a x1 link at 2.5 GT/s. */
const express = (space: Space, list: CapabilityList): number => {
  const at = list.add(R.CAP_EXPRESS, 60)
  space.view.setUint16(at + R.EXP_FLAGS, 0x0002, true)
  space.view.setUint32(at + R.EXP_DEVICE_CAP, R.EXP_FLR_CAPABLE | (1 << 15), true)
  space.view.setUint16(at + R.EXP_DEVICE_CONTROL, 0x2810, true)
  space.maskView.setUint16(at + R.EXP_DEVICE_CONTROL, 0x7fff, true)
  space.clearView.setUint16(at + R.EXP_DEVICE_CONTROL + 2, 0x000f, true)
  space.view.setUint32(at + R.EXP_LINK_CAP, 0x11, true)
  space.view.setUint16(at + R.EXP_LINK_STATUS, 0x11, true)
  return at
}

/** Builds the space from what a device model says of itself. Throws RangeError for a BAR that cannot be. */
export const createConfigSpace = (
  model: string,
  identity: PciIdentity,
  specs: readonly BarSpec[],
  capabilities: PciCapabilities,
  romBytes = 0,
): ConfigSpace => {
  const space = new Space()
  const list = new CapabilityList(space)
  header(space, identity)
  bars(space, specs, model)
  if (romBytes > 0) rom(space, romBytes, model)
  const offsets = space.capabilities
  if (capabilities.powerManagement) offsets.power = power(space, list)
  if (capabilities.msi) offsets.msi = msi(space, list, capabilities.msi)
  if (capabilities.msix) offsets.msix = msix(space, list, capabilities.msix)
  if (capabilities.pcie) offsets.express = express(space, list)
  space.seal()
  return space
}
