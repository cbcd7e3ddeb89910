/** Watchdogs: the timeout is set, it counts down and is fed, and it stays quiet once it has been stopped. */
import { O, type System } from '../../machine/linux/system.ts'
import { demand, entries, IOR, IOWR, struct, word, type Kind, type Scene } from './kind.ts'

const WDIOC_KEEPALIVE = IOR('W', 5, 4)
const WDIOC_SETTIMEOUT = IOWR('W', 6, 4)
const WDIOC_GETTIMELEFT = IOR('W', 10, 4)
const TIMEOUT_S = 10
const FED = 5
const EVERY_S = 6
const ROOT = '/sys/class/watchdog'

async function left(system: System, fd: number): Promise<number | undefined> {
  const out = struct(4)
  return (await system.ioctl(fd, WDIOC_GETTIMELEFT, out)) === 0 ? word(out, 0) : undefined
}

async function use({ system, sleep }: Scene, name: string): Promise<string> {
  const fd = await system.open(await system.node(`${ROOT}/${name}`), O.WRONLY)
  const timeout = struct(4, { 0: TIMEOUT_S })
  await system.control(fd, WDIOC_SETTIMEOUT, timeout)
  demand(word(timeout, 0) === TIMEOUT_S, `${name}: a timeout of ${TIMEOUT_S} s became ${word(timeout, 0)} s`)
  let counted = ''
  for (let i = 0; i < FED; i++) {
    await system.control(fd, WDIOC_KEEPALIVE)
    const before = await left(system, fd)
    await sleep(EVERY_S * 1e9)
    const after = await left(system, fd)
    if (before === undefined || after === undefined) continue
    demand(before - after >= EVERY_S - 1, `${name}: ${before} s were left, and ${EVERY_S} s later ${after} s`)
    counted = ', counting down'
  }
  await system.write(fd, new TextEncoder().encode('V'))
  await system.close(fd)
  await sleep(2 * TIMEOUT_S * 1e9)
  return `${name}: fed for ${FED * EVERY_S} s${counted}, and stopped`
}

export const watchdog: Kind = {
  noun: 'watchdog',
  classes: ['watchdog'],
  beside: [],
  list: (system) => entries(system, ROOT),
  exercise: (scene) => use(scene, scene.names[0]!),
}
