/** Making input devices from outside (uinput): keys pressed on one arrive at who reads its events, in order. */
import { O } from '../../machine/linux/system.ts'
import { demand, entries, exists, IO, IOW, struct, type Kind } from './kind.ts'

/** include/uapi/linux/uinput.h */
const UI_DEV_CREATE = IO('U', 1)
const UI_DEV_DESTROY = IO('U', 2)
const SETUP_BYTES = 92
const UI_DEV_SETUP = IOW('U', 3, SETUP_BYTES)
const UI_SET_EVBIT = IOW('U', 100, 4)
const UI_SET_KEYBIT = IOW('U', 101, 4)
const EV = { SYN: 0, KEY: 1 }
const KEYS = [30, 48, 46]
/** struct input_event: time, type, code, value. */
const EVENT_BYTES = 16
const ROOT = '/sys/class/misc'
const EVENTS = '/sys/class/input'

const event = (type: number, code: number, value: number): Uint8Array =>
  struct(EVENT_BYTES, { 8: type | (code << 16), 12: value })

export const input: Kind = {
  noun: 'maker of input devices',
  classes: ['input'],
  beside: ['evdev'],
  list: async (system) => ((await exists(system, `${ROOT}/uinput`)) ? ['uinput'] : []),
  async exercise({ system }) {
    const fd = await system.open(await system.node(`${ROOT}/uinput`), O.RDWR)
    await system.control(fd, UI_SET_EVBIT, EV.KEY)
    for (const key of KEYS) await system.control(fd, UI_SET_KEYBIT, key)
    const setup = struct(SETUP_BYTES)
    new TextEncoder().encodeInto('drvport', setup.subarray(8, 87))
    await system.control(fd, UI_DEV_SETUP, setup)
    const before = await entries(system, EVENTS)
    await system.control(fd, UI_DEV_CREATE)
    const name = (await entries(system, EVENTS)).find((one) => one.startsWith('event') && !before.includes(one))
    demand(name !== undefined, 'the device that was made has no events')
    const reader = await system.open(await system.node(`${EVENTS}/${name}`), O.RDONLY)
    const sent = KEYS.flatMap((key) => [1, 0].map((value) => [EV.KEY, key, value] as const))
    for (const [type, code, value] of sent) {
      await system.write(fd, event(type, code, value))
      await system.write(fd, event(EV.SYN, 0, 0))
    }
    for (const [type, code, value] of sent) {
      const got = await system.read(reader, 2 * EVENT_BYTES)
      const view = new DataView(got.buffer, got.byteOffset)
      const fields = [view.getUint16(8, true), view.getUint16(10, true), view.getInt32(12, true)]
      demand(fields.join() === [type, code, value].join(), `${name}: ${fields.join()} came, ${code} ${value} was sent`)
    }
    await system.close(reader)
    await system.control(fd, UI_DEV_DESTROY)
    await system.close(fd)
    return `${name}: ${sent.length} keys pressed and released, and read in order`
  },
}
