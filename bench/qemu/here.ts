/**
 * The same work here: the same driver of the same tree, on this project's machine. Frames to send are filled one by one,
 * each with its number, and go through the driver's own transmit function, its descriptors, the device model, the wire and
 * the switch to somebody who counts them; frames to receive go the other way, to the driver's client. The wires are without
 * pace, as QEMU's network is: a device there waits for no line either.
 */
import '../../cli/inlining.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import * as checks from '../../lab/net/checks.ts'
import type { FramePort, FrameSource } from '../../machine/class/net/frame-port.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { boot, type Session } from '../../lab/run.ts'
import { symbolizerOf } from '../../cli/trust.ts'
import { restarts, type Restarts } from '../restart.ts'
import type { Case, Direction, Figure, Side, Work } from './work.ts'
import { interfaceOf, peerOf } from '../../lab/net/index.ts'

/** Frames under way at most, to receive: what fits the device's receive buffers, as the other side's flow control has it. */
const WINDOW: Readonly<Record<Case['driver'], number>> = { e1000: 128, '8139too': 16 }
const NUMBER_AT = 16
/** Frames each way before anything is measured: a kernel in QEMU is hot by then as well. */
const WARM_UP = 150_000

/** `count` frames of one length to somebody, numbered; no more than `window` of them under way. */
class Numbered implements FrameSource {
  arrived = 0
  sent = 0
  readonly #count: number
  readonly #window: number
  readonly #from: FramePort
  readonly #frame: Uint8Array
  readonly #number: DataView

  constructor(from: FramePort, to: FramePort, bytes: number, count: number, window: number) {
    this.#from = from
    this.#count = count
    this.#window = window
    this.#frame = new Uint8Array(bytes)
    this.#frame.set(to.mac)
    this.#frame.set(from.mac, 6)
    this.#frame.set([0x88, 0xb5], 12)
    this.#number = new DataView(this.#frame.buffer)
  }

  get done(): boolean {
    return this.arrived === this.#count
  }

  fill(into: Uint8Array, at: number): number {
    if (this.sent === this.#count || this.sent - this.arrived >= this.#window) return 0
    this.#number.setUint32(NUMBER_AT, this.sent++)
    into.set(this.#frame, at)
    return this.#frame.length
  }

  /** A frame came: it is the next one, whole. */
  receive(bytes: Uint8Array, at: number, length: number): void {
    const n = at + NUMBER_AT
    const number = ((bytes[n]! << 24) | (bytes[n + 1]! << 16) | (bytes[n + 2]! << 8) | bytes[n + 3]!) >>> 0
    if (length !== this.#frame.length || number !== this.arrived)
      throw new Error(`frame ${number} came as ${this.arrived}`)
    this.arrived++
    if ((this.sent - this.arrived) * 2 <= this.#window && this.sent < this.#count) this.#from.kick()
  }
}

export class Here implements Side {
  readonly #pack: DriverPackage
  readonly #tree: string
  readonly #seed: number
  readonly #window: number
  #session!: Session
  #restarts: Restarts | undefined

  /** `tree` is what the package was built from. */
  constructor(pack: DriverPackage, tree: string, seed: number) {
    this.#pack = pack
    this.#tree = tree
    this.#seed = seed
    this.#window = WINDOW[pack.manifest.name as Case['driver']]
  }

  /** A process of its own is started for this, as for the other side; the machine in this one is for the rest. */
  async start(): Promise<Figure> {
    const { name } = this.#pack.manifest
    if (this.#session === undefined) for (let i = 0; i < WARM_STARTS; i++) await cold(name, this.#tree)
    const figure = await cold(name, this.#tree)
    if (this.#session === undefined) {
      const modules = [{ pack: this.#pack }]
      this.#session = await boot({ seed: this.#seed, modules, symbolizer: symbolizerOf, unpaced: true })
      const up = await checks.linkUp(this.#session.machine, interfaceOf(this.#session.climbers[0]!))
      if (!up.ok) throw new Error(up.detail)
      for (const what of ['transmit', 'receive'] as const)
        for (const bytes of [60, 1514]) await this.#pass({ what, bytes, frames: WARM_UP, clone: false })
    }
    return figure
  }

  /** The machine stays for the next round: so does what the engine has learnt of it. */
  stop(): Promise<void> {
    return Promise.resolve()
  }

  async measure(work: Work): Promise<Figure> {
    switch (work.what) {
      case 'transmit':
      case 'receive':
        return this.#pass(work)
      case 'kill':
        return this.#kill()
      default:
        throw new Error(`${work.what} is not for a machine that runs`)
    }
  }

  async #pass({ what, bytes, frames }: Direction): Promise<Figure> {
    const { machine, climbers } = this.#session
    const peer = peerOf(this.#session)
    const net = interfaceOf(climbers[0]!)
    const [from, to, window] = what === 'transmit' ? [net, peer, Infinity] : [peer, net, this.#window]
    const flow = new Numbered(from, to, bytes, frames, window)
    to.sink = flow
    from.source = flow
    const [wall, cpu] = [performance.now(), process.cpuUsage()]
    from.kick()
    await machine.run(() => flow.done, 60e9)
    const figure = { wallMs: performance.now() - wall, cpuMs: cpuSince(cpu), frames }
    from.source = undefined
    to.sink = undefined
    if (!flow.done) throw new Error(`${flow.arrived} of ${frames} frames came`)
    return figure
  }

  /** The driver fails in its own code, under way; until its next generation is bound and opened. */
  async #kill(): Promise<Figure> {
    this.#restarts ??= await restarts(this.#pack, this.#seed)
    const { boundMs, cpuMs } = await this.#restarts.next()
    return { wallMs: boundMs, cpuMs }
  }
}

const cpuSince = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const DRVPORT = new URL('../../drvport', import.meta.url).pathname
/** As `ip link set up` has it, the flags of an interface that is up; /sys/class/net/eth0/flags takes them too. */
const OPEN = 'write /sys/class/net/eth0/flags 0x1003'
/** Until what a start leaves for the next one is there. */
const WARM_STARTS = 3

/** From the command, as anybody would type it, to a bound and opened interface, and to the process's end. */
async function cold(name: string, tree: string): Promise<Figure> {
  const [began, cpu] = [performance.now(), childrenMs()]
  const child = spawn(DRVPORT, ['run', name, '--tree', tree, '--do', OPEN], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said = text(child.stderr)
  const [status] = (await once(child, 'exit')) as [number | null]
  if (status !== 0) throw new Error(`${name} was not opened in a process of its own: ${await said}`)
  return { wallMs: performance.now() - began, cpuMs: childrenMs() - cpu }
}

/** Processor time of children that have ended, and theirs, in steps of 10 ms. */
function childrenMs(): number {
  // Behind the name, which may hold anything: the 14th and 15th fields from there.
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /s, '').split(' ')
  return 10 * (Number(fields[13]) + Number(fields[14]))
}
