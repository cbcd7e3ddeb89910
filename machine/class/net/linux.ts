/**
 * A network interface as an administrator of Linux sees it: flags, addresses, statistics, and what ethtool shows. Each is a
 * system call into the domain; numbers and structures are those of include/uapi/linux/sockios.h, if.h, ethtool.h and
 * if_link.h on a 32-bit little-endian machine.
 *
 * Must not know what stands behind the interface, nor who asks.
 */
import { type Argument, Pointing, type System, SystemError } from '../../linux/system.ts'

const AF = { INET: 2, NETLINK: 16 } as const
const SOCK = { DGRAM: 2, RAW: 3 } as const

const SIOC = {
  GIFFLAGS: 0x8913,
  SIFFLAGS: 0x8914,
  SIFMTU: 0x8922,
  SIFHWADDR: 0x8924,
  ADDMULTI: 0x8931,
  DELMULTI: 0x8932,
  GIFINDEX: 0x8933,
  ETHTOOL: 0x8946,
} as const
export const IFF = { UP: 1, PROMISC: 0x100, ALLMULTI: 0x200 } as const
/** struct ifreq: the name, and what is told or asked of it. */
const IFREQ = { bytes: 32, name: 16, value: 16 }
/** A hardware address in a struct sockaddr. */
const ADDRESS = 2
const ARPHRD_ETHER = 1
const ETH_ALEN = 6

const ETHTOOL = { GDRVINFO: 0x03, GLINK: 0x0a, TEST: 0x1a, GSTRINGS: 0x1b, GSTATS: 0x1d, GLINKSETTINGS: 0x4c } as const
/** struct ethtool_drvinfo. */
const DRVINFO = { bytes: 196, driver: 4, version: 36, firmware: 68, bus: 100, text: 32, stats: 180, tests: 184 }
/** struct ethtool_link_settings, without the masks that follow. */
const LINK = { bytes: 48, speed: 4, duplex: 8, autoneg: 11, words: 15, masks: 3 }
/** struct ethtool_gstrings, _stats and _test: what stands before the values, and where their number goes. */
const STRINGS = { head: 12, set: 4, count: 8, text: 32, tests: 0, stats: 1 }
const STATS = { head: 8, count: 4 }
const TEST = { head: 16, flags: 4, count: 12, offline: 1, failed: 2 }

const RTM_GETSTATS = 94
const NLM_F_REQUEST = 1
const NLMSG_ERROR = 2
/** struct nlmsghdr and if_stats_msg: the interface's number and IFLA_STATS_LINK_64 as a filter; then its attribute. */
const GETSTATS = { bytes: 28, type: 4, flags: 6, index: 20, filter: 24, link64: 1, attribute: 32, error: 16 }
const REPLY_BYTES = 1024

/** struct rtnl_link_stats64, in its order. */
const STATISTICS = [
  'rx_packets',
  'tx_packets',
  'rx_bytes',
  'tx_bytes',
  'rx_errors',
  'tx_errors',
  'rx_dropped',
  'tx_dropped',
  'multicast',
  'collisions',
  'rx_length_errors',
  'rx_over_errors',
  'rx_crc_errors',
  'rx_frame_errors',
  'rx_fifo_errors',
  'rx_missed_errors',
  'tx_aborted_errors',
  'tx_carrier_errors',
  'tx_fifo_errors',
  'tx_heartbeat_errors',
  'tx_window_errors',
] as const
export type Statistics = Record<(typeof STATISTICS)[number], number>

export interface LinkState {
  readonly up: boolean
  /** Mb/s, -1 when unknown. */
  readonly speed: number
  readonly duplex: 'half' | 'full' | 'unknown'
  readonly autoneg: boolean
}

export interface DriverInfo {
  readonly driver: string
  readonly version: string
  readonly firmware: string
  readonly bus: string
}

export interface NamedValue {
  readonly name: string
  readonly value: number
}

export interface SelfTest {
  readonly passed: boolean
  /** 0 is passed. */
  readonly results: readonly NamedValue[]
}

const decoder = new TextDecoder()
const cString = (bytes: Uint8Array, at: number, room: number): string => {
  const field = bytes.subarray(at, at + room)
  const end = field.indexOf(0)
  return decoder.decode(end < 0 ? field : field.subarray(0, end))
}
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Every method throws SystemError when Linux or the driver refuses. */
export class NetDevice {
  /** As its kernel calls it. */
  name: string
  readonly #system: System
  /** Sockets that requests are made with, once there is one. */
  #control: number | undefined
  #route: number | undefined

