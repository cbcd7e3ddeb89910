/** The tables above the list: the ladder, why modules stop, and the missing symbols that most of them wait for. */
import { count, h, percent, type Child } from './dom.ts'
import { countBut, rankMissing, type Selection } from './filter.ts'
import { rungBefore } from './compare.ts'
import { type Model, type Row } from './model.ts'
import { rungMeaning, rungName } from './words.ts'
import { type ReasonTexts } from './detail.ts'
import { type State } from './state.ts'

/** Symbols shown; the search finds the others. */
const RANKED = 100

/** A part of the state that a table's button sets; the same again takes it back. */
export type Pick = Partial<State>

const same = (state: State, pick: Pick): boolean =>
  Object.entries(pick).every(([name, value]) => state[name as keyof State] === value)

/** A button that filters; pressed while its filter is on. */
function picker(state: State, pick: Pick, cleared: Pick, label: string, ...content: Child[]): HTMLElement {
  const pressed = same(state, pick)
  return h(
    'button',
    {
      type: 'button',
      class: 'pick',
      'aria-pressed': String(pressed),
      'aria-label': label,
      'data-pick': JSON.stringify(pressed ? cleared : pick),
    },
    ...content,
  )
}

function bar(part: number, whole: number, rung?: number): HTMLElement {
  const fill = h('i', { 'data-rung': rung })
  fill.hidden = part === 0
  fill.style.width = `${whole === 0 ? 0 : (part / whole) * 100}%`
  return h('span', { class: 'bar', 'aria-hidden': 'true' }, fill)
}

/** Replaces what a table says, keeping the focus on the button that has it. */
function redraw(body: HTMLElement, rows: readonly HTMLElement[]): void {
  const buttons = () => [...body.querySelectorAll<HTMLElement>('button')]
  const at = buttons().indexOf(document.activeElement as HTMLElement)
  const label = buttons()[at]?.getAttribute('aria-label')
  body.replaceChildren(...rows)
  if (at < 0) return
  const again = buttons().find((button) => button.getAttribute('aria-label') === label) ?? buttons()[at]
  again?.focus({ preventScroll: true })
}

function signed(n: number): string {
  return n === 0 ? '' : n > 0 ? `+${count(n)}` : `−${count(-n)}`
}

/** How many rows are at each rung exactly, now and before. */
function atRungs(model: Model, selection: Selection, top: number): readonly [now: number[], before: number[]] {
  const now: number[] = Array.from({ length: top + 1 }, () => 0)
  const before = [...now]
  // Rows that vanished count as before, and only there.
  const keys = (row: Row): string[] => {
    const old = rungBefore(row, model.compared?.until ?? 0)
    return [...(row.change === 'vanished' ? [] : [`n${row.rung}`]), ...(old === undefined ? [] : [`b${old}`])]
  }
  for (const [key, n] of countBut('rung', model, selection, keys)) (key[0] === 'n' ? now : before)[+key.slice(1)] = n
  return [now, before]
}

const cumulative = (counts: readonly number[], from: number): number =>
  counts.slice(from).reduce((total, n) => total + n, 0)

export function drawLadder(body: HTMLElement, model: Model, selection: Selection, state: State, top: number): void {
  const [now, before] = atRungs(model, selection, top)
  const compared = model.compared?.until ?? -1
  const all = cumulative(now, 0)
  const rows = now.flatMap((exactly, rung) => {
    const reached = cumulative(now, rung)
    // The bottom rung is only a rung when something is on it.
    if (rung === 0 && exactly === 0) return []
    const name = rungName(rung)
    const none: Pick = { rung: '', test: 'ge' }
    const difference = rung <= compared ? reached - cumulative(before, rung) : 0
    return [
      h(
        'tr',
        { title: rungMeaning(rung) },
        h(
          'th',
          { scope: 'row' },
          picker(state, { rung: name, test: 'ge' }, none, `${name}: ${count(reached)} modules reached it`, name),
        ),
        h('td', { class: 'wide' }, bar(reached, all, rung)),
        h('td', { class: 'number' }, count(reached)),
        h('td', { class: 'share' }, percent(reached, all)),
        h('td', { class: 'difference' }, signed(difference)),
        h(
          'td',
          { class: 'number' },
          exactly === 0 || rung === top
            ? ''
            : picker(
                state,
                { rung: name, test: 'is' },
                none,
                `${count(exactly)} modules stopped at ${name}`,
                count(exactly),
              ),
        ),
      ),
    ]
  })
  redraw(body, rows.toReversed())
}

export function drawReasons(
  body: HTMLElement,
  model: Model,
  selection: Selection,
  state: State,
  texts: ReasonTexts,
): void {
  const counts = countBut('reason', model, selection, (row) => (row.change === 'vanished' ? [] : [row.reason]))
  counts.delete('')
  const most = Math.max(0, ...counts.values())
  const sorted = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const rows = sorted.map(([reason, n]) =>
    h(
      'tr',
      { title: texts[reason]?.means },
      h(
        'th',
        { scope: 'row' },
        picker(state, { reason }, { reason: '' }, `${reason}: ${count(n)} modules`, reason),
        ' ',
        h('span', { class: 'note' }, texts[reason]?.title),
      ),
      h('td', { class: 'wide' }, bar(n, most)),
      h('td', { class: 'number' }, count(n)),
    ),
  )
  redraw(body, rows.length > 0 ? rows : [emptyRow(3, 'Nothing stopped.')])
}

function emptyRow(columns: number, text: string): HTMLElement {
  return h('tr', {}, h('td', { colspan: columns, class: 'empty' }, text))
}

export function drawSymbols(body: HTMLElement, model: Model, selection: Selection, state: State): number {
  const ranked = rankMissing(model, selection)
  const most = ranked[0]?.modules ?? 0
  const rows = ranked
    .slice(0, RANKED)
    .map(({ name, modules, alone }) =>
      h(
        'tr',
        {},
        h(
          'th',
          { scope: 'row' },
          picker(
            state,
            { sym: name },
            { sym: '' },
            `${name}: missing in ${count(modules)} modules, the only one in ${count(alone)}`,
            h('code', {}, name),
          ),
        ),
        h('td', { class: 'wide' }, bar(modules, most)),
        h('td', { class: 'number' }, count(modules)),
        h('td', { class: 'number' }, alone === 0 ? '' : count(alone)),
      ),
    )
  redraw(body, rows.length > 0 ? rows : [emptyRow(4, 'No symbol is missing.')])
  return ranked.length
}
