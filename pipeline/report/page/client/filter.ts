/**
 * Which rows a state selects, and the counts beside every choice. Pure, no DOM.
 *
 * A choice's count answers «how many would I see if I picked it»: it is taken over the rows that every *other* filter
 * lets through. So one pass notes for each row which filters refuse it.
 */
import { RUNGS } from '../../../ladder.ts'
import { FACETS, type Facet, type SortKey, type State } from './state.ts'
import { type Model, type Row } from './model.ts'

const bitOf = Object.fromEntries(FACETS.map((facet, i) => [facet, 1 << i])) as Record<Facet, number>

type Test = (row: Row) => boolean

/** Value of the reason filter for rows that stopped nowhere. */
export const NO_REASON = 'none'

export const LICENCE_USE = { yes: 'gpl:yes', no: 'gpl:no' } as const

/** What a row can be found by in the licence filter. */
export function licenceKeys(row: Row, strings: readonly string[]): string[] {
  return [
    ...row.licenses.map((id) => `text:${strings[id]}`),
    ...row.spdx.map((id) => `spdx:${strings[id]}`),
    row.gplOnly.length > 0 ? LICENCE_USE.yes : LICENCE_USE.no,
  ]
}

export const inFolder = (path: string, dir: string): boolean => dir === '' || path.startsWith(`${dir}/`)

function wordTest(word: string, strings: readonly string[]): Test {
  const named = new Uint8Array(strings.length)
  strings.forEach((text, id) => {
    if (text.toLowerCase().includes(word)) named[id] = 1
  })
  const anyOf = (ids: readonly number[]) => ids.some((id) => named[id] === 1)
  return (row) => row.text.includes(word) || anyOf(row.missing) || anyOf(row.pretends) || anyOf(row.traps)
}

function rungTest(state: State): Test {
  const wanted = (RUNGS as readonly string[]).indexOf(state.rung)
  if (state.test === 'ge') return (row) => row.rung >= wanted
  if (state.test === 'lt') return (row) => row.rung < wanted
  return (row) => row.rung === wanted
}

/** Rows that only the other matrix has are seen when differences are asked for, and only then. */
function changeTest(change: string): Test {
  if (change === '') return (row) => row.change !== 'vanished'
  if (change === 'any') return (row) => row.change !== 'same' && row.change !== ''
  return (row) => row.change === change
}

/** The active filters of a state. */
function testsOf(state: State, strings: readonly string[]): (readonly [bit: number, test: Test])[] {
  const idOf = (text: string) => strings.indexOf(text)
  const holds = (ids: keyof Row & ('classes' | 'buses' | 'missing'), name: string): Test => {
    const id = idOf(name)
    return (row) => row[ids].includes(id)
  }
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean)
  const make: Record<Facet, () => Test> = {
    q: () => {
      const tests = words.map((word) => wordTest(word, strings))
      return (row) => tests.every((test) => test(row))
    },
    rung: () => rungTest(state),
    reason: () => {
      const reason = state.reason === NO_REASON ? '' : state.reason
      return (row) => row.reason === reason
    },
    class: () => holds('classes', state.class),
    bus: () => holds('buses', state.bus),
    licence: () => (row) => licenceKeys(row, strings).includes(state.licence),
    dir: () => (row) => inFolder(row.path, state.dir),
    sym: () => holds('missing', state.sym),
    change: () => changeTest(state.change),
  }
  return FACETS.filter((facet) => state[facet] !== '' || facet === 'change').map(
    (facet) => [bitOf[facet], make[facet]()] as const,
  )
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const CHANGE_ORDER = ['lost', 'vanished', 'changed', 'detailed', 'gained', 'appeared', 'unfinished', 'same', '']

const comparators: Record<SortKey, (a: Row, b: Row) => number> = {
  // A folder's own modules together, before those of the folders in it.
  path: (a, b) => byText(a.dir, b.dir) || byText(a.path, b.path),
  module: (a, b) => byText(a.module, b.module),
  rung: (a, b) => a.rung - b.rung,
  reason: (a, b) => byText(a.reason, b.reason),
  missing: (a, b) => a.missing.length - b.missing.length,
  change: (a, b) => CHANGE_ORDER.indexOf(a.change) - CHANGE_ORDER.indexOf(b.change),
}

export interface Selection {
  /** Rows that pass every filter, in order. */
  readonly rows: readonly Row[]
  /** For each row of the model, in its order: the filters that refuse it, as bits. */
  readonly refused: Uint16Array
}

export interface Selector {
  select(state: State): Selection
}

/** Keeps the orders it has sorted once; a filter then only walks one of them. */
export function selectorOf(model: Model): Selector {
  const orders = new Map<SortKey, Uint32Array>()
  const orderBy = (key: SortKey): Uint32Array => {
    const known = orders.get(key)
    if (known !== undefined) return known
    const compare = comparators[key]
    const { rows } = model
    const order = Uint32Array.from(rows.keys()).toSorted(
      (a, b) => compare(rows[a]!, rows[b]!) || comparators.path(rows[a]!, rows[b]!),
    )
    orders.set(key, order)
    return order
  }
  const select = (state: State): Selection => {
    const tests = testsOf(state, model.strings)
    const refused = new Uint16Array(model.rows.length)
    model.rows.forEach((row, i) => {
      let bits = 0
      for (const [bit, test] of tests) if (!test(row)) bits |= bit
      refused[i] = bits
    })
    const rows: Row[] = []
    for (const i of orderBy(state.sort)) if (refused[i] === 0) rows.push(model.rows[i]!)
    if (state.down) rows.reverse()
    return { rows, refused }
  }
  return { select }
}

/** Visits the rows that the filters other than `facet` let through. */
export function eachBut(facet: Facet, model: Model, selection: Selection, visit: (row: Row) => void): void {
  const own = bitOf[facet]
  model.rows.forEach((row, i) => {
    if ((selection.refused[i]! & ~own) === 0) visit(row)
  })
}

/** How often each key occurs over those rows. */
export function countBut(
  facet: Facet,
  model: Model,
  selection: Selection,
  keysOf: (row: Row) => readonly string[],
): Map<string, number> {
  const counts = new Map<string, number>()
  eachBut(facet, model, selection, (row) => {
    for (const key of keysOf(row)) counts.set(key, (counts.get(key) ?? 0) + 1)
  })
  return counts
}

export interface SymbolNeed {
  readonly name: string
  /** Modules that lack it. */
  readonly modules: number
  /** Modules that lack nothing else. */
  readonly alone: number
}

/** Missing symbols, the one that most modules need first. */
export function rankMissing(model: Model, selection: Selection): SymbolNeed[] {
  const modules = new Uint32Array(model.strings.length)
  const alone = new Uint32Array(model.strings.length)
  const seen: number[] = []
  eachBut('sym', model, selection, ({ missing }) => {
    for (const id of missing) if (modules[id]!++ === 0) seen.push(id)
    if (missing.length === 1) alone[missing[0]!]!++
  })
  return seen
    .map((id) => ({ name: model.strings[id]!, modules: modules[id]!, alone: alone[id]! }))
    .toSorted((a, b) => b.modules - a.modules || b.alone - a.alone || byText(a.name, b.name))
}
