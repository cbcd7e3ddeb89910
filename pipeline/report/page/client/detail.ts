/** One module, everything the matrix says of it. */
import { count, h, linkTo, plural, type Child } from './dom.ts'
import { type ReasonText } from '../../../matrix/reasons.ts'
import { type ListColumn } from '../payload.ts'
import { type Model, type Row } from './model.ts'
import { formatAddress, START, type State } from './state.ts'
import { CHANGE_WORDS, changeText, rungMeaning, rungName, stopText } from './words.ts'

/** What a reason means and what to do about it, where the matrix module has said so. */
export type ReasonTexts = Readonly<Record<string, ReasonText>>

/** Lists longer than this start closed. */
const LONG = 60

interface DetailContext {
  readonly model: Model
  readonly state: State
  readonly top: number
  readonly reasons: ReasonTexts
  /** How many modules lack a symbol, by its number. */
  readonly needs: Uint32Array
}

export function countNeeds(model: Model): Uint32Array {
  const needs = new Uint32Array(model.strings.length)
  for (const row of model.rows) if (row.change !== 'vanished') for (const id of row.missing) needs[id]!++
  return needs
}

function section(title: string, ...children: (Child | Child[])[]): HTMLElement {
  return h('section', {}, h('h3', {}, title), ...children)
}

/** A titled list, closed when long; nothing at all when empty. */
function listSection(title: string, note: string, items: readonly Child[], className = 'names'): Child[] {
  if (items.length === 0) return []
  const list = h('ul', { class: className }, ...items.map((item) => h('li', {}, item)))
  const heading = h('h3', {}, title, ' ', h('span', { class: 'many' }, count(items.length)))
  const said = note === '' ? false : h('p', { class: 'note' }, note)
  return [h('details', { class: 'section', open: items.length <= LONG }, h('summary', {}, heading), said, list)]
}

function ladder(row: Row, top: number): HTMLElement {
  const steps = Array.from({ length: top }, (_, i) => i + 1).map((rung) =>
    h(
      'li',
      { class: rung <= row.rung ? 'reached' : 'above', title: rungMeaning(rung) },
      h('span', { class: 'tick', 'aria-hidden': 'true', 'data-rung': rung }, rung <= row.rung ? '✓' : ''),
      rungName(rung),
      h('span', { class: 'hidden' }, rung <= row.rung ? ' reached' : ' not reached'),
    ),
  )
  return h('ol', { class: 'ladder' }, ...steps)
}

function stopped(row: Row, { reasons, model }: DetailContext): Child[] {
  if (row.reason === '') return [h('p', { class: 'fine' }, `Reached ${model.head.until}, which is what was asked for.`)]
  const text = reasons[row.reason]
  return [
    section(
      'Why it stopped',
      h('p', {}, h('strong', {}, row.reason), text === undefined ? '' : `: ${text.title}`),
      row.detail !== '' && h('p', { class: 'said' }, row.detail),
      text !== undefined && h('p', {}, ...withCode(text.means)),
      text !== undefined && h('p', { class: 'note' }, 'What to do: ', ...withCode(text.todo)),
    ),
  ]
}

/** Text whose `code` is marked as in Markdown. */
const withCode = (text: string): Child[] => text.split('`').map((part, i) => (i % 2 === 1 ? h('code', {}, part) : part))

function compared(row: Row): Child[] {
  if (row.change === '' || row.change === 'same') return []
  const { meaning } = CHANGE_WORDS[row.change]
  const { before } = row
  const names = (symbols: readonly string[]) => symbols.map((name) => h('code', {}, name))
  const said = before === undefined ? [] : [rungName(before.rung), before.reason, before.detail]
  return [
    section('Compared', h('p', {}, h('strong', { class: row.change }, changeText(row.change)), `: ${meaning}`)),
    ...(before === undefined ? [] : [h('p', {}, `Before: ${said.filter(Boolean).join(', ')}`)]),
    ...(before === undefined || before.from === '' ? [] : [h('p', {}, 'Moved from ', h('code', {}, before.from))]),
    ...listSection('No longer missing', '', names(before?.noLongerMissing ?? [])),
    ...listSection('Newly missing', '', names(before?.nowMissing ?? [])),
  ]
}

function diagnostics(row: Row): Child[] {
  if (row.diagnostics.length === 0) return []
  const items = row.diagnostics.map(({ file, line, message, source }) =>
    h(
      'li',
      {},
      h('p', { class: 'place' }, line > 0 ? `${file}:${line}` : file),
      h('p', { class: 'message' }, message),
      source !== undefined &&
        source.trim() !== '' &&
        h(
          'pre',
          { tabindex: 0 },
          h('span', { class: 'line', 'aria-hidden': 'true' }, line),
          h('code', {}, source.trimEnd()),
        ),
    ),
  )
  return [section('Diagnostics', h('ul', { class: 'diagnostics' }, ...items))]
}

