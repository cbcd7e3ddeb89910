/**
 * Device ids from the bytes of a module's id tables, as the compiler laid them out for a 32-bit machine.
 *
 * Sizes and offsets are those of include/linux/mod_devicetable.h; a test holds them against what the tree itself says of
 * them (scripts/mod/devicetable-offsets.c). Where a table ends is each bus's own rule, in its match function. Pure.
 */

import { ANY_ID, type DeviceId } from '../package.ts'

/** One entry of a table. */
interface Entry {
  u8(at: number): number
  u16(at: number): number
  u32(at: number): number
  text(at: number, length: number): string
}

export interface TableLayout {
  /** Name of the structure in mod_devicetable.h. */
  readonly struct: string
  readonly bytes: number
  /** Offsets that are read, by member. */
  readonly at: Readonly<Record<string, number>>
  /** The entry as an id; undefined at the end of the table, null for one that names nothing. */
  readonly read: (entry: Entry) => DeviceId | null | undefined
  /** Whether it may be one, where releases differ. */
  readonly isOne?: (entry: Entry) => boolean
}

/** A table of names: the entry with an empty one is the last. */
const named = (bus: string, bytes: number, member: string, length: number): TableLayout => ({
  struct: `${bus}_device_id`,
  bytes,
  at: { [member]: 0 },
  read: (entry) => {
    const name = entry.text(0, length)
    return name === '' ? undefined : { bus, name }
  },
})

const OVERRIDE_ONLY = 28

const pciWith =
  (overrideAt: number | undefined) =>
  (entry: Entry): DeviceId | undefined => {
    const [vendor, device, subvendor, subdevice] = [entry.u32(0), entry.u32(4), entry.u32(8), entry.u32(12)]
    const [deviceClass, classMask] = [entry.u32(16), entry.u32(20)]
    if (vendor === 0 && subvendor === 0 && classMask === 0) return undefined
    const overrideOnly = overrideAt !== undefined && entry.u32(overrideAt) !== 0 && ({ overrideOnly: true } as const)
    return { bus: 'pci', vendor, device, subvendor, subdevice, class: deviceClass, classMask, ...overrideOnly }
  }

/** USB_DEVICE_ID_MATCH_*, in order, and what each compares. */
const USB_NUMBERS = [
  'deviceClass',
  'deviceSubclass',
  'deviceProtocol',
  'interfaceClass',
  'interfaceSubclass',
  'interfaceProtocol',
  'interfaceNumber',
] as const

function usb(entry: Entry): DeviceId | undefined {
  const [flags, vendor, product] = [entry.u16(0), entry.u16(2), entry.u16(4)]
  if (vendor === 0 && product === 0 && entry.u8(10) === 0 && entry.u8(13) === 0 && entry.u32(20) === 0) return undefined
  const numbers = USB_NUMBERS.flatMap((name, i) => ((flags >> (i + 4)) & 1 ? [[name, entry.u8(10 + i)] as const] : []))
  return {
    bus: 'usb',
    vendor: flags & 1 ? vendor : ANY_ID,
    product: flags & 2 ? product : ANY_ID,
    ...(flags & 4 && { releaseMin: entry.u16(6) }),
    ...(flags & 8 && { releaseMax: entry.u16(8) }),
    ...Object.fromEntries(numbers),
  }
}

function openFirmware(entry: Entry): DeviceId | null | undefined {
  const [name, type, compatible] = [entry.text(0, 32), entry.text(32, 32), entry.text(64, 128)]
  if (name === '' && type === '' && compatible === '') return undefined
  return compatible === '' ? null : { bus: 'of', name: compatible }
}

function acpi(entry: Entry): DeviceId | null | undefined {
  const name = entry.text(0, 16)
  if (name !== '') return { bus: 'acpi', name }
  // An entry may name a class of devices instead.
  return entry.u32(20) === 0 ? undefined : null
}

/** Of trees that do not know drivers for overrides alone. */
const OLDER: Readonly<Record<string, TableLayout>> = {
  pci: {
    struct: 'pci_device_id',
    bytes: 28,
    at: { vendor: 0, device: 4, subvendor: 8, subdevice: 12, class: 16, class_mask: 20 },
    read: pciWith(undefined),
  },
}

