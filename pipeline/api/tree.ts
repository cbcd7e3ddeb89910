/**
 * A kernel tree as somebody sees it who writes a driver: what its headers declare under a name, which headers there are,
 * who uses a name. Looked up when asked, by a search of the tree's text; nothing is compiled or configured.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { runTool } from '../toolchain/process.ts'
import { declarationsIn, type Declaration, type Field } from './declarations.ts'

/** Which tree; `dir` is its source. */
export interface ApiSource {
  readonly name: string
  readonly version: string
  readonly dir: string
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

export interface ApiTree extends ApiSource {
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
  /** Text of a file; undefined when the tree has none. */
  text(file: string): Promise<string | undefined>
}

/** Parts of a tree in which drivers and their like are. */
const USERS = ['drivers', 'sound', 'net', 'fs', 'block', 'crypto', 'kernel', 'mm', 'lib', 'security', 'samples']

export function openApiTree({ name, version, dir }: ApiSource): ApiTree {
  const once = memo()
  const text = (file: string) =>
    once(`text ${file}`, () => fs.readFile(path.join(dir, file), 'utf8').catch(() => undefined))
  const parsed = (file: string) => once(`parse ${file}`, async () => declarationsIn((await text(file)) ?? ''))
  const search = (word: string, where: readonly string[]) =>
    once(`${where[0]} ${word}`, () => filesWith(dir, word, where))

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

async function directoriesIn(dir: string): Promise<string[]> {
  const entries = await fs.readdir(dir, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
}

/** C files and headers with a word in them. grep reads a tree's headers in well under a second. */
async function filesWith(dir: string, word: string, places: readonly string[]): Promise<readonly string[]> {
  const there: string[] = []
  for (const place of places)
    if ((await fs.stat(path.join(dir, place)).catch(() => undefined)) !== undefined) there.push(place)
  if (there.length === 0 || !/^\w+$/.test(word)) return []
  const run = await runTool('grep', ['-RlwF', '--include=*.[ch]', '-e', word, ...there], {
    cwd: dir,
    env: { ...process.env, LC_ALL: 'C' },
  })
  return run.stdout
    .split('\n')
    .filter((file) => file !== '')
    .toSorted()
}
