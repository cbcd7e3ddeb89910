/**
 * What the machine has a driver do, as requests to its kernel: load and unload modules, take devices, what its class offers. Which
 * request is what stands here and in the lower half's service.c.
 */
import { module_image as imageLayout, REQUEST, waiting as waitingLayout } from '../../linux-api/generated/abi.ts'
import type { Beat } from '../../kernel/heartbeat.ts'
import type { NextModule } from '../abi/host.ts'
import type { Request } from '../abi/requests.ts'
import type { BoundPackage, CoreProgram } from './core.ts'
import { Shelf } from './shelf.ts'

/** Tasks that an answer to a heartbeat has room for. */
const WAITING_MAX = 64

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const plain = (name: string): string => name.replaceAll('-', '_')

/** A task that waits and cannot be interrupted. */
export interface Waiting {
  readonly fiber: number
  readonly name: string
}

/** A heartbeat that was asked for; `waiting` is known when it is done. */
export interface CoreBeat extends Beat {
  readonly waiting: readonly Waiting[]
}

/** A request by its name. */
export type Operation = Lowercase<keyof typeof REQUEST>

export class Operations {
  readonly #program: CoreProgram
  readonly #modules: readonly BoundPackage[]

  readonly #shelf: Shelf
  /** All that are or will be loaded; each after those that it may hold. */
  readonly #order: BoundPackage[]
  /** The last that was loaded: whoever is asked for by name meanwhile is asked for by it. */
  #loading: BoundPackage | undefined

  readonly #args: readonly string[]

  /** `args`: parameters, `MODULE.NAME=VALUE`. Of the modules, those on call are loaded when the kernel asks for them. */
  constructor(program: CoreProgram, modules: readonly BoundPackage[], args: readonly string[]) {
    this.#program = program
    this.#modules = modules.filter(({ onCall }) => !onCall)
    this.#order = [...this.#modules]
    this.#shelf = new Shelf(modules.filter(({ onCall }) => onCall))
    this.#args = args
    program.host.modules = { next: (name) => this.#next(name) }
  }

  #next(name: string): NextModule | 'there' | undefined {
    const next = this.#shelf.next(name)
    if (next === undefined || next === 'there') return next
    const image = this.#image(next)
    return {
      bytes: image.length,
      load: () => {
        this.#program.instantiateNow(next)
        this.#shelf.take(next)
        this.#order.splice(Math.max(0, this.#order.indexOf(this.#loading!)), 0, next)
        return image
      },
    }
  }

  /** Modules that were asked for by name, and are not here. */
  get missed(): readonly string[] {
    return [...this.#shelf.missed]
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

  /** The module that is loaded so many after the first. */
  nameOf(index: number): string | undefined {
    return this.#modules[index]?.name
  }

  /** Whether Linux keeps one of them for good: it has an init and no exit. */
  get permanent(): boolean {
    return this.#modules.some(({ image }) => {
      const view = new DataView(image.buffer, image.byteOffset, image.length)
      return view.getUint32(imageLayout.init.offset, true) !== 0 && view.getUint32(imageLayout.exit.offset, true) === 0
    })
  }

  /** Loading those of `modules` that are in this domain, but for the first so many. */
  loads(from: number, modules: readonly BoundPackage[]): readonly (() => Request)[] {
    const here = this.#modules.filter((bound) => modules.includes(bound)).slice(from)
    return here.map((bound) => () => {
      this.#loading = bound
      return this.#send(REQUEST.LOAD, [], this.#image(bound))
    })
  }

  /** Unloading all that are loaded, each before those that it may hold. */
  unloads(): readonly (() => Request)[] {
    const names = this.#order.toReversed().map((bound) => encoder.encode(`${plain(bound.name)}\0`))
    return names.map((text) => () => this.#send(REQUEST.UNLOAD, [], text))
  }

  ask(name: Operation, args: readonly number[]): Request {
    return this.#send(kindOf(name), args)
  }

  /** A device of another domain's bus. */
  nub(data: Uint8Array): Request {
    return this.#send(REQUEST.NUB_ADD, [], data)
  }

  /** A request whose data is what it was made into when it is done. */
  raw(kind: number, data: Uint8Array): Request {
    return this.#send(kind, [], data, true)
  }

  /** One that waits is to return. */
  cancel({ id }: Request): void {
    this.#send(REQUEST.CANCEL, [id])
  }

  heartbeat(): CoreBeat {
    const request = this.raw(REQUEST.HEARTBEAT, new Uint8Array(WAITING_MAX * waitingLayout.size))
    return {
      get done() {
        return request.result !== undefined
      },
      get waiting() {
        return waitingIn(request)
      },
    }
  }

  #send(kind: number, args: readonly number[], data?: Uint8Array, returned?: boolean): Request {
    return this.#program.host.requests.send(this.#program.host, kind, args, data, returned)
  }
}

/** The list that a heartbeat was answered with; nobody before it was. */
function waitingIn({ data, result = 0 }: Request): Waiting[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  return Array.from({ length: Math.min(Math.max(result, 0), WAITING_MAX) }, (_, i) => {
    const at = i * waitingLayout.size
    const name = data.subarray(at + waitingLayout.name.offset, at + waitingLayout.size)
    const end = name.indexOf(0)
    return {
      fiber: view.getUint32(at + waitingLayout.fiber.offset, true),
      name: decoder.decode(end < 0 ? name : name.subarray(0, end)),
    }
  })
}

const kindOf = (name: Operation): number => REQUEST[name.toUpperCase() as keyof typeof REQUEST]
