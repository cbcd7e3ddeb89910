/**
 * Captures of frames in the pcap file format with nanosecond times (magic 0xa1b23c4d), written as a stream.
 * Format: draft-ietf-opsawg-pcap, sections 4 and 5. Time is the machine's own, from zero.
 */

import { copyBytes } from '../bytes.ts'

export interface Pcap {
  /** Append one frame (without FCS) at a time in ns. */
  frame(frame: Uint8Array, length: number, timeNs: number): void
  /** Hand over what is buffered. */
  flush(): void
  /** Frames written. */
  readonly frames: number
}

const MAGIC_NS = 0xa1b23c4d
const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const LINKTYPE_ETHERNET = 1
const NS = 1e9

export interface PcapOptions {
  /** Bytes kept of a frame. */
  readonly snapBytes?: number
  /** Bytes gathered before the sink is called. */
  readonly bufferBytes?: number
}

/** A capture into `sink`, which must copy the bytes it is given. The file header comes with the first flush. */
export const createPcap = (sink: (bytes: Uint8Array) => void, options: PcapOptions = {}): Pcap => {
  const snapBytes = options.snapBytes ?? 65535
  const capacity = Math.max(options.bufferBytes ?? 65536, snapBytes + RECORD_HEADER_BYTES + FILE_HEADER_BYTES)
  const buffer = new Uint8Array(capacity)
  const view = new DataView(buffer.buffer)
  let used = FILE_HEADER_BYTES
  let frames = 0

  view.setUint32(0, MAGIC_NS, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, snapBytes, true)
  view.setUint32(20, LINKTYPE_ETHERNET, true)

  const flush = (): void => {
    if (used !== 0) sink(buffer.subarray(0, used))
    used = 0
  }

  return {
    frame: (frame, length, timeNs) => {
      const kept = Math.min(length, snapBytes)
      if (used + RECORD_HEADER_BYTES + kept > capacity) flush()
      const seconds = Math.floor(timeNs / NS)
      view.setUint32(used, seconds, true)
      view.setUint32(used + 4, timeNs - seconds * NS, true)
      view.setUint32(used + 8, kept, true)
      view.setUint32(used + 12, length, true)
      copyBytes(frame, 0, buffer, used + RECORD_HEADER_BYTES, kept)
      used += RECORD_HEADER_BYTES + kept
      frames++
    },
    flush,
    get frames() {
      return frames
    },
  }
}
