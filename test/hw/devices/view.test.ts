/** What people are shown of a device's registers: by name, and without changing anything, however often they look. */
import test from 'ava'
import { intel82540em } from '../../../hw/devices/intel-82540em.ts'
import * as R from '../../../hw/devices/intel-82540em/registers.ts'
import { rtl8139 } from '../../../hw/devices/rtl8139.ts'
import { createWire } from '../../../hw/net/wire.ts'
import type { PciDevice } from '../../../hw/types.ts'
import { plugOn, testBoard } from '../support.ts'

const MAC = '52:54:00:12:34:56'

const shown = (device: PciDevice): Map<string, number> =>
  new Map(device.view!.values().map(({ name, value }) => [name, value]))

test('looking at the 82540EM leaves causes and counters where they are', (t) => {
  const board = testBoard()
  const { device } = plugOn(board, intel82540em, { mac: MAC })
  device.write(0, R.ICS, 4, 0x44)
  for (let i = 0; i < 3; i++) t.is(shown(device).get('ICR'), 0x44)
  t.is(device.read(0, R.ICR, 4), 0x44)
  t.is(shown(device).get('ICR'), 0)
  t.is(shown(device).get('RAL[0]'), 0x12005452)
  t.false(shown(device).has('ICS'), 'a write-only register has no value')
})

test('the 82540EM names what an access reaches, through its I/O window too', (t) => {
  const { device } = plugOn(testBoard(), intel82540em, { mac: MAC })
  const { name } = device.view!
  t.is(name(0, R.CTRL), 'CTRL')
  t.is(name(0, R.MTA + 8), 'MTA[2]')
  t.is(name(0, R.RA + 12), 'RAH[1]')
  t.is(name(0, 0x04074), 'GPRC')
  t.is(name(0, 0x0fff0), undefined)
  device.write(2, 0, 4, R.STATUS)
  t.is(name(2, 0), 'IOADDR')
  t.is(name(2, 4), 'STATUS')
})

test('looking at the RTL8139 leaves latched link loss and its disconnect counter', (t) => {
  const board = testBoard()
  const wire = createWire({ ...board, mbps: 100, up: true })
  const { device } = plugOn(board, rtl8139, { mac: MAC, port: wire.a })
  board.timeline.advance(10e6)
  wire.setUp(false)
  board.timeline.advance(1e6)
  wire.setUp(true)
  board.timeline.advance(10e6)
  const before = shown(device)
  t.deepEqual(shown(device), before)
  const bmsr = device.read(0, 0x64, 2)
  t.is(before.get('BMSR'), bmsr)
  t.not(shown(device).get('BMSR'), bmsr, 'reading BMSR unlatches the loss of link')
  t.is(device.view!.name(0, 0x65), 'BMSR')
  t.is(device.view!.name(0, 0x3e), 'ISR')
})
