/**
 * Control operations on an interface: what an administrator does, as calls of the driver's process entries.
 *
 * What is set is remembered with the interface, and `replay` sets it again on the driver's next generation.
 */
import { E, net_info, net_link, net_stats, net_value, SELFTEST } from '../../../linux-api/generated/abi.ts'
import type { Clocked, DriverEntries, Tally } from '../device-class.ts'
import type { NetInterface } from './interface.ts'

/** An operation the driver refused, or an interface without a driver. */
export class NetError extends Error {
  readonly code: number
  constructor(what: string, code: number) {
    super(`${what}: error ${code}`)
    this.name = 'NetError'
    this.code = code
  }
}

const driverOf = (net: NetInterface, what: string): DriverEntries => {
  if (net.driver === undefined) throw new NetError(`${net.name}: ${what}: no driver`, E.NODEV)
  return net.driver
}

const check = (net: NetInterface, what: string, code: number): number => {
  if (code < 0) throw new NetError(`${net.name}: ${what}`, code)
  return code
}

export async function open(net: NetInterface): Promise<void> {
  net.config.up = true
  check(net, 'open', await driverOf(net, 'open').call('net_open', net.id))
}

export async function stop(net: NetInterface): Promise<void> {
  net.config.up = false
  check(net, 'stop', await driverOf(net, 'stop').call('net_stop', net.id))
}

export async function setMtu(net: NetInterface, mtu: number): Promise<void> {
  check(net, `MTU ${mtu}`, await driverOf(net, 'MTU').call('net_set_mtu', net.id, mtu))
  net.config.mtu = mtu
}

export async function setAddress(net: NetInterface, mac: Uint8Array): Promise<void> {
  const driver = driverOf(net, 'address')
  check(net, 'address', await driver.callWith('net_set_address', mac, (at) => [net.id, at]))
  net.config.mac = mac.slice()
}

/** Receive filter: FILTER_* and the multicast addresses wanted. */
export async function setFilter(
  net: NetInterface,
  flags: number,
  multicast: readonly Uint8Array[] = [],
): Promise<void> {
  const driver = driverOf(net, 'filter')
  const list = new Uint8Array(multicast.length * 6)
  multicast.forEach((mac, i) => list.set(mac, i * 6))
  const code = await driver.callWith('net_set_filter', list, (at) => [net.id, flags, at, multicast.length])
  check(net, 'filter', code)
  net.config.filter = flags
  net.config.multicast = multicast.map((mac) => mac.slice())
}

/** Set everything again that was set on an earlier generation. */
export async function replay(net: NetInterface): Promise<void> {
  const { up, mtu, mac, filter, multicast } = net.config
  if (mac !== undefined) await setAddress(net, mac)
  if (mtu !== undefined) await setMtu(net, mtu)
  if (up) await open(net)
  if (filter !== 0 || multicast.length > 0) await setFilter(net, filter, multicast)
}

export type NetStats = Record<Exclude<keyof typeof net_stats, 'size'>, number>

/** The driver's own statistics, added to what was handed over by builds it replaced. */
export async function stats(net: NetInterface): Promise<NetStats> {
  const out = new Uint8Array(net_stats.size)
  check(net, 'statistics', await driverOf(net, 'statistics').callWith('net_stats', out, (at) => [net.id, at]))
  const view = new DataView(out.buffer)
  const fields = Object.entries(net_stats).filter(([name]) => name !== 'size') as [string, { offset: number }][]
  return Object.fromEntries(
    fields.map(([name, { offset }]) => {
      const before = net.carried?.[name as keyof NetStats] ?? 0
      return [name, before + Number(view.getBigUint64(offset, true))]
    }),
  ) as NetStats
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

export interface LinkState {
  readonly up: boolean
  /** Mb/s, -1 when unknown. */
  readonly speed: number
  readonly duplex: 'half' | 'full' | 'unknown'
  readonly autoneg: boolean
}

export async function link(net: NetInterface): Promise<LinkState> {
  const out = new Uint8Array(net_link.size)
  check(net, 'link', await driverOf(net, 'link').callWith('net_link', out, (at) => [net.id, at]))
  const view = new DataView(out.buffer)
  const duplex = view.getUint32(net_link.duplex.offset, true)
  return {
    up: view.getUint32(net_link.up.offset, true) !== 0,
    speed: view.getInt32(net_link.speed.offset, true),
    duplex: duplex === 0 ? 'half' : duplex === 1 ? 'full' : 'unknown',
    autoneg: view.getUint32(net_link.autoneg.offset, true) !== 0,
  }
}

const cString = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

export interface DriverInfo {
  readonly driver: string
  readonly version: string
  readonly firmware: string
  readonly bus: string
  readonly registersBytes: number
  readonly eepromBytes: number
}

export async function info(net: NetInterface): Promise<DriverInfo> {
  const out = new Uint8Array(net_info.size)
  check(net, 'information', await driverOf(net, 'information').callWith('net_info', out, (at) => [net.id, at]))
  const text = (field: { offset: number; count: number }): string =>
    cString(out.subarray(field.offset, field.offset + field.count))
  const view = new DataView(out.buffer)
  return {
    driver: text(net_info.driver),
    version: text(net_info.version),
    firmware: text(net_info.firmware),
    bus: text(net_info.bus),
    registersBytes: view.getUint32(net_info.registers_bytes.offset, true),
    eepromBytes: view.getUint32(net_info.eeprom_bytes.offset, true),
  }
}

export interface NamedValue {
  readonly name: string
  readonly value: number
}

const VALUES = 256

const values = (out: Uint8Array, count: number): NamedValue[] => {
  const view = new DataView(out.buffer)
  return Array.from({ length: Math.min(count, VALUES) }, (_, i) => {
    const at = i * net_value.size
    return {
      name: cString(out.subarray(at, at + net_value.name.count)),
      value: Number(view.getBigUint64(at + net_value.value.offset, true)),
    }
  })
}

/** The driver's private counters. */
export async function counters(net: NetInterface): Promise<NamedValue[]> {
  const out = new Uint8Array(VALUES * net_value.size)
  const driver = driverOf(net, 'counters')
  return values(out, check(net, 'counters', await driver.callWith('net_counters', out, (at) => [net.id, at, VALUES])))
}

export interface SelfTest {
  readonly passed: boolean
  /** 0 is passed. */
  readonly results: readonly NamedValue[]
}

/** The driver's own self-test; offline takes the interface down meanwhile. */
export async function selfTest(net: NetInterface, offline: boolean): Promise<SelfTest> {
  const out = new Uint8Array(VALUES * net_value.size)
  const driver = driverOf(net, 'self-test')
  const flags = offline ? SELFTEST.OFFLINE : 0
  const code = await driver.callWith('net_selftest', out, (at) => [net.id, flags, at, VALUES])
  check(net, 'self-test', code)
  const results = values(out, code & ~SELFTEST.FAILED)
  return { passed: (code & SELFTEST.FAILED) === 0 && results.every(({ value }) => value === 0), results }
}
