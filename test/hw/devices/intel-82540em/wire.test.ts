/** Two controllers on a gigabit cable. */
import test from 'ava'
import { DEVICE_READS, DEVICE_WRITES } from '../../../../hw/iommu.ts'
import { createWire } from '../../../../hw/net/wire.ts'
import { intel82540em } from '../../../../hw/devices/intel-82540em.ts'
import type { EthernetPort } from '../../../../hw/types.ts'
import { plugOn, testBoard, type TestBoard } from '../../support.ts'
import { frame, MAC, MS, pattern, PEER, R } from './support.ts'

const COUNT = 128

/** A controller with both rings; `base` is where its memory begins. */
const station = (board: TestBoard, port: EthernetPort, mac: Uint8Array, base: number) => {
  const fn = plugOn(board, intel82540em, { mac, port })
  const { bytes, view } = board.memory
  const write = (offset: number, value: number): void => fn.device.write(0, offset, 4, value >>> 0)
  const read = (offset: number): number => fn.device.read(0, offset, 4)
  const [RX, TX, RX_BUFFERS, TX_BUFFERS] = [base, base + 0x1000, base + 0x2000, base + 0x42000]
  const rx = fn.dma.map(board.memory, RX, 4096, DEVICE_READS | DEVICE_WRITES)
  const tx = fn.dma.map(board.memory, TX, 4096, DEVICE_READS | DEVICE_WRITES)
  const rxBuffers = fn.dma.map(board.memory, RX_BUFFERS, COUNT * 2048, DEVICE_WRITES)
  const txBuffers = fn.dma.map(board.memory, TX_BUFFERS, 0x10000, DEVICE_READS)
  for (let i = 0; i < COUNT; i++) view.setUint32(RX + 16 * i, rxBuffers + 2048 * i, true)
  for (const [offset, value] of [
    [R.CTRL, read(R.CTRL) | R.CTRL_SLU],
    [R.RDBAL, rx],
    [R.RDLEN, COUNT * 16],
    [R.RDT, COUNT - 1],
    [R.RCTL, R.RCTL_EN | R.RCTL_SECRC],
    [R.TDBAL, tx],
    [R.TDLEN, COUNT * 16],
    [R.TCTL, R.TCTL_EN | R.TCTL_PSP],
  ] as const) {
    write(offset, value)
  }
  let tail = 0
  let next = 0
  return {
    read,
    send: (data: Uint8Array): void => {
      const slot = (tail % 32) * 2048
      bytes.set(data, TX_BUFFERS + slot)
      view.setUint32(TX + 16 * tail, txBuffers + slot, true)
      view.setUint32(TX + 16 * tail + 8, (3 << 24) | data.length, true)
      tail = (tail + 1) % COUNT
      write(R.TDT, tail)
    },
    /** Take what has arrived, handing descriptors back. */
    take: (): Uint8Array[] => {
      const got: Uint8Array[] = []
      while ((bytes[RX + 16 * next + 12]! & 1) !== 0) {
        const at = RX_BUFFERS + 2048 * next
        got.push(bytes.slice(at, at + view.getUint16(RX + 16 * next + 8, true)))
        bytes[RX + 16 * next + 12] = 0
        next = (next + 1) % COUNT
      }
      write(R.RDT, (next + COUNT - 1) % COUNT)
      return got
    },
  }
}

test('frames of every size go both ways and none is lost', (t) => {
  const board = testBoard()
  const wire = createWire({ timeline: board.timeline, random: board.random, mbps: 1000 })
  const a = station(board, wire.a, MAC, 0x00000)
  const b = station(board, wire.b, PEER, 0x80000)
  board.timeline.advance(3_000 * MS)
  t.is(a.read(R.STATUS) & R.STATUS_LU, R.STATUS_LU)
  const arrived: [number[], number[]] = [[], []]
  const lengths: number[] = []
  for (let length = 60; length <= 1514; length++) {
    lengths.push(length)
    a.send(frame(PEER, MAC, 0x88b5, pattern(length - 14, length)))
    b.send(frame(MAC, PEER, 0x88b5, pattern(length - 14, length)))
    if (length % 20 !== 0 && length !== 1514) continue
    board.timeline.advance(MS)
    for (const got of a.take()) {
      arrived[0].push(got.length)
      t.deepEqual(got, frame(MAC, PEER, 0x88b5, pattern(got.length - 14, got.length)))
    }
    for (const got of b.take()) arrived[1].push(got.length)
  }
  t.deepEqual(arrived[0], lengths)
  t.deepEqual(arrived[1], lengths)
  t.is(wire.counts(true).dropped, 0)
  t.is(board.faults.length, 0)
})

test('on a 100 Mb/s cable both sides settle on 100 Mb/s', (t) => {
  const board = testBoard()
  const wire = createWire({ timeline: board.timeline, random: board.random, mbps: 100 })
  const a = station(board, wire.a, MAC, 0x00000)
  station(board, wire.b, PEER, 0x80000)
  board.timeline.advance(3_000 * MS)
  t.is(a.read(R.STATUS) & 0xc3, 0x43)
})

test('on a cable without pace a ring full of frames leaves in one event, at the speed the PHY says', (t) => {
  const board = testBoard()
  const wire = createWire({ timeline: board.timeline, random: board.random, mbps: Infinity })
  const a = station(board, wire.a, MAC, 0x00000)
  const b = station(board, wire.b, PEER, 0x80000)
  board.timeline.advance(3_000 * MS)
  t.is(a.read(R.STATUS) & 0xc3, 0x83)
  const content = frame(PEER, MAC, 0x88b5, pattern(1500, 1))
  const fired = board.timeline.fired()
  for (let i = 0; i < 12; i++) a.send(content)
  board.timeline.advance(1_000)
  t.is(board.timeline.fired() - fired, 1)
  t.deepEqual(
    b.take(),
    Array.from({ length: 12 }, () => frame(PEER, MAC, 0x88b5, pattern(1500, 1))),
  )
})
