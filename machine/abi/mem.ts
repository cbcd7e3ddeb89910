/**
 * Host side of the `mem` call group: memory that domains share.
 *
 * Everything a program names is looked up, then checked to the byte on both sides. Copies go straight from one memory to
 * the other.
 */
import type { MemCalls } from '../../linux-api/generated/abi.ts'
import { RIGHT } from '../../kernel/capability.ts'
import { Failure } from '../../kernel/fault.ts'
import type { Ipc } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { MemoryObject } from '../../kernel/memory-object.ts'
import type { Window } from '../reach/page-table.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'
import { BYTES_A_NS, COPY_NS, refusable } from './words.ts'

/** A memory object as registers are reached. What its capability does not allow ends the domain, as for a register. */
function windowOn(object: MemoryObject, rights: number): Window {
  return {
    start: 0,
    bytes: object.size,
    read: (offset, width) => object.load(offset, width),
    write: (offset, width, value) => {
      if ((rights & RIGHT.WRITE) === 0)
        throw new Failure('no-capability', `write to ${object.label} at ${offset}: mapped for reading only`)
      object.store(offset, width, value)
    },
  }
}

function memCalls(host: Host): MemCalls {
  const ipc = (): Ipc => host.board.kernel.ipc
  const space = () => host.domain.capabilities
  /** Copy between an object and the program's memory. */
  const move = (call: string, slot: number, address: number, length: number, right: number, work: Mover): number => {
    const capability = ipc().find(space(), slot >>> 0, 'memory', right)
    if (capability === undefined) return ipc().refused
    const bytes = host.bytes(`mem.${call}`, address, length)
    host.domain.spend(COPY_NS + bytes.length / BYTES_A_NS)
    return work(capability.object as MemoryObject, bytes) ? IPC.OK : IPC.RANGE
  }
  const create = (size: number, lent?: Uint8Array): number =>
    refusable(() => {
      const object = new MemoryObject(`${size} bytes of ${host.name}`, size, lent)
      return space().create(object, { ended: () => object.close() }).slot
    })
  return {
    create: (length) => {
      return length === 0 ? IPC.RANGE : create(length >>> 0)
    },
    lend: (address, length) => {
      return create(length >>> 0, host.bytes('mem.lend', address, length))
    },
    size: (slot) => {
      const capability = ipc().find(space(), slot >>> 0, 'memory', 0)
      return capability === undefined ? ipc().refused : (capability.object as MemoryObject).size
    },
    read: (slot, offset, to, length) =>
      move('read', slot, to, length, RIGHT.READ, (object, bytes) => object.read(offset >>> 0, bytes)),
    write: (slot, offset, from, length) =>
      move('write', slot, from, length, RIGHT.WRITE, (object, bytes) => object.write(offset >>> 0, bytes)),
    map: (slot, offset, length) => {
      const capability = ipc().find(space(), slot >>> 0, 'memory', RIGHT.MAP | RIGHT.READ)
      const object = capability?.object as MemoryObject | undefined
      if (capability === undefined || object === undefined || length === 0) return 0
      if ((offset >>> 0) + (length >>> 0) > object.size) return 0
      const window = windowOn(object, capability.rights)
      return host.mapWindow(capability, object.label, window, offset >>> 0, length >>> 0) | 0
    },
    unmap: (address) => {
      return host.unmap(address >>> 0) ? IPC.OK : IPC.EMPTY
    },
  }
}

type Mover = (object: MemoryObject, bytes: Uint8Array) => boolean

export const mem = { name: 'mem', authority: 'untyped', calls: memCalls } satisfies AbiGroup<'mem'>
