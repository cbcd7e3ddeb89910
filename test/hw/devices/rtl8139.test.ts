/** One test per rule of the data sheet that a driver can see. */

import test from 'ava'
import fc from 'fast-check'
import { frameOf } from '../../../hw/net/frame.ts'
import { rtl8139 } from '../../../hw/devices/rtl8139.ts'
import type { Rtl8139 } from '../../../hw/devices/rtl8139.ts'
import { addressHash, fcs } from '../../../hw/net/ethernet.ts'
import { createWire } from '../../../hw/net/wire.ts'
import { DEVICE_READS, DEVICE_WRITES } from '../../../hw/iommu.ts'
import { plugOn, testBoard } from '../support.ts'

const CR = 0x37
const CAPR = 0x38
const CBR = 0x3a
const IMR = 0x3c
const ISR = 0x3e
const TCR = 0x40
const RCR = 0x44
const MPC = 0x4c
const EE = 0x50
const BMCR = 0x62
const BMSR = 0x64
const MAC = '52:54:00:12:34:56'
const OWN_ADDRESS = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
const RING = 0x10000
const TX = 0x8000

const setup = (options: { mbps?: number; up?: boolean; wired?: boolean } = {}) => {
  const board = testBoard()
  const wire = createWire({ ...board, mbps: options.mbps ?? 100, up: options.up ?? true })
  const heard: Uint8Array[] = []
  wire.b.onFrame = ({ bytes, length }) => heard.push(bytes.slice(0, length))
  const port = options.wired === false ? {} : { port: wire.a }
  const fn = plugOn(board, rtl8139, { mac: MAC, ...port })
  const bar = fn.bar(1)!
  const chip = fn.device as Rtl8139
  const r8 = (at: number) => bar.read(at, 1)
  const r16 = (at: number) => bar.read(at, 2)
  const r32 = (at: number) => bar.read(at, 4)
  const w8 = (at: number, value: number) => bar.write(at, 1, value)
  const w16 = (at: number, value: number) => bar.write(at, 2, value)
  const w32 = (at: number, value: number) => bar.write(at, 4, value)
  return { board, wire, heard, fn, bar, chip, r8, r16, r32, w8, w16, w32 }
}

type Setup = ReturnType<typeof setup>

/** Link up, rings mapped, transmitter and receiver on as a driver would have them. */
const running = (rcr = 0x100a, options: Parameters<typeof setup>[0] = {}): Setup & { ring: number; tx: number } => {
  const s = setup(options)
  s.board.timeline.advance(10e6)
  const ring = s.fn.dma.map(s.board.memory, RING, 32768 + 16 + 2048, DEVICE_WRITES)
  const tx = s.fn.dma.map(s.board.memory, TX, 4 * 2048, DEVICE_READS)
  s.w16(ISR, 0xffff)
  s.w32(0x30, ring)
  s.w8(CR, 0x0c)
  s.w32(RCR, rcr)
  for (let i = 0; i < 4; i++) s.w32(0x20 + 4 * i, tx + 2048 * i)
  return { ...s, ring, tx }
}

const frame = (to: readonly number[], length: number): Uint8Array => {
  const bytes = Uint8Array.from({ length }, (_, i) => i)
  bytes.set(to)
  bytes.set([2, 0, 0, 0, 0, 1], 6)
  return bytes
}

const deliver = (s: Setup, bytes: Uint8Array): void => {
  s.wire.b.send(bytes, bytes.length)
  s.board.timeline.advance(1e6)
}

const header = (s: Setup, at: number): { status: number; length: number } => {
  const word = s.board.memory.view.getUint32(RING + at, true)
  return { status: word & 0xffff, length: word >>> 16 }
}

test('identity: 10ec:8139 revision 10h with an I/O and a memory BAR of 256 bytes', (t) => {
  const { fn } = setup()
  t.is(fn.configRead(0, 4), 0x813910ec)
  t.is(fn.configRead(8, 4), 0x02000010)
  t.is(fn.bar(0)!.bytes, 256)
  t.is(fn.bar(0)!.flags, 1)
  t.is(fn.bar(1)!.bytes, 256)
  t.is(fn.configRead(fn.configRead(0x34, 1), 1), 1)
})

