/**
 * The machine's network segment: one learning switch, a wire to each NIC, and stations without a driver.
 */
import { FaultyDma } from '../../hw/faulty-dma.ts'
import { createPcap } from '../../hw/net/pcap.ts'
import { createSwitch, type EthernetSwitch } from '../../hw/net/switch.ts'
import { createWire, type Wire } from '../../hw/net/wire.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import type { DeviceContext, PciDevice, PciIdentity } from '../../hw/types.ts'
import type { Plugged } from '../class-lab.ts'
import { identified } from '../identity.ts'
import type { NicModel } from './models.ts'
import type { Machine } from '../../machine/machine.ts'
import { Station } from './station.ts'

/** A NIC plugged into the machine, and its cable; the device is at end a. */
export interface Nic extends Plugged {
  readonly model: NicModel
  /** The one in the slot now. */
  fn: PciFunction
  readonly wire: Wire
  readonly mac: Uint8Array
  readonly identity: Partial<PciIdentity>
  /** Damages what the device writes, when armed; only on a LAN with a flaky bus. */
  faults: FaultyDma | undefined
}

export interface LanOptions {
  /** Each NIC's DMA can be made to flip bits, which `breakUnderTraffic` does. */
  readonly flakyBus?: boolean
  /** Frames take no time on the cables, as on a virtual machine's: devices say their own speed, and nothing waits for a line. */
  readonly unpaced?: boolean
}

export class Lan {
  readonly nics: Nic[] = []
  readonly stations: Station[] = []
  readonly switch: EthernetSwitch
  readonly #machine: Machine
  readonly #options: LanOptions
  readonly #captures: { flush(): void }[] = []
  #ends = 0

  constructor(machine: Machine, options: LanOptions = {}) {
    this.#machine = machine
    this.#options = options
    this.switch = createSwitch({ timeline: machine.board.kernel.clock })
  }

  /** Locally administered address of the next end. */
  #mac(): Uint8Array {
    const last = 0x12_3456 + this.#ends++
    return new Uint8Array([0x52, 0x54, 0, last >> 16, last >> 8, last])
  }

  #wire(name: string, mbps: number): Wire {
    const { kernel } = this.#machine.board
    const speed = { mbps: this.#options.unpaced === true ? Infinity : mbps, jitterNs: 200 }
    const wire = createWire({ timeline: kernel.clock, random: kernel.random.fork(), name, ...speed })
    this.switch.attach(wire.b)
    return wire
  }

  /** Plug a NIC in, cabled to the switch. What `identity` says instead of the model's is in its configuration space. */
  plug(model: NicModel, identity: Partial<PciIdentity> = {}): Nic {
    const mac = this.#mac()
    const wire = this.#wire(`${model.name}.${this.nics.length}`, model.mbps)
    const nic: Nic = { model, wire, mac, identity, ...this.#insert(model, mac, wire, identity) }
    this.nics.push(nic)
    return nic
  }

  /** Pull a NIC out of its slot; the cable stays. */
  unplug(nic: Nic): void {
    this.#machine.board.pci.unplug(nic.fn)
  }

  /** Another one of the same kind, with the same address, into the slot it had. */
  replug(nic: Nic): void {
    const { model, mac, wire, identity } = nic
    Object.assign(nic, this.#insert(model, mac, wire, identity, nic.fn.location >> 3))
  }

  #insert(
    model: NicModel,
    mac: Uint8Array,
    wire: Wire,
    identity: Partial<PciIdentity>,
    slot?: number,
  ): Pick<Nic, 'fn' | 'faults'> {
    let faults: FaultyDma | undefined
    const make = (context: DeviceContext): PciDevice => {
      if (this.#options.flakyBus !== true) return model.make(context, mac, wire.a)
      faults = new FaultyDma(context.dma, context.random)
      return model.make({ ...context, dma: faults }, mac, wire.a)
    }
    const fn = this.#machine.board.pci.plug((context) => identified(make(context), identity), slot)
    return { fn, faults }
  }

  /** A station without a driver, on a wire of this speed. */
  station(name: string, mbps = 1000): Station {
    const station = new Station(this.#machine.board.kernel, name, this.#mac(), this.#wire(name, mbps).a)
    this.stations.push(station)
    return station
  }

  /** Capture what passes on a wire as a pcap file. */
  capture(wire: Wire, sink: (bytes: Uint8Array) => void): void {
    const pcap = createPcap(sink)
    wire.tap = (frame, length, _fromA, timeNs) => pcap.frame(frame, length, timeNs)
    this.#captures.push(pcap)
  }

  /** Give the captures' sinks what was not given yet. */
  flushCaptures(): void {
    for (const pcap of this.#captures) pcap.flush()
  }
}
