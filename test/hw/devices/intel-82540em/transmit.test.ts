import test, { type ExecutionContext } from 'ava'
import { fcs } from '../../../../hw/net/ethernet.ts'
import * as S from '../../../../hw/devices/intel-82540em/statistics.ts'
import {
  frame,
  internetChecksum,
  ipPacket,
  MAC,
  MS,
  pattern,
  PEER,
  pseudoSeed,
  R,
  setUp,
  TX_COUNT,
  transportChecksum,
  withRings,
} from './support.ts'

const EOP = 0x01
const IFCS = 0x02
const IC = 0x04
const TSE = 0x04
const RS = 0x08
const VLE = 0x40
const IDE = 0x80

const ready = () => {
  const bench = setUp()
  const rings = withRings(bench)
  bench.bringUp()
  rings.start()
  bench.read(R.ICR)
  return { ...bench, ...rings }
}

const plain = (length: number): Uint8Array => frame(PEER, MAC, 0x88b5, pattern(length - 14))

test('a legacy descriptor sends its buffer, is reported done, and interrupts', (t) => {
  const { stage, legacy, go, wait, port, txStatus, read } = ready()
  const sent = plain(200)
  legacy(stage(sent), sent.length, EOP | IFCS | RS)
  go()
  wait(MS)
  t.deepEqual(port.sent, [sent])
  t.is(txStatus(0), 1)
  t.is(read(R.TDH), 1)
  t.is(read(R.ICR) & (R.ICR_TXDW | R.ICR_TXQE), R.ICR_TXDW | R.ICR_TXQE)
})

test('without RS nothing is written back', (t) => {
  const { stage, legacy, go, wait, port, txStatus, read } = ready()
  legacy(stage(plain(60)), 60, EOP | IFCS)
  go()
  wait(MS)
  t.is(port.sent.length, 1)
  t.is(txStatus(0), 0)
  t.is(read(R.ICR) & R.ICR_TXDW, 0)
})

test('a packet is gathered from several buffers, also across two tail writes', (t) => {
  const { stage, legacy, go, wait, port } = ready()
  const sent = plain(1514)
  legacy(stage(sent.subarray(0, 3)), 3, IFCS)
  legacy(stage(sent.subarray(3, 900)), 897, IFCS)
  go()
  wait(MS)
  t.is(port.sent.length, 0)
  legacy(stage(sent.subarray(900)), 614, EOP | IFCS | RS)
  go()
  wait(MS)
  t.deepEqual(port.sent, [sent])
})

test('short packets are padded with zeros when PSP is set, and only then', (t) => {
  const { stage, legacy, go, wait, port, write } = ready()
  const short = plain(60).subarray(0, 30)
  legacy(stage(short), 30, EOP | IFCS)
  go()
  wait(MS)
  write(R.TCTL, R.TCTL_EN)
  legacy(stage(short), 30, EOP | IFCS)
  go()
  wait(MS)
  t.deepEqual([...port.sent[0]!], [...short, ...new Uint8Array(30)])
  t.is(port.sent[1]!.length, 30)
})

test('the ring wraps', (t) => {
  const { stage, legacy, go, wait, port, read } = ready()
  for (let i = 0; i < 3 * TX_COUNT; i++) {
    const sent = plain(60)
    sent[20] = i
    legacy(stage(sent), 60, EOP | IFCS | RS)
    if (i % 20 === 19) {
      go()
      wait(MS)
    }
  }
  go()
  wait(MS)
  t.deepEqual(
    port.sent.map((sent) => sent[20]),
    Array.from({ length: 3 * TX_COUNT }, (_, i) => i & 0xff),
  )
  t.is(read(R.TDH), 0)
})

test('a tail outside of the ring hands nothing over, and does not hang', (t) => {
  const { stage, legacy, wait, port, write, read } = ready()
  for (let i = 0; i < TX_COUNT; i++) legacy(stage(plain(60)), 0, 0)
  write(R.TDT, TX_COUNT)
  wait(MS)
  t.is(read(R.TDH), 0)
  t.is(port.sent.length, 0)
})

test('frames go at line rate: the average is one slot each', (t) => {
  const { stage, legacy, go, wait, port } = ready()
  const count = 60
  for (let i = 0; i < count; i++) legacy(stage(plain(1514)), 1514, EOP | IFCS)
  go()
  wait(MS)
  const slotNs = (1514 + 24) * 8
  const span = port.times.at(-1)! - port.times[0]!
  t.true(span > (count - 5) * slotNs && span <= count * slotNs, `${span}`)
  t.true(new Set(port.times).size < count, 'an event sends several')
})

