/**
 * When reading some headers first makes no difference to a file that reads them anyway.
 *
 * Reading them first moves them before everything else that the file reads up to the last of them. That matters to them
 * where something among it defines a macro that they ask for, and to it where it asks for a macro that they define.
 * Pure: readings and scanned headers (headers.ts) in, reasons out. Whether their text expands a macro is another
 * question: see pch-effects.ts.
 */

import { sectionAt, type Header, type Reading } from './headers.ts'

/** A section of a header that asks for or defines a macro. */
export interface Place {
  readonly file: number
  readonly section: number
}

/** What the headers of a set mean depends on these. */
export interface Meaning {
  /** Numbers of all files. */
  readonly files: ReadonlySet<number>
  /** Where a macro is asked for, defined or undefined. */
  readonly sensitive: ReadonlyMap<string, readonly Place[]>
  /** Where a macro is asked for, or its definition taken back. */
  readonly asked: ReadonlyMap<string, readonly Place[]>
  /** Files that define a macro, by default or always. */
  readonly definers: ReadonlyMap<string, readonly number[]>
  /** What other headers do that concerns these, as far as it was asked for. */
  readonly concerns: Map<Header, readonly Concern[]>
}

/** What making a set's precompiled header has shown about macros that others define. */
export interface Shown {
  /** Without effect on the text of the headers; where one of them asks for the macro, the order decides. */
  readonly harmless: ReadonlySet<string>
  /** Defined by the headers, by no default of theirs: after them a default for one is never taken. */
  readonly settled: ReadonlySet<string>
}

/** A macro that a section of another header defines, or asks for. */
interface Concern {
  readonly name: string
  readonly section: number
  readonly defined: boolean
  /** Defined only where nobody did before. */
  readonly fallback: boolean
  readonly asked: boolean
}

/** A macro that a section of one file asks for and others define, and whether one of those is read before. */
export interface Ordered {
  readonly definers: readonly number[]
  readonly place: Place
  readonly before: boolean
}

/** Defined by the one file of a module that makes its trace points: its headers are read again in ways of their own. */
export const TRACE_SWITCH = 'CREATE_TRACE_POINTS'

/** Add to the list of a key. */
export const push = <K, V>(map: Map<K, V[]>, key: K, value: V) => {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

/** What a set of headers means. */
export function meaningOf(headers: Iterable<Header>): Meaning {
  const files = new Set<number>()
  const sensitive = new Map<string, Place[]>()
  const asked = new Map<string, Place[]>()
  const definers = new Map<string, number[]>()
  for (const { file, facts } of headers) {
    if (files.has(file)) continue
    files.add(file)
    facts.sections.forEach(({ tested, defines, defaults }, section) => {
      for (const name of tested) {
        push(sensitive, name, { file, section })
        push(asked, name, { file, section })
      }
      for (const name of defines.keys()) {
        push(sensitive, name, { file, section })
        push(definers, name, file)
      }
      for (const name of defaults.keys()) push(definers, name, file)
    })
  }
  return { files, sensitive, asked, definers, concerns: new Map() }
}

export type Order = Pick<Reading, 'entered' | 'firsts' | 'marks' | 'starts'>

/** How many headers are entered before a section of one; undefined when it is not read. */
export function positionOf(order: Order, { file, section }: Place): number | undefined {
  const first = order.firsts.get(file)
  return first === undefined ? undefined : sectionAt(order, first, section)
}

/**
 * What keeps a unit from having these headers read first, or undefined when nothing does: a macro that somebody else
 * defines before one of them asks for it, or a condition elsewhere that comes before one of them defines its macro.
 */
export function conflict(reading: Reading, meaning: Meaning, shown?: Shown): string | undefined {
  const { entered, firsts, defines, tests } = reading
  const last = lastOf(reading, meaning)
  const changes = (name: string, at: number, fallback = false): boolean =>
    isFixed(name) ||
    (shown !== undefined && !shown.harmless.has(name) && !(fallback && shown.settled.has(name))) ||
    (meaning.sensitive.get(name)?.some((place) => (positionOf(reading, place) ?? -1) > at) ?? false)
  /** The macro is defined, but only later. */
  const asksEarly = (name: string, at: number): boolean => {
    const read = (meaning.definers.get(name) ?? []).flatMap((file) => firsts.get(file) ?? [])
    return read.length > 0 && read.every((first) => first >= at)
  }
  for (const { name, at } of defines) if (at <= last && changes(name, at)) return `defines ${name}`
  for (const { name, at } of tests) if (at <= last && asksEarly(name, at)) return `asks for ${name}`
  for (let i = 0; i < last; i++) {
    const header = entered[i] as Header
    if (meaning.files.has(header.file)) continue
    if (header.facts.counts) return `${header.path} counts`
    for (const { name, section, defined, fallback, asked } of concernsOf(header, meaning, shown)) {
      const at = sectionAt(reading, i, section)
      if (at > last) break
      if (defined && changes(name, at, fallback)) return `${header.path} defines ${name}`
      if (asked && asksEarly(name, at)) return `${header.path} asks for ${name}`
    }
  }
  return undefined
}

/** Macros whose state is taken for known (pch-command.ts): whoever defines one is read otherwise than it was taken. */
const isFixed = (name: string): boolean => name.startsWith('CONFIG_') || name === TRACE_SWITCH

/** Where the last of a set's headers is entered: only what comes before is moved. */
export const lastOf = ({ entered }: Pick<Reading, 'entered'>, { files }: Pick<Meaning, 'files'>): number =>
  entered.findLastIndex((header) => files.has(header.file))

/** What another header does that could matter to a set; found out once, as some define macros by the ten thousand. */
function concernsOf(header: Header, meaning: Meaning, shown: Shown | undefined): readonly Concern[] {
  const known = meaning.concerns.get(header)
  if (known !== undefined) return known
  const concerns: Concern[] = []
  const add = (name: string, section: number, defined: boolean, fallback: boolean, asked: boolean) => {
    const matters = isFixed(name) || meaning.sensitive.has(name) || shown?.harmless.has(name) === false
    const concern = { name, section, defined: defined && matters, fallback, asked: asked && meaning.definers.has(name) }
    if (concern.defined || concern.asked) concerns.push(concern)
  }
  header.facts.sections.forEach(({ defines, defaults, tested }, section) => {
    for (const name of defines.keys()) add(name, section, true, false, false)
    for (const name of defaults.keys()) add(name, section, true, true, true)
    for (const name of tested) add(name, section, false, false, true)
  })
  meaning.concerns.set(header, concerns)
  return concerns
}

const isBefore = (order: Order, definers: readonly number[], place: Place): boolean => {
  const at = positionOf(order, place) ?? -1
  return definers.some((file) => (order.firsts.get(file) ?? Infinity) < at)
}

/** What matters of the order of the headers among themselves: whether a macro is defined where it is asked for. */
export function orderOf(meaning: Meaning, order: Order): Ordered[] {
  const found: Ordered[] = []
  for (const [name, places] of meaning.asked) {
    for (const place of places) {
      const definers = (meaning.definers.get(name) ?? []).filter((file) => file !== place.file)
      if (definers.length > 0 && order.firsts.has(place.file))
        found.push({ definers, place, before: isBefore(order, definers, place) })
    }
  }
  return found
}

/** Whether a file reads them in an order that comes to the same. */
export const hasOrder = (order: Order, ordered: readonly Ordered[]): boolean =>
  ordered.every(({ definers, place, before }) => isBefore(order, definers, place) === before)
