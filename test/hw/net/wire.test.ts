import test from 'ava'
import { addressHash, fcs } from '../../../hw/net/ethernet.ts'
import { framesHeld } from '../../../hw/net/frame.ts'
import { createWire } from '../../../hw/net/wire.ts'
import type { WireOptions } from '../../../hw/net/wire.ts'
import { testRandom, testTimeline } from '../support.ts'

const setup = (options: Partial<WireOptions> = {}) => {
  const timeline = testTimeline()
  const wire = createWire({ timeline, random: testRandom(), propagationNs: 500, ...options })
  const heard: { at: number; late: number; bytes: Uint8Array }[] = []
  wire.b.onFrame = ({ bytes, length, atNs: at }) =>
    heard.push({ at, late: timeline.now() - at, bytes: bytes.slice(0, length) })
  return { timeline, wire, heard }
}

const frame = (length: number, fill = 0): Uint8Array => new Uint8Array(length).fill(fill)

test('a frame takes its bits at the speed of the link and the time of flight', (t) => {
  const { timeline, wire, heard } = setup()
  t.true(wire.a.send(frame(60), 60))
  timeline.settle()
  // 64 bytes with FCS, 8 of preamble, 80 ns each.
  t.is(heard[0]!.at, 72 * 80 + 500)
})

test('frames sent at once follow each other with the gap, in order', (t) => {
  const { timeline, wire, heard } = setup({ mbps: 1000 })
  for (let i = 0; i < 5; i++) wire.a.send(frame(60, i), 60)
  timeline.settle()
  t.deepEqual(
    heard.map(({ at }) => at),
    [0, 1, 2, 3, 4].map((i) => 72 * 8 + 500 + i * 84 * 8),
  )
  t.deepEqual(
    heard.map(({ bytes }) => bytes[0]),
    [0, 1, 2, 3, 4],
  )
})

test('frames close to each other are handed over with the last, none later than the burst is long', (t) => {
  const { timeline, wire, heard } = setup({ mbps: 1000 })
  const events = timeline.fired()
  for (let i = 0; i < 5; i++) wire.a.send(frame(60, i), 60)
  timeline.settle()
  t.deepEqual(
    heard.map(({ late }) => late),
    [4, 3, 2, 1, 0].map((i) => i * 84 * 8),
  )
  t.is(timeline.fired() - events, 2)
  for (let i = 0; i < 200; i++) wire.a.send(frame(60, i), 60)
  timeline.settle()
  t.true(heard.every(({ late }) => late >= 0 && late <= 32_000))
  t.is(heard.length, 205)
})

test('what has arrived when the cable is pulled is not lost', (t) => {
  const { timeline, wire, heard } = setup({ mbps: 1000 })
  for (let i = 0; i < 5; i++) wire.a.send(frame(60, i), 60)
  timeline.advance(72 * 8 + 500 + 2 * 84 * 8)
  t.is(heard.length, 0)
  wire.setUp(false)
  t.is(heard.length, 3)
  t.deepEqual(wire.counts(true), { frames: 3, bytes: 180, groups: 1, lost: 2, dropped: 0 })
})

test('every buffer comes back to the store, whatever becomes of a frame', (t) => {
  const before = framesHeld()
  const { timeline, wire, heard } = setup({ queueFrames: 4 })
  for (let i = 0; i < 8; i++) wire.a.send(frame(60, i), 60)
  timeline.advance(8_000)
  wire.setUp(false)
  wire.a.send(frame(60), 60)
  timeline.settle()
  t.is(heard.length, 1)
  t.is(framesHeld(), before)
})

test('the sender may reuse its buffer', (t) => {
  const { timeline, wire, heard } = setup()
  const buffer = frame(100, 7)
  wire.a.send(buffer, 100)
  buffer.fill(9)
  timeline.settle()
  t.deepEqual(heard[0]!.bytes, frame(100, 7))
})

test('jitter delays but never reorders, and is the same for the same seed', (t) => {
  const run = () => {
    const { timeline, wire, heard } = setup({ mbps: 1000, jitterNs: 5000 })
    for (let i = 0; i < 200; i++) wire.a.send(frame(60, i), 60)
    timeline.settle()
    return heard.map(({ at, bytes }) => [at, bytes[0]!] as const)
  }
  const first = run()
  t.deepEqual(
    first.map(([, number]) => number),
    Array.from({ length: 200 }, (_, i) => i),
  )
  t.deepEqual(run(), first)
})