test('both BARs reach the same registers', (t) => {
  const { fn, w16, r8 } = setup()
  fn.bar(0)!.write(IMR, 2, 0x0005)
  t.is(fn.bar(1)!.read(IMR, 2), 5)
  w16(IMR, 0)
  t.is(r8(IMR), 0)
})

test('reset values', (t) => {
  const { r8, r16, r32 } = setup()
  t.is(r8(CR), 1)
  for (let i = 0; i < 4; i++) t.is(r32(0x10 + 4 * i), 0x2000)
  t.is(r16(CAPR), 0xfff0)
  t.is(r16(CBR), 0)
  t.is(r16(IMR), 0)
  t.is(r16(ISR), 0)
  t.is(r32(TCR), 0x74000000)
  t.is(r32(RCR), 0)
  t.is(r32(MPC), 0)
  t.is(r8(0x52), 0x0d)
  t.is(r8(0x5e), 0x10)
  t.is(r16(0x60), 0x000f)
  t.is(r16(BMSR) & 0x7809, 0x7809)
  t.is(r16(0x66), 0x05e1)
})

test('IDR is loaded from the EEPROM, read in any width, written only as four bytes', (t) => {
  const { r8, r32, w8, w32 } = setup()
  t.is(r32(0), 0x12005452)
  t.is(r8(5), 0x56)
  w8(0, 0xff)
  t.is(r8(0), 0x52)
  w32(0, 0x44332211)
  w32(4, 0x00006655)
  t.is(r32(0), 0x44332211)
  t.is(r32(4), 0x6655)
})

test('MAR is written only as four bytes', (t) => {
  const { r32, w32, w8 } = setup()
  w32(8, 0x80000001)
  w8(0x0c, 1)
  t.is(r32(8), 0x80000001)
  t.is(r32(0x0c), 0)
})

test('a dump in bytes, words and double words shows the same registers', (t) => {
  const { r8, r16, r32 } = setup()
  for (let at = 0; at < 0x60; at += 4) {
    // TCTR runs, everything else stands still.
    if (at === 0x48) continue
    const bytes = r8(at) | (r8(at + 1) << 8) | (r8(at + 2) << 16) | (r8(at + 3) << 24)
    t.is(bytes >>> 0, r32(at))
    t.is(((r16(at + 2) << 16) | r16(at)) >>> 0, r32(at))
  }
})

test('CR.RST reads 1 until the reset is done, and keeps the addresses', (t) => {
  const s = running()
  s.w32(8, 0x12345678)
  s.w16(IMR, 0xffff)
  s.w8(CR, 0x10)
  t.is(s.r8(CR), 0x11)
  s.board.timeline.advance(9_999)
  t.is(s.r8(CR) & 0x10, 0x10)
  s.board.timeline.advance(1)
  t.is(s.r8(CR), 1)
  t.is(s.r32(8), 0x12345678)
  t.is(s.r32(0), 0x12005452)
  t.is(s.r16(IMR), 0)
  t.is(s.r32(0x10), 0x2000)
})

test('IMR has no reserved bits; ISR is write 1 to clear; the pin is their conjunction', (t) => {
  const s = running()
  const line = () => s.board.interrupts.asserted(s.fn.line)
  s.w16(IMR, 0xffff)
  t.is(s.r16(IMR), 0xe07f)
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(s.r16(ISR), 1)
  t.true(line())
  s.w16(ISR, 2)
  t.true(line())
  s.w16(IMR, 0xfffe)
  t.false(line())
  s.w16(IMR, 1)
  t.true(line())
  s.w16(ISR, 1)
  t.is(s.r16(ISR), 0)
  t.false(line())
})

test('a byte write to ISR clears only that byte', (t) => {
  const s = running()
  s.chip.raise(0x4001)
  s.w8(ISR + 1, 0xff)
  t.is(s.r16(ISR), 1)
})

// EEPROM

const clockBit = (s: Setup, bit: number): number => {
  s.w8(EE, 0x88 | (bit << 1))
  s.w8(EE, 0x8c | (bit << 1))
  const out = s.r8(EE) & 1
  s.w8(EE, 0x88)
  return out
}