test('at 10 Mb/s it takes a hundred times as long', (t) => {
  const { stage, legacy, go, wait, port, write, read } = ready()
  write(R.CTRL, (read(R.CTRL) & ~0x300) | R.CTRL_FRCSPD)
  for (let i = 0; i < 3; i++) legacy(stage(plain(1514)), 1514, EOP | IFCS)
  go()
  wait(10 * MS)
  t.is(port.sent.length, 3)
  t.true(port.times[2]! - port.times[0]! > 2 * 1538 * 800 - 50_000)
})

test('nothing is sent with TCTL.EN clear or without link; both let it go later', (t) => {
  const { stage, legacy, go, wait, port, write } = ready()
  write(R.TCTL, R.TCTL_PSP)
  legacy(stage(plain(60)), 60, EOP | IFCS)
  go()
  wait(MS)
  t.is(port.sent.length, 0)
  port.plug(false)
  write(R.TCTL, R.TCTL_EN)
  wait(MS)
  t.is(port.sent.length, 0)
  port.plug(true)
  wait(3_000 * MS)
  t.is(port.sent.length, 1)
})

test('TIDV and TADV: IDE delays the interrupt until it is quiet, but not for ever', (t) => {
  const { stage, legacy, go, wait, read, write } = ready()
  write(R.TIDV, 10)
  write(R.TADV, 25)
  legacy(stage(plain(60)), 60, EOP | IFCS | RS | IDE)
  go()
  wait(5_000)
  t.is(read(R.ICR) & R.ICR_TXDW, 0)
  wait(8_000)
  t.is(read(R.ICR) & R.ICR_TXDW, R.ICR_TXDW)
  for (let i = 0; i < 4; i++) {
    legacy(stage(plain(60)), 60, EOP | IFCS | RS | IDE)
    go()
    wait(6_000)
  }
  t.is(read(R.ICR) & R.ICR_TXDW, 0)
  wait(3_000)
  t.is(read(R.ICR) & R.ICR_TXDW, R.ICR_TXDW)
})

test('TIDV.FPD interrupts at once', (t) => {
  const { stage, legacy, go, wait, read, write } = ready()
  write(R.TIDV, 1000)
  legacy(stage(plain(60)), 60, EOP | IFCS | RS | IDE)
  go()
  wait(5_000)
  t.is(read(R.ICR) & R.ICR_TXDW, 0)
  write(R.TIDV, (1000 | R.DELAY_FPD) >>> 0)
  t.is(read(R.ICR) & R.ICR_TXDW, R.ICR_TXDW)
})

test('a legacy descriptor inserts a checksum at CSO over everything from CSS', (t) => {
  const { stage, legacy, go, wait, port } = ready()
  const packet = ipPacket(17, pattern(101))
  const expected = frame(PEER, MAC, 0x0800, packet)
  const sent = expected.slice()
  const seed = pseudoSeed(packet, packet.length - 20)
  sent[40] = seed >>> 8
  sent[41] = seed & 0xff
  legacy(stage(sent), sent.length, EOP | IFCS | IC, 34, 40)
  go()
  wait(MS)
  t.deepEqual(port.sent, [expected])
})

for (const protocol of [6, 17] as const) {
  test(`a context and a data descriptor insert a ${protocol === 6 ? 'TCP' : 'UDP'} checksum`, (t) => {
    const { stage, context, data, go, wait, port } = ready()
    const packet = ipPacket(protocol, pattern(777))
    const expected = frame(PEER, MAC, 0x0800, packet)
    const sent = expected.slice()
    const at = 34 + (protocol === 6 ? 16 : 6)
    const seed = pseudoSeed(packet, packet.length - 20)
    sent[at] = seed >>> 8
    sent[at + 1] = seed & 0xff
    context(0, 34 | (at << 8), (0x20 | (protocol === 6 ? 1 : 0)) << 24, 0)
    data(stage(sent.subarray(0, 300)), 300, IFCS, 0x02)
    data(stage(sent.subarray(300)), sent.length - 300, EOP | IFCS | RS, 0x02)
    go()
    wait(MS)
    t.deepEqual(port.sent, [expected])
  })
}

test('IXSM inserts the IP header checksum', (t) => {
  const { stage, context, data, go, wait, port } = ready()
  const expected = frame(PEER, MAC, 0x0800, ipPacket(17, pattern(50)))
  const sent = expected.slice()
  sent[24] = 0xaa
  sent[25] = 0x55
  context(14 | (24 << 8) | (33 << 16), 34 | (40 << 8), 0x22 << 24, 0)
  data(stage(sent), sent.length, EOP | IFCS, 0x01)
  go()
  wait(MS)
  t.deepEqual(port.sent, [expected])
})

