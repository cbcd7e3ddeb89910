/**
 * Host side of the `mem` and `ring` call groups: memory that domains share, and rings in it.
 *
 * Everything a program names is looked up, then checked to the byte on both sides. Copies go straight from one memory to
 * the other.
 */
import type { MemCalls, RingCalls } from '../../linux-api/generated/abi.ts'
import { type Capability, RIGHT } from '../../kernel/capability.ts'
import { Failure } from '../../kernel/fault.ts'
import { type Ipc } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { MemoryObject } from '../../kernel/memory-object.ts'
import { BROKEN, Ring, RING_HEADER } from '../../kernel/ring.ts'
import { deadline } from './core.ts'
import type { Host } from './host.ts'
import { refusable } from './ipc.ts'
import type { Window } from '../reach/page-table.ts'

const CALL_NS = 50
/** A copy of this many bytes takes a nanosecond more. */
const BYTES_A_NS = 8
/** Units of work of making an object; as powers of two, capabilities looked through and bytes made zero in one more. */
const CREATE_UNITS = 100
const SEEN_SHIFT = 1
const ZEROED_SHIFT = 6

/** Bytes of memory objects that count as the domain's: those it would be the one to give away. */
const owned = (host: Host): number =>
  host.domain.capabilities
    .ofType('memory')
    .reduce((sum, { object, parent }) => sum + (parent === undefined ? (object as MemoryObject).size : 0), 0)

/** Whether it may own `size` bytes more. To see what it owns, and to make them, is work of its own. */
function affords(host: Host, size: number): boolean {
  const { domain, bank } = host
  domain.charge(domain.capabilities.count >> SEEN_SHIFT)
  if (!domain.ledger.allows('memory', bank.bytes.length + owned(host), size)) return false
  domain.charge(size >>> ZEROED_SHIFT)
  return true
}

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

export function memCalls(host: Host): MemCalls {
  const grip = host.grips.mem
  const ipc = (): Ipc => host.board.kernel.ipc
  const space = () => host.domain.capabilities
  /** Copy between an object and the program's memory. */
  const move = (call: string, slot: number, address: number, length: number, right: number, work: Mover): number => {
    if (!grip.held) grip.need(call)
    const capability = ipc().find(space(), slot >>> 0, 'memory', right)
    if (capability === undefined) return ipc().refused
    const bytes = host.bytes(`mem.${call}`, address, length)
    host.domain.spend(CALL_NS + bytes.length / BYTES_A_NS)
    return work(capability.object as MemoryObject, bytes) ? IPC.OK : IPC.RANGE
  }
  const create = (size: number, lent?: Uint8Array): number =>
    refusable(() => {
      host.domain.charge(CREATE_UNITS)
      if (!host.mayHold(1)) return IPC.QUOTA
      if (lent === undefined && !affords(host, size)) return IPC.QUOTA
      const object = new MemoryObject(`${size} bytes of ${host.name}`, size, lent)
      return space().create(object, { ended: () => object.close() }).slot
    })
  return {
    create: (length) => {
      grip.need('create')
      return length === 0 ? IPC.RANGE : create(length >>> 0)
    },
    lend: (address, length) => {
      grip.need('lend')
      return create(length >>> 0, host.bytes('mem.lend', address, length))
    },
    size: (slot) => {
      grip.need('size')
      const capability = ipc().find(space(), slot >>> 0, 'memory', 0)
      return capability === undefined ? ipc().refused : (capability.object as MemoryObject).size
    },
    read: (slot, offset, to, length) =>
      move('read', slot, to, length, RIGHT.READ, (object, bytes) => object.read(offset >>> 0, bytes)),
    write: (slot, offset, from, length) =>
      move('write', slot, from, length, RIGHT.WRITE, (object, bytes) => object.write(offset >>> 0, bytes)),
    map: (slot, offset, length) => {
      grip.need('map')
      const capability = ipc().find(space(), slot >>> 0, 'memory', RIGHT.MAP | RIGHT.READ)
      const object = capability?.object as MemoryObject | undefined
      if (capability === undefined || object === undefined || length === 0) return 0
      if ((offset >>> 0) + (length >>> 0) > object.size) return 0
      const window = windowOn(object, capability.rights)
      return host.mapWindow(capability, object.label, window, offset >>> 0, length >>> 0) | 0
    },
    unmap: (address) => {
      grip.need('unmap')
      return host.unmap(address >>> 0) ? IPC.OK : IPC.EMPTY
    },
  }
}

