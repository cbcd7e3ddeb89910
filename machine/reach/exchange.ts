/**
 * Who may talk to whom: services that domains offer, and the links by which others reach them.
 *
 * A domain cannot name another. It offers an endpoint under a name; the machine, by its links, grants capabilities to it
 * to other domains, under names of their own. A link is policy and outlives both: when either side starts again, it is
 * made again, with the next generation. What either side held before has ended with the server.
 */
import { type Capability, RIGHT } from '../../kernel/capability.ts'
import type { Endpoint } from '../../kernel/ipc.ts'
import type { Host } from '../abi/host.ts'

export interface Link {
  /** Driver that asks. */
  readonly client: string
  /** What it finds the capability under. */
  readonly name: string
  /** Driver that answers, and what it offers the service as. */
  readonly server: string
  readonly service: string
  /** Rights beyond sending: GRANT lets messages carry capabilities. Default WRITE and GRANT. */
  readonly rights?: number
}

interface Offer {
  readonly host: Host
  readonly capability: Capability<Endpoint>
}

/** A driver's name without its generation. */
const driverOf = (host: Host): string => host.name.split('#')[0]!

export class Exchange {
  readonly links: Link[] = []
  /** `driver:service` -> the endpoint of its present generation. */
  readonly #offers = new Map<string, Offer>()
  readonly #hosts = new Map<string, Host>()
  #nextBadge = 1
  /** Told when a domain offers a service: a device found on its bus, for instance. */
  onOffer: ((host: Host, service: string, capability: Capability<Endpoint>) => void) | undefined
  /** Told when the endpoint of a service has ended. */
  onEnd: ((capability: Capability<Endpoint>) => void) | undefined

  /** From now on `client` may reach what `server` offers as `service`. */
  link(link: Link): void {
    this.links.push(link)
    this.#join(link)
  }

  /** A domain has started: it gets what links give it. */
  joined(host: Host): void {
    for (const [driver, other] of this.#hosts) if (other.domain.dead) this.#hosts.delete(driver)
    this.#hosts.set(driverOf(host), host)
    for (const link of this.links) if (link.client === driverOf(host)) this.#join(link)
  }

  /** A domain offers a service. */
  offered(host: Host, service: string, capability: Capability<Endpoint>): void {
    const driver = driverOf(host)
    this.#offers.set(`${driver}:${service}`, { host, capability })
    for (const link of this.links) if (link.server === driver && link.service === service) this.#join(link)
    this.onOffer?.(host, service, capability)
  }

  /** The endpoint of a service has ended, with its domain or before it: nothing of it is kept. */
  ended(capability: Capability<Endpoint>): void {
    for (const [name, offer] of this.#offers) if (offer.capability === capability) this.#offers.delete(name)
    this.onEnd?.(capability)
  }

  /** Services that a domain offers now, counting each it made an endpoint for. */
  offeredBy(host: Host): number {
    let count = 0
    for (const offer of this.#offers.values()) if (offer.host === host) count++
    return count
  }

  /** Services on offer now. */
  offers(): { driver: string; service: string }[] {
    return [...this.#offers.values()]
      .filter(({ capability }) => capability.alive)
      .map(({ host, capability }) => ({ driver: driverOf(host), service: capability.object.label }))
  }

  #join(link: Link): void {
    const offer = this.#offers.get(`${link.server}:${link.service}`)
    const client = this.#hosts.get(link.client)
    if (offer === undefined || client === undefined || client.domain.dead || !offer.capability.alive) return
    // A client that has no room is the client's affair: neither the server nor a grant to another may fail of it.
    if (!client.may('capabilities', 1)) return
    const capability = client.domain.capabilities.derive(offer.capability, offer.capability.object, {
      rights: link.rights ?? RIGHT.WRITE | RIGHT.GRANT,
      badge: this.#nextBadge++,
    })
    client.named.set(link.name, capability)
  }
}