/** By the bus's name in MODULE_DEVICE_TABLE. */
export const TABLES: Readonly<Record<string, TableLayout>> = {
  pci: {
    struct: 'pci_device_id',
    bytes: 32,
    at: { vendor: 0, device: 4, subvendor: 8, subdevice: 12, class: 16, class_mask: 20, override_only: OVERRIDE_ONLY },
    read: pciWith(OVERRIDE_ONLY),
    isOne: (entry) => entry.u32(OVERRIDE_ONLY) <= 1,
  },
  usb: {
    struct: 'usb_device_id',
    bytes: 24,
    at: {
      match_flags: 0,
      idVendor: 2,
      idProduct: 4,
      bcdDevice_lo: 6,
      bcdDevice_hi: 8,
      bDeviceClass: 10,
      bInterfaceClass: 13,
      bInterfaceNumber: 16,
    },
    read: usb,
  },
  of: { struct: 'of_device_id', bytes: 196, at: { name: 0, type: 32, compatible: 64 }, read: openFirmware },
  acpi: { struct: 'acpi_device_id', bytes: 28, at: { id: 0, cls: 20 }, read: acpi },
  pnp: named('pnp', 12, 'id', 8),
  i2c: named('i2c', 24, 'name', 20),
  spi: named('spi', 36, 'name', 32),
  platform: named('platform', 24, 'name', 20),
  auxiliary: named('auxiliary', 36, 'name', 32),
  virtio: {
    struct: 'virtio_device_id',
    bytes: 8,
    at: { device: 0, vendor: 4 },
    read: (entry) => (entry.u32(0) === 0 ? undefined : { bus: 'virtio', device: entry.u32(0), vendor: entry.u32(4) }),
  },
  hid: {
    struct: 'hid_device_id',
    bytes: 16,
    at: { bus: 0, group: 2, vendor: 4, product: 8 },
    read: (entry) =>
      entry.u16(0) === 0
        ? undefined
        : { bus: 'hid', on: entry.u16(0), group: entry.u16(2), vendor: entry.u32(4), product: entry.u32(8) },
  },
  mdio: {
    struct: 'mdio_device_id',
    bytes: 8,
    at: { phy_id: 0, phy_id_mask: 4 },
    read: (entry) => (entry.u32(4) === 0 ? undefined : { bus: 'mdio', phy: entry.u32(0), mask: entry.u32(4) }),
  },
}

function entryAt(view: DataView, start: number): Entry {
  const bytes = (at: number, length: number) => new Uint8Array(view.buffer, view.byteOffset + start + at, length)
  return {
    u8: (at) => view.getUint8(start + at),
    u16: (at) => view.getUint16(start + at, true),
    u32: (at) => view.getUint32(start + at, true),
    text: (at, length) => {
      const all = bytes(at, length)
      const end = all.indexOf(0)
      return new TextDecoder('latin1').decode(end < 0 ? all : all.subarray(0, end))
    },
  }
}

/**
 * Ids of one table. None for a bus that is not known here, or bytes that are no whole number of its entries. Of two layouts that
 * both may be, it is the one by which the table ends where its bytes do.
 */
export function readIds(bus: string, table: Uint8Array): DeviceId[] {
  const layouts = [TABLES, OLDER].flatMap((known) => (Object.hasOwn(known, bus) ? [known[bus]!] : []))
  const [first, second] = layouts
    .filter(({ bytes }) => table.length % bytes === 0)
    .map((layout) => ({ layout, ...readBy(layout, table) }))
  if (first === undefined) return []
  return second?.ends === true && !first.ends ? second.ids : first.ids
}

/** `ends`: by the last of its entries, and no other. */
function readBy(layout: TableLayout, table: Uint8Array): { ids: DeviceId[]; ends: boolean } {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength)
  const ids: DeviceId[] = []
  for (let at = 0; at < table.length; at += layout.bytes) {
    const entry = entryAt(view, at)
    if (layout.isOne?.(entry) === false) break
    const id = layout.read(entry)
    if (id === undefined) return { ids, ends: at + layout.bytes === table.length }
    if (id !== null) ids.push(id)
  }
  return { ids, ends: false }
}
