/**
 * USB host controllers with a gadget on them: the device is enumerated, and the tree's own driver for tests moves data over
 * all of its endpoints and compares it (Documentation/usb, drivers/usb/misc/usbtest.c).
 */
import { O, Pointing, type System } from '../../machine/linux/system.ts'
import { demand, entries, exists, IOWR, struct, textOf, type Kind } from './kind.ts'

/** struct usbtest_param_32: test, iterations, length, vary, list entries, and how long it took. */
const PARAM_BYTES = 28
const USBTEST = IOWR('U', 100, PARAM_BYTES)
/** struct usbdevfs_ioctl: interface, code, address. */
const USBDEVFS_IOCTL = IOWR('U', 18, 12)
/** Writing and reading in bulk, with lists, by control messages, and control transfers that are compared. */
const TESTS = [1, 2, 3, 4, 5, 6, 9, 10, 14]
const AMOUNT = { iterations: 20, length: 1024, vary: 512, entries: 8 }
const PATIENCE_NS = 60e9
const ENOTSUPP = -95

const DEVICES = '/sys/bus/usb/devices'
const DRIVER = '/sys/bus/usb/drivers/usbtest'

async function run(system: System, fd: number, test: number): Promise<number> {
  const { iterations, length, vary, entries: lists } = AMOUNT
  const param = struct(PARAM_BYTES, { 0: test, 4: iterations, 8: length, 12: vary, 16: lists })
  const head = new Pointing(struct(12, { 0: 0, 4: USBTEST }), [[8, param]])
  return system.ioctl(fd, USBDEVFS_IOCTL, head, PATIENCE_NS)
}

export const usb: Kind = {
  noun: 'USB bus',
  classes: ['usb-host', 'usb-device'],
  beside: ['usb_f_ss_lb', 'g_zero', 'usbtest'],
  list: async (system) => (await entries(system, DEVICES)).filter((name) => /^usb\d+$/.test(name)),
  async exercise({ system, sleep }) {
    await sleep(2e9)
    const interfaces = (await entries(system, DRIVER)).filter((name) => name.includes(':'))
    const [where] = interfaces
    demand(where !== undefined, `nothing to test is on it: ${(await entries(system, DEVICES)).join(' ')}`)
    const device = `${DEVICES}/${where.split(':')[0]}`
    demand(await exists(system, `${device}/dev`), `${device} has no node`)
    const what = await textOf(system, `${device}/product`)
    const fd = await system.open(await system.node(device), O.RDWR)
    const done: number[] = []
    for (const test of TESTS) {
      const code = await run(system, fd, test)
      demand(code >= 0 || code === ENOTSUPP, `test ${test} on ${where}: ${code}`)
      if (code >= 0) done.push(test)
    }
    await system.close(fd)
    return `${where} (${what}): tests ${done.join(' ')} of usbtest`
  },
}
