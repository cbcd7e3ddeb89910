/** A plugged 82540EM with memory, a scripted wire, and the least driver that can use its rings. */

import { DEVICE_READS, DEVICE_WRITES } from '../../../../hw/iommu.ts'
import type { PciBus } from '../../../../hw/pci/bus.ts'
import type { EthernetPort } from '../../../../hw/types.ts'
import { type Frame, frameOf, release } from '../../../../hw/net/frame.ts'
import { intel82540em, type Intel82540em } from '../../../../hw/devices/intel-82540em.ts'
import * as R from '../../../../hw/devices/intel-82540em/registers.ts'
import { plugOn, testBoard } from '../../support.ts'

export { R }

export const MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56)
export const PEER = Uint8Array.of(0x02, 0x00, 0x00, 0x00, 0x00, 0x09)
export const MS = 1_000_000

/** The other end of the wire: keeps what it gets. */
export class TestPort implements EthernetPort {
  onFrame: EthernetPort['onFrame'] = () => {}
  onLink: EthernetPort['onLink'] = () => {}
  up = true
  readonly sent: Uint8Array[] = []
  readonly times: number[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  send(frame: Uint8Array, length: number): boolean {
    this.sent.push(frame.slice(0, length))
    this.times.push(this.#now())
    return true
  }

  pass(frame: Frame): boolean {
    this.send(frame.bytes, frame.length)
    release(frame)
    return true
  }

  plug(up: boolean): void {
    this.up = up
    this.onLink(up)
  }

  deliver(frame: Uint8Array): void {
    const made = frameOf(frame)
    made.atNs = this.#now()
    this.onFrame(made)
    release(made)
  }
}

/** Virtual time that passes while a register is accessed, as in a machine. */
const ACCESS_NS = 100

export const setUp = (tap?: PciBus['tap']) => {
  const board = testBoard()
  board.host.tap = tap
  const port = new TestPort(() => board.timeline.now())
  const fn = plugOn(board, intel82540em, { mac: MAC, port })
  const device = fn.device as Intel82540em
  const read = (offset: number): number => {
    board.timeline.advance(ACCESS_NS)
    return device.read(0, offset, 4)
  }
  const write = (offset: number, value: number): void => {
    board.timeline.advance(ACCESS_NS)
    device.write(0, offset, 4, value >>> 0)
  }
  const wait = (ns: number): void => board.timeline.advance(ns)
  const readPhy = (register: number): number => {
    write(R.MDIC, (register << 16) | (1 << 21) | R.MDIC_OP_READ)
    wait(50_000)
    return read(R.MDIC) & 0xffff
  }
  const writePhy = (register: number, value: number): void => {
    write(R.MDIC, (register << 16) | (1 << 21) | R.MDIC_OP_WRITE | value)
    wait(50_000)
  }
  /** Negotiate, as the driver does; link is up afterwards. */
  const bringUp = (): void => {
    write(R.CTRL, read(R.CTRL) | R.CTRL_SLU)
    wait(3_000 * MS)
  }
  return { board, port, fn, device, read, write, wait, readPhy, writePhy, bringUp }
}

export type Bench = ReturnType<typeof setUp>

const RING_BYTES = 4096
export const RX_COUNT = 64
export const TX_COUNT = 64
export const BUFFER_BYTES = 2048

export interface Received {
  readonly bytes: Uint8Array
  readonly status: number
  readonly errors: number
  readonly special: number
  readonly checksum: number
}

/** Rings and buffers in the board's memory, and the few steps a driver takes with them. */
export const withRings = (bench: Bench) => {
  const { board, fn, write, read } = bench
  const { bytes, view } = board.memory
  const RX = 0x1000
  const TX = 0x2000
  const RX_BUFFERS = 0x10000
  const TX_BUFFERS = 0x40000
  const domain = fn.dma
  const rxRing = domain.map(board.memory, RX, RING_BYTES, DEVICE_READS | DEVICE_WRITES)
  const txRing = domain.map(board.memory, TX, RING_BYTES, DEVICE_READS | DEVICE_WRITES)
  const rxBuffers = domain.map(board.memory, RX_BUFFERS, RX_COUNT * BUFFER_BYTES, DEVICE_WRITES)
  const txBuffers = domain.map(board.memory, TX_BUFFERS, 0x40000, DEVICE_READS)
  let txNext = 0
  let txOffset = 0
  let rxNext = 0

  const descriptor = (low: number, middle: number, high: number): void => {
    const at = TX + txNext * 16
    view.setUint32(at, low, true)
    view.setUint32(at + 4, 0, true)
    view.setUint32(at + 8, middle, true)
    view.setUint32(at + 12, high, true)
    txNext = (txNext + 1) % TX_COUNT
  }

  return {
    domain,
    rxRing,
    txRing,
    rxBuffers,
    txBuffers,
    /** Program both rings; `tail` receive descriptors are handed over. */
    start: (rctl = R.RCTL_EN | R.RCTL_BAM, tail = RX_COUNT - 1): void => {
      for (let i = 0; i < RX_COUNT; i++) view.setBigUint64(RX + i * 16, BigInt(rxBuffers + i * BUFFER_BYTES), true)
      write(R.RDBAL, rxRing)
      write(R.RDBAH, 0)
      write(R.RDLEN, RX_COUNT * 16)
      write(R.RDH, 0)
      write(R.RDT, tail)
      write(R.RCTL, rctl)
      write(R.TDBAL, txRing)
      write(R.TDBAH, 0)
      write(R.TDLEN, TX_COUNT * 16)
      write(R.TDH, 0)
      write(R.TDT, 0)
      write(R.TCTL, R.TCTL_EN | R.TCTL_PSP)
    },
    /** Copy data where the device may read it; returns its I/O address. */
    stage: (data: Uint8Array): number => {
      if (txOffset + data.length > 0x40000) txOffset = 0
      bytes.set(data, TX_BUFFERS + txOffset)
      const iova = txBuffers + txOffset
      txOffset += (data.length + 15) & ~15
      return iova
    },
    /** One descriptor as four words without the address's upper half: address, word at 8, word at 12. */
    descriptor,
    legacy: (iova: number, length: number, command: number, css = 0, cso = 0, special = 0): void =>
      descriptor(iova, length | (cso << 16) | (command << 24), (css << 8) | (special << 16)),
    /** Extended data descriptor. */
    data: (iova: number, length: number, command: number, options = 0, special = 0): void =>
      descriptor(iova, length | (1 << 20) | ((command | 0x20) << 24), (options << 8) | (special << 16)),
    /** Context descriptor: raw words. */
    context: (ip: number, tcp: number, command: number, last: number): void => {
      const at = TX + txNext * 16
      view.setUint32(at, ip, true)
      view.setUint32(at + 4, tcp, true)
      view.setUint32(at + 8, command >>> 0, true)
      view.setUint32(at + 12, last >>> 0, true)
      txNext = (txNext + 1) % TX_COUNT
    },
    go: (): void => write(R.TDT, txNext),
    txStatus: (index: number): number => bytes[TX + index * 16 + 12]!,
    /** The next finished receive descriptor, cleared, or undefined. */
    receive: (): Received | undefined => {
      const at = RX + rxNext * 16
      const status = bytes[at + 12]!
      if ((status & 1) === 0) return undefined
      const length = view.getUint16(at + 8, true)
      const from = RX_BUFFERS + rxNext * BUFFER_BYTES
      const got = {
        bytes: bytes.slice(from, from + length),
        status,
        errors: bytes[at + 13]!,
        special: view.getUint16(at + 14, true),
        checksum: view.getUint16(at + 10, true),
      }
      bytes[at + 12] = 0
      rxNext = (rxNext + 1) % RX_COUNT
      return got
    },
    tail: (): number => read(R.RDT),
  }
}

/** An Ethernet frame: addresses, type, payload. */
export const frame = (to: Uint8Array, from: Uint8Array, type: number, payload: Uint8Array): Uint8Array => {
  const made = new Uint8Array(Math.max(60, 14 + payload.length))
  made.set(to, 0)
  made.set(from, 6)
  made[12] = type >>> 8
  made[13] = type & 0xff
  made.set(payload, 14)
  return made
}

export const pattern = (length: number, seed = 7): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff)

/** RFC 1071, the slow and obvious way. */
export const internetChecksum = (bytes: Uint8Array): number => {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const put16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 8
  bytes[at + 1] = value & 0xff
}

const SOURCE_IP = [10, 0, 0, 1]
const DESTINATION_IP = [10, 0, 0, 2]

/** An IPv4 packet with TCP (20-byte header) or UDP and right checksums. */
export const ipPacket = (protocol: 6 | 17, payload: Uint8Array): Uint8Array => {
  const header = protocol === 6 ? 20 : 8
  const packet = new Uint8Array(20 + header + payload.length)
  packet[0] = 0x45
  put16(packet, 2, packet.length)
  put16(packet, 4, 0x1234)
  packet[8] = 64
  packet[9] = protocol
  packet.set(SOURCE_IP, 12)
  packet.set(DESTINATION_IP, 16)
  put16(packet, 20, 1000)
  put16(packet, 22, 2000)
  if (protocol === 6) {
    put16(packet, 24, 0xffff)
    put16(packet, 26, 0xff00)
    packet[32] = 0x50
    packet[33] = 0x19
    put16(packet, 34, 0xffff)
  } else {
    put16(packet, 24, 8 + payload.length)
  }
  packet.set(payload, 20 + header)
  put16(packet, 10, internetChecksum(packet.subarray(0, 20)))
  put16(packet, protocol === 6 ? 36 : 26, transportChecksum(packet))
  return packet
}

/** What the transport checksum of an IPv4 packet must be, with the field itself taken as zero. */
export const transportChecksum = (packet: Uint8Array): number => {
  const protocol = packet[9]!
  const segment = packet.slice(20)
  put16(segment, protocol === 6 ? 16 : 6, 0)
  const pseudo = Uint8Array.of(...packet.subarray(12, 20), 0, protocol, segment.length >>> 8, segment.length & 0xff)
  const whole = new Uint8Array(pseudo.length + segment.length)
  whole.set(pseudo)
  whole.set(segment, pseudo.length)
  return internetChecksum(whole)
}

/** The pseudo-header's sum, not inverted, as a driver seeds it; `length` 0 for segmentation. */
export const pseudoSeed = (packet: Uint8Array, length: number): number =>
  ~internetChecksum(Uint8Array.of(...packet.subarray(12, 20), 0, packet[9]!, length >>> 8, length & 0xff)) & 0xffff
