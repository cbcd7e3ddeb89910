/**
 * Network interfaces: frames are sent and received through packet sockets. Of two that belong together everything must arrive,
 * as it was sent; one that is alone says what it has sent.
 */
import type { System } from '../../machine/linux/system.ts'
import { demand, difference, entries, pattern, struct, textOf, word, type Kind, type Scene } from './kind.ts'
import { addLink } from './netlink.ts'
import { adHoc, isWireless, join } from './wireless.ts'

const AF_PACKET = 17
const SOCK_RAW = 3
const ETH_P_ALL = 0x0300
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
/** struct ifreq: the name, and what is asked. */
const IFREQ = { bytes: 32, value: 16 }
const IFF_UP = 1
/** struct sockaddr_ll. */
const SOCKADDR_BYTES = 20
const NONBLOCK = 0x40

const ROOT = '/sys/class/net'
/** Ethernet's. */
const ARPHRD_ETHER = 1
const HEADER_BYTES = 14
/** A type of frame nobody listens to (IEEE 802 local experimental). */
const TYPE = 0x88b5
const LENGTHS = [60, 61, 64, 128, 577, 1024, 1513, 1514]
const ROUNDS = 8
const EAGAIN = -11

const encoder = new TextEncoder()

function request(name: string, value = 0): Uint8Array {
  const memory = struct(IFREQ.bytes, { [IFREQ.value]: value })
  encoder.encodeInto(name, memory.subarray(0, IFREQ.value - 1))
  return memory
}

/** What `ip link set NAME up` does. */
export async function up(system: System, name: string): Promise<void> {
  const fd = await system.socket(AF_PACKET, SOCK_RAW, 0)
  const flags = request(name)
  await system.control(fd, SIOCGIFFLAGS, flags)
  await system.control(fd, SIOCSIFFLAGS, request(name, (word(flags, IFREQ.value) & 0xffff) | IFF_UP))
  await system.close(fd)
}

/** A packet socket on one interface. */
export async function listen(system: System, name: string): Promise<number> {
  const fd = await system.socket(AF_PACKET, SOCK_RAW, ETH_P_ALL)
  const address = new Uint8Array(SOCKADDR_BYTES)
  const view = new DataView(address.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, ETH_P_ALL, true)
  view.setUint32(4, Number(await textOf(system, `${ROOT}/${name}/ifindex`)), true)
  await system.bind(fd, address)
  return fd
}

export function frame(length: number, salt: number, to: Uint8Array, from: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set(to)
  bytes.set(from, 6)
  new DataView(bytes.buffer).setUint16(12, TYPE, false)
  bytes.set(pattern(length - HEADER_BYTES, salt), HEADER_BYTES)
  return bytes
}

export const addressOf = async (system: System, name: string): Promise<Uint8Array> =>
  Uint8Array.from((await textOf(system, `${ROOT}/${name}/address`)).split(':'), (digits) => Number.parseInt(digits, 16))

/** Everything of the experiment's type that waits there. */
async function arrived(system: System, fd: number): Promise<Uint8Array[]> {
  const found: Uint8Array[] = []
  for (;;) {
    try {
      const { bytes, from } = await system.receiveFrom(fd, 2048, NONBLOCK)
      // Not what went out here: sll_pkttype PACKET_OUTGOING.
      if (from[10] !== 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint16(12, false) === TYPE)
        found.push(bytes)
    } catch (error) {
      if ((error as { code?: number }).code === EAGAIN) return found
      throw error
    }
  }
}

/** Send from one and see what comes at the other. Returns frames that came. */
export async function exchange({ system, sleep }: Scene, from: string, to: string): Promise<number> {
  const [sender, receiver] = [await listen(system, from), await listen(system, to)]
  const [source, target] = [await addressOf(system, from), await addressOf(system, to)]
  const sent: Uint8Array[] = []
  const got: Uint8Array[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const length of LENGTHS) {
      const bytes = frame(length, sent.length, target, source)
      await system.sendTo(sender, bytes)
      sent.push(bytes)
    }
    await sleep(10e6)
    got.push(...(await arrived(system, receiver)))
  }
  await system.close(sender)
  await system.close(receiver)
  if (got.length === 0) return 0
  demand(got.length === sent.length, `${from} to ${to}: ${got.length} of ${sent.length} frames came`)
  got.forEach((bytes, i) => {
    const where = difference(bytes, sent[i]!)
    demand(where < 0, `${from} to ${to}: frame ${i} differs at byte ${where}`)
  })
  return got.length
}

/** One that is alone: its own count of frames, and of those that it dropped. */
async function alone({ system, sleep }: Scene, name: string): Promise<string> {
  const fd = await listen(system, name)
  const address = await addressOf(system, name)
  const count = async (what: string): Promise<number> =>
    Number(await textOf(system, `${ROOT}/${name}/statistics/${what}`))
  const before = await count('tx_packets')
  for (const [i, length] of LENGTHS.entries())
    await system.sendTo(fd, frame(length, i, new Uint8Array(6).fill(0xff), address))
  await sleep(100e6)
  await system.close(fd)
  const sent = (await count('tx_packets')) - before
  const dropped = await count('tx_dropped')
  demand(
    sent >= LENGTHS.length,
    `${name}: ${LENGTHS.length} frames were sent, and it counts ${sent} (${dropped} dropped)`,
  )
  return `${name}: ${sent} frames sent`
}

const isEthernet = async (system: System, name: string): Promise<boolean> =>
  Number(await textOf(system, `${ROOT}/${name}/type`)) === ARPHRD_ETHER

/** Kinds of links that a module says it makes, made: their interfaces. */
async function made({ system, modinfo }: Scene): Promise<string[]> {
  const kinds = modinfo('alias').flatMap((alias) => /^rtnl-link-(\S+)$/.exec(alias)?.[1] ?? [])
  const before = new Set(await entries(system, ROOT))
  for (const kind of kinds) await addLink(system, `${kind.slice(0, 10)}-new`, kind)
  return (await entries(system, ROOT)).filter((name) => !before.has(name))
}

export const net: Kind = {
  noun: 'network interface',
  classes: ['net', 'wireless', 'network-protocol'],
  beside: ['af_packet'],
  list: (system) => entries(system, ROOT),
  async offers(scene) {
    return [...scene.names, ...(await made(scene))]
  },
  async exercise(scene) {
    const { system } = scene
    const names: string[] = []
    for (const name of scene.names) if (await isEthernet(system, name)) names.push(name)
    demand(names.length > 0, `${scene.names.join(', ')}: no Ethernet`)
    const radios: string[] = []
    for (const name of names) if (await isWireless(system, name)) radios.push(name)
    for (const name of radios) await adHoc(system, name)
    for (const name of names) await up(system, name)
    await scene.sleep(1e9)
    const finders = radios.length > 0 ? await join(system, radios, scene.sleep) : []
    const said = finders.map((name) => `${name}: a scan finds the other's network`)
    const [first, second] = names as [string, string | undefined]
    const there = second === undefined ? 0 : await exchange(scene, first, second)
    if (there > 0) said.push(`${first} to ${second}: ${there} frames, ${await exchange(scene, second!, first)} back`)
    else for (const name of names.slice(0, 2)) said.push(await alone(scene, name))
    return said.join('; ')
  },
}
