/**
 * Virtual time and its events, as whoever lives in them sees them: devices and the kernel alike. Implemented by
 * kernel/time.ts. Times are integers in ns of virtual time (exact up to 2^53).
 */

/** A named future event, created once and armed as often as needed; arming an armed event moves it. */
export interface TimelineEvent {
  readonly name: string
  readonly armed: boolean
  /** Fire at an absolute time, not before now. */
  armAt(ns: number): void
  /** Fire this long from now. */
  armIn(ns: number): void
  disarm(): void
}

/** Virtual time and its event queue. */
export interface Timeline {
  /** Now, ns. */
  now(): number
  event(name: string, fire: () => void): TimelineEvent
}
