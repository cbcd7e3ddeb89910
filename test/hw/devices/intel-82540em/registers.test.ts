import test from 'ava'
import { frame, MAC, MS, pattern, PEER, R, setUp, withRings } from './support.ts'
import { REGISTERS } from '../../../../hw/devices/intel-82540em/registers.ts'
import { STATISTICS } from '../../../../hw/devices/intel-82540em/statistics.ts'

/** Registers whose bits mean something else than storage, tested each for itself below. */
const SPECIAL = new Set('CTRL CTRL_DUP EECD EERD MDIC ICR IMS PBA'.split(' '))
const PATTERNS = [0x5a5a5a5a, 0xa5a5a5a5, 0x00000000, 0xffffffff]

for (const spec of REGISTERS.filter((spec) => !SPECIAL.has(spec.name) && spec.name !== 'PBM')) {
  test(`${spec.name} (${spec.section}): ${spec.access}, writable bits 0x${spec.writable.toString(16)}`, (t) => {
    const { read, write } = setUp()
    for (let i = 0; i < (spec.count ?? 1); i++) {
      const offset = spec.offset + i * (spec.stride ?? 4)
      const before = read(offset)
      for (const value of PATTERNS) {
        write(offset, value)
        const kept = (before & ~spec.writable) | (value & spec.writable)
        const expected = spec.access === 'rw' ? kept >>> 0 : before
        t.is(read(offset), expected, `${spec.name}[${i}] after 0x${value.toString(16)}`)
      }
    }
  })
}

test('no two registers share an offset', (t) => {
  const seen = new Map<number, string>()
  for (const spec of [...REGISTERS, ...STATISTICS]) {
    for (let i = 0; i < (spec.count ?? 1); i++) {
      const offset = spec.offset + i * (spec.stride ?? 4)
      t.false(seen.has(offset), `${spec.name} and ${seen.get(offset)} at 0x${offset.toString(16)}`)
      seen.set(offset, spec.name)
    }
  }
})

test('reset values are the table’s, and the station address comes from the EEPROM', (t) => {
  const { read } = setUp()
  for (const name of ['RCTL', 'TCTL', 'VET', 'TXDCTL', 'LEDCTL', 'PBA', 'FCRTH']) {
    const spec = REGISTERS.find((each) => each.name === name)!
    t.is(read(spec.offset), spec.reset, name)
  }
  t.is(read(R.RA), (MAC[0]! | (MAC[1]! << 8) | (MAC[2]! << 16) | (MAC[3]! << 24)) >>> 0)
  t.is(read(R.RA + 4), (MAC[4]! | (MAC[5]! << 8) | R.RAH_AV) >>> 0)
})

test('CTRL.RST clears itself, resets the MAC and keeps PBA and the PHY', (t) => {
  const { read, write, writePhy, readPhy } = setUp()
  write(R.PBA, 0x28)
  write(R.RCTL, 0x8002)
  write(R.MTA, 0xffffffff)
  write(R.IMS, 0x9d)
  writePhy(9, 0)
  write(R.CTRL, read(R.CTRL) | R.CTRL_RST)
  t.is(read(R.CTRL) & R.CTRL_RST, 0)
  t.is(read(R.RCTL), 0)
  t.is(read(R.MTA), 0)
  t.is(read(R.IMS), 0)
  t.is(read(R.PBA), 0x00180028)
  t.is(readPhy(9), 0)
  t.is(read(R.RA + 4) >>> 31, 1)
})

test('CTRL through the duplicate is the same register', (t) => {
  const { read, write } = setUp()
  write(R.CTRL_DUP, 0x241)
  t.is(read(R.CTRL), 0x241)
  t.is(read(R.CTRL_DUP), 0x241)
})

test('STATUS ignores writes', (t) => {
  const { read, write } = setUp()
  const before = read(R.STATUS)
  write(R.STATUS, 0xfffff833)
  t.is(read(R.STATUS), before)
})