const eepromCommand = (s: Setup, command: number, bits: number): void => {
  s.w8(EE, 0x80)
  s.w8(EE, 0x88)
  for (let i = bits - 1; i >= 0; i--) clockBit(s, (command >> i) & 1)
}

const eepromRead = (s: Setup, word: number): number => {
  eepromCommand(s, 0x180 | word, 9)
  let value = 0
  for (let i = 0; i < 16; i++) value = (value << 1) | clockBit(s, 0)
  s.w8(EE, 0)
  return value
}

test('the EEPROM is read bit by bit and holds the ids and the address', (t) => {
  const s = setup()
  t.is(eepromRead(s, 0), 0x8129)
  t.is(eepromRead(s, 1), 0x10ec)
  t.is(eepromRead(s, 7), 0x5452)
  t.is(eepromRead(s, 8), 0x1200)
  t.is(eepromRead(s, 9), 0x5634)
})

test('the EEPROM pins work only in programming mode', (t) => {
  const s = setup()
  s.w8(EE, 0x0e)
  t.is(s.r8(EE) & 0x0e, 0)
})

test('the EEPROM is written after EWEN only, and loaded by auto-load', (t) => {
  const s = setup()
  const write = (word: number, value: number) => {
    eepromCommand(s, 0x140 | word, 9)
    for (let i = 15; i >= 0; i--) clockBit(s, (value >> i) & 1)
    s.w8(EE, 0)
  }
  write(7, 0x1111)
  t.is(eepromRead(s, 7), 0x5452)
  eepromCommand(s, 0x130, 9)
  write(7, 0x1102)
  t.is(eepromRead(s, 7), 0x1102)
  eepromCommand(s, 0x100, 9)
  write(7, 0x2222)
  t.is(eepromRead(s, 7), 0x1102)
  t.is(s.r8(0), 0x52)
  s.w8(EE, 0x40)
  t.is(s.r8(EE) >> 6, 0)
  t.is(s.r8(0), 0x02)
})

test('CONFIG1, 3 and 4 need configuration write mode, CONFIG5 does not; read-only bits keep', (t) => {
  const { r8, w8 } = setup()
  w8(0x52, 0xff)
  t.is(r8(0x52), 0x0d)
  w8(EE, 0xc0)
  w8(0x52, 0)
  t.is(r8(0x52), 0x0c)
  w8(0x59, 0xff)
  t.is(r8(0x59), 0x70)
  w8(0x5a, 0xff)
  t.is(r8(0x5a), 0xf5)
  w8(0x51, 0xff)
  t.is(r8(0x51), 0x10)
  w8(EE, 0)
  w8(0x59, 0)
  t.is(r8(0x59), 0x70)
  w8(0xd8, 0xff)
  t.is(r8(0xd8), 0x7f)
})

// Receiver

test('a frame for us lies in the ring as status, length, bytes, FCS; BUFE, CBR and CAPR follow', (t) => {
  const s = running()
  t.is(s.r8(CR), 0x0d)
  const sent = frame(OWN_ADDRESS, 61)
  deliver(s, sent)
  t.deepEqual(header(s, 0), { status: 0x4001, length: 65 })
  t.deepEqual(s.board.memory.bytes.slice(RING + 4, RING + 65), sent)
  t.is(s.board.memory.view.getUint32(RING + 65, true), fcs(sent, 0, 61))
  t.is(s.r16(CBR), 72)
  t.is(s.r8(CR) & 1, 0)
  s.w16(CAPR, 72 - 16)
  t.is(s.r16(CAPR), 56)
  t.is(s.r8(CR) & 1, 1)
})

test('the filter: own address needs APM, others AAP', (t) => {
  const s = running(0x1000)
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(s.r16(CBR), 0)
  s.w32(RCR, 0x1002)
  deliver(s, frame([2, 3, 4, 5, 6, 7], 60))
  t.is(s.r16(CBR), 0)
  s.w32(RCR, 0x1001)
  deliver(s, frame([2, 3, 4, 5, 6, 7], 60))
  t.deepEqual(header(s, 0), { status: 0x0001, length: 64 })
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(header(s, 68).status, 0x4001)
})

test('the filter: broadcast needs AB', (t) => {
  const s = running(0x1007)
  const all = frame([255, 255, 255, 255, 255, 255], 60)
  deliver(s, all)
  t.is(s.r16(CBR), 0)
  s.w32(RCR, 0x1008)
  deliver(s, all)
  t.deepEqual(header(s, 0), { status: 0x2001, length: 64 })
})

