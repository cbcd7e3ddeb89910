import test from 'ava'
import { passiveScore } from '../../../kernel/registry.ts'
import { idTables, pciProperties } from '../../../machine/linux/personality.ts'
import { ANY_ID, type DeviceId, type PciId } from '../../../pipeline/package.ts'

const anyPci: PciId = {
  bus: 'pci',
  vendor: ANY_ID,
  device: ANY_ID,
  subvendor: ANY_ID,
  subdevice: ANY_ID,
  class: 0,
  classMask: 0,
}

const function8139 = pciProperties({
  vendor: 0x10ec,
  device: 0x8139,
  subsystemVendor: 0x10ec,
  subsystemDevice: 0x8139,
  classCode: 0x020000,
  revision: 0x10,
  interruptPin: 1,
})

const score = (ids: readonly DeviceId[], properties: Parameters<typeof passiveScore>[1]): number =>
  Math.max(0, ...idTables({ ids }).map(({ any }) => passiveScore(any, properties)))

test('the more an id asks for of a PCI function, the better it fits', (t) => {
  const ids: PciId[] = [
    { ...anyPci },
    { ...anyPci, class: 0x020000, classMask: 0xffff00 },
    { ...anyPci, vendor: 0x10ec },
    { ...anyPci, vendor: 0x10ec, device: 0x8139 },
    { ...anyPci, device: 0x8139, subvendor: 0x10ec, subdevice: 0x8139 },
  ]
  const scores = ids.map((id) => score([id], function8139))
  t.deepEqual(
    scores,
    scores.toSorted((a, b) => a - b),
  )
  t.is(new Set(scores).size, scores.length)
  t.true(scores[0]! > 0)
  t.is(score([{ ...anyPci, vendor: 0x10ed }], function8139), 0)
  t.is(score([{ ...anyPci, class: 0x010000, classMask: 0xff0000 }], function8139), 0)
  t.is(score(ids, function8139), scores.at(-1)!)
})

test('an id that is for devices set aside matches nothing by itself', (t) => {
  t.deepEqual(idTables({ ids: [{ ...anyPci, overrideOnly: true }] }), [])
})

test('tables of other buses become criteria of their classes', (t) => {
  const ids: DeviceId[] = [
    { bus: 'usb', vendor: 0x1234, product: ANY_ID, releaseMin: 0x100, interfaceClass: 3 },
    { bus: 'virtio', device: 1, vendor: ANY_ID },
    { bus: 'hid', on: 3, group: 0, vendor: 0x46d, product: ANY_ID },
    { bus: 'mdio', phy: 0x01410c60, mask: 0xfffffff0 },
    { bus: 'i2c', name: 'lm75' },
    { bus: 'of', name: 'national,lm75' },
    { bus: 'acpi', name: 'PNP0501' },
  ]
  const tables = idTables({ ids })
  t.deepEqual(
    tables.map((table) => [table.class, table.any.length]),
    [
      ['usb', 1],
      ['virtio', 1],
      ['hid', 1],
      ['mdio', 1],
      ['i2c', 1],
      ['', 2],
    ],
  )
  const fits = (properties: Parameters<typeof passiveScore>[1]): boolean[] =>
    tables.map(({ any }) => passiveScore(any, properties) > 0)
  t.deepEqual(fits({ vendor: 0x1234, product: 9, release: 0x101, interfaceClass: 3 })[0], true)
  t.deepEqual(fits({ vendor: 0x1234, product: 9, release: 0x99, interfaceClass: 3 })[0], false)
  t.deepEqual(fits({ device: 1, vendor: 0x1af4 })[1], true)
  t.deepEqual(fits({ on: 3, group: 1, vendor: 0x46d, product: 7 })[2], true)
  t.deepEqual(fits({ phy: 0x01410c6f })[3], true)
  t.deepEqual(fits({ phy: 0x01410d60 })[3], false)
  t.deepEqual(fits({ name: 'lm75' })[4], true)
  t.deepEqual(fits({ compatible: ['ti,tmp75', 'national,lm75'] })[5], true)
  t.deepEqual(fits({ acpi: ['PNP0501'] })[5], true)
})