test('PBA: the transmit share follows the receive share', (t) => {
  const { read, write } = setUp()
  write(R.PBA, 0x30)
  t.is(read(R.PBA), 0x00100030)
  write(R.PBA, 0x28)
  t.is(read(R.PBA), 0x00180028)
})

test('a register outside the table reads zero, stores nothing and is traced', (t) => {
  const { read, write, board } = setUp()
  write(0x05b00, 0xffffffff)
  t.is(read(0x05b00), 0)
  t.is(board.log.filter((line) => line.includes('reserved register 0x5b00')).length, 2)
})

test('narrow reads take their bytes; narrow writes are lost', (t) => {
  const { write, read, device } = setUp()
  write(R.TIPG, 0x00a02008)
  t.is(device.read(0, R.TIPG + 2, 2), 0x00a0)
  t.is(device.read(0, R.TIPG + 1, 1), 0x20)
  device.write(0, R.TIPG, 2, 0xffff)
  t.is(read(R.TIPG), 0x00a02008)
})

test('the I/O window reaches the registers: IOADDR, then IODATA', (t) => {
  const { device, read } = setUp()
  device.write(2, 0, 4, R.FCTTV)
  t.is(device.read(2, 0, 4), R.FCTTV)
  device.write(2, 4, 4, 0x1234)
  t.is(read(R.FCTTV), 0x1234)
  t.is(device.read(2, 4, 4), 0x1234)
})

test('CTRL.RST through the I/O window, as drivers of this part do it', (t) => {
  const { device, read, write } = setUp()
  write(R.TCTL, 0xfa)
  device.write(2, 0, 4, R.CTRL)
  device.write(2, 4, 4, read(R.CTRL) | R.CTRL_RST)
  t.is(read(R.TCTL), 0)
})

test('CTRL_EXT.EE_RST loads the station address again', (t) => {
  const { read, write } = setUp()
  write(R.RA, 0)
  write(R.RA + 4, 0)
  write(R.CTRL_EXT, R.CTRL_EXT_EE_RST)
  t.is(read(R.RA + 4) >>> 31, 1)
  t.is(read(R.CTRL_EXT), 0)
})

test('statistics are cleared by reading; octets with their high half', (t) => {
  const { read } = setUp()
  for (const spec of STATISTICS) t.is(read(spec.offset), 0, spec.name)
})

test('identity, BARs and capabilities are the 82540EM’s', (t) => {
  const { fn, device } = setUp()
  t.is(fn.configRead(0, 4), 0x100e8086)
  t.is(fn.configRead(8, 4) >>> 8, 0x020000)
  t.deepEqual(
    device.bars.map((bar) => [bar.index, bar.kind, bar.bytes]),
    [
      [0, 'mem32', 0x20000],
      [2, 'io', 64],
    ],
  )
  t.true(device.capabilities.powerManagement)
  t.is(device.capabilities.msi?.vectors, 1)
})

test('in D3 nothing is received or sent; D0 starts from a reset, and so does RST#', (t) => {
  for (const wake of ['D0', 'RST#'] as const) {
    const bench = setUp()
    const { device, read, write, bringUp, port, wait } = bench
    const rings = withRings(bench)
    const sent = frame(MAC, PEER, 0x88b5, pattern(46))
    bringUp()
    rings.start()
    device.powerState(3)
    rings.legacy(rings.stage(sent), 60, 3)
    rings.go()
    port.deliver(sent)
    wait(MS)
    t.is(rings.receive(), undefined)
    t.is(port.sent.length, 0)
    if (wake === 'D0') device.powerState(0)
    else device.reset()
    t.is(read(R.RCTL), 0)
    write(R.CTRL, read(R.CTRL) | R.CTRL_SLU)
    wait(3_000 * MS)
    rings.start()
    port.deliver(sent)
    t.not(rings.receive(), undefined, wake)
  }
})
