/**
 * The work, in a guest under QEMU: what an administrator would type. Wall time as this process sees it, and the processor
 * time of QEMU with all its threads.
 */
import { readFileSync } from 'node:fs'
import type { GuestFiles } from './bring.ts'
import { Guest } from './guest.ts'
import type { Case, Direction, Figure, Side, Work } from './work.ts'

/** The model's revision, at which 8139too leaves the chip to 8139cp, and one at which it does not. */
const RTL8139_CPLUS = 0x20
const RTL8139_C = 0x10
const PKTGEN = 'net/core/pktgen.ko'
/** Frames to receive that are offered in a millisecond, for so long each, and in one piece at most: half a receive ring. */
const OFFERED_PER_MS = [5, 10, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480]
const OFFERED_MS = 400
const PIECE_FRAMES = 64
const PIECE_BYTES = 16 << 10
/** Kernel ticks of processor time in /proc. */
const TICKS_PER_S = 100

interface Model {
  readonly device: string
  /** Modules that stay, the driver of eth0, and the driver of eth1 where that is another one. */
  readonly libraries: readonly string[]
  readonly driver: string
  readonly receiver?: string
}

const MODELS: Readonly<Record<Case['driver'], Model>> = {
  e1000: { device: 'e1000', libraries: [], driver: 'drivers/net/ethernet/intel/e1000/e1000.ko' },
  '8139too': {
    device: 'rtl8139',
    libraries: ['drivers/net/mii.ko'],
    driver: 'drivers/net/ethernet/realtek/8139too.ko',
    // 8139too comes to a standstill on QEMU's model under load: it takes 64 frames, and no interrupt comes for the rest.
    receiver: 'drivers/net/ethernet/realtek/8139cp.ko',
  },
}

/** Linux's struct pci_dev from `devfn` to `revision`, of QEMU's rtl8139 in slot 2, which is eth0 (include/linux/pci.h). */
function rtl8139Record(revision: number): Uint8Array {
  const record = new DataView(new ArrayBuffer(17))
  record.setUint32(0, 2 << 3, true)
  const words = [0x10ec, 0x8139, 0x1af4, 0x1100]
  words.forEach((word, i) => record.setUint16(4 + 2 * i, word, true))
  record.setUint32(12, 0x020000, true)
  record.setUint8(16, revision)
  return new Uint8Array(record.buffer)
}

const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1, file.lastIndexOf('.'))
const insert = (files: readonly string[]): string =>
  files.map((file) => `insmod /modules/${nameOf(file)}.ko`).join(' && ')

export class There implements Side {
  readonly #files: GuestFiles
  readonly #model: Model
  readonly #driver: Case['driver']
  #guest!: Guest

  constructor(files: GuestFiles, driver: Case['driver']) {
    this.#files = files
    this.#driver = driver
    this.#model = MODELS[driver]
  }

  /** Start a guest and open both interfaces. Its start is from the command to there. */
  async start(): Promise<Figure> {
    const began = performance.now()
    const { device, libraries, driver, receiver } = this.#model
    const others = receiver === undefined ? [PKTGEN] : [receiver, PKTGEN]
    this.#guest = await Guest.start(this.#files, { device, modules: [...libraries, driver, ...others] })
    // The model of 8139C+ is a model of 8139C as well, but says that it is the former: the guest is told otherwise.
    if (this.#driver === '8139too') {
      const patched = await this.#guest.patch(rtl8139Record(RTL8139_CPLUS), rtl8139Record(RTL8139_C))
      if (patched === 0) throw new Error('the guest knows of no rtl8139 to be told another revision of')
    }
    await this.#run(`${insert([...libraries, driver])} && ip link set eth0 up`)
    const figure = { wallMs: performance.now() - began, cpuMs: this.#cpuMs() }
    await this.#run(`${insert(others)} && ip link set eth1 up`)
    await this.#carrier('eth0')
    await this.#carrier('eth1')
    return figure
  }

  stop(): Promise<void> {
    return this.#guest.stop()
  }

  #run(command: string): Promise<string[]> {
    return this.#guest.run(command)
  }

