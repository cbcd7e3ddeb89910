/**
 * The page of a matrix: reads what is embedded, keeps one state, and draws everything from it. The state is the
 * address, so back and forward, a bookmark and a link sent to somebody all mean the same view.
 */
import { compareModels } from './compare.ts'
import { makeControls } from './controls.ts'
import { countNeeds, detailOf, headline, type ReasonTexts } from './detail.ts'
import { byId, count, h, isNarrow, isPlainClick, linkTo, plural } from './dom.ts'
import { selectorOf, type Selection } from './filter.ts'
import { makeFolders } from './folders.ts'
import { makeList } from './list.ts'
import { decode, topRung, type Model, type Row } from './model.ts'
import { drawLadder, drawReasons, drawSymbols } from './overview.ts'
import { type Payload } from '../payload.ts'
import { openMatrix } from './open.ts'
import { formatAddress, isFiltered, parseAddress, START, withoutFilters, type SortKey, type State } from './state.ts'
import { RUNGS } from '../../../ladder.ts'
import { CHANGE_WORDS, toneOf } from './words.ts'

/** Inflates an embedded document: base64 of raw deflate of JSON; undefined when the page has none of that name. */
async function embedded<T>(id: string): Promise<T | undefined> {
  const element = document.getElementById(id)
  if (element === null) return undefined
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (c) => c.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return (await new Response(stream).json()) as T
}

/** In the order in which a reader wants to know. */
const KINDS = ['lost', 'vanished', 'gained', 'changed', 'detailed', 'appeared', 'unfinished'] as const

interface View {
  model: Model
  select: (state: State) => Selection
  needs: Uint32Array
  top: number
  goal: number
}

function viewOf(model: Model): View {
  const goal = Math.max(0, RUNGS.indexOf(model.head.until))
  return { model, select: selectorOf(model).select, needs: countNeeds(model), top: topRung(model), goal }
}

/** The colours of the ladder depend on how far was asked for. */
function colourLadder(goal: number): void {
  const { style } = document.documentElement
  for (const rung of RUNGS.keys()) style.setProperty(`--rung-${rung}`, `var(--tone-${toneOf(rung, goal)})`)
}

function describe({ head, rows }: Model): string {
  return `${head.tree.name} ${head.tree.version}, ${head.toolchain.name} ${head.toolchain.version}, ${plural(rows.length, 'module')}`
}