  constructor(system: System, name: string) {
    this.#system = system
    this.name = name
  }

  /** Set IFF_* of `mask`. */
  async setFlags(mask: number, flags: number): Promise<void> {
    const request = this.#request()
    await this.#ioctl('flags', SIOC.GIFFLAGS, request)
    const view = viewOf(request)
    view.setUint16(IFREQ.value, (view.getUint16(IFREQ.value, true) & ~mask) | (flags & mask), true)
    await this.#ioctl('flags', SIOC.SIFFLAGS, request)
  }

  async setMtu(mtu: number): Promise<void> {
    await this.#ioctl(`MTU ${mtu}`, SIOC.SIFMTU, this.#request(mtu))
  }

  async setAddress(mac: Uint8Array): Promise<void> {
    await this.#ioctl('address', SIOC.SIFHWADDR, this.#addressed(ARPHRD_ETHER, mac))
  }

  /** Listen to a multicast address, or no more. */
  async setMulticast(mac: Uint8Array, wanted: boolean): Promise<void> {
    await this.#ioctl('multicast', wanted ? SIOC.ADDMULTI : SIOC.DELMULTI, this.#addressed(0, mac))
  }

  /** The driver's own statistics. */
  async statistics(): Promise<Statistics> {
    const request = this.#request()
    await this.#ioctl('index', SIOC.GIFINDEX, request)
    const reply = await this.#ask(viewOf(request).getInt32(IFREQ.value, true))
    const view = viewOf(reply)
    const enough = reply.length >= GETSTATS.attribute + 8 * STATISTICS.length
    if (!enough || view.getUint16(GETSTATS.type, true) === NLMSG_ERROR)
      throw new SystemError(
        `${this.name}: statistics`,
        reply.length > GETSTATS.error ? view.getInt32(GETSTATS.error, true) : EIO,
      )
    const entries = STATISTICS.map((name, i) => [name, Number(view.getBigUint64(GETSTATS.attribute + 8 * i, true))])
    return Object.fromEntries(entries) as Statistics
  }

  async #ask(index: number): Promise<Uint8Array> {
    this.#route ??= await this.#system.socket(AF.NETLINK, SOCK.RAW)
    const message = new Uint8Array(GETSTATS.bytes)
    const view = viewOf(message)
    view.setUint32(0, message.length, true)
    view.setUint16(GETSTATS.type, RTM_GETSTATS, true)
    view.setUint16(GETSTATS.flags, NLM_F_REQUEST, true)
    view.setUint32(GETSTATS.index, index, true)
    view.setUint32(GETSTATS.filter, GETSTATS.link64, true)
    await this.#system.sendTo(this.#route, message)
    return (await this.#system.receiveFrom(this.#route, REPLY_BYTES)).bytes
  }

  async link(): Promise<LinkState> {
    const value = await this.#ethtool('link', ETHTOOL.GLINK, new Uint8Array(8))
    const up = viewOf(value).getUint32(4, true) !== 0
    const settings = await this.#linkSettings()
    if (settings === undefined) return { up, speed: -1, duplex: 'unknown', autoneg: false }
    const duplex = (['half', 'full'] as const)[settings.getUint8(LINK.duplex)] ?? 'unknown'
    return { up, speed: settings.getInt32(LINK.speed, true), duplex, autoneg: settings.getUint8(LINK.autoneg) !== 0 }
  }

  /** Asked for twice: first for how many words its masks have. Undefined when the driver has no settings. */
  async #linkSettings(): Promise<DataView | undefined> {
    const first = new Uint8Array(LINK.bytes)
    const code = await this.#tryEthtool(ETHTOOL.GLINKSETTINGS, first)
    if (code === EOPNOTSUPP) return undefined
    if (code < 0) throw new SystemError(`${this.name}: link settings`, code)
    // Less than none, as it is told here, is what Linux says; anything else is no number of words.
    const words = Math.max(0, -viewOf(first).getInt8(LINK.words))
    const whole = new Uint8Array(LINK.bytes + LINK.masks * 4 * words)
    viewOf(whole).setInt8(LINK.words, words)
    return viewOf(await this.#ethtool('link settings', ETHTOOL.GLINKSETTINGS, whole))
  }

