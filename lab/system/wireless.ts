/**
 * Wireless interfaces in one ad-hoc network, by the wireless extensions (include/uapi/linux/wireless.h): the first makes it, the
 * others find it by a scan before they join; radios that hear each other then exchange frames as wired ones do.
 */
import { Pointing, type System } from '../../machine/linux/system.ts'
import { demand, exists, struct } from './kind.ts'

const SIOCSIWFREQ = 0x8b04
const SIOCSIWMODE = 0x8b06
const SIOCSIWSCAN = 0x8b18
const SIOCGIWSCAN = 0x8b19
const SIOCSIWESSID = 0x8b1a
const SIOCGIWESSID = 0x8b1b
/** struct iwreq: the name, and what is asked. */
const IWREQ = { bytes: 32, value: 16 }
/** struct iw_event, as a stream: length, command, and of a text its length before it. */
const EVENT = { command: 2, textLength: 4, text: 8 }
const RESULTS_BYTES = 4096
/** Until a scan of every channel there is has ended, ns. */
const SCANNED_NS = 10e9
const IW_MODE_ADHOC = 1
const CHANNEL = 6
const NAME = 'drvport'
const AF_INET = 2
const SOCK_DGRAM = 2
/** Until one that finds no network has made it, or has joined what it found, ns. */
const JOINED_NS = 15e9

const encoder = new TextEncoder()
const decoder = new TextDecoder()

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

/** Names of networks in what a scan has found. */
function networksIn(results: Uint8Array): string[] {
  const view = new DataView(results.buffer, results.byteOffset, results.length)
  const found: string[] = []
  for (let at = 0; at + EVENT.textLength <= results.length; at += view.getUint16(at, true)) {
    if (view.getUint16(at, true) === 0) break
    if (view.getUint16(at + EVENT.command, true) !== SIOCGIWESSID) continue
    const text = at + EVENT.text
    found.push(decoder.decode(results.subarray(text, text + view.getUint16(at + EVENT.textLength, true))))
  }
  return found
}

/** Networks that an interface hears. */
async function scan(
  system: System,
  fd: number,
  name: string,
  sleep: (ns: number) => Promise<void>,
): Promise<readonly string[]> {
  await system.control(fd, SIOCSIWSCAN, request(name, {}))
  await sleep(SCANNED_NS)
  const results = new Uint8Array(RESULTS_BYTES)
  const asked = request(name, { [IWREQ.value + 4]: RESULTS_BYTES })
  await system.control(fd, SIOCGIWSCAN, new Pointing(asked, [[IWREQ.value, results]]))
  const length = new DataView(asked.buffer).getUint16(IWREQ.value + 4, true)
  return networksIn(results.subarray(0, length))
}

/** Once they are up. Returns those that found the network before they joined it. */
export async function join(
  system: System,
  names: readonly string[],
  sleep: (ns: number) => Promise<void>,
): Promise<readonly string[]> {
  const fd = await system.socket(AF_INET, SOCK_DGRAM)
  const finders: string[] = []
  for (const name of names) {
    if (name !== names[0]) {
      const heard = await scan(system, fd, name, sleep)
      demand(heard.includes(NAME), `${name}: a scan finds ${heard.length === 0 ? 'nothing' : heard.join(', ')}`)
      finders.push(name)
    }
    await system.control(fd, SIOCSIWFREQ, request(name, { [IWREQ.value]: CHANNEL }))
    const essid = request(name, { [IWREQ.value + 4]: NAME.length | (1 << 16) })
    await system.control(fd, SIOCSIWESSID, new Pointing(essid, [[IWREQ.value, encoder.encode(NAME)]]))
    // One after the other: those that look at the same instant find nothing, and make a network each.
    await sleep(JOINED_NS)
  }
  await system.close(fd)
  return finders
}