function startPage(own: Model, embeddedOther: Model | undefined, reasons: ReasonTexts): void {
  let view = viewOf(embeddedOther === undefined ? own : compareModels(own, embeddedOther))
  colourLadder(view.goal)
  let state = parseAddress(location.hash)
  let selection = view.select(state)
  let drawnFor: State | undefined
  let opener: 'list' | 'other' = 'other'

  const say = (text: string) => (byId('status').textContent = text)
  const rowOf = (path: string): Row | undefined => view.model.rows.find((row) => row.path === path)

  const list = makeList({
    table: byId('list'),
    body: byId('rows'),
    top: () => view.top,
    addressOf: (row) => linkTo(formatAddress({ ...state, open: row.path })),
    onOpen: (row) => {
      opener = 'list'
      go({ open: row.path })
    },
    covered: () =>
      byId('columns').getBoundingClientRect().bottom - Math.min(0, byId('columns').getBoundingClientRect().top),
  })
  const controls = makeControls({ onChange: (change, quiet) => go(change, quiet), top: () => view.top })
  const folders = makeFolders({
    tree: byId('folders'),
    top: () => view.top,
    goal: () => view.goal,
    onPick: (dir) => go({ dir }),
  })

  /** What costs more than the list itself, drawn once it is on the screen. */
  const drawRest = (): void => {
    controls.count(view.model, selection, state)
    folders.show(view.model, selection, state.dir)
    drawLadder(byId('ladder'), view.model, selection, state, view.top)
    drawReasons(byId('reasons'), view.model, selection, state, reasons)
    const symbols = drawSymbols(byId('symbols'), view.model, selection, state)
    byId('symbols-count').textContent = symbols === 0 ? '' : count(symbols)
    say(`${count(selection.rows.length)} of ${plural(view.model.rows.length, 'module')}`)
  }
  let rest: ReturnType<typeof setTimeout> | undefined
  const drawRestSoon = () => {
    clearTimeout(rest)
    rest = setTimeout(() => requestAnimationFrame(() => setTimeout(drawRest)), 60)
  }

  const drawCount = () => {
    const whole = view.model.rows.filter((row) => row.change !== 'vanished').length
    byId('count').textContent = isFiltered(state)
      ? `${count(selection.rows.length)} of ${plural(whole, 'module')}`
      : plural(whole, 'module')
    byId('nothing').hidden = selection.rows.length > 0
  }

  const drawSort = () => {
    for (const head of byId('columns').querySelectorAll<HTMLElement>('[data-sort]')) {
      const on = head.dataset['sort'] === state.sort
      head.setAttribute('aria-sort', on ? (state.down ? 'descending' : 'ascending') : 'none')
    }
  }

  const drawDetail = (): void => {
    const row = state.open === '' ? undefined : rowOf(state.open)
    const panel = byId('detail')
    const shown = state.open !== ''
    panel.hidden = !shown
    document.body.classList.toggle('detail-open', shown)
    for (const id of ['top', 'filters', 'side', 'main']) byId(id).inert = shown && isNarrow()
    const name = own.head.tree.name
    document.title =
      row === undefined
        ? `${name} ${own.head.tree.version} · drvport matrix`
        : `${row.module} · ${name} · drvport matrix`
    if (!shown) return
    byId('detail-title').textContent = row?.module ?? 'Not in this matrix'
    const { model, needs, top } = view
    byId('detail-body').replaceChildren(
      ...(row === undefined
        ? [h('p', { class: 'path' }, state.open)]
        : detailOf(row, { model, state, top, reasons, needs })),
    )
    if (drawnFor?.open !== state.open) panel.scrollTop = 0
  }

  const draw = (): void => {
    const filtered =
      drawnFor === undefined ||
      Object.keys(START).some((key) => key !== 'open' && drawnFor![key as keyof State] !== state[key as keyof State])
    if (filtered) {
      selection = view.select(state)
      controls.show(state)
      drawCount()
      drawSort()
      drawRestSoon()
    }
    if (filtered || drawnFor?.open !== state.open) drawDetail()
    list.show(selection.rows, state.open)
    drawnFor = state
  }

  let write: ReturnType<typeof setTimeout> | undefined
  const go = (change: Partial<State>, quiet = false): void => {
    const wasOpen = state.open
    const next = { ...state, ...change }
    if (formatAddress(next) === formatAddress(state)) return
    state = next
    clearTimeout(write)
    // Browsers refuse an address that changes with every key, and nobody wants to go back letter by letter.
    if (quiet) write = setTimeout(() => history.replaceState(null, '', formatAddress(state)), 300)
    else history.pushState(null, '', formatAddress(state))
    draw()
    if (state.open !== wasOpen) afterOpen(wasOpen)
  }

  const afterOpen = (before: string): void => {
    if (state.open === '') {
      if (opener === 'list' && list.reveal(before)) list.focus()
      else byId('q').focus()
    } else if (before === '') {
      byId('detail-title').focus({ preventScroll: true })
      list.reveal(state.open)
    }
  }

  const fromAddress = (): void => {
    const next = parseAddress(location.hash)
    if (formatAddress(next) === formatAddress(state)) return
    const opened = next.open !== '' && next.open !== state.open
    state = next
    draw()
    if (opened) list.reveal(next.open)
  }
  window.addEventListener('popstate', fromAddress)
  window.addEventListener('hashchange', fromAddress)

  /** Move to another module; an open panel follows, and that is no step to go back to. */
  const move = (step: number, from: 'here' | 'start' | 'end' = 'here'): void => {
    const wasOpen = state.open !== ''
    const row = list.move(step, from)
    if (row === undefined || !wasOpen) return
    go({ open: row.path }, true)
    say(headline(row))
  }

  const compareWith = (other: Model | undefined, name: string): void => {
    view = viewOf(other === undefined ? own : compareModels(own, other))
    const changed = other === undefined ? '' : 'any'
    document.body.classList.toggle('compared', other !== undefined)
    byId('compared').hidden = other === undefined
    if (other !== undefined) {
      const counts = new Map<string, number>()
      for (const { change } of view.model.rows) counts.set(change, (counts.get(change) ?? 0) + 1)
      const kinds = KINDS.filter((kind) => counts.has(kind)).map((kind) =>
        h(
          'button',
          {
            type: 'button',
            class: `pick ${kind}`,
            'data-pick': JSON.stringify({ change: kind }),
            title: CHANGE_WORDS[kind].meaning,
          },
          `${CHANGE_WORDS[kind].sign} ${count(counts.get(kind) ?? 0)} ${kind}`,
        ),
      )
      byId('compared-text').replaceChildren(
        `Compared with ${name === '' ? '' : `${name}: `}`,
        h('strong', {}, describe(other)),
      )
      byId('compared-kinds').replaceChildren(...kinds)
    }
    drawnFor = undefined
    if (state.change !== changed && name !== '') go({ change: changed })
    else draw()
  }

  const openFile = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return
    try {
      compareWith(await openMatrix(file), file.name)
      hideError()
    } catch (error) {
      byId('error').hidden = false
      byId('error-text').textContent = `Cannot compare. ${(error as Error).message}`
    }
  }
  const hideError = () => (byId('error').hidden = true)

  wireButtons({ go, current: () => state, openFile, stopComparing: () => compareWith(undefined, '-'), hideError })
  wireKeys({
    move,
    pageSize: () => list.pageSize,
    close: () => go({ open: '' }),
    current: () => state,
    clear: () => go(withoutFilters(state)),
  })
  wireLinks((hash) => go(parseAddress(hash)))
  byId('skip').addEventListener('click', (event) => {
    event.preventDefault()
    list.move(0)
  })

  if (embeddedOther !== undefined) {
    document.body.classList.add('compared')
    compareWith(embeddedOther, '')
  }
  matchMedia('(max-width: 719px)').addEventListener('change', drawDetail)
  draw()
  drawRest()
  if (state.open !== '') list.reveal(state.open)
  performance.mark('ready')
  document.body.dataset['ready'] = 'true'
}

