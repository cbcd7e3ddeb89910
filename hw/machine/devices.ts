/**
 * Device models by name, and which of them a driver package can drive: its id table against the models' identities.
 */
import { passiveScore } from '../../kernel/registry.ts'
import type { Manifest } from '../../pipeline/package.ts'
import { intel82540em } from '../devices/intel-82540em.ts'
import { rtl8139 } from '../devices/rtl8139.ts'
import type { DeviceContext, EthernetPort, PciDevice } from '../types.ts'
import { idTables } from './personality.ts'

export interface NicModel {
  readonly name: string
  readonly vendor: number
  readonly device: number
  readonly classCode: number
  /** Speed of the medium it is made for, Mb/s. */
  readonly mbps: number
  make(context: DeviceContext, mac: Uint8Array, port: EthernetPort): PciDevice
}

const ETHERNET = 0x020000

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

/** Models a package's id table names, those that it names most closely first. */
export function modelsFor(manifest: Manifest): NicModel[] {
  const tables = idTables(manifest).filter((table) => table.class === 'pci')
  const score = ({ vendor, device, classCode }: NicModel): number =>
    Math.max(0, ...tables.map(({ any }) => passiveScore(any, { vendor, device, class: classCode })))
  return NIC_MODELS.filter((model) => score(model) > 0).toSorted((a, b) => score(b) - score(a))
}

/** The model of this name. */
export const nicModel = (name: string): NicModel | undefined => NIC_MODELS.find((model) => model.name === name)

/** For messages: the names `run MODULE=DEVICE` takes. */
export const describeDevices = (): string => NIC_MODELS.map((model) => model.name).join(', ')
