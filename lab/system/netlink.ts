/** Routing netlink (include/uapi/linux/rtnetlink.h), as far as links are made with it. */
import type { System } from '../../machine/linux/system.ts'
import { demand } from './kind.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
const NETLINK_ROUTE = 0
const RTM_NEWLINK = 16
const FLAGS = { REQUEST: 1, ACK: 4, EXCL: 0x200, CREATE: 0x400 }
const NLMSG_ERROR = 2
const IFLA = { LINK: 5, IFNAME: 3, LINKINFO: 18, INFO_KIND: 1 }
const HEADER_BYTES = 16
/** struct ifinfomsg. */
const IFINFO_BYTES = 16

const encoder = new TextEncoder()
const aligned = (bytes: number): number => Math.ceil(bytes / 4) * 4

/** A netlink attribute: length, type, content. */
export function attribute(type: number, content: Uint8Array | string | number): Uint8Array {
  const body =
    typeof content === 'number'
      ? new Uint8Array(new Uint32Array([content]).buffer)
      : typeof content === 'string'
        ? encoder.encode(`${content}\0`)
        : content
  const bytes = new Uint8Array(aligned(4 + body.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 4 + body.length, true)
  view.setUint16(2, type, true)
  bytes.set(body, 4)
  return bytes
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** `ip link add [link INDEX] NAME type KIND`. Returns 0 or a negative errno. */
export async function addLink(system: System, name: string, kind: string, over?: number): Promise<number> {
  const info = attribute(IFLA.LINKINFO, attribute(IFLA.INFO_KIND, kind))
  const link = over === undefined ? [] : [attribute(IFLA.LINK, over)]
  const body = joined([new Uint8Array(IFINFO_BYTES), attribute(IFLA.IFNAME, name), ...link, info])
  const message = new Uint8Array(HEADER_BYTES + body.length)
  const view = new DataView(message.buffer)
  view.setUint32(0, message.length, true)
  view.setUint16(4, RTM_NEWLINK, true)
  view.setUint16(6, FLAGS.REQUEST | FLAGS.ACK | FLAGS.CREATE | FLAGS.EXCL, true)
  view.setUint32(8, 1, true)
  message.set(body, HEADER_BYTES)
  const fd = await system.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
  await system.sendTo(fd, message)
  const { bytes } = await system.receiveFrom(fd, 4096)
  await system.close(fd)
  const answer = new DataView(bytes.buffer, bytes.byteOffset)
  demand(answer.getUint16(4, true) === NLMSG_ERROR, 'netlink answers something else than an acknowledgement')
  return answer.getInt32(HEADER_BYTES, true)
}
