/**
 * The entries of a driver whose program takes requests: each is a request, or several. Which is which stands here and in
 * the lower half's service.c.
 */
import { BUS, E, NUB, REQUEST } from '../../linux-api/generated/abi.ts'
import type { EntryName } from '../abi/group.ts'
import type { Request } from '../abi/requests.ts'
import type { BoundPackage, CoreProgram } from './core.ts'

/** The data is told by itself, and no argument is its address. */
const ALONE = 4
/** Where the data's address belongs among the arguments: no real one looks like it. */
const DATA = 0x0d0a7a00

const encoder = new TextEncoder()
const plain = (name: string): string => name.replaceAll('-', '_')

export class CoreEntries {
  readonly #program: CoreProgram
  readonly #modules: readonly BoundPackage[]

  readonly #args: readonly string[]

  /** `args`: parameters, `MODULE.NAME=VALUE`. */
  constructor(program: CoreProgram, modules: readonly BoundPackage[], args: readonly string[]) {
    this.#program = program
    this.#modules = modules
    this.#args = args
  }

  /** What the kernel's module loader is told: the image, with the module's parameters at its end. */
  #image({ name, image }: BoundPackage): Uint8Array {
    const own = this.#args.filter((arg) => plain(arg.slice(0, Math.max(0, arg.indexOf('.')))) === plain(name))
    const text = encoder.encode(`${own.map((arg) => arg.slice(arg.indexOf('.') + 1)).join(' ')}\0`)
    const bytes = new Uint8Array(image.length - 1 + text.length)
    bytes.set(image.subarray(0, -1))
    bytes.set(text, image.length - 1)
    return bytes
  }

  /** Loading modules, from one up to another. */
  loads(from: number, to: number): readonly (() => Request)[] {
    return this.#modules.slice(from, to).map((bound) => () => this.#send(REQUEST.LOAD, [], this.#image(bound)))
  }

  /** What has to be done for an entry, one request after the other. Undefined when there is no such entry. */
  steps(name: EntryName, args: readonly number[]): readonly (() => Request)[] | undefined {
    if (name === 'init') return this.loads(0, this.#modules.length)
    if (name === 'exit') {
      const names = this.#modules.map((bound) => encoder.encode(`${plain(bound.name)}\0`))
      return names.toReversed().map((text) => () => this.#send(REQUEST.UNLOAD, [], text))
    }
    if (name === 'remove' && args[0] === NUB.BUS) return [() => this.#send(REQUEST.NUB_REMOVE, args.slice(1))]
    if (name === 'probe' || name === 'remove') {
      if (args[0] !== BUS.PCI) return undefined
      const kind = name === 'probe' ? REQUEST.PCI_ADD : REQUEST.PCI_REMOVE
      return [() => this.#send(kind, args.slice(1))]
    }
    const kind = KINDS.get(name)
    return kind === undefined ? undefined : [() => this.#send(kind, args)]
  }

  /** A request with data, which its answer replaces. */
  withData(name: EntryName, data: Uint8Array, args: (address: number) => readonly number[]): Request {
    const list = args(DATA)
    return this.#send(KINDS.get(name)!, list, data, list.indexOf(DATA))
  }

  /** A device of another domain's bus. */
  nub(data: Uint8Array): Request {
    return this.#send(REQUEST.NUB_ADD, [], data)
  }

  /** A request that is no entry: its data is what it was made into when it is done. */
  raw(kind: number, data: Uint8Array): Request {
    return this.#send(kind, [], data, ALONE)
  }

  /** One that waits is to return. */
  cancel({ id }: Request): void {
    this.#send(REQUEST.CANCEL, [id])
  }

  has(name: EntryName): boolean {
    return KINDS.has(name)
  }

  #send(kind: number, args: readonly number[], data?: Uint8Array, where?: number): Request {
    return this.#program.host.requests.send(this.#program.host, kind, args, data, where)
  }
}

/** Requests that carry an entry's name. */
const KINDS: ReadonlyMap<string, number> = new Map(
  Object.entries(REQUEST).map(([name, kind]) => [name.toLowerCase(), kind]),
)

export const NO_ENTRY: number = E.OPNOTSUPP