test('the filter: multicast needs AM and its bit of the hash table', (t) => {
  const s = running(0x1004)
  const group = [1, 0, 0x5e, 0, 0, 0x16]
  const bit = addressHash(Uint8Array.from(group)) >>> 26
  deliver(s, frame(group, 60))
  t.is(s.r16(CBR), 0)
  s.w32(8 + 4 * (bit >> 5), (1 << (bit & 31)) >>> 0)
  deliver(s, frame([1, 0, 0x5e, 0, 0, 1], 60))
  t.is(s.r16(CBR), 0)
  deliver(s, frame(group, 60))
  t.deepEqual(header(s, 0), { status: 0x8001, length: 64 })
  s.w32(RCR, 0x1003)
  deliver(s, frame(group, 60))
  t.is(s.r16(CBR), 68)
})

test('a runt is taken only with AR, and is an error', (t) => {
  const s = running()
  const receive = () => {
    s.chip.receiver.receive(frameOf(frame(OWN_ADDRESS, 40)))
    return s.r16(CBR)
  }
  t.is(receive(), 0)
  s.w32(RCR, 0x101a)
  t.is(receive(), 48)
  t.deepEqual(header(s, 0), { status: 0x4010, length: 44 })
  t.is(s.r16(ISR) & 2, 2)
})

test('a frame beyond 4 KiB is taken only with AER, cut and marked long', (t) => {
  const s = running()
  deliver(s, frame(OWN_ADDRESS, 5000))
  t.is(s.r16(CBR), 0)
  s.w32(RCR, 0x102a)
  deliver(s, frame(OWN_ADDRESS, 5000))
  t.deepEqual(header(s, 0), { status: 0x4008, length: 4096 })
})

test('without RE nothing is received; turning RE on starts the ring over', (t) => {
  const s = running()
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(s.r16(CBR), 68)
  s.w8(CR, 4)
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(s.r16(CBR), 68)
  s.w8(CR, 0x0c)
  t.is(s.r16(CBR), 0)
  t.is(s.r16(CAPR), 0xfff0)
  t.is(s.r8(CR) & 1, 1)
})

const fillTo = (s: Setup, at: number): void => {
  // Frames of 1000 bytes in the ring, each read at once.
  for (let done = s.r16(CBR); done + 1000 <= at; done += 1000) {
    deliver(s, frame(OWN_ADDRESS, 992))
    s.w16(CAPR, (s.r16(CBR) - 16) & 0xffff)
  }
  const rest = at - s.r16(CBR)
  if (rest === 0) return
  deliver(s, frame(OWN_ADDRESS, rest - 8))
  s.w16(CAPR, (s.r16(CBR) - 16) & 0xffff)
}

test('WRAP clear: a frame is split at the end of the ring', (t) => {
  const s = running(0x000a)
  fillTo(s, 8192 - 100)
  const sent = frame(OWN_ADDRESS, 200)
  deliver(s, sent)
  t.is(s.r16(CBR), 208 - 100)
  t.deepEqual(s.board.memory.bytes.slice(RING + 8192 - 96, RING + 8192), sent.slice(0, 96))
  t.deepEqual(s.board.memory.bytes.slice(RING, RING + 104), sent.slice(96))
})

test('WRAP set: a frame goes on past the end of the ring', (t) => {
  const s = running(0x008a)
  fillTo(s, 8192 - 100)
  const sent = frame(OWN_ADDRESS, 200)
  deliver(s, sent)
  t.is(s.r16(CBR), 108)
  t.deepEqual(s.board.memory.bytes.slice(RING + 8192 - 96, RING + 8192 + 104), sent)
})

test('RBLEN: 8, 16, 32 and 64 KiB', (t) => {
  const s = running()
  for (let i = 0; i < 4; i++) {
    s.w32(RCR, i << 11)
    t.is(s.chip.receiver.ringBytes, 8192 << i)
  }
})

