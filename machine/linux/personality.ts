/**
 * What the registry is told of drivers and devices: id tables become criteria, identities become properties.
 *
 * The classes are the buses of MODULE_DEVICE_TABLE. A name table that is not a bus's own (`of`, `acpi`) asks for a property
 * of that name on a node of any class: it tells what a device is, not where. Pure; knows no machine.
 */
import type { Condition, Criterion, Properties } from '../../kernel/registry.ts'
import {
  ANY_ID,
  type DeviceId,
  type HidId,
  type Manifest,
  type MdioId,
  type PciId,
  type UsbId,
  type VirtioId,
} from '../../pipeline/package.ts'
import type { PciIdentity } from '../../hw/types.ts'

type When = Record<string, Condition>

/** All criteria of a driver for nodes of one class. */
export interface IdTable {
  readonly class: string
  readonly any: readonly Criterion[]
}

/**
 * How much each thing that an id asks for counts: whoever knows the very board fits better than whoever knows the chip,
 * and that better than whoever knows the kind of device. Each is more than all before it together.
 */
const WEIGHTS: Readonly<Record<string, number>> = {
  class: 1,
  vendor: 2,
  device: 4,
  product: 4,
  subvendor: 8,
  subdevice: 16,
}
/** What an id that asks for anything at all has. */
const BASE = 1

const scored = (when: When): Criterion => ({
  when,
  score: Object.keys(when).reduce((sum, name) => sum + (WEIGHTS[name] ?? 1), BASE),
})

/** The properties an id asks for by value; those that are all ones are not asked for. */
const exact = (id: Readonly<Record<string, number>>): When =>
  Object.fromEntries(Object.entries(id).filter(([, value]) => value !== ANY_ID))

function pci({ vendor, device, subvendor, subdevice, class: value, classMask: mask }: PciId): Criterion {
  return scored({ ...exact({ vendor, device, subvendor, subdevice }), ...(mask !== 0 && { class: { value, mask } }) })
}

function usb(id: UsbId): Criterion {
  const { vendor, product, releaseMin, releaseMax } = id
  const numbers = Object.fromEntries(Object.entries(id).filter(([name]) => /^(device|interface)/.test(name)))
  const range = { min: releaseMin ?? 0, max: releaseMax ?? 0xffff }
  const bounded = releaseMin !== undefined || releaseMax !== undefined
  return scored({ ...exact({ vendor, product }), ...numbers, ...(bounded && { release: range }) })
}

const virtio = ({ device, vendor }: VirtioId): Criterion => scored(exact({ device, vendor }))

/** 0 in `group` and 0xffff in `on` mean any, as do all ones. */
const hid = ({ on, group, vendor, product }: HidId): Criterion =>
  scored({ ...exact({ vendor, product }), ...(on !== 0xffff && { on }), ...(group !== 0 && { group }) })

const mdio = ({ phy: value, mask }: MdioId): Criterion => scored({ phy: { value, mask } })

/** Tables that say what a device is on whatever bus, and the property that they ask for. */
const ANYWHERE: Readonly<Record<string, string>> = { of: 'compatible', acpi: 'acpi' }

const named = (bus: string, name: string): Criterion => ({ when: { [ANYWHERE[bus] ?? 'name']: name }, score: BASE + 1 })

function criterion(id: DeviceId): Criterion {
  if (id.bus === 'pci' && 'subvendor' in id) return pci(id)
  if (id.bus === 'usb' && 'product' in id) return usb(id as UsbId)
  if (id.bus === 'virtio' && 'device' in id) return virtio(id)
  if (id.bus === 'hid' && 'group' in id) return hid(id)
  if (id.bus === 'mdio' && 'phy' in id) return mdio(id)
  return named(id.bus, 'name' in id ? id.name : '')
}

/** Ids that match only when an administrator says so, never by themselves. */
const byItself = (id: DeviceId): boolean => !('overrideOnly' in id && id.overrideOnly === true)

/** A driver's id tables, one for each class of nodes. */
export function idTables({ ids }: Pick<Manifest, 'ids'>): IdTable[] {
  const byClass = Map.groupBy(ids.filter(byItself), ({ bus }) => (Object.hasOwn(ANYWHERE, bus) ? '' : bus))
  return [...byClass].map(([of, these]) => ({ class: of, any: these.map(criterion) }))
}

/** What a PCI function says of itself in its configuration space. */
export const pciProperties = (identity: PciIdentity): Properties => ({
  vendor: identity.vendor,
  device: identity.device,
  subvendor: identity.subsystemVendor,
  subdevice: identity.subsystemDevice,
  class: identity.classCode,
  revision: identity.revision,
})
