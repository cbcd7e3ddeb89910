/**
 * The operations of an Ethernet driver as checks: each does one thing with an interface and says whether it held.
 *
 * A check throws nothing: a driver that ends meanwhile is a failed check, and the fault is in the machine's list.
 */
import { E } from '../../linux-api/generated/abi.ts'
import { attempt, type Check } from '../check.ts'
import type { Nic } from './lan.ts'
import type { Machine } from '../../machine/machine.ts'
import * as control from '../../machine/class/net/control.ts'
import type { FramePort, FrameSink } from '../../machine/class/net/frame-port.ts'
import type { NetInterface } from '../../machine/class/net/interface.ts'
import type { Statistics } from '../../machine/class/net/linux.ts'
import { SystemError } from '../../machine/linux/system.ts'
import type { Station } from './station.ts'
import { type FlowOptions, startTraffic, type Traffic } from './traffic.ts'

/** What the checks of one interface work on. */
export interface Bench {
  readonly machine: Machine
  readonly nic: Nic
  readonly net: NetInterface
  /** Somebody else on the same switch. */
  readonly peer: Station
}

/** Auto-negotiation takes seconds; a link that has not come up by then will not. */
const LINK_NS = 20e9
/** Per frame both ways, generously: 10 Mb/s. */
const FRAME_LIMIT_NS = 3e6

const seconds = (ns: number): string => `${(ns / 1e9).toFixed(3)} s`

/** Wait for the carrier to be as wanted. */
export async function carrier(machine: Machine, net: NetInterface, up: boolean): Promise<[boolean, string]> {
  const start = machine.now()
  await machine.run(() => net.carrier === up, LINK_NS)
  return [net.carrier === up, `link ${net.carrier ? 'up' : 'down'} after ${seconds(machine.now() - start)}`]
}

export const linkUp = (machine: Machine, net: NetInterface): Promise<Check> =>
  attempt(`${net.name}: open and link`, async () => {
    await control.open(net)
    const [ok, detail] = await carrier(machine, net, true)
    const { speed, duplex } = await control.link(net)
    return [ok, `${detail}, ${speed} Mb/s ${duplex} duplex`]
  })

/** Pull the cable and plug it in again. */
export const cable = ({ machine, net, nic }: Bench): Promise<Check> =>
  attempt(`${net.name}: link down and up`, async () => {
    nic.wire.setUp(false)
    const [down, downDetail] = await carrier(machine, net, false)
    nic.wire.setUp(true)
    const [up, upDetail] = await carrier(machine, net, true)
    return [down && up, `${downDetail}; ${upDetail}`]
  })

/** Run traffic to its end, or until nothing moves. */
export async function finish(machine: Machine, traffic: Traffic, frames: number): Promise<void> {
  await machine.run(() => traffic.done, 1e9 + frames * FRAME_LIMIT_NS)
}

/** Frames of every size, both ways, checked byte for byte; nothing may be lost. */
export async function traffic(
  machine: Machine,
  a: FramePort,
  b: FramePort,
  options: Partial<FlowOptions> & { frames: number },
): Promise<Check> {
  return attempt(`${a.name} and ${b.name}: ${options.frames} frames each way`, async () => {
    const running = startTraffic(machine.board.kernel, a, b, machine.seed, options)
    const start = machine.now()
    await finish(machine, running, options.frames)
    const tookNs = machine.now() - start
    const { reports } = running
    running.stop()
    const ok = reports.every((r) => r.received === options.frames && r.corrupt === 0 && r.duplicates === 0)
    const each = reports.map(
      (r) =>
        `${r.from} to ${r.to}: ${r.received} of ${r.sent}, ${r.lost} lost, ${r.corrupt} corrupt, ${r.reordered} reordered`,
    )
    return [ok, `${each.join('; ')}; ${seconds(tookNs)}`]
  })
}

/** What the driver counted since `before` against what went over its wire. */
export const statistics = ({ net, nic }: Bench, before: Statistics, wireBefore: WireCounts): Promise<Check> =>
  attempt(`${net.name}: statistics against the wire`, async () => {
    const now = await control.stats(net)
    const out = nic.wire.counts(true).frames - wireBefore.out
    const into = nic.wire.counts(false).frames - wireBefore.in
    // What the tree's own protocols say to groups that this interface has not joined is the hardware's to leave out.
    const groups = nic.wire.counts(false).groups - wireBefore.groups
    const tx = now.tx_packets - before.tx_packets
    const rx = now.rx_packets - before.rx_packets
    const errors = now.tx_errors + now.rx_errors - before.tx_errors - before.rx_errors
    const dropped = now.rx_dropped - before.rx_dropped
    const unheard = into - rx - dropped
    const ok = tx === out && unheard >= 0 && unheard <= groups && errors === 0
    const others = unheard > 0 ? `, ${unheard} of them to groups it is not in` : ''
    return [ok, `sent ${tx}, wire ${out}; received ${rx}, wire ${into}${others}; ${errors} errors, ${dropped} dropped`]
  })

