/** Clocks: set, read back, run on by themselves, and ring. */
import { O, POLL } from '../../machine/linux/system.ts'
import { demand, entries, IO, IOR, IOW, struct, word, type Kind, type Scene } from './kind.ts'

/** struct rtc_time: nine words. */
const TIME_BYTES = 36
const RTC_RD_TIME = IOR('p', 0x09, TIME_BYTES)
const RTC_SET_TIME = IOW('p', 0x0a, TIME_BYTES)
const RTC_ALM_SET = IOW('p', 0x07, TIME_BYTES)
const RTC_AIE_ON = IO('p', 0x01)
const ENOTTY = -25
const EINVAL = -22

/** 28 February 2028, 23:59:50: the next day exists in leap years only. */
const SET = { 0: 50, 4: 59, 8: 23, 12: 28, 16: 1, 20: 128 }
const AFTER_S = 20
/** Of those that have appeared, so many are used. */
const CLOCKS_MAX = 3
const EXPECTED = [10, 0, 0, 29, 1, 128]

export const rtc: Kind = {
  noun: 'clock',
  classes: ['rtc'],
  beside: [],
  list: (system) => entries(system, '/sys/class/rtc'),
  async exercise(scene) {
    const said: string[] = []
    for (const name of scene.names.slice(0, CLOCKS_MAX)) said.push(await use(scene, name))
    return said.join('; ')
  },
}

async function use({ system, sleep }: Scene, name: string): Promise<string> {
  const fd = await system.open(await system.node(`/sys/class/rtc/${name}`), O.RDONLY)
  await system.control(fd, RTC_SET_TIME, struct(TIME_BYTES, SET))
  await sleep(AFTER_S * 1e9)
  const now = struct(TIME_BYTES)
  await system.control(fd, RTC_RD_TIME, now)
  const fields = EXPECTED.map((_, i) => word(now, 4 * i))
  const exact = fields.every((value, i) => (i === 0 ? Math.abs(value - EXPECTED[0]!) <= 1 : value === EXPECTED[i]))
  demand(exact, `${name}: ${AFTER_S} s after 23:59:50 on 28 February 2028 it is ${fields.join(' ')}`)
  const alarm = await rings(system, fd)
  await system.close(fd)
  return `${name}: set, read back ${AFTER_S} s later${alarm}`
}

/** An alarm three seconds ahead, where it has one. */
async function rings(system: Parameters<Kind['list']>[0], fd: number): Promise<string> {
  const now = struct(TIME_BYTES)
  await system.control(fd, RTC_RD_TIME, now)
  const at = now.slice()
  new DataView(at.buffer).setUint32(0, word(now, 0) + 3, true)
  const set = await system.ioctl(fd, RTC_ALM_SET, at)
  if (set === ENOTTY || set === EINVAL) return ', without an alarm'
  demand(set === 0, `RTC_ALM_SET: ${set}`)
  await system.control(fd, RTC_AIE_ON)
  const [events = 0] = await system.poll([{ fd, events: POLL.IN }], 10_000)
  demand((events & POLL.IN) !== 0, 'the alarm did not ring within 10 s')
  return ', and its alarm rang'
}
