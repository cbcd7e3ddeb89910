/**
 * The list of modules. Only the rows on the screen are elements, so that a whole tree scrolls as a single folder does;
 * the page itself scrolls, so the browser's own keys, find-by-scroll and a phone's gestures work.
 *
 * One link in the list is in the tab order (the current row's); the others are reached with arrows or j and k.
 */
import { count, h } from './dom.ts'
import { changeText, rungName, stopText } from './words.ts'
import { type Row } from './model.ts'

/** Rows kept beyond each edge of the screen: scrolling by a wheel's notch shows no gap. */
const OVERSCAN = 8
/** Rows on paper: more would be a book. */
const PRINTED = 2000

export interface List {
  show(rows: readonly Row[], open: string): void
  /** Move the current row by so many, or to an end; returns it. Scrolls and focuses. */
  move(step: number, from?: 'here' | 'start' | 'end'): Row | undefined
  focus(): void
  /** Make the row with this path current and bring it into view; false when it is not in the list. */
  reveal(path: string): boolean
  /** Rows that fit on the screen. */
  readonly pageSize: number
}

interface Cells {
  readonly row: HTMLElement
  readonly link: HTMLAnchorElement
  readonly module: HTMLElement
  readonly dir: HTMLElement
  readonly meter: HTMLElement
  readonly rung: HTMLElement
  readonly reason: HTMLElement
  readonly detail: HTMLElement
  readonly missing: HTMLElement
  readonly change: HTMLElement
}

function makeRow(): Cells {
  const cell = (name: string, ...children: Node[]) => h('div', { role: 'cell', class: `c-${name}` }, ...children)
  const link = h('a', { tabindex: -1 })
  const meter = h('span', { class: 'meter', 'aria-hidden': 'true' })
  const rung = h('span')
  const cells = {
    module: cell('module', link),
    dir: cell('dir'),
    rung,
    reason: cell('reason'),
    detail: cell('detail'),
    missing: cell('missing'),
    change: cell('change'),
  }
  const { module, dir, reason, detail, missing, change } = cells
  const row = h('div', { role: 'row', class: 'row' }, module, dir, cell('rung', meter, rung), reason, detail, missing)
  row.append(change)
  return { ...cells, row, link, meter }
}

interface Fill {
  readonly top: number
  readonly addressOf: (row: Row) => string
  readonly isOpen: boolean
  readonly isCurrent: boolean
}

function fillRow(cells: Cells, row: Row, at: number, { top, addressOf, isOpen, isCurrent }: Fill): void {
  cells.row.setAttribute('aria-rowindex', String(at + 2))
  cells.row.classList.toggle('open', isOpen)
  cells.row.classList.toggle('current', isCurrent)
  cells.row.dataset['at'] = String(at)
  cells.row.dataset['change'] = row.change
  cells.link.textContent = row.module
  cells.link.href = addressOf(row)
  cells.link.tabIndex = isCurrent ? 0 : -1
  cells.dir.textContent = row.dir
  cells.meter.dataset['rung'] = String(row.rung)
  cells.meter.style.setProperty('--filled', String(row.rung))
  cells.meter.style.setProperty('--steps', String(top))
  cells.rung.textContent = rungName(row.rung)
  cells.reason.textContent = row.reason
  cells.detail.textContent = row.detail
  cells.detail.title = stopText(row)
  cells.missing.textContent = row.missing.length === 0 ? '' : count(row.missing.length)
  cells.change.textContent = changeText(row.change)
}

interface ListOptions {
  /** Element with role table; the rows go into `body`. */
  readonly table: HTMLElement
  readonly body: HTMLElement
  /** Highest rung drawn. */
  readonly top: () => number
  readonly addressOf: (row: Row) => string
  readonly onOpen: (row: Row) => void
  /** Pixels at the top of the window that sticky bars cover. */
  readonly covered: () => number
}

