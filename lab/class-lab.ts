/**
 * A device class in the laboratory: its device models, what surrounds them in a machine, and what a scenario does with one
 * unit of it. The rungs (rungs.ts) climb through this interface and know no class by name; classes.ts lists them.
 *
 * Terms: a *world* is a class's surroundings in one machine (a network segment, the disks' contents); an *exercise* is what
 * can be asked of one unit there; a *workload* is work under way while something else happens.
 */
import type { PciFunction } from '../hw/pci/function.ts'
import type { PciIdentity } from '../hw/types.ts'
import type { Tally, Unit } from '../machine/class/device-class.ts'
import type { Driver } from '../machine/driver.ts'
import type { Machine } from '../machine/machine.ts'
import type { Check } from './check.ts'

/** A device model by name, and the identity that id tables are held against. */
export interface DeviceModel {
  readonly name: string
  readonly vendor: number
  readonly device: number
  readonly classCode: number
}

/** A device in the machine. */
export interface Plugged {
  readonly model: DeviceModel
  /** What is in the slot now. */
  fn: PciFunction
}

export interface Workload {
  /** Done of what was asked, 0 to 1. */
  readonly progress: number
  /** All of it is done or given up. */
  readonly over: boolean
  /** Run the machine until it is over, or nothing moves. */
  finish(): Promise<void>
  /** End it where it is. What was lost is for people; `damaged`: contents were wrong, or came twice. */
  stop(): { readonly damaged: boolean; readonly lost: string }
}

export interface Exercise {
  readonly unit: Unit
  /** Name and address, for people. */
  readonly title: string
  /** Clients can use it now. */
  readonly usable: boolean
  /** Bring it up as an administrator does, and wait until it can be used. */
  open(): Promise<Check>
  /** Wait until it can be used again, and say how that went. */
  settled(): Promise<readonly [ok: boolean, detail: string]>
  /** Start work of `amount` items each way. */
  begin(amount: number): Workload
  /** Work of `amount` items each way, to its end: nothing lost, contents checked. */
  proof(amount: number): Promise<Check>
  /** Everything else that an administrator does with it, each by itself. */
  readonly operations: readonly (() => Promise<Check>)[]
  /** What the driver says it has counted: none of it may go back. */
  counted(): Promise<Tally>
  /** What clients have set, and must find again. */
  settings(): string
}

export interface World {
  /** In the order they were plugged in. */
  readonly plugged: readonly Plugged[]
  plug(model: DeviceModel, identity?: Partial<PciIdentity>): Plugged
  /** Pull it out, without a word. */
  unplug(device: Plugged): void
  /** Another one of the same kind into the slot it had. */
  replug(device: Plugged): void
  /** What a report says of a device besides model and place. */
  describe(device: Plugged): Readonly<Record<string, string>>
  /** All devices that the machine starts with are plugged in. */
  complete(): void
  /** What a driver that is bound to a device offers because of it. */
  exercise(driver: Driver, device: Plugged): Exercise | undefined
  /** Work through all of these, of `amount` items; returns those that held. */
  traffic(
    ones: readonly Exercise[],
    amount: number,
    check: (promise: Promise<Check>) => Promise<Check>,
  ): Promise<ReadonlySet<Exercise>>
  /** Somebody whom what happens to a driver must not concern: another unit where there is one. */
  bystander(others: readonly Exercise[]): () => Promise<Check>
  /** The run is over: give out what was not given yet. */
  flush(): void
}

/** A class, as it is listed. */
export interface ClassLab<W extends World = World, O = never> {
  /** What a driver of the class offers, for people. */
  readonly noun: string
  readonly models: readonly DeviceModel[]
  /** The class's world in a machine that has no device yet. */
  open(machine: Machine, options: O): W
}
