/** An initramfs in the kernel's "newc" cpio format (Documentation/driver-api/early-userspace/buffer-format.rst). Pure. */

export interface CpioEntry {
  /** Without a leading slash. */
  readonly name: string
  /** Type and permissions, as stat has them: DIRECTORY, FILE or DEVICE or-ed with permissions. */
  readonly mode: number
  readonly data?: Uint8Array
  /** Of a device: its numbers. */
  readonly device?: readonly [major: number, minor: number]
}

export const DIRECTORY = 0o040000
export const FILE = 0o100000
export const DEVICE = 0o020000

const ALIGN = 4
const hex = (value: number): string => value.toString(16).padStart(8, '0').toUpperCase()
const padded = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(Math.ceil(bytes.length / ALIGN) * ALIGN)
  out.set(bytes)
  return out
}

function record({ name, mode, data = new Uint8Array(0), device = [0, 0] }: CpioEntry, inode: number): Uint8Array[] {
  const text = new TextEncoder().encode(`${name}\0`)
  // inode, mode, uid, gid, links, mtime, size, the device it lies on, the device it is, length of the name, no checksum
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, ...device, text.length, 0]
  const header = new TextEncoder().encode(`070701${fields.map(hex).join('')}`)
  const head = new Uint8Array(header.length + text.length)
  head.set(header)
  head.set(text, header.length)
  return [padded(head), padded(data)]
}

/** The archive: folders before what is in them, as the kernel wants it. */
export function cpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts = [...entries, { name: 'TRAILER!!!', mode: 0 }].flatMap((entry, i) => record(entry, i + 1))
  return Buffer.concat(parts)
}