export function makeList({ table, body, top, addressOf, onOpen, covered }: ListOptions): List {
  let rows: readonly Row[] = []
  let open = ''
  let current = 0
  let printing = false
  const live = new Map<number, Cells>()
  const spare: Cells[] = []

  const rowHeight = () => Number.parseInt(getComputedStyle(table).getPropertyValue('--row'), 10)
  const bodyTop = () => body.getBoundingClientRect().top + window.scrollY

  /** First and last index to keep as elements, the last not included. */
  const range = (): readonly [number, number] => {
    if (printing) return [0, Math.min(rows.length, PRINTED)]
    const height = rowHeight()
    const from = Math.floor((window.scrollY - bodyTop()) / height) - OVERSCAN
    const to = Math.ceil((window.scrollY + window.innerHeight - bodyTop()) / height) + OVERSCAN
    return [Math.max(0, Math.min(from, rows.length)), Math.max(0, Math.min(to, rows.length))]
  }

  const retire = (at: number, cells: Cells) => {
    live.delete(at)
    spare.push(cells)
  }

  /** `refill`: what the rows say may have changed, not only which are seen. */
  const paint = (refill: boolean): void => {
    const [from, to] = range()
    const height = rowHeight()
    for (const [at, cells] of live) {
      // The row that has the focus stays, or the reader's place would be lost with it.
      const holdsFocus = cells.row.contains(document.activeElement) && at < rows.length
      if ((at < from || at >= to) && !(holdsFocus && !refill)) retire(at, cells)
    }
    const tabStop = current >= from && current < to ? current : from
    for (let at = from; at < to; at++) {
      const known = live.get(at)
      const cells = known ?? spare.pop() ?? makeRow()
      if (known === undefined) {
        live.set(at, cells)
        cells.row.style.transform = `translateY(${at * height}px)`
      }
      const row = rows[at]!
      if (known === undefined || refill)
        fillRow(cells, row, at, { top: top(), addressOf, isOpen: row.path === open, isCurrent: at === tabStop })
      if (!cells.row.isConnected) body.append(cells.row)
    }
    for (const { row } of spare) row.remove()
  }

  const layOut = () => {
    body.style.height = `${(printing ? Math.min(rows.length, PRINTED) : rows.length) * rowHeight()}px`
    for (const [at, cells] of live) cells.row.style.transform = `translateY(${at * rowHeight()}px)`
    paint(true)
  }

  const scrollTo = (at: number): void => {
    const y = bodyTop() + at * rowHeight()
    const above = window.scrollY + covered()
    const below = window.scrollY + window.innerHeight - rowHeight()
    if (y < above) window.scrollTo({ top: y - covered(), behavior: 'instant' })
    else if (y > below) window.scrollTo({ top: y - window.innerHeight + 2 * rowHeight(), behavior: 'instant' })
  }

  const setCurrent = (at: number): Row | undefined => {
    if (rows.length === 0) return undefined
    current = Math.max(0, Math.min(at, rows.length - 1))
    scrollTo(current)
    paint(true)
    return rows[current]
  }

  const focus = () => live.get(current)?.link.focus({ preventScroll: true })

  const show = (next: readonly Row[], openPath: string): void => {
    const place = rows[current]?.path
    const moved = next !== rows
    rows = next
    open = openPath
    if (moved) {
      table.setAttribute('aria-rowcount', String(rows.length + 1))
      const kept = place === undefined ? -1 : rows.findIndex((row) => row.path === place)
      current = Math.max(0, kept)
    }
    layOut()
  }

  const atOf = (target: EventTarget | null): number | undefined => {
    const at = target instanceof Element ? target.closest<HTMLElement>('.row')?.dataset['at'] : undefined
    return at === undefined ? undefined : Number(at)
  }
  body.addEventListener('click', (event) => {
    const at = atOf(event.target)
    const selected = String(getSelection() ?? '') !== ''
    if (at === undefined || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || selected) return
    event.preventDefault()
    current = at
    onOpen(rows[at]!)
  })
  body.addEventListener('focusin', (event) => {
    const at = atOf(event.target)
    if (at !== undefined && at !== current) {
      current = at
      paint(true)
    }
  })
  let asked = false
  const later = () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      paint(false)
    })
  }
  window.addEventListener('scroll', later, { passive: true })
  new ResizeObserver(layOut).observe(table)
  window.addEventListener('beforeprint', () => {
    printing = true
    layOut()
  })
  window.addEventListener('afterprint', () => {
    printing = false
    layOut()
  })

  return {
    show,
    focus,
    move(step, from = 'here') {
      const start = from === 'here' ? current : from === 'start' ? 0 : rows.length - 1
      const row = setCurrent(start + step)
      focus()
      return row
    },
    reveal(path) {
      const at = rows.findIndex((row) => row.path === path)
      if (at < 0) return false
      setCurrent(at)
      return true
    },
    get pageSize() {
      return Math.max(1, Math.floor((window.innerHeight - covered()) / rowHeight()) - 1)
    },
  }
}
