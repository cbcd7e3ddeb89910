/**
 * Control operations on an interface: what an administrator does, as system calls into the driver's kernel.
 *
 * What is set is remembered with the interface, and `replay` sets it again on the driver's next generation.
 */
import { E } from '../../../linux-api/generated/abi.ts'
import {
  type DriverInfo,
  IFF,
  type LinkState,
  type NamedValue,
  type NetDevice,
  type SelfTest,
  type Statistics,
} from './linux.ts'
import { SystemError } from '../../linux/system.ts'
import type { Clocked, Tally } from '../device-class.ts'
import type { NetInterface } from './interface.ts'

/** Receive filters: bits of `setFilter`. */
export const FILTER = { PROMISC: IFF.PROMISC, ALLMULTI: IFF.ALLMULTI } as const

const deviceOf = (net: NetInterface, what: string): NetDevice => {
  if (net.device === undefined) throw new SystemError(`${net.name}: ${what}: no driver`, E.NODEV)
  return net.device
}

export async function open(net: NetInterface): Promise<void> {
  net.config.up = true
  await deviceOf(net, 'open').setFlags(IFF.UP, IFF.UP)
}

export async function stop(net: NetInterface): Promise<void> {
  net.config.up = false
  await deviceOf(net, 'stop').setFlags(IFF.UP, 0)
}

export async function setMtu(net: NetInterface, mtu: number): Promise<void> {
  await deviceOf(net, 'MTU').setMtu(mtu)
  net.config.mtu = mtu
}

export async function setAddress(net: NetInterface, mac: Uint8Array): Promise<void> {
  await deviceOf(net, 'address').setAddress(mac)
  net.config.mac = mac.slice()
}

/** Receive filter: FILTER and the multicast addresses wanted, instead of those that were. */
export async function setFilter(
  net: NetInterface,
  flags: number,
  multicast: readonly Uint8Array[] = [],
): Promise<void> {
  await changeFilter(net, flags, net.config.multicast, multicast)
  net.config.filter = flags
  net.config.multicast = multicast.map((mac) => mac.slice())
}

async function changeFilter(
  net: NetInterface,
  flags: number,
  before: readonly Uint8Array[],
  after: readonly Uint8Array[],
): Promise<void> {
  const device = deviceOf(net, 'filter')
  await device.setFlags(IFF.PROMISC | IFF.ALLMULTI, flags)
  for (const mac of before) await device.setMulticast(mac, false)
  for (const mac of after) await device.setMulticast(mac, true)
}

/** Set everything again that was set on an earlier generation. */
export async function replay(net: NetInterface): Promise<void> {
  const { up, mtu, mac, filter, multicast } = net.config
  if (mac !== undefined) await setAddress(net, mac)
  if (mtu !== undefined) await setMtu(net, mtu)
  if (up) await open(net)
  if (filter !== 0 || multicast.length > 0) await changeFilter(net, filter, [], multicast)
}

/** The driver's own statistics, added to what was handed over by builds it replaced. */
export async function stats(net: NetInterface): Promise<Statistics> {
  const now = await deviceOf(net, 'statistics').statistics()
  const { carried } = net
  if (carried === undefined) return now
  const entries = Object.entries(now).map(([name, value]) => [name, value + carried[name as keyof Statistics]])
  return Object.fromEntries(entries) as Statistics
}

/** Looks whether accepted frames have gone out, and how often. */
const DRAIN_STEP_NS = 1e6
const DRAIN_STEPS = 50

/**
 * Wait for what a driver has accepted to go out as far as it says so itself, and note what it has counted. Returns the
 * frames counted sent since the wait began.
 */
export async function drain(net: NetInterface, machine: Clocked): Promise<Tally> {
  const first = await stats(net)
  let last = first
  for (let step = 0; step < DRAIN_STEPS; step++) {
    await machine.sleep(DRAIN_STEP_NS)
    const now = await stats(net)
    if (now.tx_packets === last.tx_packets && step > 0) break
    last = now
  }
  net.carried = last
  return { txFrames: last.tx_packets - first.tx_packets }
}

export const link = (net: NetInterface): Promise<LinkState> => deviceOf(net, 'link').link()
export const info = (net: NetInterface): Promise<DriverInfo> => deviceOf(net, 'information').info()

/** The driver's private counters. */
export const counters = (net: NetInterface): Promise<NamedValue[]> => deviceOf(net, 'counters').counters()

/** The driver's own self-test; offline takes the interface down meanwhile. */
export const selfTest = (net: NetInterface, offline: boolean): Promise<SelfTest> =>
  deviceOf(net, 'self-test').selfTest(offline)