test('a full ring sets RXOVW and counts in MPC, which any write clears; nothing is overwritten', (t) => {
  const s = running(0x000a)
  for (let i = 0; i < 10; i++) deliver(s, frame(OWN_ADDRESS, 992))
  t.is(s.r16(CBR), 8000)
  t.is(s.r32(MPC), 2)
  t.is(s.r16(ISR), 0x11)
  s.w32(MPC, 0)
  t.is(s.r32(MPC), 0)
  s.w16(CAPR, 1000 - 16)
  deliver(s, frame(OWN_ADDRESS, 992))
  t.is(s.r16(CBR), 9000 - 8192)
})

test('a ring outside of its window is a system error and an IOMMU fault', (t) => {
  const s = running()
  s.w32(0x30, 0x12340000)
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(s.r16(ISR), 0x8000)
  t.is(s.board.faults.length, 1)
  t.is(s.fn.configRead(6, 2) & 0x2000, 0x2000)
  t.is(s.r16(CBR), 0)
})

test('ERBCR counts the frame, ERSR tells good, write 1 clears', (t) => {
  const s = running()
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(s.r16(0x34), 64)
  t.is(s.r8(0x36), 8)
  s.w8(0x36, 8)
  t.is(s.r8(0x36), 0)
})

// Transmitter

const transmit = (s: Setup, descriptor: number, bytes: Uint8Array): void => {
  s.board.memory.bytes.set(bytes, TX + 2048 * descriptor)
  s.w32(0x10 + 4 * descriptor, bytes.length | 0x00080000)
}

test('writing TSD sends: OWN once fetched, TOK and ISR.TOK once sent, at 100 Mb/s', (t) => {
  const s = running()
  const sent = frame([2, 9, 9, 9, 9, 9], 1000)
  transmit(s, 0, sent)
  t.is(s.r32(0x10), 0x00082000 | 1000)
  t.is(s.r16(ISR) & 4, 0)
  s.board.timeline.advance((1000 + 4 + 8 + 12) * 80 - 1)
  t.is(s.r16(ISR) & 4, 0)
  s.board.timeline.advance(1)
  t.is(s.r16(ISR) & 4, 4)
  t.is(s.r32(0x10), 0x0008a000 | 1000)
  s.board.timeline.advance(10_000)
  t.deepEqual(s.heard, [sent])
})

test('descriptors are sent in turn, whatever order they are written in', (t) => {
  const s = running()
  transmit(s, 1, frame([2, 0, 0, 0, 0, 1], 60))
  s.board.timeline.advance(1e6)
  t.is(s.heard.length, 0)
  transmit(s, 0, frame([2, 0, 0, 0, 0, 0], 60))
  transmit(s, 3, frame([2, 0, 0, 0, 0, 3], 60))
  transmit(s, 2, frame([2, 0, 0, 0, 0, 2], 60))
  s.board.timeline.advance(1e6)
  t.deepEqual(
    s.heard.map((bytes) => bytes[5]),
    [0, 1, 2, 3],
  )
  t.is(s.r16(0x60), 0xf00f)
})

test('without TE nothing is sent and TCR cannot be written; TE off drops the queue', (t) => {
  const s = setup()
  s.board.timeline.advance(10e6)
  s.w32(TCR, 0x03000600)
  t.is(s.r32(TCR), 0x74000000)
  s.w8(CR, 4)
  s.w32(TCR, 0xffffffff)
  t.is(s.r32(TCR), 0x770707f0)
  s.w32(TCR, 0)
  s.w32(0x20, s.fn.dma.map(s.board.memory, TX, 2048, DEVICE_READS))
  s.w32(0x10, 1500)
  s.w8(CR, 0)
  t.is(s.r32(0x10), 0x2000)
  s.board.timeline.advance(1e6)
  t.is(s.r16(ISR) & 4, 0)
})

test('a buffer outside of its window stops the transmitter with a system error', (t) => {
  const s = running()
  s.w32(0x20, 0x1000)
  s.w32(0x10, 60)
  s.board.timeline.advance(1e6)
  t.is(s.r16(ISR), 0x8000)
  t.is(s.r32(0x10), 60)
  t.is(s.board.faults[0]!.direction, 'read')
})