test('VLE inserts a tag of type VET after the addresses, with VME set only', (t) => {
  const { stage, legacy, data, go, wait, port, read, write } = ready()
  const sent = plain(100)
  write(R.CTRL, read(R.CTRL) | R.CTRL_VME)
  legacy(stage(sent), 100, EOP | IFCS | VLE, 0, 0, 0x6123)
  data(stage(sent), 100, EOP | IFCS | VLE, 0, 0x0fff)
  go()
  wait(MS)
  write(R.CTRL, read(R.CTRL) & ~R.CTRL_VME)
  legacy(stage(sent), 100, EOP | IFCS | VLE, 0, 0, 0x6123)
  go()
  wait(MS)
  const tagged = (tag: number[]): number[] => [...sent.slice(0, 12), 0x81, 0x00, ...tag, ...sent.slice(12)]
  t.deepEqual(
    port.sent.map((each) => [...each]),
    [tagged([0x61, 0x23]), tagged([0x0f, 0xff]), [...sent]],
  )
})

const segment = (t: ExecutionContext, vlan: boolean): void => {
  const { stage, context, data, go, wait, port, read, write } = ready()
  const mss = 100
  const payload = pattern(350)
  const packet = ipPacket(6, payload)
  const whole = frame(PEER, MAC, 0x0800, packet)
  whole[16] = whole[17] = whole[24] = whole[25] = 0
  const seed = pseudoSeed(packet, 0)
  whole[50] = seed >>> 8
  whole[51] = seed & 0xff
  if (vlan) write(R.CTRL, read(R.CTRL) | R.CTRL_VME)
  const command = TSE | IFCS | (vlan ? VLE : 0)
  context(
    14 | (24 << 8) | (33 << 16),
    34 | (50 << 8),
    (((0x20 | TSE | 3) << 24) | payload.length) >>> 0,
    (54 << 8) | (mss << 16),
  )
  data(stage(whole.subarray(0, 54)), 54, command, 3, 5)
  data(stage(whole.subarray(54, 204)), 150, command, 3, 5)
  data(stage(whole.subarray(204, 400)), 196, command, 3, 5)
  data(stage(whole.subarray(400)), 4, command | EOP | RS, 3, 5)
  go()
  wait(MS)
  const shift = vlan ? 4 : 0
  t.deepEqual(
    port.sent.map((each) => each.length - shift),
    [154, 154, 154, 104],
  )
  const got: number[] = []
  port.sent.forEach((tagged, i) => {
    const each = vlan ? Uint8Array.of(...tagged.subarray(0, 12), ...tagged.subarray(16)) : tagged
    const ip = each.subarray(14)
    t.is((ip[2]! << 8) | ip[3]!, each.length - 14, 'total length')
    t.is((ip[4]! << 8) | ip[5]!, 0x1234 + i, 'identification')
    t.is(internetChecksum(ip.subarray(0, 20)), 0, 'IP checksum')
    t.is((ip[36]! << 8) | ip[37]!, transportChecksum(ip), 'TCP checksum')
    const sequence = new DataView(ip.buffer, ip.byteOffset).getUint32(24)
    t.is(sequence, (0xffffff00 + i * mss) >>> 0, 'sequence number')
    t.is(ip[33], i === 3 ? 0x19 : 0x10, 'FIN and PSH in the last only')
    got.push(...ip.subarray(40))
  })
  t.deepEqual(got, [...payload])
  t.is(read(S.TSCTC), 1)
}

test('TSO: headers of every segment are right, and the payload adds up', (t) => segment(t, false))
test('TSO with a VLAN tag in every segment', (t) => segment(t, true))

test('TSO over IPv6 sets the payload length', (t) => {
  const { stage, context, data, go, wait, port } = ready()
  const payload = pattern(300)
  const packet = new Uint8Array(60 + payload.length)
  packet[0] = 0x60
  packet[6] = 6
  packet[52] = 0x50
  packet.set(payload, 60)
  const whole = frame(PEER, MAC, 0x86dd, packet)
  context(14 | (24 << 8), 54 | (70 << 8), (((0x20 | TSE | 1) << 24) | 300) >>> 0, (74 << 8) | (200 << 16))
  data(stage(whole), whole.length, TSE | IFCS | EOP, 2)
  go()
  wait(MS)
  t.deepEqual(
    port.sent.map((each) => (each[18]! << 8) | each[19]!),
    [220, 120],
  )
})