type Mover = (object: MemoryObject, bytes: Uint8Array) => boolean

export function ringCalls(host: Host): RingCalls {
  const grip = host.grips.ring
  const ipc = (): Ipc => host.board.kernel.ipc
  const space = () => host.domain.capabilities
  const find = (call: string, slot: number, right: number): Capability | undefined => {
    if (!grip.held) grip.need(call)
    return ipc().find(space(), slot >>> 0, 'ring', right)
  }
  /** The peer moves a batch. */
  const move = (call: 'take' | 'put', slot: number, address: number, count: number): number => {
    const capability = find(call, slot, call === 'take' ? RIGHT.READ : RIGHT.WRITE)
    if (capability === undefined) return ipc().refused
    const ring = capability.object as Ring
    if (ring.closed) return IPC.ENDED
    if (ring.outward !== (call === 'take')) return IPC.NO_RIGHT
    const wanted = Math.min(count >>> 0, ring.slots)
    const bytes = host.bytes(`ring.${call}`, address, wanted * ring.slotBytes)
    ring.counts.crossings++
    const moved = call === 'take' ? ring.take(bytes, wanted) : ring.put(bytes, wanted)
    if (moved === BROKEN) return IPC.PROTOCOL
    host.domain.spend(CALL_NS + (moved * ring.slotBytes) / BYTES_A_NS)
    if (ring.ownerWants(moved)) ipc().raise(ring.ownerBell, 1)
    return moved
  }
  return {
    create: (address, slots, slotBytes, outward) => {
      grip.need('create')
      const size = RING_HEADER + (slots >>> 0) * (slotBytes >>> 0)
      const bytes = host.bytes('ring.create', address, size)
      return refusable(() => makeRing(host, bytes, slots >>> 0, slotBytes >>> 0, outward !== 0))
    },
    take: (slot, to, max) => move('take', slot, to, max),
    put: (slot, from, count) => move('put', slot, from, count),
    tell: (slot) => {
      const capability = find('tell', slot, RIGHT.READ | RIGHT.WRITE)
      if (capability === undefined) return ipc().refused
      const ring = capability.object as Ring
      if (ring.root !== capability) return IPC.NO_RIGHT
      ring.counts.crossings++
      ring.counts.signals++
      host.domain.spend(CALL_NS)
      return ipc().raise(ring.peerBell, 1)
    },
    wait: (slot, low, high) => {
      const capability = find('wait', slot, 0)
      if (capability === undefined) return ipc().refused
      const ring = capability.object as Ring
      const party = host.domain.party('ring.wait')
      party.arrived = undefined
      ring.counts.crossings++
      host.domain.spend(CALL_NS)
      const owner = ring.root === capability
      if (ring.closed) return IPC.ENDED
      if (!(owner ? ring.ownerMayWait() : ring.peerMayWait())) return IPC.OK
      const bell = owner ? ring.ownerBell : ring.peerBell
      return host.domain.converse(ipc().pause(party, bell), deadline(low, high))
    },
  }
}

function makeRing(host: Host, bytes: Uint8Array, slots: number, slotBytes: number, outward: boolean): number {
  const { ipc } = host.board.kernel
  if (!host.mayHold(1)) return IPC.QUOTA
  try {
    const ring = new Ring(`ring of ${host.name}`, bytes, slots, slotBytes, outward)
    ring.abandoned = () => ipc.close(ring.ownerBell)
    return host.domain.capabilities.create(ring, {
      ended: () => {
        ring.closed = true
        ipc.close(ring.ownerBell)
        ipc.close(ring.peerBell)
      },
    }).slot
  } catch (error) {
    if (error instanceof RangeError) return IPC.RANGE
    throw error
  }
}
