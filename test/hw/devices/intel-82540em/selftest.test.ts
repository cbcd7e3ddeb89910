/**
 * The offline self-test that a driver of this family runs, step by step as such drivers do it: registers, EEPROM,
 * interrupts, loopback, link. The steps and the masks are what the hardware is held to; the code is this test's own.
 */
import test, { type ExecutionContext } from 'ava'
import * as P from '../../../../hw/devices/intel-82540em/phy.ts'
import { DEVICE_READS, DEVICE_WRITES } from '../../../../hw/iommu.ts'
import { type Bench, MS, R, setUp } from './support.ts'

const PATTERNS = [0x5a5a5a5a, 0xa5a5a5a5, 0x00000000, 0xffffffff]

/** What a driver does to reset the part: quiesce, reset through the I/O window, wait for the EEPROM, set up the PHY. */
const reset = (bench: Bench): void => {
  const { read, write, wait, device, readPhy, writePhy } = bench
  write(R.IMC, 0xffffffff)
  write(R.RCTL, 0)
  write(R.TCTL, R.TCTL_PSP)
  wait(10 * MS)
  device.write(2, 0, 4, R.CTRL)
  device.write(2, 4, 4, (read(R.CTRL) | R.CTRL_RST) >>> 0)
  wait(5 * MS)
  write(R.MANC, read(R.MANC) & ~0x2000)
  write(R.IMC, 0xffffffff)
  read(R.ICR)
  for (let i = 0; i < 128; i++) write(R.VFTA + 4 * i, 0)
  for (let i = 2; i < 32; i++) write(R.RA + 4 * i, 0)
  for (let i = 0; i < 128; i++) write(R.MTA + 4 * i, 0)
  write(R.CTRL, (read(R.CTRL) | R.CTRL_SLU) & ~(R.CTRL_FRCSPD | R.CTRL_FRCDPX))
  writePhy(P.PHY_SPECIFIC_CONTROL, readPhy(P.PHY_SPECIFIC_CONTROL) | 0x0860)
  writePhy(P.PHY_EXTENDED_CONTROL, readPhy(P.PHY_EXTENDED_CONTROL) | 0x0070)
  writePhy(P.PHY_CONTROL, readPhy(P.PHY_CONTROL) | P.CONTROL_RESET)
  writePhy(P.PHY_ADVERTISE, 0x0de1)
  writePhy(P.PHY_1000T_CONTROL, 0x0200)
  writePhy(P.PHY_CONTROL, readPhy(P.PHY_CONTROL) | P.CONTROL_AUTONEG | P.CONTROL_RESTART)
}

