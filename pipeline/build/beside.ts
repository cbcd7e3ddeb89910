/**
 * Files that lie where a compile looks for what it read elsewhere: they were passed over, or are found first from now on.
 *
 * What a compile read says nothing of a header that was not there yet, and that would have been read in the place of one that was. A tree
 * does not change; a folder outside of it does. So what lies beside the search path is part of what a result was made from, by name.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey } from '../cache.ts'
import type { Root } from './flags.ts'
import { nameOf, type Input } from './input-table.ts'

/** An include names a file by so many of the last parts of its path at most. */
const PARTS_MAX = 5

/** Directories that a command line has headers looked for in. */
export function searchPath(args: readonly string[]): string[] {
  const dirs: string[] = []
  args.forEach((arg, i) => {
    const [, joined] = /^-(?:I|iquote|isystem|idirafter)(.*)$/.exec(arg) ?? []
    if (joined !== undefined) dirs.push(joined === '' ? (args[i + 1] ?? '') : joined)
  })
  return [...new Set(dirs.map((dir) => path.normalize(dir)))]
}

/** `a/b/c.h`: c.h, b/c.h, a/b/c.h, by the directory part and the last one. */
function* endsOf(name: string): Generator<readonly [dir: string, base: string]> {
  const parts = name.split('/')
  const base = parts.at(-1)!
  for (let n = 1; n <= Math.min(parts.length, PARTS_MAX); n++) yield [parts.slice(-n, -1).join('/'), base]
}

export class Beside {
  readonly #roots: readonly Root[]
  readonly #changing: readonly Root[]
  readonly #listings = new Map<string, Promise<ReadonlySet<string>>>()

  /** `roots`: longest first. Folders outside of a tree are the local ones. */
  constructor(roots: readonly Root[]) {
    this.#roots = roots
    this.#changing = roots.filter(({ local, users }) => local === true && users === undefined)
  }

  #changes(dir: string): boolean {
    return this.#changing.some((root) => dir === root.dir || dir.startsWith(`${root.dir}/`))
  }

  #list(dir: string): Promise<ReadonlySet<string>> {
    let listing = this.#listings.get(dir)
    if (listing === undefined) {
      listing = fs.readdir(dir).then(
        (names) => new Set(names),
        () => new Set(),
      )
      this.#listings.set(dir, listing)
    }
    return listing
  }

  /** One key for what a compile with these arguments passed over when it read `inputs`; undefined where there is nothing. */
  async of(args: readonly string[], inputs: readonly Input[]): Promise<string | undefined> {
    const own = inputs.map(({ file }) => path.dirname(file))
    const dirs = [...new Set([...searchPath(args), ...own])].filter((dir) => this.#changes(dir))
    if (dirs.length === 0) return undefined
    const read = new Set(inputs.map(({ name }) => name))
    const found = new Set<string>()
    for (const { name } of inputs)
      for (const [end, base] of endsOf(name))
        for (const dir of dirs) {
          const at = path.join(dir, end)
          if (!(await this.#list(at)).has(base)) continue
          const other = nameOf(this.#roots, path.join(at, base))
          if (!read.has(other)) found.add(other)
        }
    return found.size === 0 ? undefined : contentKey([...found].toSorted())
  }
}