  async info(): Promise<DriverInfo> {
    const bytes = await this.#ethtool('information', ETHTOOL.GDRVINFO, new Uint8Array(DRVINFO.bytes))
    const text = (at: number): string => cString(bytes, at, DRVINFO.text)
    return {
      driver: text(DRVINFO.driver),
      version: text(DRVINFO.version),
      firmware: text(DRVINFO.firmware),
      bus: text(DRVINFO.bus),
    }
  }

  /** The driver's private counters. */
  async counters(): Promise<NamedValue[]> {
    const names = await this.#strings(STRINGS.stats, DRVINFO.stats)
    if (names.length === 0) return []
    const bytes = new Uint8Array(STATS.head + 8 * names.length)
    viewOf(bytes).setUint32(STATS.count, names.length, true)
    return valuesOf(names, await this.#ethtool('counters', ETHTOOL.GSTATS, bytes), STATS.head)
  }

  /** The driver's own self-test; offline takes the interface down meanwhile. */
  async selfTest(offline: boolean): Promise<SelfTest> {
    const names = await this.#strings(STRINGS.tests, DRVINFO.tests)
    const bytes = new Uint8Array(TEST.head + 8 * names.length)
    const view = viewOf(bytes)
    view.setUint32(TEST.flags, offline ? TEST.offline : 0, true)
    view.setUint32(TEST.count, names.length, true)
    const results = valuesOf(names, await this.#ethtool('self-test', ETHTOOL.TEST, bytes), TEST.head)
    const failed = (view.getUint32(TEST.flags, true) & TEST.failed) !== 0
    return { passed: !failed && results.every(({ value }) => value === 0), results }
  }

  /** Names of a set of strings, whose number stands in the driver's information. */
  async #strings(set: number, numberAt: number): Promise<string[]> {
    const info = await this.#ethtool('information', ETHTOOL.GDRVINFO, new Uint8Array(DRVINFO.bytes))
    const count = Math.min(viewOf(info).getUint32(numberAt, true), VALUES_MAX)
    if (count === 0) return []
    const bytes = new Uint8Array(STRINGS.head + STRINGS.text * count)
    viewOf(bytes).setUint32(STRINGS.set, set, true)
    viewOf(bytes).setUint32(STRINGS.count, count, true)
    await this.#ethtool('names', ETHTOOL.GSTRINGS, bytes)
    return Array.from({ length: count }, (_, i) => cString(bytes, STRINGS.head + STRINGS.text * i, STRINGS.text))
  }

  async #ethtool(what: string, command: number, bytes: Uint8Array): Promise<Uint8Array> {
    const code = await this.#tryEthtool(command, bytes)
    if (code < 0) throw new SystemError(`${this.name}: ${what}`, code)
    return bytes
  }

  async #tryEthtool(command: number, bytes: Uint8Array): Promise<number> {
    viewOf(bytes).setUint32(0, command, true)
    return this.#tryIoctl(SIOC.ETHTOOL, new Pointing(this.#request(), [[IFREQ.value, bytes]]))
  }

  /** struct ifreq of this interface. */
  #request(value = 0): Uint8Array {
    const request = new Uint8Array(IFREQ.bytes)
    new TextEncoder().encodeInto(this.name, request.subarray(0, IFREQ.name - 1))
    viewOf(request).setUint32(IFREQ.value, value, true)
    return request
  }

  #addressed(family: number, mac: Uint8Array): Uint8Array {
    const request = this.#request(family)
    request.set(mac.subarray(0, ETH_ALEN), IFREQ.value + ADDRESS)
    return request
  }

  async #ioctl(what: string, command: number, argument: Argument): Promise<void> {
    const code = await this.#tryIoctl(command, argument)
    if (code < 0) throw new SystemError(`${this.name}: ${what}`, code)
  }

  async #tryIoctl(command: number, argument: Argument): Promise<number> {
    this.#control ??= await this.#system.socket(AF.INET, SOCK.DGRAM)
    return this.#system.ioctl(this.#control, command, argument)
  }
}

const EIO = -5
const EOPNOTSUPP = -95
/** Names that are shown of a driver that says it has more. */
const VALUES_MAX = 4096

const valuesOf = (names: readonly string[], bytes: Uint8Array, head: number): NamedValue[] =>
  names.map((name, i) => ({ name, value: Number(viewOf(bytes).getBigUint64(head + 8 * i, true)) }))
