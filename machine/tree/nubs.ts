/**
 * Layered stacks: a bus that one domain's driver offers becomes a node below that driver's device, and the devices that the
 * board has on it become nodes below the bus, for drivers in other domains.
 *
 * A domain offers a bus by the name of its service: `CLASS:NAME@LOCATION`, where the location is a device that the domain
 * drives. Which devices are on the bus is the board's to say, as firmware does for buses that cannot be asked. Whoever is given
 * one gets a capability to the bus's endpoint whose badge is the device's address: it cannot name another.
 */
import { type Capability, RIGHT } from '../../kernel/capability.ts'
import type { Endpoint } from '../../kernel/ipc.ts'
import type { Node } from '../../kernel/registry.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import type { DeviceTree } from './device-tree.ts'
import type { Exchange } from '../reach/exchange.ts'
import type { Host } from '../abi/host.ts'

/** A device that the board has on a bus which cannot be asked. */
export interface BoardDevice {
  /** Which of the buses below the function, in the order they are offered. */
  readonly bus: number
  readonly address: number
  readonly name: string
}

const ADDRESS_BITS = 7

/** A device on a bus that is another domain's. */
export class Nub {
  readonly name: string
  readonly address: number
  /** Its bus: receiving from it is the other domain's. */
  readonly bus: Capability<Endpoint>
  readonly #serial: number

  constructor(device: BoardDevice, bus: Capability<Endpoint>, serial: number) {
    this.name = device.name
    this.address = device.address
    this.bus = bus
    this.#serial = serial
  }

  /** A capability to the bus through which only this device can be reached; undefined when there is no room for one, or no bus. */
  grant(host: Host): Capability<Endpoint> | undefined {
    if (!this.bus.alive || !host.may('capabilities', 1)) return undefined
    const badge = (this.#serial << ADDRESS_BITS) | this.address
    return host.domain.capabilities.derive(this.bus, this.bus.object, { rights: RIGHT.WRITE, badge })
  }
}

const SERVICE = /^(?<of>[a-z0-9]+)\.bus:(?<name>[^@]+)@(?<location>.+)$/

export class Nubs {
  readonly #tree: DeviceTree
  readonly #board = new WeakMap<PciFunction, readonly BoardDevice[]>()
  readonly #buses = new Map<Capability, Node>()
  #serial = 1

  constructor(tree: DeviceTree, exchange: Exchange) {
    this.#tree = tree
    exchange.onOffer = (host, service, capability) => this.#offered(host, service, capability)
    exchange.onEnd = (capability) => this.#ended(capability)
  }

  /** What the board has on the buses of this function. */
  describe(fn: PciFunction, devices: readonly BoardDevice[]): void {
    this.#board.set(fn, devices)
  }

  #offered(host: Host, service: string, capability: Capability<Endpoint>): void {
    const { of, name, location } = SERVICE.exec(service)?.groups ?? {}
    if (of === undefined || name === undefined) return
    const fn = host.functions.find((held) => held?.object.function.name === location)?.object.function
    const parent = fn && this.#tree.node(fn)
    if (fn === undefined || parent === undefined || parent.gone) return
    const { registry } = this.#tree
    const index = parent.children.filter((child) => !child.gone && child.class === `bus.${of}`).length
    const bus = registry.publish({ name, class: `bus.${of}` }, parent)
    this.#buses.set(capability, bus)
    for (const device of this.#board.get(fn) ?? []) {
      if (device.bus !== index) continue
      const nub = new Nub(device, capability, this.#serial++)
      const properties = { name: device.name, address: device.address }
      registry.publish(
        { name: `${device.name}@${device.address.toString(16)}`, class: of, properties, object: nub },
        bus,
      )
    }
  }

  #ended(capability: Capability): void {
    const node = this.#buses.get(capability)
    this.#buses.delete(capability)
    if (node !== undefined) this.#tree.registry.retract(node)
  }
}
