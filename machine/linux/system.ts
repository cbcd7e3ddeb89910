/**
 * System calls into a domain that runs the tree's own kernel: files, directories, ioctls, sockets, as its own programs would
 * make them. Memory is copied in and out; nothing that comes back is trusted. Numbers are those of Linux's generic table
 * (include/uapi/asm-generic/unistd.h) and structures those of a 32-bit little-endian machine.
 */
import { REQUEST, syscall as head } from '../../linux-api/generated/abi.ts'
import { errnoName } from './errno.ts'

const NR = {
  ioctl: 29,
  mknodat: 33,
  mkdirat: 34,
  unlinkat: 35,
  umount2: 39,
  mount: 40,
  openat: 56,
  close: 57,
  getdents64: 61,
  llseek: 62,
  read: 63,
  write: 64,
  readlinkat: 78,
  fsync: 82,
  socket: 198,
  bind: 200,
  listen: 201,
  connect: 203,
  sendto: 206,
  recvfrom: 207,
  setsockopt: 208,
  getsockopt: 209,
  shutdown: 210,
  accept4: 242,
  statx: 291,
} as const

export const O = { RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0o100, TRUNC: 0o1000, DIRECTORY: 0o200000 } as const

const AT_FDCWD = -100
/** Most that one call reads or writes, bytes. */
const PIECE = 65_536
const encoder = new TextEncoder()

/** A system call that failed. */
export class SystemError extends Error {
  /** Negative errno. */
  readonly code: number
  constructor(call: string, code: number) {
    super(`${call}: ${errnoName(code)}`)
    this.name = 'SystemError'
    this.code = code
  }
}

/** Who takes requests into a domain, and runs it until they are done. */
export interface Envoy {
  request(kind: number, data: Uint8Array): Promise<number>
}

/** An argument: a number, or bytes that are copied in, and out again. */
type Argument = number | Uint8Array

export interface Entry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link' | 'other'
}

export interface Stat {
  readonly mode: number
  readonly bytes: number
  /** Major and minor number. */
  readonly device: readonly [number, number] | undefined
}

export class System {
  readonly #envoy: Envoy

  constructor(envoy: Envoy) {
    this.#envoy = envoy
  }

  /** Make a call. Returns what it returns; a negative errno is a result. */
  async call(number: number, args: readonly Argument[]): Promise<number> {
    let bytes = head.size
    const places = args.map((argument) => {
      if (typeof argument === 'number') return -1
      const at = Math.ceil(bytes / 8) * 8
      bytes = at + argument.length
      return at
    })
    const data = new Uint8Array(bytes)
    const view = new DataView(data.buffer)
    view.setUint32(head.number.offset, number, true)
    let pointers = 0
    args.forEach((argument, i) => {
      const at = head.args.offset + 4 * i
      if (typeof argument === 'number') return view.setInt32(at, argument | 0, true)
      pointers |= 1 << i
      data.set(argument, places[i]!)
      view.setUint32(at, places[i]! - head.size, true)
    })
    view.setUint32(head.pointers.offset, pointers, true)
    const result = await this.#envoy.request(REQUEST.SYSCALL, data)
    args.forEach((argument, i) => {
      if (typeof argument !== 'number') argument.set(data.subarray(places[i]!, places[i]! + argument.length))
    })
    return result
  }