test('registers: every pattern reads back under its mask', (t) => {
  const bench = setUp()
  const { read, write } = bench
  reset(bench)
  const check = (name: string, offset: number, mask: number, written: number): void => {
    for (const value of PATTERNS) {
      write(offset, value & written)
      t.is(read(offset), (value & written & mask) >>> 0, `${name} 0x${(value >>> 0).toString(16)}`)
    }
  }
  const checkSet = (name: string, offset: number, mask: number, value: number): void => {
    write(offset, value & mask)
    t.is((read(offset) & mask) >>> 0, (value & mask) >>> 0, `${name} 0x${value.toString(16)}`)
  }
  const before = read(R.STATUS)
  write(R.STATUS, 0xfffff833)
  t.is(read(R.STATUS) & 0xfffff833, before & 0xfffff833)
  write(R.STATUS, before)
  check('FCAL', R.FCAL, 0xffffffff, 0xffffffff)
  check('FCAH', R.FCAH, 0x0000ffff, 0xffffffff)
  check('FCT', R.FCT, 0x0000ffff, 0xffffffff)
  check('VET', R.VET, 0x0000ffff, 0xffffffff)
  check('RDTR', R.RDTR, 0x0000ffff, 0xffffffff)
  check('RDBAH', R.RDBAH, 0xffffffff, 0xffffffff)
  check('RDLEN', R.RDLEN, 0x000fff80, 0x000fffff)
  check('RDH', R.RDH, 0x0000ffff, 0x0000ffff)
  check('RDT', R.RDT, 0x0000ffff, 0x0000ffff)
  check('FCRTH', R.FCRTH, 0x0000fff8, 0x0000fff8)
  check('FCTTV', R.FCTTV, 0x0000ffff, 0x0000ffff)
  check('TIPG', R.TIPG, 0x3fffffff, 0x3fffffff)
  check('TDBAH', R.TDBAH, 0xffffffff, 0xffffffff)
  check('TDLEN', R.TDLEN, 0x000fff80, 0x000fffff)
  checkSet('RCTL', R.RCTL, 0xffffffff, 0)
  checkSet('RCTL', R.RCTL, 0x06dfb3fe, 0x003ffffb)
  checkSet('TCTL', R.TCTL, 0xffffffff, 0)
  checkSet('RCTL', R.RCTL, 0x06dfb3fe, 0xffffffff)
  check('RDBAL', R.RDBAL, 0xfffffff0, 0xffffffff)
  check('TXCW', R.TXCW, 0xc000ffff, 0x0000ffff)
  check('TDBAL', R.TDBAL, 0xfffffff0, 0xffffffff)
  check('TIDV', R.TIDV, 0x0000ffff, 0x0000ffff)
  for (let i = 0; i < 15; i++) check(`RAH ${i}`, R.RA + 8 * i + 4, 0x8003ffff, 0xffffffff)
  for (let i = 0; i < 128; i++) check(`MTA ${i}`, R.MTA + 4 * i, 0xffffffff, 0xffffffff)
  t.is(bench.board.faults.length, 0, 'nothing was fetched meanwhile')
})

test('frames that arrive while the registers are being tested reach no memory', (t) => {
  const { write, port, bringUp, board } = setUp()
  bringUp()
  for (const register of [R.RDBAL, R.RDBAH, R.RDLEN, R.RDH, R.RDT]) write(register, 0xffffffff)
  write(R.RCTL, 0x06dfb31e)
  port.deliver(new Uint8Array(60).fill(0xff))
  t.is(board.faults.length, 0)
})

test('interrupts: forced causes come when enabled, and only then', (t) => {
  const bench = setUp()
  const { read, write, wait, board, fn } = bench
  reset(bench)
  let seen = 0
  const hold = board.interrupts.attach(fn.line, () => {
    while (hold.begin()) {
      seen |= read(R.ICR)
      hold.end()
    }
  })
  const sleep = (): void => {
    read(R.STATUS)
    wait(10 * MS)
  }
  write(R.IMC, 0xffffffff)
  sleep()
  for (let i = 0; i < 10; i++) {
    const mask = 1 << i
    seen = 0
    write(R.IMC, mask)
    write(R.ICS, mask)
    sleep()
    t.is(seen & mask, 0, `cause ${i} while disabled`)
    seen = 0
    write(R.IMS, mask)
    write(R.ICS, mask)
    sleep()
    t.is(seen & mask, mask, `cause ${i} while enabled`)
    seen = 0
    write(R.IMC, ~mask & 0x7fff)
    write(R.ICS, ~mask & 0x7fff)
    sleep()
    t.is(seen, 0, `others while only ${i} is enabled`)
  }
  write(R.IMC, 0xffffffff)
  hold.detach()
})

const COUNT = 256
const FRAME = 1024
const BUFFER = 2048

