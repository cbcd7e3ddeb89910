/**
 * The network service: the interfaces that driver domains offer.
 *
 * An interface outlives its driver: its configuration stays here and is replayed onto the driver's next generation, and
 * clients see a pause.
 */
import { E, type NetCalls, net_desc } from '../../../linux-api/generated/abi.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Host } from '../../abi/host.ts'
import type { ClassService } from '../device-class.ts'
import { NetInterface } from './interface.ts'

export class NetService implements ClassService {
  readonly units: NetInterface[] = []
  readonly #kernel: Kernel
  readonly #txKind: number
  readonly #rxKind: number

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#txKind = kernel.log.kind('net')
    this.#rxKind = kernel.log.kind('rx')
  }

  /** Host side of the `net` call group. */
  calls(host: Host): NetCalls {
    const own = (id: number): NetInterface | undefined => {
      const found = this.units[id]
      return found?.driver?.host === host ? found : undefined
    }
    return {
      register: (desc) => this.#register(host, desc >>> 0),
      unregister: (id) => {
        const found = own(id)
        if (found === undefined) return E.INVAL
        const capability = host.domain.capabilities.ofType('net').find((c) => c.badge === id)
        if (capability !== undefined) host.board.revoke(capability)
        return 0
      },
      carrier: (id, up) => {
        this.#kernel.log.note(this.#txKind, host.domain.id, id, up === 0 ? 0 : 1)
        own(id)?.setCarrier(up !== 0)
      },
      queue: (id, awake) => own(id)?.setAwake(awake !== 0),
      fetch: (id) => {
        const count = own(id)?.fetch() ?? 0
        host.domain.charge(count)
        return count
      },
      rx: (id, vector, count) => {
        this.#kernel.log.note(this.#rxKind, host.domain.id, id, count)
        own(id)?.receive(host, vector >>> 0, count >>> 0)
      },
      changed: (id, desc) => {
        own(id)?.describe(host.words, desc >>> 0)
      },
    }
  }

  #register(host: Host, desc: number): number {
    const bytes = host.bytes('net.register', desc, net_desc.size)
    if ((desc & 3) !== 0) return E.INVAL
    const slot = new DataView(bytes.buffer, bytes.byteOffset).getUint32(net_desc.slot.offset, true)
    // The next generation of one without a device is to be the same, whatever it is called.
    const place = host.function(slot)?.name ?? host.name.split('#')[0]!
    let found = this.units.find((net) => net.place === place && net.driver === undefined)
    if (found === undefined) {
      found = new NetInterface(this.#kernel, this.units.length, place)
      this.units.push(found)
    }
    const adopted = found
    adopted.adopt(host.driver, host.words, desc)
    host.domain.capabilities.create(
      { type: 'net', label: adopted.name },
      { badge: adopted.id, ended: () => adopted.orphan() },
    )
    this.#kernel.log.note(this.#txKind, host.domain.id, adopted.id, adopted.generation)
    return adopted.id
  }
}
