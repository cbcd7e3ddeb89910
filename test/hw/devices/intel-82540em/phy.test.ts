import test from 'ava'
import * as P from '../../../../hw/devices/intel-82540em/phy.ts'
import { MS, R, setUp } from './support.ts'

test('identifies itself as an 88E1011 at address 1, and nobody answers elsewhere', (t) => {
  const { readPhy, write, wait, read } = setUp()
  t.is(readPhy(P.PHY_ID1), 0x0141)
  t.is(readPhy(P.PHY_ID2) & 0xfff0, 0x0c20)
  write(R.MDIC, (P.PHY_ID1 << 16) | (2 << 21) | R.MDIC_OP_READ)
  wait(50_000)
  t.is(read(R.MDIC) & R.MDIC_ERROR, R.MDIC_ERROR)
})

test('MDIC is ready one frame of 64 bits at 2.5 MHz later, and interrupts when asked to', (t) => {
  const { write, read, wait } = setUp()
  write(R.MDIC, (P.PHY_ID1 << 16) | (1 << 21) | R.MDIC_OP_READ | R.MDIC_INT_EN)
  t.is(read(R.MDIC) & R.MDIC_READY, 0)
  t.is(read(R.ICR) & R.ICR_MDAC, 0)
  wait(25_600)
  t.is(read(R.MDIC) & R.MDIC_READY, R.MDIC_READY)
  t.is(read(R.ICR) & R.ICR_MDAC, R.ICR_MDAC)
})

test('negotiation ends at 1000 Mb/s full duplex, and the MAC sees it once SLU is set', (t) => {
  const { readPhy, wait, read, write } = setUp()
  readPhy(P.PHY_STATUS)
  t.is(readPhy(P.PHY_STATUS) & (P.STATUS_LINK | P.STATUS_AUTONEG_COMPLETE), 0)
  wait(3_000 * MS)
  t.is(readPhy(P.PHY_STATUS) & P.STATUS_LINK, 0, 'latched low')
  t.is(readPhy(P.PHY_STATUS) & 0x24, 0x24)
  t.is(readPhy(P.PHY_SPECIFIC_STATUS) & 0xac00, 0xac00)
  t.is(readPhy(P.PHY_PARTNER) & 0x01e0, 0x01e0)
  t.is(readPhy(P.PHY_1000T_STATUS) & 0x3c00, 0x3c00)
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
  write(R.CTRL, read(R.CTRL) | R.CTRL_SLU)
  t.is(read(R.STATUS) & 0xc3, 0x83)
  t.is(read(R.ICR) & R.ICR_LSC, R.ICR_LSC)
})

for (const [advertised, gigabit, speed, fullDuplex] of [
  [0x01e1, 0, 1, 1],
  [0x00e1, 0, 1, 0],
  [0x0061, 0, 0, 1],
  [0x0021, 0, 0, 0],
] as const) {
  test(`advertising 0x${advertised.toString(16)} only resolves to speed ${speed}, duplex ${fullDuplex}`, (t) => {
    const { writePhy, readPhy, wait, read, write } = setUp()
    writePhy(P.PHY_ADVERTISE, advertised)
    writePhy(P.PHY_1000T_CONTROL, gigabit)
    writePhy(P.PHY_CONTROL, readPhy(P.PHY_CONTROL) | P.CONTROL_RESTART | P.CONTROL_AUTONEG)
    write(R.CTRL, read(R.CTRL) | R.CTRL_SLU)
    wait(3_000 * MS)
    t.is(read(R.STATUS) & 0xc3, (speed << 6) | 2 | fullDuplex)
    t.is(readPhy(P.PHY_SPECIFIC_STATUS) >>> 14, speed)
  })
}

test('advertising nothing gives no link', (t) => {
  const { writePhy, bringUp, read } = setUp()
  writePhy(P.PHY_ADVERTISE, 1)
  writePhy(P.PHY_1000T_CONTROL, 0)
  writePhy(P.PHY_CONTROL, 0x1340)
  bringUp()
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
})

test('a forced mode needs no negotiation', (t) => {
  const { writePhy, readPhy, wait, read, write } = setUp()
  write(R.CTRL, read(R.CTRL) | R.CTRL_SLU)
  writePhy(P.PHY_CONTROL, 0xa100)
  t.is(readPhy(P.PHY_CONTROL), 0x2100)
  wait(100 * MS)
  t.is(read(R.STATUS) & 0xc3, 0x43)
  readPhy(P.PHY_STATUS)
  t.is(readPhy(P.PHY_STATUS) & 0x24, P.STATUS_LINK)
})

