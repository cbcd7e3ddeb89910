/**
 * Capabilities in messages: copied, moved, or moved so that nobody else keeps any, into slots the receiver opened.
 *
 * All of a message's capabilities go, or none: everything is checked before anything moves.
 */

import { type Capability, CapabilityError, type CNode, revoke, RIGHT } from './capability.ts'
import { lookup } from './cspace.ts'
import { CAPS, IPC, type Message, REFUSALS } from './message.ts'

/** One side of a message, as far as capabilities go. */
export interface End {
  readonly capabilities: CNode
  readonly out: Message
  readonly in: Message
  /** First of the slots open for capabilities that arrive, and how many. */
  readonly window: number
  readonly windowSize: number
}

/** Bit of `moved` that asks for the first capability to be moved exclusively. */
export const EXCLUSIVE = 8

/** What is being sent. Held between checking and moving: the first to move may be the CNode that a later one lies in. */
const sources: (Capability | undefined)[] = Array.from({ length: CAPS }, () => undefined)

/** Copy or move what `from.out` names into the window of `to`. Returns OK, or an error that leaves both sides as they were. */
export function moveCapabilities(from: End, to: End): number {
  const { out } = from
  const refused = out.capCount > to.windowSize ? IPC.WINDOW : check(from, to)
  if (refused === IPC.OK) for (let i = 0; i < out.capCount; i++) give(sources[i]!, out.moved >> i, to, i)
  sources.fill(undefined)
  return refused
}

function give(source: Capability, how: number, to: End, i: number): void {
  const slot = to.window + i
  if (isExclusive(how)) {
    revoke(source, false)
    to.capabilities.move(source, slot)
  } else if (how & 1) to.capabilities.move(source, slot)
  else to.capabilities.derive(source, source.object, { slot })
  to.in.caps[i] = slot
}

function check(from: End, to: End): number {
  const { out } = from
  for (let i = 0; i < out.capCount; i++) {
    const slot = to.window + i
    if (slot < 0 || slot >= to.capabilities.size || to.capabilities.at(slot) !== undefined) return IPC.WINDOW
    // What moves leaves its slot: as much a write of it as cap.move.
    const right = isMoved(out.moved >> i) ? RIGHT.WRITE : RIGHT.READ
    const source = find(from.capabilities, out.caps[i]!, right)
    if (typeof source === 'number') return source
    if ((source.rights & RIGHT.GRANT) === 0) return IPC.NO_RIGHT
    if (isExclusive(out.moved >> i) && !isOwners(source)) return IPC.NO_RIGHT
    sources[i] = source
  }
  for (let i = 0; i < out.capCount; i++)
    for (let j = 0; j < out.capCount; j++)
      if (i !== j && leavesNone(out.moved >> j, sources[j]!, sources[i]!)) return IPC.EMPTY
  return admitted(out, to) ? IPC.OK : IPC.QUOTA
}

/** The receiver's quotas allow what would be its own. A copy stays the account of who has what it was derived from. */
function admitted(out: Message, { capabilities }: End): boolean {
  if (capabilities.admits === undefined || out.moved === 0) return true
  const arriving = sources.filter(
    (source, i): source is Capability =>
      source !== undefined && isMoved(out.moved >> i) && source.space !== capabilities,
  )
  return arriving.length === 0 || capabilities.admits(arriving)
}

function find(space: CNode, pointer: number, right: number): Capability | number {
  try {
    return lookup(space, pointer, right)
  } catch (error) {
    if (error instanceof CapabilityError) return REFUSALS[error.refusal]
    throw error
  }
}

/** Whether sending `other` leaves no `source` to send: the same one is moved, or it is below one moved exclusively. */
const leavesNone = (how: number, other: Capability, source: Capability): boolean =>
  (other === source && (how & (1 | (1 << EXCLUSIVE))) !== 0) || (isExclusive(how) && isBelow(source, other))

const isMoved = (how: number): boolean => (how & (1 | (1 << EXCLUSIVE))) !== 0
const isExclusive = (how: number): boolean => ((how >> EXCLUSIVE) & 1) !== 0

/** Nobody but its holder reaches what it is for, once what was derived from it has ended. */
const isOwners = ({ original, object }: Capability): boolean => original && object.ownable === true

function isBelow(capability: Capability, root: Capability): boolean {
  for (let at = capability.parent; at !== undefined; at = at.parent) if (at === root) return true
  return false
}
