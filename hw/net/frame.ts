/**
 * Frames under way: buffers that go from hand to hand instead of being copied.
 *
 * Whoever makes a frame takes one from the store, fills it and passes it on; with it goes the duty to release it. Who is
 * handed one for the length of a call and wants it longer retains it. A frame is never written again once it was passed on:
 * several may hold it. Buffers lie in one WebAssembly memory, so that moving bytes between them and a domain's memory is one
 * instruction (hw/moves.ts); those that are too long for it, or too many, lie outside and are copied the slow way.
 *
 * It must not know what is in a frame, nor who passes it.
 */
import { copyBytes } from '../bytes.ts'

/** An ordinary frame with tags. Not a power of two: equal places in many frames would share a few lines of the cache. */
export const SLOT_BYTES = 2112
const SLOTS = 1984
/** Room for a line's FCS. */
export const BEHIND_BYTES = 4
const PAGE_BYTES = 65536
/** Room for what sums over frames are made with (sums.ts), before the frames; they also read a little behind a frame. */
export const TABLE_ADDRESS = 0
export const TABLE_BYTES = 25600
const READ_BEHIND_BYTES = 64
const PAGES = Math.ceil((TABLE_BYTES + SLOT_BYTES * SLOTS + READ_BEHIND_BYTES) / PAGE_BYTES)

/** Never grows, so that views of it stay valid. */
export const frameMemory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES })

export class Frame {
  readonly bytes: Uint8Array
  /** Over the same bytes. */
  readonly view: DataView
  /** Where `bytes` begin in `frameMemory`; -1 outside of it. */
  readonly address: number
  /** Bytes of the frame, without FCS. */
  length = 0
  /** When it came to whoever is handed it, ns; who holds it longer keeps that. In here, because arguments may be boxed. */
  atNs = 0.5
  /** Who holds it. Only this module writes it. */
  holders = 0

  constructor(bytes: Uint8Array, address: number) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.address = address
  }
}

const free: Frame[] = []
let made = 0

/**
 * A frame's buffer for at least so many bytes and what a line puts behind them, held once; its content is left over from somebody.
 */
export const takeFrame = (bytes: number): Frame => {
  const frame = bytes + BEHIND_BYTES > SLOT_BYTES ? outside(bytes + BEHIND_BYTES) : (free.pop() ?? make())
  frame.holders = 1
  return frame
}

const make = (): Frame => {
  if (made === SLOTS) return outside(SLOT_BYTES)
  const address = TABLE_BYTES + made++ * SLOT_BYTES
  return new Frame(new Uint8Array(frameMemory.buffer, address, SLOT_BYTES), address)
}

const outside = (bytes: number): Frame => new Frame(new Uint8Array(bytes), -1)

/** A frame with these bytes in it. */
export const frameOf = (bytes: Uint8Array, length = bytes.length): Frame => {
  const frame = takeFrame(length)
  copyBytes(bytes, 0, frame.bytes, 0, length)
  frame.length = length
  return frame
}

/** Hold it too. */
export const retain = (frame: Frame): Frame => {
  frame.holders++
  return frame
}

/** Done with it. */
export const release = (frame: Frame): void => {
  if (--frame.holders === 0 && frame.address >= 0) free.push(frame)
}

/** Frames of the store that somebody holds, for leak checks. */
export const framesHeld = (): number => made - free.length
