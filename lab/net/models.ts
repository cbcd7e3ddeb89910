/** Models of network devices by name. */
import { intel82540em } from '../../hw/devices/intel-82540em.ts'
import { rtl8139 } from '../../hw/devices/rtl8139.ts'
import type { DeviceContext, EthernetPort, PciDevice } from '../../hw/types.ts'
import type { DeviceModel } from '../class-lab.ts'

export interface NicModel extends DeviceModel {
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

/** The model of this name. */
export const nicModel = (name: string): NicModel | undefined => NIC_MODELS.find((model) => model.name === name)
