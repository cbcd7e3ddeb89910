import test from 'ava'
import { readIds, TABLES } from '../../../pipeline/build/device-ids.ts'

/** A table of entries of `size` bytes, each a list of [offset, bytes of the number or text]. */
function table(
  size: number,
  ...entries: (readonly [at: number, width: 1 | 2 | 4 | 'text', value: number | string])[][]
) {
  const bytes = new Uint8Array(size * entries.length)
  const view = new DataView(bytes.buffer)
  entries.forEach((fields, i) => {
    for (const [at, width, value] of fields) {
      const where = i * size + at
      if (width === 1) view.setUint8(where, Number(value))
      else if (width === 2) view.setUint16(where, Number(value), true)
      else if (width === 4) view.setUint32(where, Number(value), true)
      else bytes.set(new TextEncoder().encode(String(value)), where)
    }
  })
  return bytes
}

test('a table ends at its bus own end, not at its last byte', (t) => {
  const pci = [
    [0, 4, 0x10ec],
    [4, 4, 0x8139],
  ] as [number, 4, number][]
  t.is(readIds('pci', table(32, pci, pci, [], pci)).length, 2)
  t.deepEqual(readIds('i2c', table(24, [[0, 'text', 'lm75']], [[0, 'text', 'a-name-of-20-letters']], [])), [
    { bus: 'i2c', name: 'lm75' },
    { bus: 'i2c', name: 'a-name-of-20-letters' },
  ])
})

test('older trees have PCI ids without a word for overrides, and a table says by its end which it is', (t) => {
  const id = (device: number) =>
    [
      [0, 4, 0x8086],
      [4, 4, device],
      [8, 4, 0xffffffff],
      [12, 4, 0xffffffff],
    ] as [number, 4, number][]
  const devices = (bytes: number, count: number) =>
    readIds('pci', table(bytes, ...Array.from({ length: count }, (_, i) => id(0x1000 + i)), [])).map((one) =>
      'device' in one ? one.device : undefined,
    )
  // Eight entries of 28 bytes are as long as seven of 32.
  for (const [bytes, count] of [
    [28, 3],
    [28, 7],
    [32, 6],
    [32, 3],
  ] as const)
    t.deepEqual(
      devices(bytes, count),
      Array.from({ length: count }, (_, i) => 0x1000 + i),
      `${count} of ${bytes} bytes`,
    )
})

test('USB compares what its flags say', (t) => {
  const any = 0xffffffff
  const device = [
    [0, 2, 3],
    [2, 2, 0x0bda],
    [4, 2, 0x8150],
  ] as [number, 2, number][]
  const byClass = [
    [0, 2, 0x380],
    [13, 1, 8],
    [14, 1, 6],
    [15, 1, 0x50],
  ] as [number, 1 | 2, number][]
  const release = [
    [0, 2, 0xf],
    [2, 2, 1],
    [4, 2, 2],
    [6, 2, 0x100],
    [8, 2, 0x200],
  ] as [number, 2, number][]
  t.deepEqual(readIds('usb', table(24, device, byClass, release, [])), [
    { bus: 'usb', vendor: 0x0bda, product: 0x8150 },
    { bus: 'usb', vendor: any, product: any, interfaceClass: 8, interfaceSubclass: 6, interfaceProtocol: 0x50 },
    { bus: 'usb', vendor: 1, product: 2, releaseMin: 0x100, releaseMax: 0x200 },
  ])
})

test('entries that match by class alone end nothing', (t) => {
  t.deepEqual(readIds('acpi', table(28, [[20, 4, 0x10601]], [[0, 'text', 'PNP0C0A']], [])), [
    { bus: 'acpi', name: 'PNP0C0A' },
  ])
  t.deepEqual(readIds('of', table(196, [[32, 'text', 'cpu']], [[64, 'text', 'acme,one']], [])), [
    { bus: 'of', name: 'acme,one' },
  ])
})

test('an unknown bus, or bytes that are no whole entries, give nothing', (t) => {
  t.deepEqual(readIds('zorro', new Uint8Array(64)), [])
  t.deepEqual(readIds('constructor', new Uint8Array(64)), [])
  t.deepEqual(readIds('i2c', table(24, [[0, 'text', 'lm75']]).subarray(0, 23)), [])
  for (const bus of Object.keys(TABLES)) t.deepEqual(readIds(bus, new Uint8Array()), [])
})
