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

/** A number, or undefined to go on. */
type Check = (a: number, b: number, c: number, d: number, e: number, f: number) => number | undefined
type Measure = (a: number, b: number, c: number, d: number, e: number, f: number) => number

/** A word of a call, unsigned. */
const WORD: readonly Measure[] = [
  (a) => a >>> 0,
  (_a, b) => b >>> 0,
  (_a, _b, c) => c >>> 0,
  (_a, _b, _c, d) => d >>> 0,
  (_a, _b, _c, _d, e) => e >>> 0,
  (_a, _b, _c, _d, _e, f) => f >>> 0,
]

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
    return searched(host, `${group}.${name}`, name, grip, bounds, call)
  }
  if (units.more === 0 && grip === undefined) return call
  return plain(host, name, grip, units.more, params, call)
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

/** Everything there is to look at, in this order: authority, memory, lengths, quotas; then the charge. */
function searched(
  host: Host,
  full: string,
  name: string,
  grip: Grip | undefined,
  bounds: CallBounds,
  call: Words,
): Words {
  const checks = [...memoryOf(host, full, bounds), ...answersOf(bounds), ...quotasOf(host, bounds)]
  const units = measured(bounds.units)
  const { looks, units: fixed } = bounds
  const cut = bounds.most.find(({ answer }) => answer === null)
  const inner = cut === undefined ? call : cutting(cut.param, cut.most, call)
  const most = cut?.most ?? Infinity
  return (a, b, c, d, e, f) => {
    grip?.need(name)
    for (let i = 0; i < checks.length; i++) {
      const answer = checks[i]!(a, b, c, d, e, f)
      if (answer === undefined) continue
      host.domain.charge(fixed.more)
      return answer
    }
    const work = Math.min(units(a, b, c, d, e, f), most + fixed.more)
    host.domain.charge(looks ? work + (host.domain.capabilities.count >> LOOK_SHIFT) : work)
    return inner(a, b, c, d, e, f)
  }
}

/** So many by a word, the rest of a part counted as one. */
function measured({ by, shift, times, more }: BoundAmount): Measure {
  const word = WORD[by]
  if (word === undefined) return () => more
  return (a, b, c, d, e, f) => Math.floor(word(a, b, c, d, e, f) / 2 ** shift) * times + more
}

function memoryOf(host: Host, full: string, { pieces }: CallBounds): Check[] {
  return pieces.map(({ at, bytes, count, width }) => {
    const address = WORD[at]!
    const many: Measure = WORD[count] ?? (() => 1)
    const wide = WORD[width]
    return (a, b, c, d, e, f) => {
      const each = wide === undefined ? bytes : checkedWidth(wide(a, b, c, d, e, f))
      host.within(full, address(a, b, c, d, e, f), each * many(a, b, c, d, e, f))
      return undefined
    }
  })
}

const answersOf = ({ most }: CallBounds): Check[] =>
  most.flatMap(({ param, most: limit, answer }) => {
    const word = WORD[param]!
    return answer === null ? [] : [(a, b, c, d, e, f) => (word(a, b, c, d, e, f) > limit ? answer : undefined)]
  })

function quotasOf(host: Host, { keeps, refused }: CallBounds): Check[] {
  return keeps.map(({ resource, ...much }) => {
    const more = measured(much)
    return (a, b, c, d, e, f) => (host.may(resource as Resource, more(a, b, c, d, e, f)) ? undefined : refused)
  })
}

/** The call with one word at most so large. */
function cutting(param: number, most: number, call: Words): Words {
  if (param !== 2) throw new Error('only a third word is cut')
  return (a, b, c, d, e, f) => call(a, b, Math.min(c >>> 0, most), d, e, f)
}
