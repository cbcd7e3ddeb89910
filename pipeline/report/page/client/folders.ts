/**
 * The tree of folders: how far the modules of each subsystem get. One tab stop; arrows move, Right and Left open and
 * close, Enter filters (the keys of the ARIA tree pattern).
 */
import { count, h, percent } from './dom.ts'
import { eachBut, type Selection } from './filter.ts'
import { rungName } from './words.ts'
import { type Model } from './model.ts'

interface Folder {
  /** Whole path; '' is the tree. */
  readonly path: string
  /** What is shown: the path less its parent's. */
  readonly name: string
  readonly level: number
  readonly parent: Folder | undefined
  readonly children: Folder[]
  /** Rows at each rung, this folder and below. */
  readonly counts: Uint32Array
}

interface Branch {
  readonly children: Map<string, Branch>
  own: number
}

/** Folders of the paths, chains of single folders as one, in order. */
function buildFolders(dirs: Iterable<string>, rungs: number): Map<string, Folder> {
  const root: Branch = { children: new Map(), own: 0 }
  for (const dir of dirs) {
    let branch = root
    for (const part of dir.split('/').filter(Boolean)) {
      const next = branch.children.get(part) ?? { children: new Map(), own: 0 }
      branch.children.set(part, next)
      branch = next
    }
    branch.own++
  }
  const byPath = new Map<string, Folder>()
  const add = (branch: Branch, path: string, name: string, parent: Folder | undefined): Folder => {
    let [only] = branch.children
    if (parent !== undefined && branch.own === 0 && branch.children.size === 1 && only !== undefined)
      return add(only[1], `${path}/${only[0]}`, `${name}/${only[0]}`, parent)
    const level = parent === undefined ? 0 : parent.level + 1
    const folder: Folder = { path, name, level, parent, children: [], counts: new Uint32Array(rungs) }
    byPath.set(path, folder)
    for (const [part, child] of [...branch.children].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      folder.children.push(add(child, path === '' ? part : `${path}/${part}`, part, folder))
    return folder
  }
  add(root, '', 'all folders', undefined)
  return byPath
}

export interface Folders {
  /** Count again and draw; `dir` is the folder filtered by. */
  show(model: Model, selection: Selection, dir: string): void
}

interface FoldersOptions {
  readonly tree: HTMLElement
  readonly top: () => number
  readonly goal: () => number
  readonly onPick: (dir: string) => void
}

export function makeFolders({ tree, top, goal, onPick }: FoldersOptions): Folders {
  let folders = new Map<string, Folder>()
  let of: Model | undefined
  let dir = ''
  let focused = ''
  const open = new Set<string>([''])

  const sum = (counts: Uint32Array) => counts.reduce((total, n) => total + n, 0)
  const reached = (counts: Uint32Array) => sum(counts.subarray(goal()))

  /** Bars from the highest rung to the lowest, so that what works is always at the left. */
  const bars = (counts: Uint32Array): Node => {
    const strip = h('span', { class: 'strip', 'aria-hidden': 'true' })
    for (let rung = top(); rung >= 0; rung--) {
      if (counts[rung] === 0) continue
      const bar = h('i', { 'data-rung': rung })
      bar.style.flexGrow = String(counts[rung])
      strip.append(bar)
    }
    return strip
  }

  const item = (folder: Folder): HTMLElement => {
    const { path, name, level, children, counts } = folder
    const opens = children.length > 0 && path !== ''
    const all = sum(counts)
    const by = [...counts].flatMap((n, rung) => (n > 0 ? [`${rungName(rung)} ${count(n)}`] : [])).toReversed()
    const element = h(
      'div',
      {
        role: 'treeitem',
        class: 'folder',
        'aria-level': level + 1,
        'aria-expanded': opens ? String(open.has(path)) : undefined,
        'aria-selected': String(path === dir),
        'data-path': path,
        tabindex: path === focused ? 0 : -1,
        title: `${path || 'all folders'}\n${by.join(', ')}`,
      },
      h('span', { class: 'twist', 'aria-hidden': 'true' }, opens ? (open.has(path) ? '▾' : '▸') : ''),
      h('span', { class: 'name' }, name),
      bars(counts),
      h('span', { class: 'number' }, ' ', count(all), h('span', { class: 'hidden' }, ' modules, ')),
      h(
        'span',
        { class: 'share' },
        percent(reached(counts), all),
        h('span', { class: 'hidden' }, ` reached ${rungName(goal())}`),
      ),
    )
    element.style.setProperty('--level', String(level))
    return element
  }

  /** Folders in sight, with what is filtered out left away. */
  const inSight = (): Folder[] => {
    const seen: Folder[] = []
    const walk = (folder: Folder): void => {
      if (folder.path !== '' && sum(folder.counts) === 0 && folder.path !== dir) return
      seen.push(folder)
      if (open.has(folder.path)) folder.children.forEach(walk)
    }
    const root = folders.get('')
    if (root !== undefined) walk(root)
    return seen
  }

  const draw = (): void => {
    const had = tree.contains(document.activeElement)
    const seen = inSight()
    if (!seen.some(({ path }) => path === focused)) focused = ''
    tree.replaceChildren(...seen.map(item))
    if (had) focusOn(focused)
  }

  const elementOf = (path: string) =>
    [...tree.children].find((child) => (child as HTMLElement).dataset['path'] === path) as HTMLElement | undefined

  const focusOn = (path: string): void => {
    const old = elementOf(focused)
    if (old !== undefined) old.tabIndex = -1
    focused = path
    const element = elementOf(path)
    if (element === undefined) return
    element.tabIndex = 0
    element.focus()
  }

  const toggle = (path: string, to = !open.has(path)): void => {
    if (to) open.add(path)
    else open.delete(path)
    draw()
  }

  const pathOf = (target: EventTarget | null) =>
    target instanceof Element ? target.closest<HTMLElement>('.folder')?.dataset['path'] : undefined

  tree.addEventListener('click', (event) => {
    const path = pathOf(event.target)
    if (path === undefined) return
    focused = path
    const twist = (event.target as Element).closest('.twist') !== null
    if (twist && (folders.get(path)?.children.length ?? 0) > 0 && path !== '') toggle(path)
    else onPick(path === dir ? '' : path)
  })

  tree.addEventListener('keydown', (event) => {
    const path = pathOf(event.target)
    const folder = path === undefined ? undefined : folders.get(path)
    if (folder === undefined || event.metaKey || event.ctrlKey || event.altKey) return
    const seen = inSight()
    const at = seen.indexOf(folder)
    const opens = folder.children.length > 0 && folder.path !== ''
    const go = (to: Folder | undefined) => to !== undefined && focusOn(to.path)
    const keys: Record<string, () => unknown> = {
      ArrowDown: () => go(seen[at + 1]),
      ArrowUp: () => go(seen[at - 1]),
      Home: () => go(seen[0]),
      End: () => go(seen.at(-1)),
      ArrowRight: () => (opens && !open.has(folder.path) ? toggle(folder.path, true) : go(folder.children[0])),
      ArrowLeft: () => (opens && open.has(folder.path) ? toggle(folder.path, false) : go(folder.parent)),
      Enter: () => onPick(folder.path === dir ? '' : folder.path),
      ' ': () => onPick(folder.path === dir ? '' : folder.path),
    }
    const act = keys[event.key]
    if (act === undefined) return
    event.preventDefault()
    event.stopPropagation()
    act()
  })

  const recount = (model: Model, selection: Selection): void => {
    for (const { counts } of folders.values()) counts.fill(0)
    const own = new Map<string, Folder>()
    const folderOf = (path: string): Folder => {
      const known = own.get(path)
      if (known !== undefined) return known
      const found = folders.get(path) ?? folderOf(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
      own.set(path, found)
      return found
    }
    eachBut('dir', model, selection, (row) => {
      for (let at: Folder | undefined = folderOf(row.dir); at !== undefined; at = at.parent) at.counts[row.rung]!++
    })
  }

  return {
    show(model, selection, picked) {
      if (of !== model) {
        of = model
        folders = buildFolders(
          model.rows.map((row) => row.dir),
          top() + 1,
        )
        // A tree of few folders is best seen whole; in a large one the first level under drivers is what people know.
        if (folders.size <= 24) for (const path of folders.keys()) open.add(path)
        else if (folders.has('drivers')) open.add('drivers')
      }
      dir = picked
      for (let at = folders.get(picked)?.parent; at !== undefined; at = at.parent) open.add(at.path)
      recount(model, selection)
      draw()
    },
  }
}
