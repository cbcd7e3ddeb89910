/**
 * Wireless interfaces in one ad-hoc network, by the wireless extensions (include/uapi/linux/wireless.h): two radios that hear
 * each other then exchange frames as wired ones do.
 */
import { Pointing, type System } from '../../machine/linux/system.ts'
import { exists, struct } from './kind.ts'

const SIOCSIWFREQ = 0x8b04
const SIOCSIWMODE = 0x8b06
const SIOCSIWESSID = 0x8b1a
/** struct iwreq: the name, and what is asked. */
const IWREQ = { bytes: 32, value: 16 }
const IW_MODE_ADHOC = 1
const CHANNEL = 6
const NAME = 'drvport'
const AF_INET = 2
const SOCK_DGRAM = 2
/** Until one that finds no network has made it, or has joined what it found, ns. */
const JOINED_NS = 15e9

const encoder = new TextEncoder()

export const isWireless = (system: System, name: string): Promise<boolean> =>
  exists(system, `/sys/class/net/${name}/phy80211`)

function request(name: string, fields: Readonly<Record<number, number>>): Uint8Array {
  const memory = struct(IWREQ.bytes, fields)
  encoder.encodeInto(name, memory.subarray(0, IWREQ.value - 1))
  return memory
}

/** While it is down. */
export async function adHoc(system: System, name: string): Promise<void> {
  const fd = await system.socket(AF_INET, SOCK_DGRAM)
  await system.control(fd, SIOCSIWMODE, request(name, { [IWREQ.value]: IW_MODE_ADHOC }))
  await system.close(fd)
}

/** Once they are up. */
export async function join(
  system: System,
  names: readonly string[],
  sleep: (ns: number) => Promise<void>,
): Promise<void> {
  const fd = await system.socket(AF_INET, SOCK_DGRAM)
  for (const name of names) {
    await system.control(fd, SIOCSIWFREQ, request(name, { [IWREQ.value]: CHANNEL }))
    const essid = request(name, { [IWREQ.value + 4]: NAME.length | (1 << 16) })
    await system.control(fd, SIOCSIWESSID, new Pointing(essid, [[IWREQ.value, encoder.encode(NAME)]]))
    // One after the other: those that look at the same instant find nothing, and make a network each.
    await sleep(JOINED_NS)
  }
  await system.close(fd)
}
