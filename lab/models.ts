/**
 * Device models by name, and which of them a driver package can drive: its id table against the models' identities.
 */
import { passiveScore } from '../kernel/registry.ts'
import type { Manifest } from '../pipeline/package.ts'
import { intel82540em } from '../hw/devices/intel-82540em.ts'
import { amd8111Smbus } from '../hw/devices/amd-8111-smbus.ts'
import { lm75 } from '../hw/devices/lm75.ts'
import { rtl8139 } from '../hw/devices/rtl8139.ts'
import type { I2cBus, I2cTarget } from '../hw/i2c.ts'
import type { Timeline } from '../base/timeline.ts'
import type { DeviceContext, EthernetPort, PciDevice } from '../hw/types.ts'
import { idTables } from '../machine/linux/personality.ts'

export interface PciModel {
  readonly name: string
  readonly vendor: number
  readonly device: number
  readonly classCode: number
}

export interface NicModel extends PciModel {
  /** Speed of the medium it is made for, Mb/s. */
  readonly mbps: number
  make(context: DeviceContext, mac: Uint8Array, port: EthernetPort): PciDevice
}

/** Master of an I2C or SMBus with devices on it. */
export interface I2cBusModel extends PciModel {
  make(context: DeviceContext): PciDevice & { readonly bus: I2cBus }
}

/** A device on an I2C or SMBus. */
export interface I2cModel {
  readonly name: string
  make(timeline: Timeline): I2cTarget
}

const ETHERNET = 0x020000
const SMBUS = 0x0c0500

export const NIC_MODELS: readonly NicModel[] = [
  {
    name: 'rtl8139',
    vendor: 0x10ec,
    device: 0x8139,
    classCode: ETHERNET,
    mbps: 100,
    make: (context, mac, port) => rtl8139(context, { mac, port }),
  },
  {
    name: 'intel-82540em',
    vendor: 0x8086,
    device: 0x100e,
    classCode: ETHERNET,
    mbps: 1000,
    make: (context, mac, port) => intel82540em(context, { mac, port }),
  },
]

export const I2C_BUS_MODELS: readonly I2cBusModel[] = [
  { name: 'amd-8111-smbus', vendor: 0x1022, device: 0x746a, classCode: SMBUS, make: amd8111Smbus },
]

export const I2C_MODELS: readonly I2cModel[] = [{ name: 'lm75', make: (timeline) => lm75(timeline) }]

/** Models a package's id table names, those that it names most closely first. */
export function modelsFor(manifest: Manifest): NicModel[] {
  const tables = idTables(manifest).filter((table) => table.class === 'pci')
  const score = ({ vendor, device, classCode }: NicModel): number =>
    Math.max(0, ...tables.map(({ any }) => passiveScore(any, { vendor, device, class: classCode })))
  return NIC_MODELS.filter((model) => score(model) > 0).toSorted((a, b) => score(b) - score(a))
}

/** The model of this name. */
export const nicModel = (name: string): NicModel | undefined => NIC_MODELS.find((model) => model.name === name)

/** For messages: the names `ioreg --plug DEVICE` takes. */
export const describePlugs = (): string =>
  [...NIC_MODELS, ...I2C_BUS_MODELS].map(({ name }) => name).join(', ') +
  `; on an SMBus: ${I2C_MODELS.map(({ name }) => `${name}@ADDRESS`).join(', ')}`

/** For messages: the names `run MODULE=DEVICE` takes. */
export const describeDevices = (): string => NIC_MODELS.map((model) => model.name).join(', ')