  #cpuMs(): number {
    const stat = readFileSync(`/proc/${this.#guest.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S
  }

  async #carrier(name: string): Promise<void> {
    await this.#run(`while [ "$(cat /sys/class/net/${name}/carrier)" != 1 ]; do sleep 0.1; done`)
  }

  async measure(work: Work): Promise<Figure> {
    switch (work.what) {
      case 'transmit':
        return this.#transmit(work)
      case 'receive':
        return this.#receive(work)
      case 'kill':
        return this.#kill()
      default:
        throw new Error(`${work.what} is not for a guest that runs`)
    }
  }

  /** `pktgen` with a new skb a frame, or one for many. */
  async #transmit({ bytes, frames, clone }: Direction): Promise<Figure> {
    const settings = [`count ${frames}`, `clone_skb ${clone ? 1000 : 0}`, `pkt_size ${bytes}`, 'delay 0']
    const to = ['dst_mac 52:54:00:00:00:77', 'dst 10.0.0.2']
    const words = [...settings, ...to].map((word) => `"${word}"`).join(' ')
    await this.#run(
      `cd /proc/net/pktgen; echo rem_device_all > kpktgend_0; echo add_device eth0 > kpktgend_0; for word in ${words}; do echo "$word" > eth0; done`,
    )
    const figure = await this.#timed('echo start > pgctrl')
    const sent = /pkts-sofar: (\d+)/.exec((await this.#run('cat eth0')).join('\n'))?.[1]
    if (Number(sent) !== frames) throw new Error(`pktgen sent ${sent} of ${frames} frames`)
    return { ...figure, frames }
  }

  async #timed(command: string): Promise<Figure> {
    const [wall, cpu] = [performance.now(), this.#cpuMs()]
    await this.#run(command)
    return { wallMs: performance.now() - wall, cpuMs: this.#cpuMs() - cpu }
  }

  /**
   * Frames of a type nobody listens to, offered at one rate after the other: of what the driver counted, the most in a
   * second. Offered more than a guest can take, QEMU drops most and the guest does little but take interrupts.
   */
  async #receive({ bytes }: Direction): Promise<Figure> {
    let best: Figure = { wallMs: 1, cpuMs: 0, frames: 0 }
    const perMs = ({ wallMs, frames }: Figure): number => frames! / wallMs
    for (const offered of OFFERED_PER_MS) {
      const figure = await this.#offer(bytes, offered)
      if (perMs(figure) > perMs(best)) best = figure
    }
    return best
  }

  async #offer(bytes: number, perMs: number): Promise<Figure> {
    const counted = async (): Promise<number> =>
      Number((await this.#run('cat /sys/class/net/eth1/statistics/rx_packets'))[0])
    const before = await counted()
    const [wall, cpu] = [performance.now(), this.#cpuMs()]
    await this.#send(bytes, perMs)
    const figure = { wallMs: performance.now() - wall, cpuMs: this.#cpuMs() - cpu }
    await this.#run('sleep 0.1')
    return { ...figure, frames: (await counted()) - before }
  }

  /** Send frames to eth1 at a rate, in pieces that fit the device's buffers. */
  async #send(bytes: number, perMs: number): Promise<void> {
    const record = new Uint8Array(4 + bytes)
    new DataView(record.buffer).setUint32(0, bytes)
    record.set([0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 0x77, 0x88, 0xb5], 4)
    const most = Math.min(PIECE_FRAMES, Math.floor(PIECE_BYTES / bytes))
    const piece = Buffer.concat(Array.from({ length: most }, () => record))
    const start = performance.now()
    for (let sent = 0, ms = 0; ms < OFFERED_MS; ms = performance.now() - start) {
      const due = Math.min(Math.floor(ms * perMs) - sent, most)
      if (due > 0) {
        sent += due
        const part = piece.subarray(0, due * record.length)
        await new Promise<void>((resolve) => this.#guest.socket!.write(part, () => resolve()))
      } else await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  /** The driver taken out and put in again, until its interface is open. */
  async #kill(): Promise<Figure> {
    const { driver } = this.#model
    const again = `rmmod ${nameOf(driver)} && ${insert([driver])} && ip link set eth0 up`
    const figure = await this.#timed(`echo rem_device_all > /proc/net/pktgen/kpktgend_0; ${again}`)
    // One driver for both interfaces has taken both away.
    await this.#run('ip link set eth1 up')
    await this.#carrier('eth0')
    await this.#carrier('eth1')
    return figure
  }
}
