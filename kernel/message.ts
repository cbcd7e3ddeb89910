/**
 * What goes between domains: a label, a few words and capabilities; and what a call can come back with.
 *
 * Registers only. Who may send what to whom, and who waits, is ipc.ts.
 */

import type { Refusal } from './capability.ts'

/** Results of IPC calls; a label or count is not negative. */
export const IPC = {
  OK: 0,
  /** The endpoint has ended, or the capability to it. */
  ENDED: -1,
  NO_RIGHT: -2,
  /** No such capability. */
  EMPTY: -3,
  DEADLINE: -4,
  /** The server ended before it replied. */
  CANCELLED: -5,
  /** The receiver opened too few slots for the capabilities, or they are taken. */
  WINDOW: -6,
  /** The contract does not allow this message now. */
  PROTOCOL: -7,
  /** Everybody who could answer waits for the caller. */
  DEADLOCK: -8,
  /** Nobody waits for a reply; nobody serves a passive endpoint. */
  NOBODY: -9,
  /** The slot is taken. */
  OCCUPIED: -10,
  /** It has another badge for good. */
  BADGED: -11,
  /** No more capabilities may be held. */
  QUOTA: -12,
  /** No such slot, word or byte. */
  RANGE: -13,
  /** It must wait, and is told by an interrupt when it need not any more: a program that switches between its tasks itself. */
  LATER: -14,
} as const

/** What a refusal by the capability space is called here. */
export const REFUSALS: Readonly<Record<Refusal, number>> = {
  empty: IPC.EMPTY,
  occupied: IPC.OCCUPIED,
  ended: IPC.ENDED,
  'no-right': IPC.NO_RIGHT,
  badged: IPC.BADGED,
  quota: IPC.QUOTA,
  range: IPC.RANGE,
}

/** Label of the message that a client, told by its badge, has gone: its last capability has ended. */
export const GONE = 0x7fff_ffff

/** Words of a message beside its label. */
export const WORDS = 8
export const CAPS = 3

/** One thread's registers for messages. */
export class Message {
  label = 0
  badge = 0
  count = 0
  readonly words = new Int32Array(WORDS)
  /** Out: pointers of capabilities to send. In: slots where they arrived. */
  readonly caps = new Int32Array(CAPS)
  /** Out, bit i: capability i is moved, not copied; bit 8 + i: exclusively. In, bit i: it is the receiver's alone. */
  moved = 0
  capCount = 0

  set(label: number, a = 0, b = 0, c = 0, d = 0): void {
    this.label = label
    this.words[0] = a
    this.words[1] = b
    this.words[2] = c
    this.words[3] = d
    this.count = 4
    this.capCount = 0
  }
}
