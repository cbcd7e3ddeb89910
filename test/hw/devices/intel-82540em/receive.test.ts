import test from 'ava'
import { fcs } from '../../../../hw/net/ethernet.ts'
import * as S from '../../../../hw/devices/intel-82540em/statistics.ts'
import { frame, ipPacket, MAC, MS, pattern, PEER, R, RX_COUNT, setUp, withRings } from './support.ts'

const DD = 0x01
const EOP = 0x02
const IXSM = 0x04
const VP = 0x08
const TCPCS = 0x20
const IPCS = 0x40
const PIF = 0x80
const TCPE = 0x20
const IPE = 0x40

const BROADCAST = new Uint8Array(6).fill(0xff)
const GROUP = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x12, 0x34)

const ready = (rctl = R.RCTL_EN | R.RCTL_BAM | R.RCTL_SECRC, tail = RX_COUNT - 1) => {
  const bench = setUp()
  const rings = withRings(bench)
  bench.bringUp()
  rings.start(rctl, tail)
  bench.read(R.ICR)
  const offered = (sent: Uint8Array): boolean => {
    bench.port.deliver(sent)
    return rings.receive() !== undefined
  }
  return { ...bench, ...rings, offered }
}

const to = (address: Uint8Array, length = 60): Uint8Array => frame(address, PEER, 0x88b5, pattern(length - 14))

test('a frame for the station goes to the buffer at head, with status, and interrupts', (t) => {
  const { port, receive, read } = ready()
  const sent = to(MAC, 300)
  port.deliver(sent)
  const got = receive()!
  t.deepEqual(got.bytes, sent)
  t.is(got.status & ~IXSM, DD | EOP)
  t.is(got.errors, 0)
  t.is(read(R.RDH), 1)
  t.is(read(R.ICR) & R.ICR_RXT0, R.ICR_RXT0)
})

test('the FCS is stored unless SECRC strips it', (t) => {
  const { port, receive } = ready(R.RCTL_EN)
  const sent = to(MAC, 61)
  port.deliver(sent)
  const { bytes } = receive()!
  t.is(bytes.length, 65)
  t.is(new DataView(bytes.buffer).getUint32(61, true), fcs(sent, 0, 61))
})

for (let length = 60; length <= 1514; length += 29) {
  test(`a frame of ${length} bytes arrives whole`, (t) => {
    const { port, receive } = ready()
    port.deliver(to(MAC, length))
    t.deepEqual(receive()!.bytes, to(MAC, length))
  })
}

test('RCTL.EN, link and address decide what is heard', (t) => {
  const { offered, port, write, wait } = ready()
  t.true(offered(to(MAC)))
  t.false(offered(to(PEER)))
  write(R.RCTL, R.RCTL_SECRC)
  t.false(offered(to(MAC)))
  write(R.RCTL, R.RCTL_EN)
  port.plug(false)
  t.false(offered(to(MAC)))
  port.plug(true)
  wait(3_000 * MS)
  t.true(offered(to(MAC)))
})

test('broadcast needs BAM', (t) => {
  const { offered, write } = ready()
  t.true(offered(to(BROADCAST)))
  write(R.RCTL, R.RCTL_EN)
  t.false(offered(to(BROADCAST)))
})

test('UPE takes every unicast, MPE every multicast; neither the other; both are inexact', (t) => {
  const { port, receive, offered, write } = ready()
  write(R.RCTL, R.RCTL_EN | R.RCTL_UPE)
  port.deliver(to(PEER))
  t.is(receive()!.status & PIF, PIF)
  t.false(offered(to(GROUP)))
  write(R.RCTL, R.RCTL_EN | R.RCTL_MPE)
  t.false(offered(to(PEER)))
  port.deliver(to(GROUP))
  t.is(receive()!.status & PIF, PIF)
  t.true(offered(to(MAC)))
})

test('all sixteen exact addresses match, when valid', (t) => {
  const { offered, write } = ready()
  for (let i = 0; i < 16; i++) {
    const address = Uint8Array.of(0x02, 0, 0, 0, 1, i)
    write(R.RA + 8 * i, 0x00000002)
    write(R.RA + 8 * i + 4, 0x00000001 | (i << 8))
    t.false(offered(to(address)), `${i}, not valid`)
    write(R.RA + 8 * i + 4, (0x80000001 | (i << 8)) >>> 0)
    t.true(offered(to(address)), `${i}`)
  }
})