/** Ten rounds of 64 frames through the PHY's loopback, with the receive tail written once. */
const loopback = (t: ExecutionContext, cable: boolean): void => {
  const bench = setUp()
  const { board, fn, read, write, wait, readPhy, writePhy, port } = bench
  port.plug(cable)
  reset(bench)
  const { bytes, view } = board.memory
  const [RX, TX, TX_BUFFER, RX_BUFFERS] = [0x1000, 0x2000, 0x8000, 0x10000]
  const both = DEVICE_READS | DEVICE_WRITES
  const rx = fn.dma.map(board.memory, RX, 4096, both)
  const tx = fn.dma.map(board.memory, TX, 4096, both)
  const txBuffer = fn.dma.map(board.memory, TX_BUFFER, FRAME, DEVICE_READS)
  const rxBuffers = fn.dma.map(board.memory, RX_BUFFERS, COUNT * BUFFER, DEVICE_WRITES)
  bytes.fill(0xff, TX_BUFFER, TX_BUFFER + FRAME)
  bytes.fill(0xaa, TX_BUFFER + FRAME / 2, TX_BUFFER + FRAME - 1)
  bytes[TX_BUFFER + FRAME / 2 + 10] = 0xbe
  bytes[TX_BUFFER + FRAME / 2 + 12] = 0xaf
  for (let i = 0; i < COUNT; i++) {
    view.setUint32(TX + 16 * i, txBuffer, true)
    view.setUint32(TX + 16 * i + 8, (0x13 << 24) | FRAME, true)
    view.setUint32(RX + 16 * i, rxBuffers + i * BUFFER, true)
  }
  for (const [register, value] of [
    [R.TDBAL, tx],
    [R.TDBAH, 0],
    [R.TDLEN, COUNT * 16],
    [R.TDH, 0],
    [R.TDT, 0],
    [R.TCTL, R.TCTL_PSP | R.TCTL_EN | (15 << 4) | (63 << 12)],
    [R.RDBAL, rx],
    [R.RDBAH, 0],
    [R.RDLEN, COUNT * 16],
    [R.RDH, 0],
    [R.RDT, 0],
    [R.RCTL, R.RCTL_EN | R.RCTL_BAM],
  ] as const) {
    write(register, value)
  }
  writePhy(P.PHY_SPECIFIC_CONTROL, 0x0808)
  writePhy(P.PHY_CONTROL, 0x9140)
  writePhy(P.PHY_CONTROL, 0x8140)
  writePhy(P.PHY_CONTROL, 0x4140)
  const forced = R.CTRL_FRCSPD | R.CTRL_FRCDPX | 0x200 | R.CTRL_FD | R.CTRL_ILOS
  write(R.CTRL, (read(R.CTRL) & ~0x300) | forced)
  for (const [page, value] of [
    [0x1f, 0x8ffc],
    [0x1a, 0x8ff0],
  ] as const) {
    writePhy(P.PHY_PAGE_SELECT, page)
    writePhy(P.PHY_PAGED, value)
  }
  wait(500_000)

  write(R.RDT, COUNT - 1)
  let next = 0
  for (let round = 0; round < 3; round++) {
    const first = next
    next = (next + 64) % COUNT
    write(R.TDT, next)
    wait(200 * MS)
    for (let i = first; i < first + 64; i++) {
      const at = RX_BUFFERS + i * BUFFER
      t.is(bytes[at + 3], 0xff)
      t.is(bytes[at + FRAME / 2 + 10], 0xbe)
      t.is(bytes[at + FRAME / 2 + 12], 0xaf)
    }
  }
  t.is(read(R.TDH), next)
  t.is(port.sent.length, 0)

  t.is(readPhy(P.PHY_CONTROL) & P.CONTROL_LOOPBACK, P.CONTROL_LOOPBACK)
  reset(bench)
  writePhy(P.PHY_CONTROL, (readPhy(P.PHY_CONTROL) & ~P.CONTROL_LOOPBACK) | P.CONTROL_RESET | P.CONTROL_AUTONEG)
  wait(4_000 * MS)
  t.is(read(R.STATUS) & R.STATUS_LU, cable ? R.STATUS_LU : 0)
}

test('loopback: frames come back through the rings', (t) => loopback(t, true))
test('loopback needs no cable', (t) => loopback(t, false))

test('link: up four seconds after a reset', (t) => {
  const bench = setUp()
  reset(bench)
  bench.wait(4_000 * MS)
  t.is(bench.read(R.STATUS) & R.STATUS_LU, R.STATUS_LU)
  bench.readPhy(P.PHY_STATUS)
  t.is(bench.readPhy(P.PHY_STATUS) & 0x24, 0x24)
})
