/**
 * Hot replacement: a running driver's devices and interfaces go to another build of it, under traffic.
 *
 * The other build starts beside the running one, so that one that does not even start costs nothing. Then the interfaces
 * take no more from their clients, what the driver has accepted goes out, what it has not is kept, its statistics are
 * noted, it is unloaded, and the other one gets the devices, the configuration and the kept frames. When it does not take
 * them, the old build starts again and gets everything back: clients see a longer pause.
 */
import { type Driver, isClean, leftList } from '../driver.ts'
import type { Slot } from '../machine.ts'
import { replay, stats } from '../class/net/control.ts'
import type { NetInterface } from '../class/net/interface.ts'
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
  /** Virtual time in which the interfaces took no frame: from holding them to devices bound and configuration replayed. */
  readonly pausedNs: number
  /** What went from one to the other. */
  readonly handed: {
    readonly devices: number
    readonly interfaces: number
    readonly frames: number
    readonly txFrames: number
  }
  /** What the old one left behind; empty when nothing. */
  readonly left: string
}

/** What the machine does for a replacement. */
export interface Replacing {
  start(pack: DriverPackage, generation: number): Promise<Driver>
  /** It is the slot's driver from now on. */
  adopt(driver: Driver): void
}

interface Clocked {
  now(): number
  sleep(ns: number): Promise<void>
}

/** Looks whether accepted frames have gone out, and how often. */
const DRAIN_STEP_NS = 1e6
const DRAIN_STEPS = 50

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
  const interfaces = old.interfaces
  const result = { driver: slot.name, from: buildOf(before), to: buildOf(pack) }
  const nothing = { devices: 0, interfaces: 0, frames: 0, txFrames: 0 }
  let next: Driver
  try {
    next = await work.start(pack, old.generation + 1)
  } catch (error) {
    const reason = `it does not start: ${(error as Error).message}`
    return { ...result, ok: false, reason, generation: old.generation, pausedNs: 0, handed: nothing, left: '' }
  }
  const heldNs = machine.now()
  const devices = [...old.devices.values()]
  const txFrames = await quiesce(machine, interfaces)
  await slot.watch?.settle()
  const gone = await old.unload()
  let reason: string | undefined
  try {
    slot.previous = before
    slot.pack = pack
    work.adopt(next)
    await take(next, devices)
  } catch (error) {
    reason = (error as Error).message
    ;[slot.pack, slot.previous] = [before, undefined]
    await slot.watch?.settle()
    if (!next.dead) await next.unload()
    // The failure is answered here, not by policy.
    slot.orphans = undefined
    const again = await work.start(before, next.generation + 1)
    work.adopt(again)
    await take(again, devices)
  }
  const frames = interfaces.reduce((sum, net) => sum + net.release(), 0)
  return {
    ...result,
    ok: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    generation: slot.driver.generation,
    pausedNs: machine.now() - heldNs,
    handed: { devices: devices.length, interfaces: interfaces.length, frames, txFrames },
    left: isClean(gone) ? '' : leftList(gone),
  }
}

/**
 * No more frames for the driver; wait for what it has accepted to go out as far as it says so itself; note what it has
 * counted. Returns the frames accepted and counted sent since the wait began.
 */
async function quiesce(machine: Clocked, interfaces: readonly NetInterface[]): Promise<number> {
  let drained = 0
  for (const net of interfaces) {
    net.hold()
    const first = await stats(net)
    let last = first
    for (let step = 0; step < DRAIN_STEPS; step++) {
      await machine.sleep(DRAIN_STEP_NS)
      const now = await stats(net)
      if (now.tx_packets === last.tx_packets && step > 0) break
      last = now
    }
    drained += last.tx_packets - first.tx_packets
    net.carried = last
  }
  return drained
}

/** Give a driver the devices, and its interfaces their configuration. Throws when it does not take one. */
async function take(driver: Driver, devices: readonly PciFunction[]): Promise<void> {
  for (const fn of devices) {
    const code = await driver.bind(fn)
    if (code < 0) throw new Error(`${driver.name}: probe of ${fn.name} failed with ${code}`)
  }
  for (const net of driver.interfaces) await replay(net)
}
