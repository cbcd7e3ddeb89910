/** Capture of video (V4L2): whole frames are read, at the size that was set, and are pictures: not blank, and not always one. */
import { O, type System } from '../../machine/linux/system.ts'
import { demand, difference, entries, IOR, IOWR, struct, word, type Kind } from './kind.ts'

/** include/uapi/linux/videodev2.h on a 32-bit machine. */
const CAPABILITY = { bytes: 104, device: 88 }
const FORMAT = { bytes: 204, width: 4, height: 8, image: 24 }
const QUERYCAP = IOR('V', 0, CAPABILITY.bytes)
const G_FMT = IOWR('V', 4, FORMAT.bytes)
const S_FMT = IOWR('V', 5, FORMAT.bytes)
const CAPTURE = 1
const READWRITE = 0x01000000
const SIZE = { width: 320, height: 180 }
const FRAMES = 3
const ROOT = '/sys/class/video4linux'
/** Distinct values of bytes in a picture, at least. */
const COLOURS = 4

async function frame(system: System, fd: number, bytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes)
  for (let at = 0; at < bytes;) {
    const part = await system.read(fd, bytes - at)
    demand(part.length > 0, `a frame ends after ${at} of ${bytes} bytes`)
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** What it captured; undefined when it is none that captures by reading. */
async function capture(system: System, name: string): Promise<string | undefined> {
  const fd = await system.open(await system.node(`${ROOT}/${name}`), O.RDWR)
  try {
    const capability = struct(CAPABILITY.bytes)
    await system.control(fd, QUERYCAP, capability)
    const can = word(capability, CAPABILITY.device)
    if ((can & CAPTURE) === 0 || (can & READWRITE) === 0) return undefined
    const format = struct(FORMAT.bytes, { 0: CAPTURE })
    await system.control(fd, G_FMT, format)
    const view = new DataView(format.buffer)
    view.setUint32(FORMAT.width, SIZE.width, true)
    view.setUint32(FORMAT.height, SIZE.height, true)
    await system.control(fd, S_FMT, format)
    const bytes = word(format, FORMAT.image)
    const frames: Uint8Array[] = []
    for (let i = 0; i < FRAMES; i++) frames.push(await frame(system, fd, bytes))
    const colours = new Set(frames[0]).size
    demand(colours >= COLOURS, `${name}: a frame of ${bytes} bytes has ${colours} values`)
    demand(difference(frames[0]!, frames.at(-1)!) >= 0, `${name}: every frame is the same`)
    return `${name}: ${FRAMES} frames of ${word(format, FORMAT.width)}x${word(format, FORMAT.height)}`
  } finally {
    await system.close(fd)
  }
}

export const video: Kind = {
  noun: 'video device',
  classes: ['v4l2'],
  beside: [],
  list: async (system) => (await entries(system, ROOT)).filter((name) => name.startsWith('video')),
  async exercise({ system, names }) {
    for (const name of names) {
      const said = await capture(system, name)
      if (said !== undefined) return said
    }
    demand(false, `${names.join(' ')}: none captures by reading`)
  },
}
