/**
 * Hot replacement: a running driver's devices and units go to another build of it, under traffic.
 *
 * The other build starts beside the running one, so that one that does not even start costs nothing. Then the units take no
 * more from their clients, what the driver has accepted is done, what it has not is kept, its statistics are noted, it is
 * unloaded, and the other one gets the devices, the configuration and what was kept. When it does not take them, the old
 * build starts again and gets everything back: clients see a longer pause.
 */
import { type Driver, isClean, leftList } from '../driver.ts'
import type { Slot } from '../machine.ts'
import type { Clocked, Tally, Unit } from '../class/device-class.ts'
import type { DriverPackage } from '../load/package.ts'
import type { PciFunction } from '../../hw/pci/function.ts'

/** Which build, as people tell them apart. */
export interface Build {
  readonly name: string
  readonly tree: string
  readonly sha256: string
}

export interface Replacement {
  readonly driver: string
  readonly from: Build
  readonly to: Build
  /** The other build runs; otherwise the one before does again. */
  readonly ok: boolean
  readonly reason?: string
  /** Generation that runs now. */
  readonly generation: number
  /** Virtual time in which the units took nothing: from holding them to devices bound and configuration replayed. */
  readonly pausedNs: number
  /** What went from one to the other: `devices`, `units`, and what its class counts (`frames` kept, `txFrames` gone out). */
  readonly handed: Tally
  /** What the old one left behind; empty when nothing. */
  readonly left: string
}

/** What the machine does for a replacement. */
export interface Replacing {
  start(pack: DriverPackage, generation: number): Promise<Driver>
  /** It is the slot's driver from now on. */
  adopt(driver: Driver): void
}

export const buildOf = ({ manifest }: DriverPackage): Build => ({
  name: manifest.name,
  tree: `${manifest.tree.name} (${manifest.tree.version})`,
  sha256: manifest.wasm.sha256,
})

export async function replaceDriver(
  machine: Clocked,
  slot: Slot,
  pack: DriverPackage,
  work: Replacing,
): Promise<Replacement> {
  const old = slot.driver
  const before = slot.pack
  const { units } = old
  const result = { driver: slot.name, from: buildOf(before), to: buildOf(pack) }
  const nothing = { devices: 0, units: 0 }
  let next: Driver
  try {
    next = await work.start(pack, old.generation + 1)
  } catch (error) {
    const reason = `it does not start: ${(error as Error).message}`
    return { ...result, ok: false, reason, generation: old.generation, pausedNs: 0, handed: nothing, left: '' }
  }
  const heldNs = machine.now()
  const devices = [...old.devices.values()]
  const left = await retire(machine, slot, old)
  let reason: string | undefined
  try {
    slot.previous = before
    slot.pack = pack
    work.adopt(next)
    await take(next, devices)
  } catch (error) {
    reason = (error as Error).message
    ;[slot.pack, slot.previous] = [before, undefined]
    reason += await restore(slot, next, devices, work)
  }
  const kept = sum(units.map((unit) => unit.release()))
  return {
    ...result,
    ok: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    generation: slot.driver.generation,
    pausedNs: machine.now() - heldNs,
    handed: { devices: devices.length, units: units.length, ...kept, ...left.done },
    left: left.behind,
  }
}

/**
 * The running one goes: its units take nothing more, what it has accepted is done, it is unloaded. One that ends of any of that
 * has gone as well, and what it held with it. Returns what was done, and what it left behind.
 */
async function retire(machine: Clocked, slot: Slot, old: Driver): Promise<{ done: Tally; behind: string }> {
  const wrong: string[] = []
  const trying = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      wrong.push((error as Error).message)
      return undefined
    }
  }
  const done = await trying(() => quiesce(machine, old.units))
  await slot.watch?.settle()
  const gone = await trying(() => old.unload())
  if (gone === undefined) old.end()
  else if (!isClean(gone)) wrong.push(leftList(gone))
  // Its end is answered here, not by policy.
  slot.orphans = undefined
  return { done: done ?? {}, behind: wrong.join('; ') }
}

/** The other one does not take the devices: the build before it gets them back. When it does not start, policy has the word. */
async function restore(slot: Slot, next: Driver, devices: readonly PciFunction[], work: Replacing): Promise<string> {
  try {
    await slot.watch?.settle()
    if (!next.dead) await next.unload()
  } catch {
    next.end()
  }
  slot.orphans = undefined
  try {
    const again = await work.start(slot.pack, next.generation + 1)
    work.adopt(again)
    await take(again, devices)
    return ''
  } catch (error) {
    slot.driver.end()
    slot.orphans = devices
    return `; and the build before it: ${(error as Error).message}`
  }
}

/** Nothing more for the driver; what it has accepted is done. Returns how much that was. */
async function quiesce(machine: Clocked, units: readonly Unit[]): Promise<Tally> {
  const done: Tally[] = []
  for (const unit of units) {
    unit.hold()
    done.push(await unit.handOver(machine))
  }
  return sum(done)
}

function sum(tallies: readonly Tally[]): Tally {
  const total: Record<string, number> = {}
  for (const [name, count] of tallies.flatMap((tally) => Object.entries(tally)))
    total[name] = (total[name] ?? 0) + count
  return total
}

/** Give a driver the devices, and its units their configuration. Throws when it does not take one. */
async function take(driver: Driver, devices: readonly PciFunction[]): Promise<void> {
  for (const fn of devices) {
    const code = await driver.bind(fn)
    if (code < 0) throw new Error(`${driver.name}: probe of ${fn.name} failed with ${code}`)
  }
  for (const unit of driver.units) await unit.replay()
}
