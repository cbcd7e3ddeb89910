/**
 * The small interfaces between the modelled machine's parts: what a device model is given, and what it offers.
 *
 * A device model sees register offsets, its DMA port, its interrupt pins and the timeline; it knows nothing of drivers,
 * domains or where the host placed its BARs. Nothing here may allocate on a per-register or per-frame path.
 *
 * Times are integers in ns of virtual time (exact up to 2^53).
 */
import type { Frame } from './net/frame.ts'
import type { Random } from '../base/random.ts'
import type { Timeline } from '../base/timeline.ts'

/**
 * A device's way into memory: every access is translated in its DMA space. A failed access is recorded against the
 * device by the IOMMU and returns false (or reads all ones); the model then does what the hardware does on a master
 * abort. A scalar is little-endian.
 */
export interface DmaPort {
  read(iova: number, into: Uint8Array, at: number, length: number): boolean
  write(iova: number, from: Uint8Array, at: number, length: number): boolean
  /** The same from and to a frame's bytes at `at`: frames are most of what devices move. */
  readFrame(iova: number, into: Frame, at: number, length: number): boolean
  writeFrame(iova: number, from: Frame, at: number, length: number): boolean
  read8(iova: number): number
  read16(iova: number): number
  read32(iova: number): number
  write8(iova: number, value: number): boolean
  write16(iova: number, value: number): boolean
  write32(iova: number, value: number): boolean
  /** True when the last access through this port failed. */
  readonly failed: boolean
}

/** A PCI function's interrupt outputs. */
export interface InterruptPort {
  /** Drive the INTx pin (level). Routed only while MSI and MSI-X are off and interrupt-disable is clear. */
  setLevel(asserted: boolean): void
  /** Send a message; dropped unless MSI or MSI-X is enabled for the vector. */
  message(vector: number): void
  /** MSI or MSI-X is enabled: the device sends messages instead of driving the pin. */
  readonly messageSignalled: boolean
}

/** What a device model is given when it is plugged in. */
export interface DeviceContext {
  readonly timeline: Timeline
  readonly random: Random
  readonly dma: DmaPort
  readonly interrupts: InterruptPort
  /** One line for the machine's event log. */
  trace(text: string): void
}

export type BarKind = 'io' | 'mem32' | 'mem64'

export interface BarSpec {
  readonly index: number
  readonly kind: BarKind
  /** Power of two; at least 4 for ports, 16 for memory. */
  readonly bytes: number
  readonly prefetchable?: boolean
}

/** Capability structures the configuration space must carry; the PCI core implements their registers. */
export interface PciCapabilities {
  readonly powerManagement?: boolean
  readonly msi?: { readonly vectors: 1 | 2 | 4 | 8 | 16 | 32; readonly address64: boolean }
  readonly msix?: {
    readonly vectors: number
    readonly tableBar: number
    readonly tableOffset: number
    readonly pbaOffset: number
  }
  readonly pcie?: boolean
}

/** Identity of a PCI function: PCI Local Bus Specification 3.0, section 6.1. */
export interface PciIdentity {
  readonly vendor: number
  readonly device: number
  readonly subsystemVendor: number
  readonly subsystemDevice: number
  /** 24 bits: base class, sub-class, programming interface. */
  readonly classCode: number
  readonly revision: number
  /** 1 = INTA#, 0 = none. */
  readonly interruptPin: number
}

export interface RegisterValue {
  readonly name: string
  readonly value: number
}

/** A device's registers as a person reads them, in traces and after a failure. Looking changes nothing. */
export interface RegisterView {
  /** The register that an access here reaches: for a window of address and data, the one the address names now. */
  name(bar: number, offset: number): string | undefined
  /** What each register that can be read would say, in the data sheet's order. */
  values(): readonly RegisterValue[]
}

/** A PCI function's behaviour behind its BARs. Widths are 1, 2 or 4 bytes; offsets are within the BAR. */
export interface PciDevice {
  readonly model: string
  readonly identity: PciIdentity
  readonly bars: readonly BarSpec[]
  readonly capabilities: PciCapabilities
  /** What its expansion ROM holds: a power of two of bytes, at least 2048. */
  readonly rom?: Uint8Array
  /** Part of the board: firmware leaves its decoding on, and drivers count on that. */
  readonly onBoard?: true
  read(bar: number, offset: number, width: number): number
  write(bar: number, offset: number, width: number, value: number): void
  /** Names and values of its registers; a model without it is seen by offsets. */
  readonly view?: RegisterView
  /** Reset as the bus does it (RST# or FLR): registers to reset values, no DMA, no interrupt, timers disarmed. */
  reset(): void
  /** The power state written to PMCSR, or bus mastering / decoding changed. Optional. */
  powerState?(state: number): void
}

/** Makes a device model from its context: what a machine description names. */
export type PciDeviceFactory<Options = unknown> = (context: DeviceContext, options: Options) => PciDevice

/** One end of a wire or a switch port. */
export interface EthernetPort {
  /** Offer a frame (no FCS) to the other side: it is copied. False when the link is down. */
  send(frame: Uint8Array, length: number): boolean
  /** The same with a frame of the store, which becomes the port's; its first bit may go at `frame.atNs`, now or before. */
  pass(frame: Frame): boolean
  /** Called with a frame from the other side, whose last bit came at `frame.atNs`, now or before. Held only for the call. */
  onFrame: (frame: Frame) => void
  /** Called when the link comes up or goes down. */
  onLink: (up: boolean) => void
  readonly up: boolean
  /** Fastest speed of the medium, Mb/s: what a PHY's link partner offers. Any when absent. Infinity: bits take no time. */
  readonly mbps?: number
}
