/**
 * Host side of the `ring` call group: rings in memory that domains share, and their bells.
 *
 * Everything a program names is looked up, then checked to the byte on both sides.
 */
import type { RingCalls } from '../../linux-api/generated/abi.ts'
import { type Capability, RIGHT } from '../../kernel/capability.ts'
import type { Ipc } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { BROKEN, Ring, RING_HEADER } from '../../kernel/ring.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'
import { BYTES_A_NS, COPY_NS, deadline, refusable } from './words.ts'

function ringCalls(host: Host): RingCalls {
  const ipc = (): Ipc => host.board.kernel.ipc
  const space = () => host.domain.capabilities
  const find = (call: string, slot: number, right: number): Capability | undefined => {
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
    host.domain.spend(COPY_NS + (moved * ring.slotBytes) / BYTES_A_NS)
    if (ring.ownerWants(moved)) ipc().raise(ring.ownerBell, 1)
    return moved
  }
  return {
    create: (address, slots, slotBytes, outward) => {
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
      host.domain.spend(COPY_NS)
      return ipc().raise(ring.peerBell, 1)
    },
    wait: (slot, low, high) => {
      const capability = find('wait', slot, 0)
      if (capability === undefined) return ipc().refused
      const ring = capability.object as Ring
      const party = host.domain.party('ring.wait')
      party.arrived = undefined
      ring.counts.crossings++
      host.domain.spend(COPY_NS)
      const owner = ring.root === capability
      if (ring.closed) return IPC.ENDED
      if (!(owner ? ring.ownerMayWait() : ring.peerMayWait())) return IPC.OK
      const bell = owner ? ring.ownerBell : ring.peerBell
      return host.domain.converse(ipc().pause(party, bell), host.machineNs(deadline(low, high)))
    },
  }
}

function makeRing(host: Host, bytes: Uint8Array, slots: number, slotBytes: number, outward: boolean): number {
  const { ipc } = host.board.kernel
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

export const ring = { name: 'ring', authority: 'ring-maker', calls: ringCalls } satisfies AbiGroup<'ring'>
