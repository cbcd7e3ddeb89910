/**
 * Device models by name, and which of them a driver package can drive: its id table against the models' identities.
 */
import { ANY_ID, type Manifest, type PciId } from '../../pipeline/package.ts'
import { intel82540em } from '../devices/intel-82540em.ts'
import { rtl8139 } from '../devices/rtl8139.ts'
import type { DeviceContext, EthernetPort, PciDevice } from '../types.ts'

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

const isPci = (id: Manifest['ids'][number]): id is PciId => id.bus === 'pci' && 'vendor' in id

const matches = (id: PciId, model: NicModel): boolean =>
  (id.vendor === ANY_ID || id.vendor === model.vendor) &&
  (id.device === ANY_ID || id.device === model.device) &&
  ((id.class ^ model.classCode) & id.classMask) === 0

/** Models a package's id table names. */
export const modelsFor = (manifest: Manifest): NicModel[] =>
  NIC_MODELS.filter((model) => manifest.ids.some((id) => isPci(id) && matches(id, model)))

/** The model of this name. */
export const nicModel = (name: string): NicModel | undefined => NIC_MODELS.find((model) => model.name === name)

/** For messages: the names `run MODULE=DEVICE` takes. */
export const describeDevices = (): string => NIC_MODELS.map((model) => model.name).join(', ')
