/** The filter bar: search, the choices with their counts, and what is filtered by, each with a way to take it back. */
import { RUNGS } from '../../../ladder.ts'
import { byId, count, h } from './dom.ts'
import { countBut, licenceKeys, LICENCE_USE, NO_REASON, type Selection } from './filter.ts'
import { type Model, type Row } from './model.ts'
import { START, type Facet, type RungTest, type State } from './state.ts'
import { CHANGE_WORDS } from './words.ts'

interface Choice {
  readonly value: string
  readonly label: string
  readonly group?: string
}

interface Control {
  readonly facet: Facet
  /** Id of the select element. */
  readonly id: string
  readonly keys: (row: Row, model: Model) => readonly string[]
  readonly choices: (counts: ReadonlyMap<string, number>) => readonly Choice[]
}

const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const sorted = (counts: ReadonlyMap<string, number>): string[] => [...counts.keys()].toSorted(inOrder)
const plain = (counts: ReadonlyMap<string, number>): Choice[] =>
  sorted(counts).map((value) => ({ value, label: value }))

function licenceChoices(counts: ReadonlyMap<string, number>): Choice[] {
  const group = (prefix: string, title: string) =>
    sorted(counts)
      .filter((key) => key.startsWith(prefix))
      .map((value) => ({ value, label: value.slice(prefix.length), group: title }))
  return [
    ...group('text:', 'MODULE_LICENSE'),
    ...group('spdx:', 'SPDX'),
    { value: LICENCE_USE.yes, label: 'some used', group: 'GPL-only symbols' },
    { value: LICENCE_USE.no, label: 'none used', group: 'GPL-only symbols' },
  ]
}

const CHANGES = ['any', 'gained', 'lost', 'changed', 'detailed', 'unfinished', 'appeared', 'vanished', 'same'] as const

const CONTROLS: readonly Control[] = [
  {
    facet: 'reason',
    id: 'reason',
    keys: (row) => [row.reason === '' ? NO_REASON : row.reason],
    choices: (counts) => [
      ...plain(counts).filter(({ value }) => value !== NO_REASON),
      { value: NO_REASON, label: 'none: got where asked' },
    ],
  },
  {
    facet: 'class',
    id: 'class',
    keys: (row, { strings }) => row.classes.map((id) => strings[id]!),
    choices: plain,
  },
  { facet: 'bus', id: 'bus', keys: (row, { strings }) => row.buses.map((id) => strings[id]!), choices: plain },
  { facet: 'licence', id: 'licence', keys: (row, { strings }) => licenceKeys(row, strings), choices: licenceChoices },
  {
    facet: 'change',
    id: 'change',
    keys: (row) => (row.change === 'same' || row.change === '' ? [row.change] : [row.change, 'any']),
    choices: () =>
      CHANGES.map((value) => ({ value, label: value === 'any' ? 'any difference' : CHANGE_WORDS[value].word })),
  },
]

const select = (id: string) => byId<HTMLSelectElement>(id)

/** Options of a select, with counts; an option that is chosen stays though nothing has it. */
function fill(
  element: HTMLSelectElement,
  choices: readonly Choice[],
  counts: ReadonlyMap<string, number>,
  value: string,
) {
  const known = choices.some((choice) => choice.value === value) || value === ''
  const all = known ? choices : [...choices, { value, label: value }]
  const option = ({ value, label }: Choice) => h('option', { value }, `${label} (${count(counts.get(value) ?? 0)})`)
  const groups = [...new Set(all.map(({ group }) => group))]
  const parts = groups.flatMap((group) => {
    const options = all.filter((choice) => choice.group === group).map(option)
    return group === undefined ? options : [h('optgroup', { label: group }, ...options)]
  })
  element.replaceChildren(h('option', { value: '' }, 'any'), ...parts)
  element.value = value
}

export interface Controls {
  /** What the bar says, as soon as a filter changes: cheap. */
  show(state: State): void
  /** Counts beside the choices: after the list has been painted. */
  count(model: Model, selection: Selection, state: State): void
}

interface ControlsOptions {
  /** `quiet`: part of typing, not a step to go back to. */
  readonly onChange: (change: Partial<State>, quiet?: boolean) => void
  readonly top: () => number
}

/** What is filtered by and has no control of its own that says so at a glance. */
function chips(state: State): HTMLElement[] {
  const chip = (clear: Partial<State>, what: string, value: string) =>
    h(
      'button',
      {
        type: 'button',
        class: 'chip',
        'data-clear': JSON.stringify(clear),
        'aria-label': `Remove filter: ${what} ${value}`,
      },
      h('span', { class: 'what' }, `${what} `),
      h('code', {}, value),
      h('span', { 'aria-hidden': 'true' }, ' ×'),
    )
  return [
    ...(state.dir === '' ? [] : [chip({ dir: '' }, 'in', state.dir)]),
    ...(state.sym === '' ? [] : [chip({ sym: '' }, 'lacks', state.sym)]),
  ]
}

export function makeControls({ onChange, top }: ControlsOptions): Controls {
  const search = byId<HTMLInputElement>('q')
  const bar = byId('chips')
  search.addEventListener('input', () => onChange({ q: search.value.trim() }, true))
  search.addEventListener('change', () => onChange({ q: search.value.trim() }))
  for (const { facet, id } of CONTROLS)
    select(id).addEventListener('change', () => onChange({ [facet]: select(id).value }))
  select('rung').addEventListener('change', () =>
    onChange({ rung: select('rung').value, test: select('test').value as RungTest }),
  )
  select('test').addEventListener('change', () => onChange({ test: select('test').value as RungTest }))
  bar.addEventListener('click', (event) => {
    const chip = event.target instanceof Element ? event.target.closest<HTMLElement>('.chip') : null
    if (chip !== null) onChange(JSON.parse(chip.dataset['clear']!) as Partial<State>)
  })

  const set = (element: HTMLSelectElement, value: string) => {
    if (![...element.options].some((option) => option.value === value)) element.append(h('option', { value }, value))
    element.value = value
  }
  return {
    show(state) {
      if (search.value.trim() !== state.q) search.value = state.q
      for (const { facet, id } of CONTROLS) set(select(id), state[facet])
      set(select('rung'), state.rung)
      select('test').value = state.test
      bar.replaceChildren(...chips(state))
      const chosen = (['reason', 'class', 'bus', 'licence', 'rung', 'change'] as const).filter(
        (f) => state[f] !== '',
      ).length
      byId('chosen').textContent = chosen === 0 ? '' : `(${chosen})`
      byId('clear').hidden = !Object.entries(START).some(
        ([name, value]) => !['sort', 'down', 'open', 'test'].includes(name) && state[name as keyof State] !== value,
      )
    },
    count(model, selection, state) {
      for (const { facet, id, keys, choices } of CONTROLS) {
        const counts = countBut(facet, model, selection, (row) => keys(row, model))
        fill(select(id), choices(counts), counts, state[facet])
      }
      const names = RUNGS.slice(0, top() + 1).toReversed()
      select('rung').replaceChildren(
        h('option', { value: '' }, 'any rung'),
        ...names.map((name) => h('option', { value: name }, name)),
      )
      set(select('rung'), state.rung)
    },
  }
}
