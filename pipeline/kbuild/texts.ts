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
const INCLUDED_BY_KERNEL = /^[ \t]*#[ \t]*include[ \t]+"([^"]+\.c|[^"/]+\.h)"/gm

/**
 * A source with those that it includes, as build_utility.c does in kernel/sched: they are compiled as part of it. Of the kernel itself
 * code lies in headers beside a source, too (kernel/rcu/tasks.h).
 */
export async function withIncluded(text: string, file: string, isKernel: boolean): Promise<string> {
  const included = text.matchAll(isKernel ? INCLUDED_BY_KERNEL : INCLUDED)
  const names = Array.from(included, ([, name]) => path.resolve(path.dirname(file), name as string))
  if (names.length === 0) return text
  const texts: string[] = []
  for await (const part of readTexts(names)) texts.push(part)
  return [text, ...texts].join('\n')
}

/** Texts of the headers that may define such macros. */
export async function exportHeaders(view: string): Promise<string[]> {
  const files: string[] = []
  for (const dir of HEADER_DIRS) {
    const real = (await fs.realpath(path.join(view, dir)).catch(() => undefined)) ?? ''
    const names = await fs.readdir(real, { recursive: true }).catch(() => [])
    files.push(
      ...names.filter((name) => name.endsWith('.h') && !REGISTER_LISTS.test(name)).map((name) => path.join(real, name)),
    )
  }
  const texts: string[] = []
  for await (const text of readTexts(files.toSorted())) if (EXPORT_DEFINE.test(text)) texts.push(text)
  return texts
}

const EXPORT_DEFINE = /#[ \t]*define[ \t]+(?:\w*EXPORT|\w*PASTE|STATIC_CALL_)|\\\n[ \t]*_*EXPORT_/