test('pulling the cable loses what is in flight and tells both ends; nothing is sent until it is back', (t) => {
  const { timeline, wire, heard } = setup()
  const links: string[] = []
  wire.a.onLink = (up) => links.push(`a ${up}`)
  wire.b.onLink = (up) => links.push(`b ${up}`)
  wire.a.send(frame(60), 60)
  wire.setUp(false)
  wire.setUp(false)
  t.false(wire.a.up)
  t.false(wire.a.send(frame(60), 60))
  timeline.settle()
  t.is(heard.length, 0)
  wire.setUp(true)
  t.true(wire.a.send(frame(60), 60))
  timeline.settle()
  t.is(heard.length, 1)
  t.deepEqual(links, ['a false', 'b false', 'a true', 'b true'])
  t.deepEqual(wire.counts(true), { frames: 1, bytes: 60, groups: 0, lost: 2, dropped: 0 })
})

test('on a wire without pace a frame is at the other end at once, without an event, counted and tapped; not on a pulled one', (t) => {
  const { timeline, wire, heard } = setup({ mbps: Infinity, jitterNs: 5000 })
  const held = framesHeld()
  const events = timeline.fired()
  const tapped: number[] = []
  wire.tap = (_frame, length, _fromA, at) => tapped.push(length, at)
  timeline.advance(70)
  for (let i = 0; i < 600; i++) t.true(wire.a.send(frame(1514, i & 0xfe), 1514))
  t.is(heard.length, 600)
  t.true(heard.every(({ at, late }) => at === 70 && late === 0))
  t.deepEqual(tapped.slice(-2), [1514, 70])
  wire.setUp(false)
  t.false(wire.a.send(frame(60), 60))
  t.deepEqual(wire.counts(true), { frames: 600, bytes: 600 * 1514, groups: 0, lost: 1, dropped: 0 })
  t.is(timeline.fired(), events)
  t.is(framesHeld(), held)
})

test('more than the queue holds is dropped and counted', (t) => {
  const { timeline, wire, heard } = setup({ queueFrames: 3 })
  for (let i = 0; i < 5; i++) t.true(wire.a.send(frame(60, i), 60))
  timeline.settle()
  t.is(heard.length, 3)
  t.is(wire.counts(true).dropped, 2)
})

test('both directions are independent, and the tap sees both', (t) => {
  const { timeline, wire, heard } = setup()
  const tapped: string[] = []
  let back = 0
  wire.a.onFrame = () => back++
  wire.tap = (_frame, length, fromA, at) => tapped.push(`${fromA ? 'a' : 'b'} ${length} ${at}`)
  wire.a.send(frame(1514), 1514)
  wire.b.send(frame(60), 60)
  timeline.settle()
  t.is(heard.length, 1)
  t.is(back, 1)
  t.deepEqual(tapped, ['b 60 6260', 'a 1514 122580'])
})

test('a frame longer than a slot is carried', (t) => {
  const { timeline, wire, heard } = setup()
  wire.a.send(frame(9000, 3), 9000)
  timeline.settle()
  t.deepEqual(heard[0]!.bytes, frame(9000, 3))
})

test('FCS and address hash agree with the check value and with a bit by bit CRC', (t) => {
  t.is(fcs(new TextEncoder().encode('123456789'), 0, 9), 0xcbf43926)
  const long = Uint8Array.from({ length: 1000 }, (_, i) => i * 31)
  let crc = 0xffffffff
  for (const byte of long) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  t.is(fcs(long, 0, 1000), ~crc >>> 0)
  // The group of all hosts, bit by bit.
  let msb = 0xffffffff
  for (const byte of [1, 0, 0x5e, 0, 0, 1])
    for (let bit = 0; bit < 8; bit++) msb = ((msb << 1) ^ ((msb >>> 31) ^ ((byte >> bit) & 1) ? 0x04c11db7 : 0)) >>> 0
  t.is(addressHash(Uint8Array.of(1, 0, 0x5e, 0, 0, 1)), msb)
})
