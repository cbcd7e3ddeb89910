/**
 * Sound cards: frames are played at the rate that was set, by the machine's clock; where a card's capture hears its playback,
 * the frames are compared.
 */
import { NR, O, Pointing, type System } from '../../machine/linux/system.ts'
import { demand, difference, entries, IO, IOR, IOW, IOWR, pattern, struct, type Kind } from './kind.ts'

/** struct snd_pcm_hw_params: masks of 32 bytes from 4 on, intervals of 12 bytes from 260 on. */
const PARAMS = { bytes: 604, mask: (i: number) => 4 + 32 * i, interval: (i: number) => 260 + 12 * i }
const MASKS = { access: 0, format: 1, subformat: 2 }
const INTERVALS = { count: 12, channels: 2, rate: 3, period: 5, buffer: 9 }
const INTEGER = 4
const RW_INTERLEAVED = 3
const S16_LE = 2

const HW_PARAMS = IOWR('A', 0x11, PARAMS.bytes)
const PREPARE = IO('A', 0x40)
const START = IO('A', 0x42)
const DROP = IO('A', 0x43)
/** struct snd_xferi: result, address, frames. */
const XFER_BYTES = 12
const WRITEI = IOW('A', 0x50, XFER_BYTES)
const READI = IOR('A', 0x51, XFER_BYTES)

const RATE = 48_000
const FRAME_BYTES = 4
const PERIOD = 1024
const BUFFER = 4 * PERIOD
const PERIODS_PLAYED = 12

const ROOT = '/sys/class/sound'

function parameters(): Uint8Array {
  const memory = new Uint8Array(PARAMS.bytes).fill(0xff)
  const view = new DataView(memory.buffer)
  view.setUint32(0, 0, true)
  const only = (mask: number, bit: number): void => {
    for (let i = 0; i < 8; i++) view.setUint32(PARAMS.mask(mask) + 4 * i, i === bit >> 5 ? 1 << (bit & 31) : 0, true)
  }
  only(MASKS.access, RW_INTERLEAVED)
  only(MASKS.format, S16_LE)
  only(MASKS.subformat, 0)
  const set = (interval: number, low: number, high: number, flags: number): void => {
    view.setUint32(PARAMS.interval(interval), low, true)
    view.setUint32(PARAMS.interval(interval) + 4, high, true)
    view.setUint32(PARAMS.interval(interval) + 8, flags, true)
  }
  for (let i = 0; i < INTERVALS.count; i++) set(i, 0, 0xffffffff, 0)
  set(INTERVALS.channels, 2, 2, INTEGER)
  set(INTERVALS.rate, RATE, RATE, INTEGER)
  set(INTERVALS.period, PERIOD, PERIOD, INTEGER)
  set(INTERVALS.buffer, BUFFER, BUFFER, INTEGER)
  return memory
}

async function openPcm(system: System, name: string): Promise<number> {
  const fd = await system.open(await system.node(`${ROOT}/${name}`), name.endsWith('c') ? O.RDONLY : O.WRONLY)
  await system.control(fd, HW_PARAMS, parameters())
  await system.control(fd, PREPARE)
  return fd
}

/** Returns frames moved. */
async function move(system: System, fd: number, request: number, frames: Uint8Array): Promise<number> {
  const head = struct(XFER_BYTES, { 8: frames.length / FRAME_BYTES })
  const code = await system.call(NR.ioctl, [fd, request, new Pointing(head, [[4, frames]])])
  demand(code === 0, `${request === WRITEI ? 'playing' : 'recording'}: ${code}`)
  return new DataView(head.buffer).getInt32(0, true)
}

/** What a capture of the same card hears while `frames` are played: everything, from some frame on. */
async function heard(system: System, ear: string, play: number): Promise<boolean> {
  const capture = await openPcm(system, ear)
  await system.control(capture, START)
  const frames = pattern(BUFFER * FRAME_BYTES, 7)
  await move(system, play, WRITEI, frames)
  const got = new Uint8Array(BUFFER * FRAME_BYTES)
  await move(system, capture, READI, got)
  await system.control(capture, DROP)
  await system.close(capture)
  const from = got.findIndex(
    (_, i) => i % FRAME_BYTES === 0 && difference(got.slice(i, i + 64), frames.slice(0, 64)) < 0,
  )
  if (from < 0) return false
  const where = difference(got.slice(from), frames.slice(0, got.length - from))
  demand(where < 0, `${ear}: hears ${where} bytes of what is played, and then something else`)
  return true
}

export const sound: Kind = {
  noun: 'sound card',
  classes: ['sound'],
  beside: [],
  list: async (system) => (await entries(system, ROOT)).filter((name) => /^pcmC\d+D\d+[pc]$/.test(name)),
  async exercise({ system, names, now }) {
    const speaker = names.find((name) => name.endsWith('p'))
    demand(speaker !== undefined, 'nothing plays')
    const play = await openPcm(system, speaker)
    const start = now()
    for (let i = 0; i < PERIODS_PLAYED; i++) await move(system, play, WRITEI, pattern(PERIOD * FRAME_BYTES, i))
    const tookS = (now() - start) / 1e9
    const leastS = (PERIODS_PLAYED * PERIOD - BUFFER) / RATE
    demand(tookS > leastS * 0.8, `${speaker}: ${PERIODS_PLAYED * PERIOD} frames were gone after ${tookS} s`)
    await system.control(play, DROP)
    const ears = names.filter((name) => name.endsWith('c') && name.slice(0, -1) !== speaker.slice(0, -1))
    let hears = ''
    for (const ear of ears) {
      await system.control(play, PREPARE)
      if (await heard(system, ear, play)) hears = `, and ${ear} hears every frame`
      await system.control(play, DROP)
      if (hears !== '') break
    }
    await system.close(play)
    return `${speaker}: ${PERIODS_PLAYED * PERIOD} frames in ${tookS.toFixed(3)} s${hears}`
  },
}