export interface WireCounts {
  readonly out: number
  readonly in: number
  readonly groups: number
}

export const wireCounts = (nic: Nic): WireCounts => ({
  out: nic.wire.counts(true).frames,
  in: nic.wire.counts(false).frames,
  groups: nic.wire.counts(false).groups,
})

/** Counts frames that start with a destination. */
class Counter implements FrameSink {
  readonly to: Uint8Array
  count = 0
  constructor(to: Uint8Array) {
    this.to = to
  }
  receive(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < 6; i++) if (bytes[at + i] !== this.to[i]) return
    this.count++
  }
}

/** How many of `count` frames to a destination arrive at the interface. */
async function heard({ machine, net, peer }: Bench, to: Uint8Array, count = 5): Promise<number> {
  const counter = new Counter(to)
  net.sink = counter
  const frame = new Uint8Array(64)
  frame.set(to)
  frame.set(peer.mac, 6)
  frame.set([0x88, 0xb6], 12)
  for (let i = 0; i < count; i++) peer.send(frame)
  await machine.run(() => counter.count >= count, 20e6)
  net.sink = undefined
  return counter.count
}

const GROUP = new Uint8Array([0x01, 0x00, 0x5e, 0x01, 0x02, 0x03])
const OTHER_GROUP = new Uint8Array([0x33, 0x33, 0x00, 0x00, 0xfe, 0xed])
const STRANGER = new Uint8Array([0x52, 0x54, 0x00, 0xfe, 0xed, 0x01])
const BROADCAST = new Uint8Array(6).fill(0xff)

export const promiscuous = (bench: Bench): Promise<Check> =>
  attempt(`${bench.net.name}: promiscuous mode`, async () => {
    const before = await heard(bench, STRANGER)
    await control.setFilter(bench.net, control.FILTER.PROMISC)
    const during = await heard(bench, STRANGER)
    await control.setFilter(bench.net, 0)
    const after = await heard(bench, STRANGER)
    return [
      before === 0 && during === 5 && after === 0,
      `strangers' frames heard: off ${before}, on ${during}, off ${after} of 5`,
    ]
  })

export const multicast = (bench: Bench): Promise<Check> =>
  attempt(`${bench.net.name}: multicast filter`, async () => {
    const { net } = bench
    const broadcast = await heard(bench, BROADCAST)
    const before = await heard(bench, GROUP)
    await control.setFilter(net, 0, [GROUP])
    const joined = await heard(bench, GROUP)
    const other = await heard(bench, OTHER_GROUP)
    await control.setFilter(net, control.FILTER.ALLMULTI)
    const all = await heard(bench, OTHER_GROUP)
    await control.setFilter(net, 0)
    const after = await heard(bench, GROUP)
    const ok = broadcast === 5 && before === 0 && joined === 5 && other === 0 && all === 5 && after === 0
    return [
      ok,
      `of 5: broadcast ${broadcast}, group ${before}, joined ${joined}, another ${other}, all ${all}, left ${after}`,
    ]
  })

/** Change the MTU, pass frames of the new longest size, change it back. */
export const mtu = (bench: Bench): Promise<Check> =>
  attempt(`${bench.net.name}: MTU`, async () => {
    const { machine, net, peer } = bench
    const was = net.mtu
    const wanted = Math.min(net.maxMtu, 9000) > was ? Math.min(net.maxMtu, 9000) : 1000
    await control.setMtu(net, wanted)
    await carrier(machine, net, true)
    const longest = wanted + 14
    const check = await traffic(machine, net, peer, { frames: 50, window: 4, shortest: longest - 9, longest })
    await control.setMtu(net, was)
    await carrier(machine, net, true)
    return [check.ok && net.mtu === was, `${was} to ${wanted} and back; ${check.detail}`]
  })

export const selfTest = ({ machine, net }: Bench): Promise<Check> =>
  attempt(`${net.name}: the driver's own self-test`, async () => {
    const offered = await control.selfTest(net, true).catch((error: unknown) => {
      if (error instanceof SystemError && error.code === E.OPNOTSUPP) return undefined
      throw error
    })
    if (offered === undefined) return 'the driver has none'
    const { passed, results } = offered
    if (net.config.up) await carrier(machine, net, true)
    const list = results.map(({ name, value }) => `${name.trim()} ${value === 0 ? 'passed' : `failed (${value})`}`)
    return [passed && results.length > 0, list.join(', ') || 'no results']
  })