  async #checked(what: string, number: number, args: readonly Argument[]): Promise<number> {
    const result = await this.call(number, args)
    if (result < 0) throw new SystemError(what, result)
    return result
  }

  open(path: string, flags: number = O.RDONLY, mode = 0o644): Promise<number> {
    return this.#checked(`open ${path}`, NR.openat, [AT_FDCWD, text(path), flags, mode])
  }

  close(fd: number): Promise<number> {
    return this.call(NR.close, [fd])
  }

  /** Up to `length` bytes; fewer at the end. */
  async read(fd: number, length: number): Promise<Uint8Array> {
    const into = new Uint8Array(length)
    return into.subarray(0, await this.#checked('read', NR.read, [fd, into, length]))
  }

  write(fd: number, bytes: Uint8Array): Promise<number> {
    return this.#checked('write', NR.write, [fd, bytes.slice(), bytes.length])
  }

  ioctl(fd: number, command: number, argument: Argument): Promise<number> {
    return this.call(NR.ioctl, [fd, command, argument])
  }

  /** A whole file, at most `limit` bytes. */
  async readFile(path: string, limit = 1 << 20): Promise<Uint8Array> {
    return this.#with(path, O.RDONLY, async (fd) => {
      const parts: Uint8Array[] = []
      for (let left = limit; left > 0;) {
        const part = await this.read(fd, Math.min(left, PIECE))
        if (part.length === 0) break
        parts.push(part)
        left -= part.length
      }
      return join(parts)
    })
  }

  async writeFile(path: string, bytes: Uint8Array, flags: number = O.WRONLY): Promise<void> {
    await this.#with(path, flags, async (fd) => {
      for (let at = 0; at < bytes.length || at === 0;) {
        const written = await this.write(fd, bytes.subarray(at, at + PIECE))
        if (written === 0) break
        at += written
      }
    })
  }

  /** struct statx: stx_mode, stx_size, and stx_rdev of a device. */
  async stat(path: string): Promise<Stat> {
    const out = new Uint8Array(STATX.bytes)
    await this.#checked(`stat ${path}`, NR.statx, [AT_FDCWD, text(path), 0, STATX.basic, out])
    const view = new DataView(out.buffer)
    const mode = view.getUint16(STATX.mode, true)
    const [major, minor] = [view.getUint32(STATX.rdev, true), view.getUint32(STATX.rdev + 4, true)]
    const isDevice = [0o020000, 0o060000].includes(mode & 0o170000)
    const bytes = Number(view.getBigUint64(STATX.size, true))
    return { mode, bytes, device: isDevice ? [major, minor] : undefined }
  }

  /** What is in a directory, without `.` and `..`, sorted. struct linux_dirent64. */
  list(path: string): Promise<Entry[]> {
    return this.#with(path, O.RDONLY | O.DIRECTORY, async (fd) => {
      const found: Entry[] = []
      for (;;) {
        const buffer = new Uint8Array(PIECE / 8)
        const length = await this.#checked(`list ${path}`, NR.getdents64, [fd, buffer, buffer.length])
        if (length === 0) break
        found.push(...entriesIn(buffer.subarray(0, length)))
      }
      return found.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  async #with<T>(path: string, flags: number, work: (fd: number) => Promise<T>): Promise<T> {
    const fd = await this.open(path, flags)
    try {
      return await work(fd)
    } finally {
      await this.close(fd)
    }
  }
}

/** Offsets in struct statx (include/uapi/linux/stat.h), its size, and STATX_BASIC_STATS. */
const STATX = { mode: 28, size: 40, rdev: 128, bytes: 256, basic: 0x7ff }

const text = (value: string): Uint8Array => encoder.encode(`${value}\0`)

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** d_reclen and d_type of struct linux_dirent64, and where the name begins. */
const DIRENT = { length: 16, type: 18, name: 19 }
const KINDS: Readonly<Record<number, Entry['kind']>> = { 4: 'directory', 8: 'file', 10: 'link' }

function entriesIn(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const found: Entry[] = []
  for (let at = 0; at + DIRENT.name < bytes.length;) {
    const length = view.getUint16(at + DIRENT.length, true)
    if (length <= DIRENT.name || at + length > bytes.length) break
    const raw = bytes.subarray(at + DIRENT.name, at + length)
    const name = new TextDecoder().decode(raw.subarray(0, raw.indexOf(0)))
    const kind = KINDS[view.getUint8(at + DIRENT.type)] ?? 'other'
    if (name !== '.' && name !== '..') found.push({ name, kind })
    at += length
  }
  return found
}