test('an exact multiple of the segment size leaves no empty segment behind', (t) => {
  const { stage, context, data, go, wait, port } = ready()
  const whole = frame(PEER, MAC, 0x0800, ipPacket(6, pattern(200)))
  context(14 | (24 << 8) | (33 << 16), 34 | (50 << 8), (((0x20 | TSE | 3) << 24) | 200) >>> 0, (54 << 8) | (100 << 16))
  data(stage(whole), whole.length, TSE | IFCS | EOP, 3)
  go()
  wait(MS)
  t.deepEqual(
    port.sent.map((each) => [each.length, each[47]]),
    [
      [154, 0x10],
      [154, 0x19],
    ],
  )
})

test('without IFCS the packet brings its own FCS; a wrong one reaches nobody', (t) => {
  const { stage, legacy, go, wait, port } = ready()
  const sent = plain(100)
  const sum = fcs(sent, 0, 100)
  const good = Uint8Array.of(...sent, sum & 0xff, (sum >>> 8) & 0xff, (sum >>> 16) & 0xff, sum >>> 24)
  const bad = good.slice()
  bad[50]! ^= 1
  legacy(stage(good), 104, EOP)
  legacy(stage(bad), 104, EOP)
  go()
  wait(MS)
  t.deepEqual(port.sent, [sent])
})

test('statistics count frames by kind and size, octets with FCS', (t) => {
  const { stage, legacy, go, wait, read } = ready()
  for (const [to, length] of [
    [PEER, 60],
    [Uint8Array.of(1, 0, 0x5e, 0, 0, 1), 124],
    [new Uint8Array(6).fill(0xff), 1514],
  ] as const) {
    legacy(stage(frame(to, MAC, 0x88b5, pattern(length - 14))), length, EOP | IFCS)
  }
  go()
  wait(MS)
  t.is(read(S.GPTC), 3)
  t.is(read(S.TPT), 3)
  t.is(read(S.GOTCL), 60 + 124 + 1514 + 12)
  t.is(read(S.GOTCH), 0)
  t.is(read(S.GOTCL), 0)
  t.is(read(S.MPTC), 1)
  t.is(read(S.BPTC), 1)
  t.deepEqual(
    [0, 4, 8, 12, 16, 20].map((at) => read(S.PTC64 + at)),
    [1, 0, 1, 0, 0, 1],
  )
  t.is(read(S.GPTC), 0)
})

test('a buffer that is not mapped stops the ring until it is set up anew, and hits nothing', (t) => {
  const { legacy, stage, go, wait, port, board, write, read } = ready()
  legacy(0xdead0000, 60, EOP | IFCS | RS)
  legacy(stage(plain(60)), 60, EOP | IFCS | RS)
  go()
  wait(MS)
  t.is(port.sent.length, 0)
  t.is(board.faults.length, 1)
  t.is(read(R.TDH), 0)
  go()
  wait(MS)
  t.is(board.faults.length, 1)
  write(R.TDH, 1)
  go()
  wait(MS)
  t.is(port.sent.length, 1)
})

test('PAUSE holds the transmitter, and zero lets it go', (t) => {
  const { stage, legacy, go, wait, port, read, write } = ready()
  write(R.FCAL, 0x00c28001)
  write(R.FCAH, 0x0100)
  write(R.FCT, 0x8808)
  write(R.CTRL, read(R.CTRL) | R.CTRL_RFCE)
  const pause = (quanta: number): Uint8Array =>
    frame(Uint8Array.of(1, 0x80, 0xc2, 0, 0, 1), PEER, 0x8808, Uint8Array.of(0, 1, quanta >>> 8, quanta & 0xff))
  port.deliver(pause(0xffff))
  t.is(read(R.STATUS) & R.STATUS_TXOFF, R.STATUS_TXOFF)
  legacy(stage(plain(60)), 60, EOP | IFCS)
  go()
  wait(MS)
  t.is(port.sent.length, 0)
  port.deliver(pause(0))
  wait(MS)
  t.is(port.sent.length, 1)
  t.is(read(S.XOFFRXC), 1)
  t.is(read(S.XONRXC), 1)
  port.deliver(pause(100))
  legacy(stage(plain(60)), 60, EOP | IFCS)
  go()
  wait(50_000)
  t.is(port.sent.length, 1)
  wait(2_000)
  t.is(port.sent.length, 2)
})
