/**
 * System calls into a domain that runs the tree's own kernel: files, directories, ioctls, sockets, as its own programs would
 * make them. Memory is copied in and out; nothing that comes back is trusted. Numbers are those of Linux's generic table
 * (include/uapi/asm-generic/unistd.h) and structures those of a 32-bit little-endian machine.
 */
import { REQUEST, syscall as head } from '../../linux-api/generated/abi.ts'
import { errnoName } from './errno.ts'

export const NR = {
  epoll_create1: 20,
  epoll_ctl: 21,
  epoll_pwait: 22,
  dup: 23,
  fcntl64: 25,
  ioctl: 29,
  flock: 32,
  mknodat: 33,
  mkdirat: 34,
  unlinkat: 35,
  symlinkat: 36,
  umount2: 39,
  mount: 40,
  statfs64: 43,
  ftruncate64: 46,
  fallocate: 47,
  openat: 56,
  close: 57,
  pipe2: 59,
  getdents64: 61,
  llseek: 62,
  read: 63,
  write: 64,
  readv: 65,
  writev: 66,
  pread64: 67,
  pwrite64: 68,
  readlinkat: 78,
  fsync: 82,
  socket: 198,
  bind: 200,
  listen: 201,
  connect: 203,
  getsockname: 204,
  sendto: 206,
  recvfrom: 207,
  setsockopt: 208,
  getsockopt: 209,
  shutdown: 210,
  sendmsg: 211,
  recvmsg: 212,
  munmap: 215,
  mmap2: 222,
  accept4: 242,
  renameat2: 276,
  statx: 291,
  ppoll_time64: 414,
  openat2: 437,
} as const

export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECT: 0o40000,
  LARGEFILE: 0o100000,
  DIRECTORY: 0o200000,
} as const

export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, NVAL: 32 } as const
export const SEEK = { SET: 0, CUR: 1, END: 2 } as const
const KIND = { character: 0o020000, directory: 0o040000, block: 0o060000, mask: 0o170000 } as const

const AT_FDCWD = -100
const AT_REMOVEDIR = 0x200
/** Most that one call reads or writes, bytes; what a pipe holds. */
const PIECE = 65_536
/** Memory of whole sectors lies where a file that is opened with O_DIRECT takes it from. */
const SECTOR = 512
const PROT_READ_WRITE = 3
const MAP_SHARED = 1
/** Shift of an offset that mmap2 takes, whatever a page is. */
const MMAP_SHIFT = 12
const encoder = new TextEncoder()
const decoder = new TextDecoder()

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

/** Memory with addresses of other memory in it: at each offset, what is to lie there. Both are copied in, and out again. */
export class Pointing {
  readonly bytes: Uint8Array
  readonly to: readonly (readonly [at: number, what: Memory])[]
  constructor(bytes: Uint8Array, to: readonly (readonly [at: number, what: Memory])[]) {
    this.bytes = bytes
    this.to = to
  }
}

export type Memory = Uint8Array | Pointing

/** An argument: a number, or memory. */
export type Argument = number | Memory

/** A request under way: what it is to be told, in the end, by. */
export interface Envoy {
  /** Put a request; nothing has run when this returns. `data` is what it was made into when it has been answered. */
  send(kind: number, data: Uint8Array): Answer
  /** Run the domain until it is answered; one that waits for longer than `patienceNs` is told to return. */
  wait(answer: Answer, patienceNs?: number): Promise<number>
}

export interface Answer {
  /** Undefined until it is there. */
  readonly result: number | undefined
}

/** A call that was made and may not have returned. */
export interface Pending {
  readonly answer: Answer
  /** Bring memory back. */
  readonly settle: () => void
}

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

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to

/** Where what a call points to lies in the bytes that go over. */
class Packing {
  readonly pieces: { readonly at: number; readonly memory: Uint8Array; readonly words: ReadonlySet<number> }[] = []
  readonly within: number[] = []
  #end = 0

