/**
 * What sends and receives frames, and what it is connected to: the seams between interfaces, stations and clients.
 */

/** Where frames to send come from. */
export interface FrameSource {
  /** Write the next frame at `at`, at most `room` bytes; returns its length, 0 when there is none now. */
  fill(into: Uint8Array, at: number, room: number): number
}

/** Where received frames go; what is kept must be copied. */
export interface FrameSink {
  receive(bytes: Uint8Array, at: number, length: number): void
}

/** Anything that sends and receives frames: an interface, or a station without a driver. */
export interface FramePort {
  readonly name: string
  readonly mac: Uint8Array
  source: FrameSource | undefined
  sink: FrameSink | undefined
  /** Can send now. */
  readonly ready: boolean
  /** The source has frames: ask it. */
  kick(): void
}
