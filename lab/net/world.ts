/** A network segment in a machine, and what a scenario does with an interface on it. */
import type { PciIdentity } from '../../hw/types.ts'
import type { Tally } from '../../machine/class/device-class.ts'
import { stats } from '../../machine/class/net/control.ts'
import type { FramePort } from '../../machine/class/net/frame-port.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'
import type { NetInterface } from '../../machine/class/net/interface.ts'
import type { Driver } from '../../machine/driver.ts'
import type { Machine } from '../../machine/machine.ts'
import type { Check } from '../check.ts'
import type { DeviceModel, Exercise, Workload, World } from '../class-lab.ts'
import * as checks from './checks.ts'
import { Lan, type LanOptions, type Nic } from './lan.ts'
import { nicModel } from './models.ts'
import type { Station } from './station.ts'
import { startTraffic } from './traffic.ts'

export interface NetOptions extends LanOptions {
  /** Gets the wire capture of a NIC. */
  readonly capture?: (nic: Nic) => ((bytes: Uint8Array) => void) | undefined
}

const address = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')

/** Frames that a bystander exchanges. */
const BYSTANDER_FRAMES = 20

export class NetWorld implements World {
  readonly lan: Lan
  /** Somebody without a driver. */
  peer!: Station
  readonly #machine: Machine
  readonly #options: NetOptions

  constructor(machine: Machine, options: NetOptions) {
    this.#machine = machine
    this.#options = options
    this.lan = new Lan(machine, options)
  }

  get plugged(): readonly Nic[] {
    return this.lan.nics
  }

  plug({ name }: DeviceModel, identity: Partial<PciIdentity> = {}): Nic {
    const nic = this.lan.plug(nicModel(name)!, identity)
    const sink = this.#options.capture?.(nic)
    if (sink !== undefined) this.lan.capture(nic.wire, sink)
    return nic
  }

  unplug(nic: Nic): void {
    this.lan.unplug(nic)
  }

  replug(nic: Nic): void {
    this.lan.replug(nic)
  }

  describe({ mac }: Nic): Readonly<Record<string, string>> {
    return { mac: address(mac) }
  }

  complete(): void {
    this.peer = this.lan.station('peer')
  }

  exercise(driver: Driver, nic: Nic): NetExercise | undefined {
    const offered = interfacesOf(driver)
    const net = offered.find(({ mac }) => address(mac) === address(nic.mac)) ?? offered[0]
    return net && new NetExercise({ machine: this.#machine, nic, net, peer: this.peer })
  }

  /** Between every two interfaces, or with the peer when there is one; statistics held against the wires. */
  async traffic(
    ones: readonly NetExercise[],
    frames: number,
    check: (promise: Promise<Check>) => Promise<Check>,
  ): Promise<ReadonlySet<NetExercise>> {
    const pairs: readonly (readonly [NetExercise, NetExercise?])[] =
      ones.length < 2 ? ones.map((one) => [one]) : ones.slice(1).map((one, i) => [ones[i]!, one])
    const passed = new Set(ones)
    const before = new Map<NetExercise, { stats: Awaited<ReturnType<typeof stats>>; wire: checks.WireCounts }>()
    for (const one of ones) {
      try {
        before.set(one, { stats: await stats(one.unit), wire: checks.wireCounts(one.bench.nic) })
      } catch {
        passed.delete(one)
      }
    }
    for (const [a, b] of pairs) {
      const done = await check(checks.traffic(this.#machine, a.unit, b?.unit ?? this.peer, { frames }))
      for (const one of [a, b]) if (one !== undefined && !done.ok) passed.delete(one)
    }
    for (const one of ones) {
      const from = before.get(one)
      if (from !== undefined) await check(checks.statistics(one.bench, from.stats, from.wire))
    }
    return passed
  }

  bystander(others: readonly NetExercise[]): () => Promise<Check> {
    const a: FramePort = others.find(({ unit }) => unit.ready)?.unit ?? this.lan.station('bystander')
    const b = this.lan.station('third')
    return () => checks.traffic(this.#machine, a, b, { frames: BYSTANDER_FRAMES })
  }

  flush(): void {
    this.lan.flushCaptures()
  }
}

export class NetExercise implements Exercise {
  readonly bench: checks.Bench

  constructor(bench: checks.Bench) {
    this.bench = bench
  }

  get unit(): NetInterface {
    return this.bench.net
  }

  get title(): string {
    return `${this.unit.name}, ${address(this.unit.mac)}`
  }

  get usable(): boolean {
    return this.unit.carrier
  }

  open(): Promise<Check> {
    return checks.linkUp(this.bench.machine, this.unit)
  }

  settled(): Promise<readonly [ok: boolean, detail: string]> {
    return checks.carrier(this.bench.machine, this.unit, true)
  }

  begin(frames: number): Workload {
    const { machine, net, peer } = this.bench
    const running = startTraffic(machine.board.kernel, net, peer, machine.seed, { frames })
    return {
      get progress() {
        return running.received / (2 * frames)
      },
      get over() {
        return running.done
      },
      finish: () => {
        net.kick()
        return checks.finish(machine, running, frames)
      },
      stop: () => {
        const { reports } = running
        running.stop()
        const lost = reports.map(({ from, to, lost: count }) => `${count} frames from ${from} to ${to}`)
        return {
          damaged: reports.some(({ corrupt, duplicates }) => corrupt !== 0 || duplicates !== 0),
          lost: lost.join(' and '),
        }
      },
    }
  }

  proof(frames: number): Promise<Check> {
    const { machine, net, peer } = this.bench
    return checks.traffic(machine, net, peer, { frames })
  }

  get operations(): readonly (() => Promise<Check>)[] {
    return [checks.cable, checks.mtu, checks.promiscuous, checks.multicast, checks.selfTest].map(
      (operation) => () => operation(this.bench),
    )
  }

  async counted(): Promise<Tally> {
    const { tx_packets, rx_packets } = await stats(this.unit)
    return { tx_packets, rx_packets }
  }

  settings(): string {
    return `${address(this.unit.mac)}, MTU ${this.unit.mtu}`
  }
}
