/**
 * A client of a domain's files: it may open what lies below the directories it was granted, and nothing else, in this domain or
 * another. What a path means is decided by the domain's kernel, which is told not to leave the directory; what the client may do
 * there are the rights of its capability, looked at with every use, so that taking that back ends what it has open.
 */
import { type Capability, type CapabilityObject, type CNode, RIGHT } from '../../kernel/capability.ts'
import { E } from '../../linux-api/generated/abi.ts'
import { type Argument, NR, O, type System, SystemError, text } from './system.ts'

/** A directory of a domain, as a capability stands for it. */
export interface Directory extends CapabilityObject {
  readonly type: 'directory'
  readonly system: System
  /** Open in the domain. */
  readonly fd: number
}

/** O_PATH: a place, not its content. */
const PLACE = 0o10000000
/** openat2: stay below the directory, follow no link that leads elsewhere by magic. */
const RESOLVE_NO_MAGICLINKS = 2n
const RESOLVE_BENEATH = 8n
/** struct open_how. */
const HOW_BYTES = 24
const ACCESS = 3

/** A directory of a domain's, to be granted. */
export async function openDirectory(system: System, path: string): Promise<Directory> {
  return { type: 'directory', label: path, system, fd: await system.open(path, PLACE | O.DIRECTORY) }
}

interface Handle {
  readonly fd: number
  readonly through: Capability<Directory>
  readonly rights: number
}

export class Client {
  readonly #space: CNode
  readonly #handles = new Map<number, Handle>()
  #next = 1

  /** `space` holds its directories, by slot. */
  constructor(space: CNode) {
    this.#space = space
  }

  /** Open a file below the directory in a slot. Returns a handle of this client's. Throws SystemError. */
  async open(slot: number, path: string, flags: number = O.RDONLY, mode = 0o644): Promise<number> {
    const through = this.#space.at(slot) as Capability<Directory> | undefined
    const rights = needed(flags)
    const { system, fd: directory } = this.#usable(`open ${path}`, through, rights)
    const how = new Uint8Array(HOW_BYTES)
    const view = new DataView(how.buffer)
    view.setBigUint64(0, BigInt(flags | O.LARGEFILE), true)
    view.setBigUint64(8, BigInt((flags & O.CREAT) === 0 ? 0 : mode), true)
    view.setBigUint64(16, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, true)
    const fd = await system.call(NR.openat2, [directory, text(path), how, HOW_BYTES])
    if (fd < 0) throw new SystemError(`open ${path}`, fd)
    this.#handles.set(this.#next, { fd, through: through!, rights })
    return this.#next++
  }

  async read(handle: number, length: number): Promise<Uint8Array> {
    const { system, fd } = this.#held('read', handle, RIGHT.READ)
    return system.read(fd, length)
  }

  async write(handle: number, bytes: Uint8Array): Promise<number> {
    const { system, fd } = this.#held('write', handle, RIGHT.WRITE)
    return system.write(fd, bytes)
  }

  /** What it may do is the driver's to say, so it takes all rights. */
  async ioctl(handle: number, command: number, argument: Argument = 0): Promise<number> {
    const { system, fd } = this.#held('ioctl', handle, RIGHT.READ | RIGHT.WRITE)
    return system.ioctl(fd, command, argument)
  }

  async close(handle: number): Promise<void> {
    const { system, fd } = this.#held('close', handle, 0)
    this.#handles.delete(handle)
    await system.close(fd)
  }

  #held(what: string, handle: number, rights: number): { system: System; fd: number } {
    const held = this.#handles.get(handle)
    if (held === undefined) throw new SystemError(what, EBADF)
    if ((held.rights & rights) !== rights) throw new SystemError(what, EBADF)
    const { system } = this.#usable(what, held.through, rights)
    return { system, fd: held.fd }
  }

  #usable(what: string, through: Capability<Directory> | undefined, rights: number): Directory {
    if (through === undefined) throw new SystemError(what, EBADF)
    if (!through.alive || (through.rights & rights) !== rights) throw new SystemError(what, E.PERM)
    return through.object
  }
}

const EBADF = -9

/** Rights that a file opened so is used with. */
function needed(flags: number): number {
  const access = flags & ACCESS
  const reads = access === O.WRONLY ? 0 : RIGHT.READ
  const writes = access !== O.RDONLY || (flags & (O.CREAT | O.TRUNC)) !== 0 ? RIGHT.WRITE : 0
  return reads | writes
}
