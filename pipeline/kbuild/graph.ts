/**
 * What Kbuild says is built from what: parsing the files that linux-api/kbuild/graph.mk writes, and the compact form in
 * which the result is kept.
 *
 * Pure: text in, data out. Terms: an *object* is one .o and so one source; a *module* is one .ko, of one object or more.
 */

import { shellWords } from './words.ts'

/** One directory's evaluation. */
export interface DirectoryFacts {
  readonly dir: string
  readonly subdirs: readonly string[]
  /** Modules of this directory, in order; `DIR/modules.order` stands for the modules of DIR. */
  readonly order: readonly string[]
  readonly composites: ReadonlyMap<string, readonly string[]>
  readonly objects: readonly { readonly object: string; readonly builtin: boolean; readonly flags: string }[]
  /** What is linked into the kernel, in link order; `DIR/built-in.a` stands for what DIR links. */
  readonly linked: readonly string[]
  /** What goes into the kernel's library. */
  readonly library: readonly string[]
  /** Flags of any C file of the kernel; empty but for the top directory. */
  readonly baseFlags: string
  /** Something in the directory is made by a host program or a rule. */
  readonly generates: boolean
}

const words = (text: string) => text.split(' ').filter((word) => word !== '')

/** Parse one file of graph.mk. */
export function parseDirectory(text: string): DirectoryFacts {
  const facts = {
    dir: '',
    subdirs: [] as string[],
    order: [] as string[],
    composites: new Map<string, string[]>(),
    objects: [] as { object: string; builtin: boolean; flags: string }[],
    linked: [] as string[],
    library: [] as string[],
    baseFlags: '',
    generates: false,
  }
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    const kind = space < 0 ? line : line.slice(0, space)
    const rest = space < 0 ? '' : line.slice(space + 1)
    if (kind === 'd') facts.dir = rest.trim()
    else if (kind === 's') facts.subdirs = words(rest)
    else if (kind === 'm') facts.order = words(rest)
    else if (kind === 'c') {
      const [target, ...parts] = words(rest)
      if (target !== undefined) facts.composites.set(target, [...new Set(parts)])
    } else if (kind === 'om' || kind === 'oy') {
      const end = rest.indexOf(' ')
      facts.objects.push({ object: rest.slice(0, end), builtin: kind === 'oy', flags: rest.slice(end + 1) })
    } else if (kind === 'y') facts.linked = words(rest)
    else if (kind === 'l') facts.library = words(rest)
    else if (kind === 'f') facts.baseFlags = rest
    else if (kind === 'g') facts.generates = true
  }
  return facts
}

/** The whole tree, as kept in graph.json. Paths are relative to the tree; indices point into the arrays. */
export interface Graph {
  readonly modules: readonly { readonly path: string; readonly objects: readonly number[] }[]
  readonly objects: readonly {
    readonly object: string
    readonly builtin: boolean
    /** Flags shared with other objects: index into `flagSets`. */
    readonly flags: number
    /** Flags of its own: the KBUILD_* names. */
    readonly own: readonly string[]
    readonly generates: boolean
    /** The directory whose Makefile names it, where that is not the one it lies in. */
    readonly dir?: string
    /** The C file, where it is not the object's own name: relative to the output directory. */
    readonly source?: string
  }[]
  /** The kernel itself: its objects in the order in which Kbuild links them, its library's last. */
  readonly kernel: readonly number[]
  readonly flagSets: readonly (readonly number[])[]
  readonly words: readonly string[]
  /** Flags of any C file of the kernel. */
  readonly baseFlags: readonly string[]
  /** Where relative paths in flags start, if that is not Kbuild's output directory: a folder outside of the tree. */
  readonly cwd?: string
}

/** A directory's facts with every path below `top`, for a tree that names a folder's directories from the folder. */
export function below(facts: DirectoryFacts, top: string): DirectoryFacts {
  const join = (name: string): string => (name === '.' ? top : `${top}/${name.replace(/^\.\//, '')}`)
  return {
    ...facts,
    dir: join(facts.dir),
    subdirs: facts.subdirs.map(join),
    order: facts.order.map(join),
    composites: new Map([...facts.composites].map(([target, parts]) => [join(target), parts.map(join)])),
    objects: facts.objects.map((entry) => ({ ...entry, object: join(entry.object) })),
  }
}

const OWN = /^-D(__)?KBUILD_(BASENAME|MODNAME|MODFILE)=/
const DROPPED = /^-Wp,-M/

class Interner<T> {
  readonly values: T[] = []
  private readonly index = new Map<string, number>()

  add(key: string, value: () => T): number {
    let found = this.index.get(key)
    if (found === undefined) {
      found = this.values.push(value()) - 1
      this.index.set(key, found)
    }
    return found
  }
}

