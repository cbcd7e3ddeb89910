/** What the reader has chosen (filters, order, open module) and its form in the address, so that a view can be sent on. */
import { RUNGS } from '../../../ladder.ts'

export const SORT_KEYS = ['path', 'module', 'rung', 'reason', 'missing', 'change'] as const
export type SortKey = (typeof SORT_KEYS)[number]

export const RUNG_TESTS = ['ge', 'is', 'lt'] as const
export type RungTest = (typeof RUNG_TESTS)[number]

export interface State {
  /** Free text: words, all of which must occur. */
  readonly q: string
  /** '' for any; else a rung's name, read with `test`. */
  readonly rung: string
  readonly test: RungTest
  /** '' for any in each of these; `none` is the reason of a row that has none. */
  readonly reason: string
  readonly class: string
  readonly bus: string
  /** `text:GPL`, `spdx:MIT`, `gpl:yes` or `gpl:no`. */
  readonly licence: string
  readonly dir: string
  /** A missing symbol, whole name. */
  readonly sym: string
  /** `any` for every difference, or one kind of it. */
  readonly change: string
  readonly sort: SortKey
  readonly down: boolean
  /** Path of the open module, '' for none. */
  readonly open: string
}

export const START: State = {
  q: '',
  rung: '',
  test: 'ge',
  reason: '',
  class: '',
  bus: '',
  licence: '',
  dir: '',
  sym: '',
  change: '',
  sort: 'path',
  down: false,
  open: '',
}

/** Parts of the state that narrow the list, in the order of the filter bar. */
export const FACETS = ['q', 'rung', 'reason', 'class', 'bus', 'licence', 'dir', 'sym', 'change'] as const
export type Facet = (typeof FACETS)[number]

export const isFiltered = (state: State): boolean => FACETS.some((facet) => state[facet] !== '')

export const withoutFilters = (state: State): State => ({
  ...START,
  sort: state.sort,
  down: state.down,
  open: state.open,
})

/** `#q=...&rung=ge:link&sort=-missing&open=...`; only what differs from the start. */
export function formatAddress(state: State): string {
  const words = new URLSearchParams()
  for (const facet of FACETS) {
    const value = state[facet]
    if (value !== '') words.set(facet, facet === 'rung' ? `${state.test}:${value}` : value)
  }
  if (state.sort !== START.sort || state.down) words.set('sort', `${state.down ? '-' : ''}${state.sort}`)
  if (state.open !== '') words.set('open', state.open)
  // A slash and a colon need no escape in a fragment, and paths are read by people.
  const text = words.toString().replaceAll('%2F', '/').replaceAll('%3A', ':')
  return text === '' ? '#' : `#${text}`
}

/** Reads an address; what it does not understand is as if it were not there. */
export function parseAddress(hash: string): State {
  const words = new URLSearchParams(hash.replace(/^#/, ''))
  const text = (name: string) => words.get(name) ?? ''
  const [test = '', rung = ''] = text('rung').split(':')
  const sort = text('sort')
  const key = SORT_KEYS.find((name) => name === sort.replace(/^-/, ''))
  const known = (RUNGS as readonly string[]).includes(rung)
  return {
    q: text('q'),
    rung: known ? rung : '',
    test: RUNG_TESTS.find((name) => name === test) ?? START.test,
    reason: text('reason'),
    class: text('class'),
    bus: text('bus'),
    licence: text('licence'),
    dir: text('dir'),
    sym: text('sym'),
    change: text('change'),
    sort: key ?? START.sort,
    down: key !== undefined && sort.startsWith('-'),
    open: text('open'),
  }
}
