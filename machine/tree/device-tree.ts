/**
 * The machine's devices in the registry: a node for each function on the PCI bus, as it comes and goes, and what the event
 * log hears of it. Knows buses; knows no driver.
 */
import type { EventLog } from '../../kernel/log.ts'
import { type Client, type Node, Registry } from '../../kernel/registry.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import { pciProperties } from '../linux/personality.ts'

export class DeviceTree {
  readonly registry = new Registry()
  readonly #bridge: Node
  readonly #functions = new Map<PciFunction, Node>()

  /** Told of what happens in the registry. */
  onEvent: Registry['onEvent']

  constructor(log: EventLog) {
    const kind = log.kind('registry')
    this.registry.onEvent = (event, node, detail) => {
      this.onEvent?.(event, node, detail)
      log.text(kind, 0, `${event} ${node.path}${detail === '' ? '' : ` ${detail}`}`)
      if (event === 'gone') this.#left(node)
    }
    this.#bridge = this.registry.publish({ name: 'pci0000:00', class: 'bridge.pci' })
  }

  /** A function was plugged in. */
  plugged(fn: PciFunction): void {
    const properties = pciProperties(fn.device.identity)
    const node = this.registry.publish({ name: fn.name, class: 'pci', properties, object: fn }, this.#bridge)
    this.#functions.set(fn, node)
  }

  /** A function is no longer there. Whoever drives it is told when the registry settles. */
  unplugged(fn: PciFunction): void {
    const node = this.#functions.get(fn)
    if (node !== undefined) this.registry.retract(node)
  }

  /** Nobody has the function any more, who may still have held its windows and vectors: its place is free. */
  #left(node: Node): void {
    const fn = node.object as PciFunction
    if (this.#functions.delete(fn)) fn.leave()
  }

  readonly node = (fn: PciFunction): Node | undefined => this.#functions.get(fn)

  attach(fn: PciFunction, client: Client): void {
    const node = this.#functions.get(fn)
    if (node !== undefined) this.registry.attach(node, client)
  }

  release(fn: PciFunction): void {
    const node = this.#functions.get(fn)
    if (node !== undefined) this.registry.release(node)
  }
}