for (const offset of [0, 1, 2, 3]) {
  test(`the multicast hash takes its bits by RCTL.MO = ${offset}`, (t) => {
    const { offered, write, port, receive } = ready()
    const bits = GROUP[4]! | (GROUP[5]! << 8)
    const hash = (bits >>> [4, 3, 2, 0][offset]!) & 0xfff
    write(R.RCTL, R.RCTL_EN | (offset << R.RCTL_MO_SHIFT))
    t.false(offered(to(GROUP)))
    write(R.MTA + 4 * (hash >>> 5), 1 << (hash & 31))
    port.deliver(to(GROUP))
    t.is(receive()!.status & PIF, PIF)
    t.false(offered(to(Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x33, 0x77))))
  })
}

const tagged = (tag: number, length = 100): Uint8Array => {
  const inner = to(MAC, length - 4)
  return Uint8Array.of(...inner.subarray(0, 12), 0x81, 0x00, tag >>> 8, tag & 0xff, ...inner.subarray(12))
}

test('VME strips the tag into the descriptor', (t) => {
  const { port, receive, read, write } = ready()
  port.deliver(tagged(0x2005))
  const kept = receive()!
  t.deepEqual(kept.bytes, tagged(0x2005))
  t.is(kept.status & VP, 0)
  write(R.CTRL, read(R.CTRL) | R.CTRL_VME)
  port.deliver(tagged(0x2005))
  const stripped = receive()!
  t.deepEqual(stripped.bytes, to(MAC, 96))
  t.is(stripped.status & VP, VP)
  t.is(stripped.special, 0x2005)
  port.deliver(to(MAC))
  t.is(receive()!.status & VP, 0)
})

test('VFE takes only tags in VFTA, and untagged frames', (t) => {
  const { offered, write } = ready(R.RCTL_EN | R.RCTL_VFE)
  t.true(offered(to(MAC)))
  t.false(offered(tagged(100)))
  write(R.VFTA + 4 * (100 >>> 5), 1 << (100 & 31))
  t.true(offered(tagged(100)))
  t.true(offered(tagged(0x6000 | 100)))
  t.false(offered(tagged(101)))
})

test('CFIEN drops tags whose CFI is not RCTL.CFI', (t) => {
  const { offered, write } = ready(R.RCTL_EN | R.RCTL_CFIEN)
  t.true(offered(tagged(5)))
  t.false(offered(tagged(0x1005)))
  write(R.RCTL, R.RCTL_EN | R.RCTL_CFIEN | R.RCTL_CFI)
  t.true(offered(tagged(0x1005)))
})

for (const [rctl, bytes] of [
  [0, 2048],
  [1 << 16, 1024],
  [2 << 16, 512],
  [3 << 16, 256],
] as const) {
  test(`buffers of ${bytes} bytes: a long frame takes several descriptors, the last with EOP`, (t) => {
    const { port, receive } = ready(R.RCTL_EN | R.RCTL_SECRC | rctl)
    const sent = to(MAC, 1400)
    port.deliver(sent)
    const got: number[] = []
    for (let i = Math.ceil(1400 / bytes); i > 0; i--) {
      const part = receive()!
      t.is(part.status & EOP, i === 1 ? EOP : 0)
      got.push(...part.bytes)
    }
    t.deepEqual(Uint8Array.from(got), sent)
    t.is(receive(), undefined)
  })
}

test('a tag stripped and an FCS split across buffers', (t) => {
  const { port, receive, read, write } = ready(R.RCTL_EN | (3 << 16))
  write(R.CTRL, read(R.CTRL) | R.CTRL_VME)
  const sent = tagged(7, 258)
  port.deliver(sent)
  const first = receive()!
  const second = receive()!
  const whole = Uint8Array.of(...first.bytes, ...second.bytes)
  t.is(first.bytes.length, 256)
  t.is(whole.length, 258)
  t.deepEqual(whole.subarray(0, 254), to(MAC, 254))
  t.is(new DataView(whole.buffer).getUint32(254, true), fcs(sent, 0, 258))
})

test('BSEX buffers hold jumbo frames in one piece', (t) => {
  const { board, fn, port, write, bringUp } = setUp()
  bringUp()
  const { bytes, view } = board.memory
  const ring = fn.dma.map(board.memory, 0x1000, 4096, 3)
  const buffer = fn.dma.map(board.memory, 0x10000, 16384, 2)
  view.setUint32(0x1000, buffer, true)
  write(R.RDBAL, ring)
  write(R.RDLEN, 128)
  write(R.RDT, 1)
  write(R.RCTL, R.RCTL_EN | R.RCTL_LPE | R.RCTL_SECRC | R.RCTL_BSEX | (1 << 16))
  const sent = to(MAC, 9000)
  port.deliver(sent)
  t.is(view.getUint16(0x1008, true), 9000)
  t.deepEqual(bytes.slice(0x10000, 0x10000 + 9000), sent)
})

