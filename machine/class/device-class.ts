/**
 * A class of devices: what drivers of one kind offer to clients, whichever driver and generation is behind it.
 *
 * Drivers come and go; what a client holds stays. A *unit* is one thing that a driver offers (an interface, a disk): it
 * keeps what its clients set and what they have under way, and gives it to the next generation. The machine loads,
 * watches, replaces and restarts drivers through this interface, and knows no class by name: index.ts lists them.
 */
import type { Calls } from '../../linux-api/generated/abi.ts'
import type { Domain } from '../../kernel/domain.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Host } from '../abi/host.ts'
import type { System } from '../linux/system.ts'

/** A driver as a class sees it: what can be asked of it, and the domain it runs in. */
export interface DriverEntries {
  readonly host: Host
  readonly domain: Domain
  /** System calls into its kernel: what is asked of the driver. Throws when the domain ends instead. */
  readonly system: System
}

/** How much of what, in the class's own words: `{ frames: 3 }`. */
export type Tally = Readonly<Record<string, number>>

/** Time passes for the machine: what a unit waits by. */
export interface Clocked {
  now(): number
  sleep(ns: number): Promise<void>
}

/** One thing that a driver offers. It outlives its driver. */
export interface Unit {
  readonly name: string
  /** Who is behind it now; nobody between two generations. */
  readonly driver: DriverEntries | undefined
  /** What went through it, over all generations. */
  readonly counters: Tally
  /** Take nothing more from clients, and take back what the driver was offered and has not taken. */
  hold(): void
  /**
   * Held, and about to be another build's: wait for what the driver has accepted to be done, as far as it says so itself,
   * and note what of its state is not the device's. Returns what was done meanwhile.
   */
  handOver(machine: Clocked): Promise<Tally>
  /** Go on, with what was taken back first. Returns how much that is. */
  release(): Tally
  /** Set everything on the present generation that was set on an earlier one. Throws when it refuses. */
  replay(): Promise<void>
  /** Why it is not serving, when clients have waited for longer than `patienceNs` though the driver says that it can go on. */
  stalled(nowNs: number, patienceNs: number): string | undefined
  /** What a record of a failure keeps of it: plain data. */
  record(): Readonly<Record<string, unknown>>
}

/** A class in one machine. */
export interface ClassService {
  /** All units there ever were, in the order they were first offered. */
  readonly units: readonly Unit[]
  /** Host side of the class's call group, for one domain. */
  calls(host: Host): Calls[keyof Calls]
}

/** A class, as it is listed. */
export interface DeviceClass<S extends ClassService = ClassService> {
  /** Of the class, and of its call group. */
  readonly name: keyof Calls
  /** Type of the capability behind the call group. */
  readonly authority: string
  /** Category of its calls in traces. */
  readonly trace: string
  /** What a trace shows of it, for people, and kinds of the event log that belong to it. */
  readonly traced: { readonly what: string; readonly kinds: readonly string[] }
  /** The class in a machine that is being made. */
  open(kernel: Kernel): S
}