test('a frame beyond 1792 bytes aborts: TABT, TER; after CLRABT the queue goes on', (t) => {
  const s = running()
  s.w32(0x10, 1793)
  t.is(s.r16(ISR), 8)
  t.is((s.r32(0x10) & 0x40000000) >>> 0, 0x40000000)
  transmit(s, 0, frame([2, 0, 0, 0, 0, 1], 60))
  s.board.timeline.advance(1e6)
  t.is(s.heard.length, 0)
  s.w32(TCR, 1)
  s.board.timeline.advance(1e6)
  t.is(s.heard.length, 1)
  s.w32(0x14, 1793)
  s.w32(TCR, 1)
  transmit(s, 2, frame([2, 0, 0, 0, 0, 1], 60))
  s.board.timeline.advance(1e6)
  t.is(s.heard.length, 2)
})

test('on a wire without pace the frame is fetched and sent right after the write, not below it', (t) => {
  const s = running(0x100a, { mbps: Infinity })
  t.is(s.r8(0x58) & 8, 0, 'the link is one of 100 Mb/s')
  const sent = frame([2, 9, 9, 9, 9, 9], 1000)
  for (let i = 0; i < 4; i++) transmit(s, i, sent)
  t.is(s.heard.length, 0)
  t.is(s.r32(0x10), 0x00080000 | 1000)
  s.board.timeline.advance(0)
  t.deepEqual(s.heard, [sent, sent, sent, sent])
  t.is(s.r16(ISR) & 4, 4)
  t.is(s.r16(0x60), 0xf00f)
})

test('the same where the frame turns out too long, or its buffer out of reach', (t) => {
  const s = running(0x100a, { mbps: Infinity })
  transmit(s, 0, frame([2, 9, 9, 9, 9, 9], 60))
  s.w32(0x10, 1793)
  s.board.timeline.advance(0)
  t.is(s.r16(ISR), 8)
  s.w8(CR, 8)
  s.w8(CR, 0x0c)
  s.w16(ISR, 0xffff)
  s.w32(0x20, 0x1000)
  s.w32(0x10, 60)
  s.board.timeline.advance(0)
  t.is(s.r16(ISR), 0x8000)
  t.is(s.heard.length, 0)
})

test('loopback: what is sent is received and nothing reaches the wire', (t) => {
  const s = running()
  s.w32(TCR, 3 << 17)
  const sent = frame(OWN_ADDRESS, 100)
  transmit(s, 0, sent)
  s.board.timeline.advance(1e6)
  t.is(s.heard.length, 0)
  t.deepEqual(s.board.memory.bytes.slice(RING + 4, RING + 104), sent)
})

test('TCR.CRC: the driver supplies the FCS; a wrong one is not received', (t) => {
  const s = running()
  s.w32(TCR, 1 << 16)
  const bytes = frame([2, 9, 9, 9, 9, 9], 64)
  new DataView(bytes.buffer).setUint32(60, fcs(bytes, 0, 60), true)
  transmit(s, 0, bytes)
  s.board.timeline.advance(1e6)
  t.deepEqual(s.heard, [bytes.slice(0, 60)])
  bytes[20]!++
  transmit(s, 1, bytes)
  s.board.timeline.advance(1e6)
  t.is(s.heard.length, 1)
  t.is(s.r32(0x14) & 0x8000, 0x8000)
})

// Link

test('the link comes up after negotiation and interrupts; BMSR, ANLPAR, MSR and BMCR show it', (t) => {
  const s = setup()
  t.is(s.r16(BMSR), 0x7809)
  t.is(s.r8(0x58), 4)
  s.board.timeline.advance(5e6)
  t.is(s.r16(ISR), 0x20)
  t.is(s.r16(0x74) & 0x0c08, 0x0c08)
  t.is(s.r16(BMSR), 0x782d)
  t.is(s.r16(0x68), 0x41e1)
  t.is(s.r16(0x6a), 1)
  t.is(s.r8(0x58), 0)
  t.is(s.r16(BMCR), 0x3100)
  s.w16(ISR, 0x20)
  t.is(s.r16(0x74) & 0x0800, 0)
})

