/**
 * Texts of a tree's sources, as those read them who look for words in them: what a tree exports, which modules are tests.
 *
 * Knows files, and nothing of what is looked for but where headers with macros around EXPORT_SYMBOL may be.
 */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'

/** Where headers with macros around EXPORT_SYMBOL are. */
const HEADER_DIRS = ['include', 'drivers', 'net', 'sound', 'fs', 'lib', 'mm', 'kernel', 'crypto', 'block', 'security']

/** They make up most bytes of a tree's headers, and export nothing. */
const REGISTER_LISTS = /^gpu\/drm\/amd\/include\//

/** Files read ahead. */
const READ_AHEAD = 64

/** Texts of files, in order; one that is not there is empty. */
export async function* readTexts(files: readonly string[]): AsyncGenerator<string> {
  for (let i = 0; i < files.length; i += READ_AHEAD) {
    const some = files.slice(i, i + READ_AHEAD)
    yield* await Promise.all(some.map(readSource))
  }
}

/** A source that make would copy from the one the tree ships is that one; of one that it would write, nothing is known yet. */
const readSource = (file: string): Promise<string> =>
  fs
    .readFile(file, 'latin1')
    .catch(() => fs.readFile(`${file.replace('/view/build/', '/view/')}_shipped`, 'latin1'))
    .catch(() => '')

const INCLUDED = /^[ \t]*#[ \t]*include[ \t]+"([^"]+\.c)"/gm

/** A source with those that it includes, as build_utility.c does in kernel/sched: they are compiled as part of it. */
export async function withIncluded(text: string, file: string): Promise<string> {
  const names = Array.from(text.matchAll(INCLUDED), ([, name]) => path.resolve(path.dirname(file), name as string))
  if (names.length === 0) return text
  const texts: string[] = []
  for await (const part of readTexts(names)) texts.push(part)
  return [text, ...texts].join('\n')
}

export interface HeaderText {
  /** Path in the tree. */
  readonly path: string
  readonly text: string
}

/** The headers that export something, or may define macros that do. */
export async function exportHeaders(view: string): Promise<HeaderText[]> {
  const files: string[] = []
  for (const dir of HEADER_DIRS) {
    const real = (await fs.realpath(path.join(view, dir)).catch(() => undefined)) ?? ''
    const names = await fs.readdir(real, { recursive: true }).catch(() => [])
    const headers = names.filter((name) => name.endsWith('.h') && !REGISTER_LISTS.test(name))
    files.push(...headers.map((name) => path.join(dir, name)))
  }
  const sorted = files.toSorted()
  const found: HeaderText[] = []
  let index = 0
  for await (const text of readTexts(sorted.map((file) => path.join(view, file)))) {
    const file = sorted[index++] as string
    if (EXPORT_CALL.test(text) || EXPORT_DEFINE.test(text)) found.push({ path: file, text })
  }
  return found
}

const EXPORT_CALL = /^[ \t]*EXPORT_SYMBOL/m

const EXPORT_DEFINE = /#[ \t]*define[ \t]+(?:\w*EXPORT|\w*PASTE|STATIC_CALL_)|\\\n[ \t]*_*EXPORT_/
