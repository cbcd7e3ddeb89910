/**
 * A kernel tree as somebody sees it who writes a driver: what its headers declare under a name, which headers there are,
 * who uses a name. Looked up when asked, by a search of the tree's text; nothing is compiled or configured.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, readKept, writeAtomic } from '../cache.ts'
import { runTool } from '../toolchain/process.ts'
import { declarationsIn, type Declaration, type Field } from './declarations.ts'

/** Which tree; `dir` is its source. */
export interface ApiSource {
  readonly name: string
  readonly version: string
  readonly dir: string
  /** What was found in a tree that does not change is kept under its id. */
  readonly id?: string
  readonly sealed?: boolean
  /** Value of an option without CONFIG_, where the tree is configured; undefined where it is off. */
  readonly config?: (option: string) => string | undefined
}

/** A declaration and its place. */
export interface Found extends Declaration {
  /** Path in the tree. */
  readonly file: string
}

export interface FoundField extends Field {
  readonly struct: string
  readonly file: string
}

export interface ApiTree extends Omit<ApiSource, 'config'> {
  /** What the headers of all architectures (include/) declare under a name, in the order of their paths. */
  declarations(name: string): Promise<readonly Found[]>
  /** Fields of that name in structures of that name; undefined when there is no such structure. */
  fields(struct: string, name: string): Promise<readonly FoundField[] | undefined>
  /** Where a header lies that is included as `<name>`: in include/, or of architectures (`x86`). Undefined: nowhere. */
  header(name: string): Promise<{ readonly files: readonly string[]; readonly architectures: readonly string[] }>
  /** Architectures whose own headers mention a name as a word. */
  architecturesWith(name: string): Promise<readonly string[]>
  /** C files and headers outside of include/ that mention a name as a word, sorted. */
  users(name: string): Promise<readonly string[]>
  /** C files that mention a name as a word, those of other architectures too, sorted. */
  sources(name: string): Promise<readonly string[]>
  /** Whether the configuration leaves an option (CONFIG_X) out; false where nothing is configured. */
  isOff(option: string): boolean
  /** Say which names will be asked for: they are looked for together, which costs as much as one. */
  expect(names: readonly string[], what: 'declarations' | 'users'): Promise<void>
  /** Text of a file; undefined when the tree has none. */
  text(file: string): Promise<string | undefined>
}

/** Parts of a tree in which drivers and their like are. */
const USERS = ['drivers', 'sound', 'net', 'fs', 'block', 'crypto', 'kernel', 'mm', 'lib', 'security', 'samples']

