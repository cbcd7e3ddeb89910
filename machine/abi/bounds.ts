/**
 * The one wrapper around every call of the driver ABI: it looks for the domain's authority, checks that the memory named is the
 * program's, asks whether the domain may keep what the call keeps, and counts the work, all as the ABI's table says
 * (linux-api/bounds.ts). No call does any of that by hand; what only a call can know, how far it had to search, it tells
 * `Host.worked`. A call without bounds, as a register access is, has no wrapper.
 */
import { type BoundAmount, BOUNDS, type CallBounds } from '../../linux-api/generated/abi.ts'
import type { Resource } from '../../kernel/quota.ts'
import type { Grip } from '../reach/authority.ts'
import type { Host } from './host.ts'
import { checkedWidth } from './words.ts'

/** A call as a module makes it: words. */
export type Words = (a: number, b: number, c: number, d: number, e: number, f: number) => unknown

/** Capabilities looked through for a unit of work, as a power of two. */
const LOOK_SHIFT = 1

/** Whether the table knows a call. */
export const hasBounds = (group: string, name: string): boolean => BOUNDS[`${group}.${name}`] !== undefined

/** The call, bounded: what `members` of `CALLS` are made of before a module gets them. */
export function bounded(host: Host, group: string, name: string, params: number, call: Words): Words {
  const bounds = BOUNDS[`${group}.${name}`]
  if (bounds === undefined) throw new Error(`${group}.${name} has no bounds`)
  const grip = bounds.anyone ? undefined : host.grips.get(group)
  const { units, looks, pieces, most, keeps } = bounds
  if (pieces.length + most.length + keeps.length > 0 || units.by >= 0 || looks) {
    return ofLength(params, searched(host, `${group}.${name}`, name, grip, bounds, call))
  }
  if (units.more === 0 && grip === undefined) return call
  return plain(host, name, grip, units.more, params, call)
}

/** A call of so many words: one that takes more costs the engine time to make them up. */
function ofLength(params: number, call: Words): Words {
  if (params === 1) return ((a: number) => call(a, 0, 0, 0, 0, 0)) as Words
  if (params === 2) return ((a: number, b: number) => call(a, b, 0, 0, 0, 0)) as Words
  if (params === 3) return ((a: number, b: number, c: number) => call(a, b, c, 0, 0, 0)) as Words
  if (params === 4) return ((a: number, b: number, c: number, d: number) => call(a, b, c, d, 0, 0)) as Words
  return call
}

/** Authority and a fixed charge: a closure for each number of words, so that none is passed that the call has not. */
function plain(host: Host, name: string, grip: Grip | undefined, units: number, params: number, call: Words): Words {
  const before = beforeCall(host, name, grip, units)
  const less = call as (...words: number[]) => unknown
  if (params === 0) return (() => (before(), less())) as Words
  if (params === 1) return ((a: number) => (before(), less(a))) as Words
  if (params === 2) return ((a: number, b: number) => (before(), less(a, b))) as Words
  if (params === 3) return ((a: number, b: number, c: number) => (before(), less(a, b, c))) as Words
  return (a, b, c, d, e, f) => (before(), call(a, b, c, d, e, f))
}

function beforeCall(host: Host, name: string, grip: Grip | undefined, units: number): () => void {
  if (grip === undefined) return () => host.domain.charge(units)
  if (units === 0) return () => grip.need(name)
  return () => {
    grip.need(name)
    host.domain.charge(units)
  }
}

/**
 * Everything there is to look at, in this order: authority, memory, lengths, quotas; then the charge. It goes through the
 * table's own rows: what is looked at for a frame is no closure.
 */
function searched(
  host: Host,
  full: string,
  name: string,
  grip: Grip | undefined,
  bounds: CallBounds,
  call: Words,
): Words {
  const { looks, units, pieces, most, keeps, refused } = bounds
  const cut = most.find(({ answer }) => answer === null)
  if (cut !== undefined && cut.param !== 2) throw new Error('only a third word is cut')
  const longest = cut?.most ?? Infinity
  return (a, b, c, d, e, f) => {
    grip?.need(name)
    for (let i = 0; i < pieces.length; i++) checkPiece(host, full, pieces[i]!, a, b, c, d, e, f)
    for (let i = 0; i < most.length; i++) {
      const { param, most: limit, answer } = most[i]!
      if (answer === null || wordOf(param, a, b, c, d, e, f) <= limit) continue
      host.domain.charge(units.more)
      return answer
    }
    for (let i = 0; i < keeps.length; i++) {
      const keep = keeps[i]!
      if (host.may(keep.resource as Resource, amountOf(keep, a, b, c, d, e, f))) continue
      host.domain.charge(units.more)
      return refused
    }
    const work = Math.min(amountOf(units, a, b, c, d, e, f), longest + units.more)
    host.domain.charge(looks ? work + (host.domain.capabilities.count >> LOOK_SHIFT) : work)
    return call(a, b, longest === Infinity ? c : Math.min(c >>> 0, longest), d, e, f)
  }
}

/** A word of a call, unsigned. */
function wordOf(by: number, a: number, b: number, c: number, d: number, e: number, f: number): number {
  switch (by) {
    case 0:
      return a >>> 0
    case 1:
      return b >>> 0
    case 2:
      return c >>> 0
    case 3:
      return d >>> 0
    case 4:
      return e >>> 0
    default:
      return f >>> 0
  }
}

/** So many by a word, the rest of a part counted as one. */
function amountOf(of: BoundAmount, a: number, b: number, c: number, d: number, e: number, f: number): number {
  return of.by < 0 ? of.more : (wordOf(of.by, a, b, c, d, e, f) >>> of.shift) * of.times + of.more
}

/** A piece of memory that a call names is the program's. */
function checkPiece(
  host: Host,
  full: string,
  { at, bytes, count, width }: CallBounds['pieces'][number],
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
): void {
  const each = width < 0 ? bytes : checkedWidth(wordOf(width, a, b, c, d, e, f))
  const many = count < 0 ? 1 : wordOf(count, a, b, c, d, e, f)
  host.within(full, wordOf(at, a, b, c, d, e, f), each * many)
}
