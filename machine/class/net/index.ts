/** Network interfaces as a device class. */
import type { ClassServices } from '../index.ts'
import type { DeviceClass } from '../device-class.ts'
import type { NetInterface } from './interface.ts'
import { NetService } from './service.ts'

export const net: DeviceClass<NetService> = {
  name: 'net',
  authority: 'net-service',
  trace: 'net',
  traced: { what: 'frames and interfaces', kinds: ['net', 'rx'] },
  open: (kernel) => new NetService(kernel),
}

type Machine = { readonly board: { readonly services: ClassServices } }

/** The network service of a machine. */
export const netOf = ({ board }: Machine): NetService => board.services.of(net)

/** The interfaces that a driver offers now. */
export const interfacesOf = (driver: { readonly host: Machine }): NetInterface[] =>
  netOf(driver.host).units.filter((one) => one.driver?.host === driver.host)
