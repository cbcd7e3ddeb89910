import test from 'ava'
import fc from 'fast-check'
import { createConfigSpace } from '../../../hw/pci/config.ts'
import type { BarSpec } from '../../../hw/types.ts'

const identity = {
  vendor: 0x8086,
  device: 0x100e,
  subsystemVendor: 0x1af4,
  subsystemDevice: 0x1100,
  classCode: 0x020000,
  revision: 2,
  interruptPin: 1,
}

const space = (bars: readonly BarSpec[] = []) =>
  createConfigSpace('t', identity, bars, {
    powerManagement: true,
    msi: { vectors: 8, address64: true },
    msix: { vectors: 5, tableBar: 0, tableOffset: 0x100, pbaOffset: 0x200 },
    pcie: true,
  })

test('the header is the identity, and cannot be written', (t) => {
  const config = space()
  for (const [offset, value] of [
    [0x00, 0x100e8086],
    [0x08, 0x02000002],
    [0x2c, 0x11001af4],
  ] as const) {
    config.write(offset, 4, 0xffffffff)
    t.is(config.read(offset, 4), value)
  }
  config.write(0x3c, 4, 0xffffffff)
  t.is(config.read(0x3c, 4), 0x000001ff)
})

test('the command register takes exactly the bits it implements', (t) => {
  const config = space()
  config.write(4, 2, 0xffff)
  t.is(config.read(4, 2), 0x0557)
})

test('status: error bits are write 1 to clear, the rest keeps', (t) => {
  const config = space()
  config.set16(6, config.get16(6) | 0xf900)
  config.write(6, 2, 0x2000)
  t.is(config.read(6, 2), 0xd910)
  config.write(6, 2, 0xffff)
  t.is(config.read(6, 2), 0x0010)
})

test('the capability list holds each capability once and ends', (t) => {
  const config = space()
  const ids: number[] = []
  for (let at = config.read(0x34, 1); at !== 0; at = config.read(at + 1, 1)) {
    t.is(at % 4, 0)
    ids.push(config.read(at, 1))
  }
  t.deepEqual(ids, [0x01, 0x05, 0x11, 0x10])
})

test('MSI: eight messages, 64-bit addresses, only the writable bits are', (t) => {
  const config = space()
  const at = config.capabilities.msi
  t.is(config.read(at + 2, 2), 0x0086)
  config.write(at + 2, 2, 0xffff)
  t.is(config.read(at + 2, 2), 0x00f7)
  config.write(at + 4, 4, 0xffffffff)
  t.is(config.read(at + 4, 4), 0xfffffffc)
  config.write(at + 8, 4, 0xffffffff)
  t.is(config.read(at + 8, 4), 0xffffffff)
  config.write(at + 12, 4, 0xffffffff)
  t.is(config.read(at + 12, 4), 0xffff)
})

test('MSI-X: table size, place of table and pending bits', (t) => {
  const config = space()
  const at = config.capabilities.msix
  t.is(config.read(at + 2, 2), 4)
  t.is(config.read(at + 4, 4), 0x100)
  t.is(config.read(at + 8, 4), 0x200)
  config.write(at + 2, 2, 0xffff)
  t.is(config.read(at + 2, 2), 0xc004)
})

test('beyond the end everything reads all ones', (t) => {
  const config = space()
  t.is(config.read(256, 1), 0xff)
  t.is(config.read(255, 2), 0xffff)
  t.is(config.read(-1, 4), 0xffffffff)
  config.write(254, 4, 0)
})

const bar = fc.record({
  kind: fc.constantFrom('io' as const, 'mem32' as const, 'mem64' as const),
  bits: fc.integer({ min: 4, max: 28 }),
  prefetchable: fc.boolean(),
})

test('sizing any BAR yields its size, and an address comes back whole', (t) => {
  fc.assert(
    fc.property(bar, fc.nat(0xffffffff), fc.nat(0xffff), ({ kind, bits, prefetchable }, low, high) => {
      const bytes = kind === 'io' ? Math.min(2 ** bits, 256) : 2 ** bits
      const spec = { index: 2, kind, bytes, prefetchable }
      const config = space([spec])
      const flags = config.read(0x18, 4)
      t.is(flags, kind === 'io' ? 1 : (kind === 'mem64' ? 4 : 0) | (prefetchable ? 8 : 0))
      config.write(0x18, 4, 0xffffffff)
      const typeBits = kind === 'io' ? 3 : 15
      t.is((~(config.read(0x18, 4) & ~typeBits) + 1) >>> 0, bytes)
      config.write(0x1c, 4, 0xffffffff)
      t.is(config.read(0x1c, 4), kind === 'mem64' ? 0xffffffff : 0)
      const address = (kind === 'mem64' ? high * 2 ** 32 : 0) + (low - (low % bytes))
      config.setBarAddress(spec, address)
      t.is(config.barAddress(spec), address)
      t.is(config.read(0x18, 4) & typeBits, flags)
    }),
  )
})

test('any write changes only writable bits, in any width', (t) => {
  const config = space([{ index: 0, kind: 'mem32', bytes: 4096 }])
  fc.assert(
    fc.property(fc.nat(255), fc.constantFrom(1, 2, 4), fc.nat(0xffffffff), (offset, width, value) => {
      config.write(offset, width, value)
      t.is(config.read(0, 4), 0x100e8086)
      t.is(config.read(0x10, 4) & 0xfff, 0)
      t.is(config.read(0x2c, 4), 0x11001af4)
      t.is(config.read(config.capabilities.power, 1), 1)
    }),
  )
})

test('reset restores every register; BARs and the line if they are to be kept', (t) => {
  const spec: BarSpec = { index: 0, kind: 'mem32', bytes: 4096 }
  const config = space([spec])
  config.setBarAddress(spec, 0xe0001000)
  config.write(4, 2, 7)
  config.write(0x3c, 1, 11)
  config.reset(true)
  t.is(config.read(4, 2), 0)
  t.is(config.barAddress(spec), 0xe0001000)
  t.is(config.read(0x3c, 1), 11)
  config.reset(false)
  t.is(config.barAddress(spec), 0)
})

test('a BAR that cannot be is refused with its reason', (t) => {
  const make = (spec: Partial<BarSpec>) => () => space([{ index: 0, kind: 'mem32', bytes: 4096, ...spec }])
  t.throws(make({ bytes: 100 }), { message: 't: BAR 0 is 100 bytes; expected a power of two, 16 to 2^31' })
  t.throws(make({ bytes: 8 }), { instanceOf: RangeError })
  t.throws(make({ index: 6 }), { message: /a mem32 BAR cannot have index 6; expected 0 to 5/ })
  t.throws(make({ index: 5, kind: 'mem64' }), { instanceOf: RangeError })
  t.throws(
    () =>
      space([
        { index: 0, kind: 'mem64', bytes: 4096 },
        { index: 1, kind: 'io', bytes: 4 },
      ]),
    { message: 't: BAR 1 is described twice' },
  )
})