/** Modules in the order of Kbuild's modules.order: depth first, each directory where its parent names it. */
export function moduleOrder(directories: ReadonlyMap<string, DirectoryFacts>, top = '.'): string[] {
  const result: string[] = []
  const seen = new Set<string>()
  const visit = (dir: string) => {
    if (seen.has(dir)) return
    seen.add(dir)
    for (const target of directories.get(dir)?.order ?? []) {
      if (target.endsWith('/modules.order')) visit(target.slice(0, -'/modules.order'.length))
      else if (target.endsWith('.o')) result.push(target)
    }
  }
  visit(top)
  return [...new Set(result)]
}

/** Objects of the kernel in link order, then those of its libraries: directories where their parent names them. */
export function linkOrder(directories: ReadonlyMap<string, DirectoryFacts>, top = '.'): string[] {
  const linked: string[] = []
  const library: string[] = []
  const seen = new Set<string>()
  const visit = (dir: string) => {
    const facts = directories.get(dir)
    if (facts === undefined || seen.has(dir)) return
    seen.add(dir)
    for (const item of facts.linked) {
      if (item.endsWith('/built-in.a')) visit(item.slice(0, -'/built-in.a'.length))
      else if (item.endsWith('.o')) linked.push(item)
    }
    library.push(...facts.library)
  }
  visit(top)
  // A library is only linked where a list of libraries names it: nothing descends into it through built-in.a.
  for (const { dir, library: objects } of directories.values()) if (!seen.has(dir)) library.push(...objects)
  return [...new Set([...linked, ...library])]
}

const directoryOf = (target: string): string => (target.includes('/') ? target.slice(0, target.lastIndexOf('/')) : '.')

/** The directory whose Makefile names a module: its own, or one above when the name has a directory in it. */
function ownerOf(directories: ReadonlyMap<string, DirectoryFacts>, target: string): DirectoryFacts | undefined {
  for (let dir = directoryOf(target); ; dir = directoryOf(dir)) {
    const facts = directories.get(dir)
    if (facts?.order.includes(target) === true || dir === '.') return facts
  }
}

/**
 * Sources that make would compile, from what `make -n` prints: object to source, both relative to the output directory.
 * For objects whose source has another name or is generated.
 */
export function parseDryRun(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, object, source] of text.matchAll(/ -c -o (\S+\.o) (\S+\.c)(?=[ ;\n]|$)/g))
    found.set(object as string, source as string)
  return found
}

/** Put the directories together. `top` is where Kbuild starts: outside of a tree, the folder. */
export function assembleGraph(directories: readonly DirectoryFacts[], top = '.'): Graph {
  const byDir = new Map(directories.map((facts) => [facts.dir, facts]))
  const flagWords = new Interner<string>()
  const flagSets = new Interner<number[]>()
  const objectIndex = new Map<string, number>()
  const objects: Graph['objects'][number][] = []
  for (const { dir, objects: listed, generates } of directories) {
    for (const { object, builtin, flags } of listed) {
      if (objectIndex.has(object)) continue
      const all = shellWords(flags).filter((word) => !DROPPED.test(word))
      const shared = all.filter((word) => !OWN.test(word))
      const set = flagSets.add(shared.join('\0'), () => shared.map((word) => flagWords.add(word, () => word)))
      const own = all.filter((word) => OWN.test(word))
      const elsewhere = dir !== '.' && directoryOf(object) !== dir
      const entry = { object, builtin, flags: set, own, generates, ...(elsewhere && { dir }) }
      objectIndex.set(object, objects.push(entry) - 1)
    }
  }
  const modules = moduleOrder(byDir, top).map((target) => {
    const dir = ownerOf(byDir, target)
    const parts = dir?.composites.get(target) ?? [target]
    const indices = parts.map((part) => objectIndex.get(part)).filter((index) => index !== undefined)
    return { path: target.replace(/\.o$/, '.ko'), objects: indices }
  })
  const baseFlags = shellWords(byDir.get(top)?.baseFlags ?? '')
  const kernel = linkOrder(byDir, top).flatMap((object) => objectIndex.get(object) ?? [])
  return { modules, objects, kernel, flagSets: flagSets.values, words: flagWords.values, baseFlags }
}

/** Flags of an object, in Kbuild's order but for the KBUILD_* names, which come last. */
export function objectFlags(graph: Graph, index: number): string[] {
  const object = graph.objects[index]
  if (object === undefined) throw new RangeError(`no object ${index} in the graph`)
  const shared = graph.flagSets[object.flags] ?? []
  return [...shared.map((word) => graph.words[word] as string), ...object.own]
}