  /** Offset of the memory, and of all that it points to. */
  place(memory: Memory): number {
    const bytes = memory instanceof Pointing ? memory.bytes : memory
    const isSectors = bytes.length > 0 && bytes.length % SECTOR === 0
    const at = isSectors ? roundUp(head.size + this.#end, SECTOR) - head.size : roundUp(this.#end, 8)
    this.#end = at + bytes.length
    const to = memory instanceof Pointing ? memory.to : []
    this.pieces.push({ at, memory: bytes, words: new Set(to.map(([where]) => where)) })
    for (const [where, what] of to) {
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(where, this.place(what), true)
      this.within.push(at + where)
    }
    return at
  }

  get bytes(): number {
    return Math.ceil(this.#end / 4) * 4
  }
}

export class System {
  readonly #envoy: Envoy

  constructor(envoy: Envoy) {
    this.#envoy = envoy
  }

  /** Make a call and wait for its return. Returns what it returns; a negative errno is a result. */
  call(number: number, args: readonly Argument[], patienceNs?: number): Promise<number> {
    return this.finish(this.begin(number, args), patienceNs)
  }

  /** Make a call that may wait for something that is done next: others can be made meanwhile. */
  begin(number: number, args: readonly Argument[]): Pending {
    const packing = new Packing()
    const words = args.map((argument) => (typeof argument === 'number' ? argument : packing.place(argument)))
    const data = new Uint8Array(head.size + packing.bytes + 4 * packing.within.length)
    const view = new DataView(data.buffer)
    view.setUint32(head.number.offset, number, true)
    let pointers = 0
    args.forEach((argument, i) => {
      if (typeof argument !== 'number') pointers |= 1 << i
      view.setInt32(head.args.offset + 4 * i, words[i]! | 0, true)
    })
    view.setUint32(head.pointers.offset, pointers, true)
    view.setUint32(head.within.offset, packing.within.length, true)
    for (const { at, memory } of packing.pieces) data.set(memory, head.size + at)
    packing.within.forEach((at, i) => view.setUint32(head.size + packing.bytes + 4 * i, at, true))
    const settle = (): void => {
      for (const { at, memory, words: addresses } of packing.pieces)
        for (let i = 0; i < memory.length; i++)
          if (addresses.has(i)) i += 3
          else memory[i] = data[head.size + at + i]!
    }
    return { answer: this.#envoy.send(REQUEST.SYSCALL, data), settle }
  }

  async finish({ answer, settle }: Pending, patienceNs?: number): Promise<number> {
    const result = await this.#envoy.wait(answer, patienceNs)
    settle()
    return result
  }

  async #checked(what: string, number: number, args: readonly Argument[], patienceNs?: number): Promise<number> {
    const result = await this.call(number, args, patienceNs)
    if (result < 0) throw new SystemError(what, result)
    return result
  }

  open(path: string, flags: number = O.RDONLY, mode = 0o644): Promise<number> {
    return this.#checked(`open ${path}`, NR.openat, [AT_FDCWD, text(path), flags | O.LARGEFILE, mode])
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

  async pread(fd: number, length: number, offset: number): Promise<Uint8Array> {
    const into = new Uint8Array(length)
    return into.subarray(0, await this.#checked('pread', NR.pread64, [fd, into, length, ...long(offset)]))
  }

  pwrite(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
    return this.#checked('pwrite', NR.pwrite64, [fd, bytes.slice(), bytes.length, ...long(offset)])
  }

  /** Returns the place it is at then. */
  async seek(fd: number, offset: number, whence: number = SEEK.SET): Promise<number> {
    const [low, high] = long(offset)
    const out = new Uint8Array(8)
    await this.#checked('seek', NR.llseek, [fd, high, low, out, whence])
    return Number(new DataView(out.buffer).getBigInt64(0, true))
  }

  /** Pages of a file into the memory that all requests are of, to read and write; their address. */
  map(fd: number, bytes: number, offset = 0): Promise<number> {
    const args = [0, bytes, PROT_READ_WRITE, MAP_SHARED, fd, offset / 2 ** MMAP_SHIFT]
    return this.#checked('mmap', NR.mmap2, args)
  }

  unmap(address: number, bytes: number): Promise<number> {
    return this.#checked('munmap', NR.munmap, [address, bytes])
  }

  /** What lies in a mapping: as a program would copy it, through a pipe. */
  async peek(address: number, length: number): Promise<Uint8Array> {
    const [from, to] = await this.pipe()
    const parts: Uint8Array[] = []
    try {
      for (let done = 0; done < length; done += parts.at(-1)!.length) {
        const count = await this.#checked('write', NR.write, [to, address + done, Math.min(length - done, PIECE)])
        parts.push(await this.read(from, count))
      }
    } finally {
      await this.close(from)
      await this.close(to)
    }
    return join(parts)
  }

  /** Put bytes into a mapping. */
  async poke(address: number, bytes: Uint8Array): Promise<void> {
    const [from, to] = await this.pipe()
    try {
      for (let done = 0; done < bytes.length;) {
        const count = await this.write(to, bytes.subarray(done, done + PIECE))
        done += await this.#checked('read', NR.read, [from, address + done, count])
      }
    } finally {
      await this.close(from)
      await this.close(to)
    }
  }

  /** Its end to read from, and the one to write to. */
  async pipe(): Promise<[number, number]> {
    const ends = new Uint8Array(8)
    await this.#checked('pipe', NR.pipe2, [ends, 0])
    const view = new DataView(ends.buffer)
    return [view.getInt32(0, true), view.getInt32(4, true)]
  }

  fsync(fd: number): Promise<number> {
    return this.#checked('fsync', NR.fsync, [fd])
  }

  /** Returns what it returns; a negative errno is a result. */
  ioctl(fd: number, command: number, argument: Argument = 0, patienceNs?: number): Promise<number> {
    return this.call(NR.ioctl, [fd, command, argument], patienceNs)
  }

  /** The same, refused when it fails. */
  control(fd: number, command: number, argument: Argument = 0): Promise<number> {
    return this.#checked(`ioctl 0x${command.toString(16)}`, NR.ioctl, [fd, command, argument])
  }

  /** What of the events asked for has come within so many ms of virtual time (negative: for ever), by file. */
  async poll(files: readonly { readonly fd: number; readonly events: number }[], timeoutMs: number): Promise<number[]> {
    const list = new Uint8Array(8 * files.length)
    const view = new DataView(list.buffer)
    files.forEach(({ fd, events }, i) => {
      view.setInt32(8 * i, fd, true)
      view.setInt16(8 * i + 4, events, true)
    })
    const until = new Uint8Array(16)
    new DataView(until.buffer).setBigInt64(0, BigInt(Math.floor(timeoutMs / 1000)), true)
    new DataView(until.buffer).setBigInt64(8, BigInt(Math.round((timeoutMs % 1000) * 1e6)), true)
    const args = [list, files.length, timeoutMs < 0 ? 0 : until, 0, 8]
    const patienceNs = timeoutMs < 0 ? undefined : (timeoutMs + 1000) * 1e6
    await this.#checked('poll', NR.ppoll_time64, args, patienceNs)
    return files.map((_, i) => view.getInt16(8 * i + 6, true))
  }

  mkdir(path: string, mode = 0o755): Promise<number> {
    return this.#checked(`mkdir ${path}`, NR.mkdirat, [AT_FDCWD, text(path), mode])
  }

  unlink(path: string): Promise<number> {
    return this.#checked(`unlink ${path}`, NR.unlinkat, [AT_FDCWD, text(path), 0])
  }

  rmdir(path: string): Promise<number> {
    return this.#checked(`rmdir ${path}`, NR.unlinkat, [AT_FDCWD, text(path), AT_REMOVEDIR])
  }

  async readlink(path: string): Promise<string> {
    const into = new Uint8Array(4096)
    const length = await this.#checked(`readlink ${path}`, NR.readlinkat, [AT_FDCWD, text(path), into, into.length])
    return decoder.decode(into.subarray(0, length))
  }

  mknod(path: string, kind: 'character' | 'block', major: number, minor: number): Promise<number> {
    const device = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)
    return this.#checked(`mknod ${path}`, NR.mknodat, [AT_FDCWD, text(path), KIND[kind] | 0o600, device])
  }

  /** A node for the device that a directory of sysfs describes, as udev would make it: its path. */
  async node(directory: string): Promise<string> {
    const number = decoder.decode(await this.readFile(`${directory}/dev`)).trim()
    const [major, minor] = number.split(':').map(Number) as [number, number]
    const names = decoder.decode(await this.readFile(`${directory}/uevent`))
    const path = `/dev/${/^DEVNAME=(.+)$/m.exec(names)?.[1] ?? directory.split('/').at(-1)}`
    const parts = path.split('/').slice(2, -1)
    for (let depth = 1; depth <= parts.length; depth++)
      await this.#unless(EEXIST, this.mkdir(`/dev/${parts.slice(0, depth).join('/')}`))
    const block = await this.#unless(ENOENT, this.readlink(`/sys/dev/block/${number}`))
    await this.#unless(EEXIST, this.mknod(path, block === undefined ? 'character' : 'block', major, minor))
    return path
  }

  async #unless<T>(code: number, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      if (error instanceof SystemError && error.code === code) return undefined
      throw error
    }
  }

  mount(source: string, target: string, type: string, flags = 0, options = ''): Promise<number> {
    const args = [text(source), text(target), text(type), flags, text(options)]
    return this.#checked(`mount ${type} at ${target}`, NR.mount, args)
  }

  umount(target: string): Promise<number> {
    return this.#checked(`umount ${target}`, NR.umount2, [text(target), 0])
  }

  socket(family: number, type: number, protocol = 0): Promise<number> {
    return this.#checked('socket', NR.socket, [family, type, protocol])
  }

  bind(fd: number, address: Uint8Array): Promise<number> {
    return this.#checked('bind', NR.bind, [fd, address.slice(), address.length])
  }

  connect(fd: number, address: Uint8Array): Promise<number> {
    return this.#checked('connect', NR.connect, [fd, address.slice(), address.length])
  }

  listen(fd: number, backlog = 8): Promise<number> {
    return this.#checked('listen', NR.listen, [fd, backlog])
  }

  accept(fd: number, patienceNs?: number): Promise<number> {
    return this.#checked('accept', NR.accept4, [fd, 0, 0, 0], patienceNs)
  }

  sendTo(fd: number, bytes: Uint8Array, address?: Uint8Array, flags = 0): Promise<number> {
    const to = address === undefined ? [0, 0] : [address.slice(), address.length]
    return this.#checked('sendto', NR.sendto, [fd, bytes.slice(), bytes.length, flags, ...to])
  }

  /** `control` goes beside the bytes: struct cmsghdr, one after the other. struct msghdr has seven words here, struct iovec two. */
  sendMessage(fd: number, bytes: Uint8Array, control: Uint8Array, flags = 0): Promise<number> {
    const vector = new Uint8Array(8)
    new DataView(vector.buffer).setUint32(4, bytes.length, true)
    const header = new Uint8Array(28)
    const view = new DataView(header.buffer)
    view.setUint32(12, 1, true)
    view.setUint32(20, control.length, true)
    const data = new Pointing(vector, [[0, bytes.slice()]])
    const message = new Pointing(header, [
      [8, data],
      [16, control.slice()],
    ])
    return this.#checked('sendmsg', NR.sendmsg, [fd, message, flags])
  }

  /** What came, and from where. */
  async receiveFrom(
    fd: number,
    length: number,
    flags = 0,
    patienceNs?: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly from: Uint8Array }> {
    const [into, from, size] = [new Uint8Array(length), new Uint8Array(ADDRESS_BYTES), new Uint8Array(4)]
    new DataView(size.buffer).setUint32(0, from.length, true)
    const got = await this.#checked('recvfrom', NR.recvfrom, [fd, into, length, flags, from, size], patienceNs)
    const used = Math.min(new DataView(size.buffer).getUint32(0, true), from.length)
    return { bytes: into.subarray(0, Math.min(got, length)), from: from.subarray(0, used) }
  }

  setOption(fd: number, level: number, name: number, value: Uint8Array): Promise<number> {
    return this.#checked('setsockopt', NR.setsockopt, [fd, level, name, value.slice(), value.length])
  }

  async option(fd: number, level: number, name: number, length = 4): Promise<Uint8Array> {
    const [value, size] = [new Uint8Array(length), new Uint8Array(4)]
    new DataView(size.buffer).setUint32(0, length, true)
    await this.#checked('getsockopt', NR.getsockopt, [fd, level, name, value, size])
    return value.subarray(0, Math.min(new DataView(size.buffer).getUint32(0, true), length))
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
    const isDevice = ([KIND.character, KIND.block] as number[]).includes(mode & KIND.mask)
    const bytes = Number(view.getBigUint64(STATX.size, true))
    return { mode, bytes, device: isDevice ? [major, minor] : undefined }
  }

  async isDirectory(path: string): Promise<boolean> {
    return ((await this.stat(path)).mode & KIND.mask) === KIND.directory
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

const ENOENT = -2
const EEXIST = -17
/** struct sockaddr_storage. */
const ADDRESS_BYTES = 128

/** Low and high word. */
function long(value: number): [number, number] {
  const bits = BigInt.asUintN(64, BigInt(value))
  return [Number(bits & 0xffff_ffffn), Number(bits >> 32n)]
}

/** Offsets in struct statx (include/uapi/linux/stat.h), its size, and STATX_BASIC_STATS. */
const STATX = { mode: 28, size: 40, rdev: 128, bytes: 256, basic: 0x7ff }

export const text = (value: string): Uint8Array => encoder.encode(`${value}\0`)

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
    const name = decoder.decode(raw.subarray(0, raw.indexOf(0)))
    const kind = KINDS[view.getUint8(at + DIRENT.type)] ?? 'other'
    if (name !== '.' && name !== '..') found.push({ name, kind })
    at += length
  }
  return found
}
