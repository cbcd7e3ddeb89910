/** GPIO controllers: lines driven through the character device, and read back. */
import { O } from '../../machine/linux/system.ts'
import { demand, entries, IOR, IOWR, struct, word, type Kind } from './kind.ts'

/** struct gpiochip_info: name, label, number of lines. */
const INFO = { bytes: 68, lines: 64 }
/** struct gpio_v2_line_request: offsets of lines, consumer, flags, how many, and the file that stands for them. */
const REQUEST = { bytes: 592, flags: 288, lines: 560, fd: 588 }
const VALUES_BYTES = 16
const GET_INFO = IOR(0xb4, 0x01, INFO.bytes)
const GET_LINES = IOWR(0xb4, 0x07, REQUEST.bytes)
const GET_VALUES = IOWR(0xb4, 0x0e, VALUES_BYTES)
const SET_VALUES = IOWR(0xb4, 0x0f, VALUES_BYTES)
const OUTPUT = 8
const LINES_MAX = 8
const PATTERNS = [0b10101010, 0b01010101, 0, 0xff]

const ROOT = '/sys/bus/gpio/devices'

export const gpio: Kind = {
  noun: 'GPIO controller',
  classes: ['gpio'],
  beside: [],
  list: async (system) => (await entries(system, ROOT)).filter((name) => name.startsWith('gpiochip')),
  async exercise({ system, names: [name = ''] }) {
    const chip = await system.open(await system.node(`${ROOT}/${name}`), O.RDWR)
    const info = struct(INFO.bytes)
    await system.control(chip, GET_INFO, info)
    const all = word(info, INFO.lines)
    const lines = Math.min(all, LINES_MAX)
    const request = struct(REQUEST.bytes, { [REQUEST.flags]: OUTPUT, [REQUEST.lines]: lines })
    for (let i = 0; i < lines; i++) new DataView(request.buffer).setUint32(4 * i, i, true)
    await system.control(chip, GET_LINES, request)
    const fd = word(request, REQUEST.fd)
    const mask = (1 << lines) - 1
    for (const wanted of PATTERNS) {
      await system.control(fd, SET_VALUES, struct(VALUES_BYTES, { 0: wanted & mask, 8: mask }))
      const found = struct(VALUES_BYTES, { 8: mask })
      await system.control(fd, GET_VALUES, found)
      demand(word(found, 0) === (wanted & mask), `${name}: ${wanted & mask} was set and ${word(found, 0)} read`)
    }
    await system.close(fd)
    await system.close(chip)
    return `${name}: ${lines} of ${all} lines driven and read back`
  },
}