test('too long is ROC unless LPE, too short is RUC; SBP stores both', (t) => {
  const { offered, read, write } = ready()
  t.true(offered(to(MAC, 1518)))
  t.false(offered(to(MAC, 1519)))
  t.is(read(S.ROC), 1)
  t.false(offered(to(MAC).subarray(0, 59)))
  t.is(read(S.RUC), 1)
  write(R.RCTL, R.RCTL_EN | R.RCTL_LPE | R.RCTL_SECRC)
  t.true(offered(to(MAC, 1519)))
  t.is(read(S.ROC), 0)
  write(R.RCTL, R.RCTL_EN | R.RCTL_SBP | R.RCTL_SECRC)
  t.true(offered(to(MAC).subarray(0, 40)))
})

for (const [name, protocol] of [
  ['TCP', 6],
  ['UDP', 17],
] as const) {
  test(`${name} and IP checksums are checked as RXCSUM asks, for every length`, (t) => {
    const { port, receive, write } = ready()
    for (let length = 0; length < 20; length++) {
      const good = frame(MAC, PEER, 0x0800, ipPacket(protocol, pattern(length)))
      write(R.RXCSUM, R.RXCSUM_TUOFL)
      port.deliver(good)
      let got = receive()!
      t.is(got.status & (IXSM | TCPCS | IPCS), TCPCS)
      t.is(got.errors, 0)
      const bad = good.slice()
      bad[35]! ^= 0x10
      write(R.RXCSUM, R.RXCSUM_TUOFL | R.RXCSUM_IPOFL)
      port.deliver(bad)
      got = receive()!
      t.is(got.status & (IXSM | TCPCS | IPCS), TCPCS | IPCS)
      t.is(got.errors, TCPE)
      bad[22]! ^= 1
      port.deliver(bad)
      t.is(receive()!.errors & IPE, IPE)
    }
  })
}

test('behind a VLAN tag checksums are checked too', (t) => {
  const { port, receive, write } = ready()
  write(R.RXCSUM, R.RXCSUM_TUOFL)
  const inner = frame(MAC, PEER, 0x0800, ipPacket(6, pattern(99)))
  port.deliver(Uint8Array.of(...inner.subarray(0, 12), 0x81, 0, 0, 5, ...inner.subarray(12)))
  const got = receive()!
  t.is(got.status & (IXSM | TCPCS), TCPCS)
  t.is(got.errors, 0)
})

test('fragments, UDP without a checksum and other protocols are not judged', (t) => {
  const { port, receive, write } = ready()
  write(R.RXCSUM, R.RXCSUM_TUOFL)
  const fragment = frame(MAC, PEER, 0x0800, ipPacket(6, pattern(40)))
  fragment[20] = 0x20
  const silent = frame(MAC, PEER, 0x0800, ipPacket(17, pattern(40)))
  silent[40] = silent[41] = 0
  for (const each of [fragment, silent]) {
    port.deliver(each)
    t.is(receive()!.status & (IXSM | TCPCS), 0)
  }
  port.deliver(to(MAC))
  t.is(receive()!.status & IXSM, IXSM)
})

test('the packet checksum is the sum from PCSS to the end', (t) => {
  const { port, receive, write } = ready()
  write(R.RXCSUM, 14)
  const sent = new Uint8Array(60)
  sent.set(MAC)
  sent[20] = 0x12
  sent[21] = 0x34
  sent[23] = 0x01
  port.deliver(sent)
  t.is(receive()!.checksum, 0x1235)
})

test('without descriptors frames wait in the FIFO, and come when the tail moves', (t) => {
  const { port, receive, read, write, wait } = ready(R.RCTL_EN | R.RCTL_SECRC, 2)
  for (let i = 0; i < 5; i++) port.deliver(to(MAC, 100 + i))
  t.is(read(R.RDFPC), 3)
  t.is(read(S.RNBC), 3)
  t.is(read(S.MPC), 0)
  t.is(read(S.GPRC), 5)
  write(R.RDT, 10)
  wait(10_000)
  const lengths: number[] = []
  for (let got = receive(); got; got = receive()) lengths.push(got.bytes.length)
  t.deepEqual(lengths, [100, 101, 102, 103, 104])
  t.is(read(R.RDFPC), 0)
})

test('a full FIFO loses frames: RXO and MPC', (t) => {
  const { port, read } = ready(R.RCTL_EN | R.RCTL_SECRC, 0)
  for (let i = 0; i < 40; i++) port.deliver(to(MAC, 1514))
  const waiting = read(R.RDFPC)
  t.is(waiting, Math.floor((48 * 1024) / 1530))
  t.is(read(S.MPC), 40 - waiting)
  t.is(read(R.ICR) & R.ICR_RXO, R.ICR_RXO)
})