function missing(row: Row, { model, state, needs }: DetailContext): Child[] {
  const items = row.missing
    .toSorted((a, b) => needs[b]! - needs[a]! || (model.strings[a]! < model.strings[b]! ? -1 : 1))
    .map((id) => {
      const name = model.strings[id]!
      const others = needs[id]! - (row.change === 'vanished' ? 0 : 1)
      const said = others === 0 ? 'only here' : `${count(others)} more`
      const to = formatAddress({ ...START, sort: state.sort, down: state.down, sym: name, open: row.path })
      return h(
        'a',
        { href: linkTo(to), class: 'symbol' },
        h('code', {}, name),
        h('span', {}, ' ', said, others > 0 && h('span', { class: 'hidden' }, ' modules')),
      )
    })
  return listSection(
    'Missing symbols',
    'Nobody provides these. Each leads to the modules that lack it.',
    items,
    'symbols',
  )
}

/** `group.call` names by group: what it may do at a glance. */
function imports(names: readonly string[]): Child[] {
  if (names.length === 0) return []
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const dot = name.indexOf('.')
    const group = dot < 0 ? name : name.slice(0, dot)
    groups.set(group, [...(groups.get(group) ?? []), dot < 0 ? name : name.slice(dot + 1)])
  }
  const terms = [...groups].flatMap(([group, calls]) => [
    h('dt', {}, group),
    h('dd', {}, ...calls.flatMap((call, i) => [i > 0 ? ' ' : '', h('code', {}, call)])),
  ])
  const heading = h('h3', {}, 'Imports ', h('span', { class: 'many' }, count(names.length)))
  return [
    h('details', { class: 'section', open: true }, h('summary', {}, heading), h('dl', { class: 'terms' }, ...terms)),
  ]
}

function size(bytes: number): string {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e3).toFixed(1)} kB`
}

function facts(row: Row, names: (column: ListColumn) => string[]): HTMLElement {
  const terms: [string, Child][] = [
    ['Bus', names('buses').join(', ') || '—'],
    ['Class', names('classes').join(', ') || '—'],
    ['Module licence', names('licenses').join(', ') || '—'],
    ['SPDX', names('spdx').join(', ') || '—'],
    ['Sources', `${plural(row.sources, 'file')}, ${plural(row.changedBytes, 'byte')} changed`],
  ]
  if (row.licenseProblem !== '') terms.push(['Licence problem', row.licenseProblem])
  if (row.bytes > 0) terms.push(['Binary', `${size(row.bytes)}, SHA-256 ${row.sha256}…`])
  if (row.ms.length > 0) terms.push(['Time', row.ms.map(([step, ms]) => `${step} ${count(ms)} ms`).join(', ')])
  return h('dl', { class: 'terms' }, ...terms.flatMap(([term, value]) => [h('dt', {}, term), h('dd', {}, value)]))
}

/** Commands to copy: the row made again, and the analysis of its source. */
function commands(row: Row, { model }: DetailContext): HTMLElement {
  const { tree, until } = model.head
  const lines = [
    `drvport matrix ${row.path} --tree ${tree.name} --until ${until}`,
    `drvport analyze ${row.module} --tree ${tree.name}`,
  ]
  return section('Again', h('pre', { tabindex: 0, 'aria-label': 'Commands' }, h('code', {}, lines.join('\n'))))
}

/** Everything of a row, to go into the panel. */
export function detailOf(row: Row, context: DetailContext): Node[] {
  const names = (column: ListColumn) => row[column].map((id) => context.model.strings[id]!)
  const codes = (column: ListColumn) => names(column).map((name) => h('code', {}, name))
  const content = [
    h('p', { class: 'path' }, row.path),
    ladder(row, context.top),
    ...stopped(row, context),
    ...compared(row),
    ...diagnostics(row),
    ...missing(row, context),
    ...listSection('Pretends', 'Linked, but these return success for what they did not do.', codes('pretends')),
    ...listSection('Traps', 'Linked, but calling one of these ends the driver.', codes('traps')),
    ...listSection('Capabilities', '', codes('capabilities')),
    ...imports(names('imports')),
    section('Facts', facts(row, names)),
    ...listSection('GPL-only symbols used', 'Exported by the kernel to GPL-compatible modules only.', codes('gplOnly')),
    commands(row, context),
  ]
  return content.filter((child): child is HTMLElement => child instanceof Node)
}

/** For the window's title and the announcement when a module opens. */
export const headline = (row: Row): string =>
  `${row.module}: ${rungName(row.rung)}${row.reason === '' ? '' : `, ${stopText(row)}`}`