test('pulling the cable is seen at once, latched in BMSR and counted in DIS', (t) => {
  const s = running()
  t.is(s.r16(BMSR) & 4, 4)
  s.wire.setUp(false)
  t.is(s.r16(ISR) & 0x20, 0x20)
  t.is(s.r8(0x58), 4)
  s.wire.setUp(true)
  s.board.timeline.advance(10e6)
  t.is(s.r16(BMSR) & 4, 0)
  t.is(s.r16(BMSR) & 4, 4)
  t.is(s.r16(0x6c), 1)
  t.is(s.r16(0x6c), 0)
})

test('a 10 Mb/s partner gives a 10 Mb/s link, and the transmitter keeps its pace', (t) => {
  const s = running(0x100a, { mbps: 10 })
  t.is(s.r8(0x58), 8)
  t.is(s.r16(0x68), 0x4061)
  transmit(s, 0, frame([2, 9, 9, 9, 9, 9], 1000))
  s.board.timeline.advance(1024 * 800 - 1)
  t.is(s.r16(ISR) & 4, 0)
  s.board.timeline.advance(1)
  t.is(s.r16(ISR) & 4, 4)
})

test('restarting negotiation takes the link down and up again', (t) => {
  const s = running()
  s.w16(BMCR, 0x1200)
  t.is(s.r8(0x58), 4)
  s.board.timeline.advance(10e6)
  t.is(s.r8(0x58), 0)
})

test('BMCR: speed, duplex and negotiation need configuration write mode', (t) => {
  const s = running()
  s.w16(BMCR, 0x0000)
  t.is(s.r16(BMCR), 0x3100)
  s.w8(EE, 0xc0)
  s.w16(BMCR, 0x0100)
  t.is(s.r16(BMCR), 0x0100)
  s.board.timeline.advance(10e6)
  t.is(s.r8(0x58), 8)
  t.is(s.r16(0x68), 0)
})

test('no common ability, no link', (t) => {
  const s = running(0x100a, { mbps: 10 })
  s.w16(0x66, 0x0181)
  s.w16(BMCR, 0x1200)
  s.board.timeline.advance(1e9)
  t.is(s.r8(0x58) & 4, 4)
})

test('sending without a link completes with carrier lost', (t) => {
  const s = running()
  s.wire.setUp(false)
  transmit(s, 0, frame([2, 9, 9, 9, 9, 9], 60))
  s.board.timeline.advance(1e6)
  t.is((s.r32(0x10) & 0x8000a000) >>> 0, 0x8000a000)
  t.is(s.heard.length, 0)
})

test('a chip without a cable has no link', (t) => {
  const s = setup({ wired: false })
  s.board.timeline.advance(1e9)
  t.is(s.r8(0x58), 4)
  t.is(s.r16(ISR), 0)
})

// Timer, power, reset

test('TCTR counts 33 MHz clocks from its last write; TimerInt interrupts when they are equal', (t) => {
  const s = setup({ wired: false })
  s.board.timeline.advance(5_000)
  s.w32(0x48, 123)
  t.is(s.r32(0x48), 0)
  s.w32(0x54, 3300)
  s.board.timeline.advance(99_999)
  t.is(s.r16(ISR), 0)
  s.board.timeline.advance(1)
  t.is(s.r16(ISR), 0x4000)
  t.is(s.r32(0x48), 3300)
  s.w16(ISR, 0x4000)
  s.w32(0x54, 0)
  s.w32(0x48, 0)
  s.board.timeline.advance(1e9)
  t.is(s.r16(ISR), 0)
})

test('MULINT keeps its twelve bits', (t) => {
  const s = setup()
  s.w16(0x5c, 0xffff)
  t.is(s.r16(0x5c), 0x0fff)
})

test('in D3 nothing is received', (t) => {
  const s = running()
  s.fn.configWrite(0x44, 2, 3)
  deliver(s, frame(OWN_ADDRESS, 60))
  s.fn.configWrite(0x44, 2, 0)
  t.is(s.r16(CBR), 0)
  deliver(s, frame(OWN_ADDRESS, 60))
  t.is(s.r16(CBR), 68)
})

