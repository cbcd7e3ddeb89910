/**
 * What a frame may cost the models of the hardware: events, accesses of memory, bytes moved, buffers. The numbers are exact
 * and the same on every computer; whoever changes one looks whether that is a frame's due, and writes the new one down.
 */
import test from 'ava'
import { DEVICE_READS, DEVICE_WRITES } from '../../hw/iommu.ts'
import { rtl8139 } from '../../hw/devices/rtl8139.ts'
import { framesHeld, frameOf } from '../../hw/net/frame.ts'
import { createSwitch } from '../../hw/net/switch.ts'
import { createWire } from '../../hw/net/wire.ts'
import type { DeviceContext, DmaPort } from '../../hw/types.ts'
import { frame, MAC, PEER, setUp, withRings } from './devices/intel-82540em/support.ts'
import { plugOn, testBoard, testRandom, testTimeline } from './support.ts'

const FRAMES = 32
const PAYLOAD = new Uint8Array(46)
/** Legacy descriptor: end of packet, FCS, report status. */
const EOP_IFCS_RS = 0x0b

/** Counts a device's accesses of memory, and the bytes they move. */
class Accesses {
  calls: Record<string, number> = {}
  bytes = 0

  readonly tap = (_name: string, context: DeviceContext): DeviceContext => ({
    ...context,
    dma: this.#counted(context.dma),
  })

  #counted(port: DmaPort): DmaPort {
    return new Proxy(port, {
      get: (target, name: keyof DmaPort) => {
        const value = target[name]
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          this.calls[name] = (this.calls[name] ?? 0) + 1
          this.bytes += Number(args[3] ?? Number(name.replaceAll(/\D/g, '')) / 8)
          return (value as (...all: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  }

  /** What was counted since the last time. */
  take(): { calls: Record<string, number>; bytes: number } {
    const { calls, bytes } = this
    this.calls = {}
    this.bytes = 0
    return { calls, bytes }
  }
}

test('82540EM, 32 frames with one write of the tail: one fetch of descriptors, two accesses a frame, one event', (t) => {
  const accesses = new Accesses()
  const bench = setUp(accesses.tap)
  const rings = withRings(bench)
  bench.bringUp()
  rings.start()
  for (let i = 0; i < FRAMES; i++) rings.legacy(rings.stage(frame(PEER, MAC, 0x88b5, PAYLOAD)), 60, EOP_IFCS_RS)
  const held = framesHeld()
  const fired = bench.board.timeline.fired()
  accesses.take()
  rings.go()
  bench.wait(100_000)
  t.is(bench.port.sent.length, FRAMES)
  t.is(bench.board.timeline.fired() - fired, 1)
  t.deepEqual(accesses.take(), {
    calls: { read: 1, readFrame: FRAMES, write8: FRAMES },
    bytes: FRAMES * (16 + 60 + 1),
  })
  t.is(framesHeld(), held)
})

test('82540EM, 32 frames received: one fetch of descriptors; frame with FCS and descriptor each', (t) => {
  const accesses = new Accesses()
  const bench = setUp(accesses.tap)
  const rings = withRings(bench)
  bench.bringUp()
  rings.start()
  const held = framesHeld()
  const fired = bench.board.timeline.fired()
  accesses.take()
  for (let i = 0; i < FRAMES; i++) bench.port.deliver(frame(MAC, PEER, 0x88b5, PAYLOAD))
  t.is(bench.board.timeline.fired() - fired, 0)
  t.deepEqual(accesses.take(), {
    calls: { read: 1, writeFrame: FRAMES, write: FRAMES },
    bytes: FRAMES * (16 + 60 + 4 + 8),
  })
  t.is(framesHeld(), held)
})

test('RTL8139: one access for a frame sent, three for one received', (t) => {
  const accesses = new Accesses()
  const board = testBoard()
  board.host.tap = accesses.tap
  const wire = createWire({ ...board, mbps: 100 })
  const fn = plugOn(board, rtl8139, { mac: MAC, port: wire.a })
  const write = (at: number, width: number, value: number): void => fn.bar(1)!.write(at, width, value)
  board.timeline.advance(10e6)
  write(0x30, 4, fn.dma.map(board.memory, 0x10000, 0x9000, DEVICE_WRITES))
  write(0x37, 1, 0x0c)
  write(0x44, 4, 0x100a)
  for (let i = 0; i < 4; i++) write(0x20 + 4 * i, 4, fn.dma.map(board.memory, 0x8000, 2048, DEVICE_READS))
  const fired = board.timeline.fired()
  for (let i = 0; i < 4; i++) write(0x10 + 4 * i, 4, 60)
  board.timeline.advance(100_000)
  // For each the end of its sending, and its arrival at the other end: the next is fetched when one is sent.
  t.is(board.timeline.fired() - fired, 8)
  t.deepEqual(accesses.take(), { calls: { readFrame: 4 }, bytes: 4 * 60 })
  for (let i = 0; i < FRAMES; i++) wire.b.send(frame(MAC, PEER, 0x88b5, PAYLOAD), 60)
  board.timeline.advance(1e6)
  t.deepEqual(accesses.take(), {
    calls: { write32: 2 * FRAMES, writeFrame: FRAMES },
    bytes: FRAMES * (4 + 60 + 4),
  })
})

test('two wires and a switch: 32 frames at once take four events and no copy', (t) => {
  const timeline = testTimeline()
  const random = testRandom()
  const fabric = createSwitch({ timeline })
  const wires = [createWire({ timeline, random, mbps: 1000 }), createWire({ timeline, random, mbps: 1000 })] as const
  for (const { b } of wires) fabric.attach(b)
  const seen = new Set<unknown>()
  wires[1].a.onFrame = (one) => seen.add(one)
  wires[1].a.send(frame(PEER, MAC, 0x88b5, PAYLOAD), 60)
  timeline.settle()
  const before = framesHeld()
  const fired = timeline.fired()
  const sent = Array.from({ length: FRAMES }, () => frameOf(frame(MAC, PEER, 0x88b5, PAYLOAD)))
  for (const one of sent) {
    one.atNs = timeline.now()
    wires[0].a.pass(one)
  }
  timeline.settle()
  t.deepEqual(seen, new Set(sent), 'the very frames that were sent')
  t.is(timeline.fired() - fired, 4)
  t.is(framesHeld(), before)
})