export function openApiTree({ name, version, dir, id, sealed, config }: ApiSource): ApiTree {
  const filesWith = keptSearch(dir, sealed === true ? id : undefined)
  const once = memo()
  const text = (file: string) =>
    once(`text ${file}`, () => fs.readFile(path.join(dir, file), 'utf8').catch(() => undefined))
  const parsed = (file: string) => once(`parse ${file}`, async () => declarationsIn((await text(file)) ?? ''))
  const found = new Map<string, readonly string[]>()
  const search = async (word: string, where: readonly string[]) =>
    found.get(`${where[0]} ${word}`) ??
    once(`${where[0]} ${word}`, async () => (await filesWith([word], where)).get(word) ?? [])
  const expect = async (names: readonly string[], what: 'declarations' | 'users') => {
    const where = what === 'users' ? USERS : ['include']
    const fresh = [...new Set(names)].filter((name) => !found.has(`${where[0]} ${name}`))
    if (fresh.length === 0) return
    const files = await filesWith(fresh, where)
    for (const name of fresh) found.set(`${where[0]} ${name}`, files.get(name) ?? [])
  }

  const declarations = (wanted: string) =>
    once(`declared ${wanted}`, async () => {
      const found: Found[] = []
      for (const file of await search(wanted, ['include']))
        for (const item of await parsed(file)) if (item.name === wanted) found.push({ ...item, file })
      return found
    })
  const fields = async (struct: string, wanted: string) => {
    const types = (await declarations(struct)).filter((item) => item.fields !== undefined)
    if (types.length === 0) return undefined
    return types.flatMap(({ file, fields: all = [] }) =>
      all.filter((field) => field.name === wanted).map((field) => ({ ...field, struct, file })),
    )
  }
  // Of a view (kbuild/view.ts) too, in which our own architecture is beside them and directories are links.
  const architectures = () =>
    once('architectures', async () => (await directoriesIn(path.join(dir, 'arch'))).filter((arch) => arch !== 'wasm'))
  const header = async (wanted: string) => {
    const has = async (file: string) => (await fs.stat(path.join(dir, file)).catch(() => undefined))?.isFile() === true
    const files: string[] = []
    for (const at of ['include', 'include/uapi']) if (await has(`${at}/${wanted}`)) files.push(`${at}/${wanted}`)
    // An architecture without a header of its own gets a generated one that includes this.
    const generic = wanted.replace(/^asm\//, 'include/asm-generic/')
    if (generic !== wanted && (await has(generic))) files.push(generic)
    const archs: string[] = []
    for (const arch of await architectures())
      for (const at of ['include', 'include/uapi'])
        if (!archs.includes(arch) && (await has(`arch/${arch}/${at}/${wanted}`))) archs.push(arch)
    return { files, architectures: archs }
  }
  const architecturesWith = async (word: string) => {
    const places = (await architectures()).map((arch) => `arch/${arch}/include`)
    const files = await search(word, places)
    return [...new Set(files.map((file) => file.split('/')[1] as string))].toSorted()
  }
  return {
    name,
    version,
    dir,
    declarations,
    fields,
    header,
    architecturesWith,
    users: (word) => search(word, USERS),
    sources: async (word) => {
      const places = (await architectures()).map((arch) => `arch/${arch}`)
      const files = [...(await search(word, USERS)), ...(await search(word, places))]
      return files.filter((file) => file.endsWith('.c'))
    },
    isOff: (option) => config !== undefined && config(option.replace(/^CONFIG_/, '')) === undefined,
    expect,
    text,
  }
}

/** Work done once for a key. */
function memo(): <T>(key: string, make: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Promise<unknown>>()
  return <T>(key: string, make: () => Promise<T>) => {
    const known = kept.get(key) as Promise<T> | undefined
    if (known !== undefined) return known
    const work = make()
    kept.set(key, work)
    return work
  }
}

/** Names of directories there, or of links to some. */
async function directoriesIn(dir: string): Promise<string[]> {
  const names = await fs.readdir(dir).catch(() => [])
  const found = await Promise.all(names.map((name) => fs.stat(path.join(dir, name)).catch(() => undefined)))
  return names.filter((_, at) => found[at]?.isDirectory() === true).toSorted()
}

type Search = (words: readonly string[], places: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>>

/** A search of which each word's files are kept, for a tree that has an id. */
function keptSearch(dir: string, id: string | undefined): Search {
  if (id === undefined) return (words, places) => filesWith(dir, words, places)
  const fileOf = (word: string, places: readonly string[]) => {
    const key = contentKey(['words 1', id, word, ...places])
    return cachePath('words', key.slice(0, 2), `${key}.json`)
  }
  return async (words, places) => {
    const kept = await Promise.all(
      words.map(async (word) => [word, await readKept<readonly string[]>(fileOf(word, places))] as const),
    )
    const fresh = kept.flatMap(([word, files]) => (files === undefined ? [word] : []))
    const found = fresh.length === 0 ? new Map<string, readonly string[]>() : await filesWith(dir, fresh, places)
    for (const word of fresh) await writeAtomic(fileOf(word, places), JSON.stringify(found.get(word) ?? []))
    return new Map(kept.map(([word, files]) => [word, files ?? found.get(word) ?? []]))
  }
}

/** C files and headers with these words in them, by word, sorted. grep reads a whole tree's text in a second or two. */
async function filesWith(
  dir: string,
  words: readonly string[],
  places: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const there: string[] = []
  for (const place of places)
    if ((await fs.stat(path.join(dir, place)).catch(() => undefined)) !== undefined) there.push(place)
  const plain = words.filter((word) => /^\w+$/.test(word))
  const found = new Map<string, Set<string>>()
  if (there.length === 0 || plain.length === 0) return new Map()
  const onLine = (line: string) => {
    const at = line.lastIndexOf(':')
    const word = line.slice(at + 1)
    found.set(word, (found.get(word) ?? new Set()).add(line.slice(0, at)))
  }
  const patterns = plain.flatMap((word) => ['-e', word])
  await runTool('grep', ['-RowHF', '--include=*.[ch]', ...patterns, ...there], {
    cwd: dir,
    env: { ...process.env, LC_ALL: 'C' },
    onLine,
  })
  return new Map([...found].map(([word, files]) => [word, [...files].toSorted()]))
}