interface Actions {
  readonly go: (change: Partial<State>) => void
  readonly current: () => State
  readonly openFile: (file: File | undefined) => Promise<void>
  readonly stopComparing: () => void
  readonly hideError: () => unknown
}

function wireButtons({ go, current, openFile, stopComparing, hideError }: Actions): void {
  const onClick = (id: string, act: () => unknown) => byId(id).addEventListener('click', act)
  onClick('clear', () => go(withoutFilters(current())))
  onClick('close', () => go({ open: '' }))
  onClick('uncompare', stopComparing)
  onClick('error-close', hideError)
  onClick('help-open', () => byId<HTMLDialogElement>('help').showModal())
  onClick('compare', () => byId('file').click())
  onClick('theme', nextTheme)
  byId('file').addEventListener('change', () => {
    const input = byId<HTMLInputElement>('file')
    void openFile(input.files?.[0]).finally(() => (input.value = ''))
  })
  document.addEventListener('click', (event) => {
    const pick = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-pick]') : null
    if (pick !== null) go(JSON.parse(pick.dataset['pick']!) as Partial<State>)
  })
  byId('columns').addEventListener('click', (event) => {
    const head = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-sort]') : null
    if (head === null) return
    const sort = head.dataset['sort'] as SortKey
    const { sort: old, down } = current()
    // Numbers and rungs are first asked for from the top.
    go({ sort, down: sort === old ? !down : sort === 'missing' || sort === 'rung' })
  })
  document.addEventListener('dragover', (event) => event.preventDefault())
  document.addEventListener('drop', (event) => {
    event.preventDefault()
    void openFile(event.dataTransfer?.files[0])
  })
}

interface KeyActions {
  readonly move: (step: number, from?: 'here' | 'start' | 'end') => void
  readonly pageSize: () => number
  readonly close: () => void
  readonly clear: () => void
  readonly current: () => State
}

function wireKeys({ move, pageSize, close, clear, current }: KeyActions): void {
  const anywhere: Record<string, () => void> = {
    '/': () => byId<HTMLInputElement>('q').select(),
    '?': () => byId<HTMLDialogElement>('help').showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: clear,
    t: nextTheme,
  }
  const inList: Record<string, () => void> = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(pageSize()),
    PageUp: () => move(-pageSize()),
    Home: () => move(0, 'start'),
    End: () => move(0, 'end'),
  }
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
    const target = event.target as HTMLElement
    if (byId<HTMLDialogElement>('help').open) return
    if (event.key === 'Escape') {
      if (current().open !== '') close()
      else if (target.id === 'q') target.blur()
      return
    }
    if (target.id === 'q' && (event.key === 'ArrowDown' || event.key === 'Enter')) {
      event.preventDefault()
      return move(0)
    }
    const typing = target.matches('input:not([type=file]), select, textarea')
    const act = byId('rows').contains(target) ? (inList[event.key] ?? anywhere[event.key]) : anywhere[event.key]
    if (typing || act === undefined) return
    event.preventDefault()
    act()
  })
}

/** Links within the page change the state without a jump of the browser's own. */
function wireLinks(follow: (hash: string) => void): void {
  byId('detail').addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a') : null
    if (link === null || !isPlainClick(event)) return
    event.preventDefault()
    follow(link.hash)
  })
}

const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]
const THEME_KEY = 'drvport.theme'

/** A file's page may have no storage, or one that throws: then the choice lasts as long as the page. */
function storedTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(THEME_KEY)) ?? 'auto'
  } catch {
    return 'auto'
  }
}

function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  byId('theme').textContent = `Theme: ${theme}`
}

function nextTheme(): void {
  const now = THEMES.find((theme) => theme === document.documentElement.dataset['theme']) ?? 'auto'
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]!
  try {
    localStorage.setItem(THEME_KEY, next)
  } catch {
    // As above.
  }
  applyTheme(next)
}

/** On a phone the list comes first: what stands above it starts closed. */
function foldForPhone(): void {
  if (!isNarrow()) return
  for (const details of document.querySelectorAll<HTMLDetailsElement>('details[data-fold]')) details.open = false
}

applyTheme(storedTheme())
foldForPhone()
const payload = (await embedded<Payload>('matrix'))!
const otherPayload = await embedded<Payload>('other')
const reasonTexts = JSON.parse(byId('reason-texts').textContent) as ReasonTexts
startPage(decode(payload), otherPayload === undefined ? undefined : decode(otherPayload), reasonTexts)