test('a bus reset stops everything: no DMA, no interrupt, registers at reset values, the link negotiated anew', (t) => {
  const s = running()
  s.w16(IMR, 0xffff)
  s.w32(0x54, 1000)
  transmit(s, 0, frame([2, 9, 9, 9, 9, 9], 1500))
  deliver(s, frame(OWN_ADDRESS, 60))
  s.fn.detach()
  t.false(s.board.interrupts.asserted(s.fn.line))
  s.board.timeline.advance(4e6)
  t.is(s.board.faults.length, 0)
  s.fn.configWrite(4, 2, 7)
  t.is(s.r8(CR), 1)
  t.is(s.r16(IMR), 0)
  t.is(s.r16(ISR), 0)
  t.is(s.r32(8), 0)
  t.is(s.r8(0x58), 4)
  s.board.timeline.advance(2e6)
  t.is(s.r8(0x58), 0)
})

test('ten thousand frames each way arrive whole, and every count agrees', (t) => {
  const s = running(0x908a)
  s.w16(IMR, 0)
  let taken = 0
  let read = 0
  const drain = (): void => {
    while ((s.r8(CR) & 1) === 0) {
      const { status, length } = header(s, read % 32768)
      t.is(status, 0x4001)
      t.is(s.board.memory.bytes[RING + (read % 32768) + 4 + 20], taken & 0xff)
      t.is(length, 64 + (taken % 1400))
      taken++
      read = (read + length + 4 + 3) & ~3
      s.w16(CAPR, (read - 16) & 0xffff)
    }
  }
  for (let i = 0; i < 10_000; i++) {
    const bytes = frame(OWN_ADDRESS, 60 + (i % 1400))
    bytes[20] = i
    s.wire.b.send(bytes, bytes.length)
    transmit(s, i % 4, bytes)
    s.board.timeline.advance(130_000)
    drain()
  }
  t.is(taken, 10_000)
  t.is(s.heard.length, 10_000)
  t.is(s.r32(MPC), 0)
  t.true(s.heard.every((bytes, i) => bytes.length === 60 + (i % 1400) && bytes[20] === (i & 0xff)))
  t.is(s.wire.counts(true).frames, 10_000)
  t.is(s.wire.counts(false).frames, 10_000)
})

const chaos = fc.oneof(
  fc.record({
    op: fc.constant('write' as const),
    at: fc.nat(255),
    width: fc.constantFrom(1, 2, 4),
    value: fc.nat(0xffffffff),
  }),
  fc.record({ op: fc.constant('read' as const), at: fc.nat(255), width: fc.constantFrom(1, 2, 4) }),
  fc.record({ op: fc.constant('frame' as const), length: fc.integer({ min: 0, max: 6000 }), ours: fc.boolean() }),
  fc.record({
    op: fc.constant('config' as const),
    at: fc.nat(255),
    width: fc.constantFrom(1, 2, 4),
    value: fc.nat(0xffffffff),
  }),
  fc.record({ op: fc.constant('cable' as const), up: fc.boolean() }),
  fc.record({ op: fc.constant('time' as const), ns: fc.nat(1_000_000) }),
)

test('whatever is written to it, the chip goes on, stays inside its windows, and comes back by a bus reset', (t) => {
  fc.assert(
    fc.property(fc.array(chaos, { maxLength: 150 }), (steps) => {
      const s = running()
      for (const step of steps) {
        if (step.op === 'write') s.bar.write(step.at, step.width, step.value)
        else if (step.op === 'read') {
          const value = s.bar.read(step.at, step.width)
          t.true(value >= 0 && value < 2 ** (8 * step.width))
        } else if (step.op === 'config') s.fn.driverConfigWrite(step.at, step.width, step.value)
        else if (step.op === 'cable') s.wire.setUp(step.up)
        else if (step.op === 'time') s.board.timeline.advance(step.ns)
        else deliver(s, frame(step.ours ? OWN_ADDRESS : [255, 255, 255, 255, 255, 255], Math.max(12, step.length)))
      }
      const { bytes } = s.board.memory
      const end = RING + 32768 + 16 + 2048
      t.true(bytes.subarray(0, RING).every((byte) => byte === 0) && bytes.subarray(end).every((byte) => byte === 0))
      s.wire.setUp(true)
      s.fn.detach()
      s.fn.configWrite(4, 2, 7)
      t.is(s.r8(CR), 1)
      t.is(s.r32(TCR), 0x74000000)
      t.is(s.r32(RCR), 0)
      s.board.timeline.advance(20e6)
      t.is(s.r8(0x58), 0)
    }),
    { numRuns: 200 },
  )
})
