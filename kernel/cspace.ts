/**
 * Capability spaces as their holders see them: slots named by number, operations that are themselves invocations of
 * CNode capabilities.
 *
 * A pointer is a slot of the root CNode, or, with a second part, a slot of the CNode whose capability lies there:
 * `pointer = slot + (inner + 1) * 65536`. Whoever holds a CNode's capability with WRITE may fill and empty it; that is how
 * a domain without any right beyond it can give another its rights, and take them back. Nothing here is reachable
 * without such a capability.
 */

import { type Capability, CapabilityError, CNode, type Refusal, RIGHT, Revocation } from './capability.ts'

const INNER = 0x1_0000

/** A slot that a pointer names, whether filled or not. */
interface Place {
  readonly node: CNode
  readonly slot: number
}

function refuse(root: CNode, refusal: Refusal, message: string): never {
  root.onRefusal?.()
  throw new CapabilityError(refusal, message)
}

function placeOf(root: CNode, pointer: number, right: number): Place {
  const inner = Math.floor(pointer / INNER) - 1
  const slot = pointer % INNER
  if (inner < 0) return { node: root, slot }
  const capability = root.at(slot)
  if (capability === undefined || !capability.alive || !(capability.object instanceof CNode))
    refuse(root, 'empty', `slot ${slot} of ${root.label} holds no CNode`)
  if ((capability.rights & right) !== right)
    refuse(root, 'no-right', `${root.label} may not do this to ${capability.object.label}`)
  return { node: capability.object, slot: inner }
}

/** The capability a pointer names, if it can be used. Throws CapabilityError: `empty`, `ended`, `no-right`. */
export function lookup(root: CNode, pointer: number, right: number = RIGHT.READ): Capability {
  const { node, slot } = placeOf(root, pointer, right)
  const capability = node.at(slot)
  if (capability === undefined) refuse(root, 'empty', `slot ${slot} of ${node.label} is empty`)
  if (!capability.alive) refuse(root, 'ended', `the capability in slot ${slot} of ${node.label} is being revoked`)
  return capability
}

/** What lies where a pointer points, whether it can be used or not. Throws CapabilityError: `empty`, `no-right`. */
export function held(root: CNode, pointer: number): Capability | undefined {
  const { node, slot } = placeOf(root, pointer, RIGHT.READ)
  return node.at(slot)
}

/** Derive a capability with fewer or equal rights, and a badge if it has none. Returns it. */
export function mint(root: CNode, from: number, to: number, rights: number = RIGHT.ALL, badge?: number): Capability {
  const source = lookup(root, from)
  const { node, slot } = placeOf(root, to, RIGHT.WRITE)
  return node.derive(source, source.object, { rights, slot, ...(badge !== undefined && { badge }) })
}

export const copy = (root: CNode, from: number, to: number): Capability => mint(root, from, to)

export function move(root: CNode, from: number, to: number): void {
  const source = lookup(root, from, RIGHT.WRITE)
  const { node, slot } = placeOf(root, to, RIGHT.WRITE)
  node.move(source, slot)
}

/** Empty a slot. What was derived from it stays, as its parent's. */
export function remove(root: CNode, pointer: number): void {
  const capability = lookup(root, pointer, RIGHT.WRITE)
  capability.space!.delete(capability)
}

/** Begin to end everything derived from a capability, itself not: the caller steps it, and may be preempted between. */
export function revocation(root: CNode, pointer: number): Revocation {
  return Revocation.of(lookup(root, pointer, RIGHT.WRITE))
}
