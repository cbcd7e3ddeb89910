/**
 * A station on the network without a driver: the other side of a wire, for machines with one interface and for tests
 * that must send what a driver would not.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { BEHIND_BYTES, release, takeFrame } from '../../hw/net/frame.ts'
import type { EthernetPort } from '../../hw/types.ts'
import type { FramePort, FrameSink, FrameSource } from '../../machine/class/net/frame-port.ts'

const LARGEST = 16384
/** Frames sent before others get a turn. */
const BATCH = 16

export class Station implements FramePort {
  readonly name: string
  readonly mac: Uint8Array
  source: FrameSource | undefined
  sink: FrameSink | undefined
  received = 0
  sent = 0
  readonly #kernel: Kernel
  readonly #port: EthernetPort
  readonly #buffer = new Uint8Array(LARGEST)
  #posted = false
  readonly #pumpTask = (): void => this.#pump()

  constructor(kernel: Kernel, name: string, mac: Uint8Array, port: EthernetPort) {
    this.#kernel = kernel
    this.name = name
    this.mac = mac
    this.#port = port
    port.onFrame = (frame) => {
      this.received++
      this.sink?.receive(frame.bytes, 0, frame.length)
    }
    port.onLink = (up) => {
      if (up) this.kick()
    }
  }

  get ready(): boolean {
    return this.#port.up
  }

  /** Send one frame as it is. */
  send(frame: Uint8Array, length = frame.length): boolean {
    this.sent++
    return this.#port.send(frame, length)
  }

  kick(): void {
    if (this.#posted || this.source === undefined || !this.ready) return
    this.#posted = true
    this.#kernel.post(this.#pumpTask)
  }

  #pump(): void {
    this.#posted = false
    for (let i = 0; i < BATCH; i++) {
      const frame = takeFrame(0)
      frame.length = this.source?.fill(frame.bytes, 0, frame.bytes.length - BEHIND_BYTES) ?? 0
      if (frame.length === 0) {
        release(frame)
        if (!this.#long()) return
      } else {
        this.sent++
        frame.atNs = this.#kernel.clock.now()
        this.#port.pass(frame)
      }
    }
    this.kick()
  }

  /** The next frame, which does not fit an ordinary buffer. False when there is none. */
  #long(): boolean {
    const length = this.source?.fill(this.#buffer, 0, LARGEST) ?? 0
    if (length > 0) this.send(this.#buffer, length)
    return length > 0
  }
}