test('the FIFO wraps without mixing frames up', (t) => {
  const { port, receive, read, write, wait } = ready(R.RCTL_EN | R.RCTL_SECRC, 0)
  let next = 0
  let expected = 0
  let tail = 0
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 9; i++) {
      const sent = to(MAC, 60 + ((next * 97) % 1400))
      sent[14] = next++ & 0xff
      port.deliver(sent)
    }
    tail = (tail + 9) % RX_COUNT
    write(R.RDT, tail)
    wait(10_000)
    for (let got = receive(); got; got = receive()) {
      t.is(got.bytes[14], expected & 0xff)
      t.is(got.bytes.length, 60 + ((expected * 97) % 1400))
      expected++
    }
  }
  t.is(read(S.MPC), 0)
  t.is(expected, next)
})

test('RXDMT0 when half, a quarter or an eighth of the descriptors are left', (t) => {
  for (const [threshold, left] of [
    [0, 32],
    [1, 16],
    [2, 8],
  ] as const) {
    const { port, read } = ready(R.RCTL_EN | (threshold << R.RCTL_RDMTS_SHIFT))
    for (let free = RX_COUNT - 1; free > left; free--) {
      t.is(read(R.ICR) & R.ICR_RXDMT0, 0)
      port.deliver(to(MAC))
    }
    t.is(read(R.ICR) & R.ICR_RXDMT0, R.ICR_RXDMT0)
  }
})

test('RDTR and RADV: the interrupt waits until it is quiet, but not for ever', (t) => {
  const { port, read, write, wait } = ready()
  write(R.RDTR, 10)
  write(R.RADV, 25)
  port.deliver(to(MAC))
  t.is(read(R.ICR) & R.ICR_RXT0, 0)
  wait(10 * 1024)
  t.is(read(R.ICR) & R.ICR_RXT0, R.ICR_RXT0)
  for (let i = 0; i < 4; i++) {
    port.deliver(to(MAC))
    wait(6_000)
  }
  t.is(read(R.ICR) & R.ICR_RXT0, 0)
  wait(2_000)
  t.is(read(R.ICR) & R.ICR_RXT0, R.ICR_RXT0)
})

test('statistics count frames by kind and size, octets with FCS, totals also of what is filtered', (t) => {
  const { port, read } = ready(R.RCTL_EN | R.RCTL_BAM | R.RCTL_MPE)
  for (const [address, length] of [
    [MAC, 60],
    [GROUP, 200],
    [BROADCAST, 1514],
    [PEER, 60],
  ] as const) {
    port.deliver(to(address, length))
  }
  t.is(read(S.TPR), 4)
  t.is(read(S.TORL), 60 + 200 + 1514 + 60 + 16)
  t.is(read(S.GPRC), 3)
  t.is(read(S.GORCL), 60 + 200 + 1514 + 12)
  t.is(read(S.MPRC), 1)
  t.is(read(S.BPRC), 1)
  t.deepEqual(
    [0, 4, 8, 12, 16, 20].map((at) => read(S.PRC64 + at)),
    [1, 0, 1, 0, 0, 1],
  )
})

test('a buffer that is not mapped is reported in its descriptor and hits nothing', (t) => {
  const { board, port, receive, domain, rxBuffers } = ready()
  domain.unmap(rxBuffers, RX_COUNT * 2048)
  port.deliver(to(MAC))
  t.is(receive()!.errors & 0x80, 0x80)
  t.true(board.faults.length > 0)
})

test('a ring that is not mapped stops receiving, once', (t) => {
  const { board, port, domain, rxRing } = ready()
  domain.unmap(rxRing, 4096)
  for (let i = 0; i < 10; i++) port.deliver(to(MAC))
  t.is(board.faults.length, 1)
})

test('MAC loopback brings a sent frame back and keeps the wire out of it', (t) => {
  const { port, receive, stage, legacy, go, wait, offered } = ready(R.RCTL_EN | R.RCTL_SECRC | R.RCTL_LBM_MAC)
  const sent = to(MAC, 200)
  legacy(stage(sent), 200, 3)
  go()
  wait(MS)
  t.is(port.sent.length, 0)
  t.deepEqual(receive()!.bytes, sent)
  t.false(offered(to(MAC)))
})

test('head and tail outside of the ring move nothing', (t) => {
  const { board, port, write } = ready()
  write(R.RDH, 0xffff)
  write(R.RDT, 0xffff)
  port.deliver(to(MAC))
  write(R.RDH, 0x5a5a)
  port.deliver(to(MAC))
  t.is(board.faults.length, 0)
})