test('pulling the cable takes the link at once; plugging it negotiates again; LSC each time', (t) => {
  const { bringUp, port, read, wait } = setUp()
  bringUp()
  read(R.ICR)
  port.plug(false)
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
  t.is(read(R.ICR) & R.ICR_LSC, R.ICR_LSC)
  port.plug(true)
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
  wait(3_000 * MS)
  t.is(read(R.STATUS) & R.STATUS_LU, R.STATUS_LU)
  t.is(read(R.ICR) & R.ICR_LSC, R.ICR_LSC)
})

test('powered down there is no link; powering up negotiates', (t) => {
  const { bringUp, readPhy, writePhy, read, wait } = setUp()
  bringUp()
  writePhy(P.PHY_CONTROL, readPhy(P.PHY_CONTROL) | P.CONTROL_POWER_DOWN)
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
  wait(3_000 * MS)
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
  writePhy(P.PHY_CONTROL, readPhy(P.PHY_CONTROL) & ~P.CONTROL_POWER_DOWN)
  wait(3_000 * MS)
  t.is(read(R.STATUS) & R.STATUS_LU, R.STATUS_LU)
})

test('software reset clears itself, keeps settings, and puts TX_CLK back to 2.5 MHz', (t) => {
  const { readPhy, writePhy } = setUp()
  writePhy(P.PHY_ADVERTISE, 0x0101)
  writePhy(P.PHY_EXTENDED_CONTROL, readPhy(P.PHY_EXTENDED_CONTROL) | 0x70)
  writePhy(P.PHY_CONTROL, 0x9140)
  t.is(readPhy(P.PHY_CONTROL), 0x1140)
  t.is(readPhy(P.PHY_ADVERTISE), 0x0101)
  t.is(readPhy(P.PHY_EXTENDED_CONTROL) & 0x70, 0x60)
})

test('CTRL.PHY_RST holds the PHY and leaves it at reset values', (t) => {
  const { readPhy, writePhy, write, read, wait, bringUp } = setUp()
  bringUp()
  writePhy(P.PHY_ADVERTISE, 0x0101)
  const control = read(R.CTRL)
  write(R.CTRL, control | R.CTRL_PHY_RST)
  wait(10 * MS)
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
  wait(3_000 * MS)
  t.is(read(R.STATUS) & R.STATUS_LU, 0)
  write(R.CTRL, control)
  wait(3_000 * MS)
  t.is(readPhy(P.PHY_ADVERTISE), 0x0de1)
  t.is(read(R.STATUS) & R.STATUS_LU, R.STATUS_LU)
})

test('register 30 has a page of its own for each value of register 29', (t) => {
  const { readPhy, writePhy } = setUp()
  writePhy(P.PHY_PAGE_SELECT, 0x1f)
  writePhy(P.PHY_PAGED, 0x8ffc)
  writePhy(P.PHY_PAGE_SELECT, 0x1a)
  writePhy(P.PHY_PAGED, 0x8ff0)
  t.is(readPhy(P.PHY_PAGE_SELECT), 0x1a)
  t.is(readPhy(P.PHY_PAGED), 0x8ff0)
  writePhy(P.PHY_PAGE_SELECT, 0x1f)
  t.is(readPhy(P.PHY_PAGED), 0x8ffc)
})

test('status registers ignore writes', (t) => {
  const { readPhy, writePhy } = setUp()
  for (const register of [P.PHY_STATUS, P.PHY_ID1, P.PHY_PARTNER, P.PHY_EXTENDED_STATUS, P.PHY_RECEIVE_ERRORS]) {
    const before = readPhy(register)
    writePhy(register, 0xffff)
    t.is(readPhy(register), before)
  }
})

test('forced speed and duplex in CTRL win over the PHY’s', (t) => {
  const { bringUp, read, write } = setUp()
  bringUp()
  write(R.CTRL, (read(R.CTRL) & ~0x301) | R.CTRL_FRCSPD | R.CTRL_FRCDPX | 0x100)
  t.is(read(R.STATUS) & 0xc1, 0x40)
})

test('the PHY loops back without a cable', (t) => {
  const { port, writePhy, read, write, wait } = setUp()
  port.plug(false)
  write(R.CTRL, read(R.CTRL) | R.CTRL_SLU)
  writePhy(P.PHY_CONTROL, 0x4140)
  wait(MS)
  t.is(read(R.STATUS) & R.STATUS_LU, R.STATUS_LU)
})
