/**
 * Requests to a program that takes them by itself: put into a queue, announced by an interrupt, answered when they have
 * been carried out. Several may be under way. Knows nothing of what they mean.
 */
import { IRQ, request as layout } from '../../linux-api/generated/abi.ts'
import type { Host } from './host.ts'

export interface Request {
  readonly id: number
  readonly kind: number
  readonly args: readonly number[]
  /** What comes with it. */
  readonly data: Uint8Array
  /** When it is done, the data is what it was made into. */
  readonly returned: boolean
  /** Undefined until it is done. */
  result: number | undefined
}

const NOTHING = new Uint8Array(0)

export class Requests {
  readonly #waiting: Request[] = []
  readonly #taken = new Map<number, Request>()
  #next = 1
  #open = false

  /** The program takes requests from now on. */
  open(): void {
    this.#open = true
  }

  get ready(): boolean {
    return this.#open
  }

  /** Ask for something. It is under way when this returns; run the machine until it has a result. */
  send(host: Host, kind: number, args: readonly number[], data: Uint8Array = NOTHING, returned = false): Request {
    const request: Request = { id: this.#next++, kind, args, data, returned, result: undefined }
    this.#waiting.push(request)
    host.domain.raise(IRQ.REQUEST)
    return request
  }

  /** The program fetches the next one into `out`. */
  take(host: Host, out: number): boolean {
    const bytes = host.bytes('call.take', out, layout.size)
    const request = this.#waiting.shift()
    if (request === undefined) return false
    this.#taken.set(request.id, request)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    view.setUint32(layout.id.offset, request.id, true)
    view.setUint32(layout.kind.offset, request.kind, true)
    for (let i = 0; i < layout.args.count; i++) view.setUint32(layout.args.offset + 4 * i, request.args[i] ?? 0, true)
    view.setUint32(layout.bytes.offset, request.data.length, true)
    return true
  }

  data(host: Host, id: number, into: number): boolean {
    const request = this.#taken.get(id)
    if (request === undefined) return false
    host.domain.charge(request.data.length >>> 4)
    host.bytes('call.data', into, request.data.length).set(request.data)
    return true
  }

  done(host: Host, id: number, result: number, data: number): void {
    const request = this.#taken.get(id)
    if (request === undefined) return
    this.#taken.delete(id)
    if (data !== 0 && request.returned) request.data.set(host.bytes('call.done', data, request.data.length))
    request.result = result
  }
}
