/**
 * Which configuration of a tree: the plain one, one in which the tree's own debugging watches what drivers do, or one in which
 * more of the tree's own tests run.
 *
 * A configuration is files in linux-api/config: NAME.config answers on top of base.config's, NAME.kconfig is added to the
 * view's copy of arch/wasm/Kconfig, headers in NAME/asm to its copy of the architecture's. The plain one has none of these, and
 * its key does not tell that there are others.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey } from '../cache.ts'
import { packageRoot } from '../root.ts'

/** Configurations besides the plain one. */
export const CONFIGURATIONS = ['lockdep', 'kasan', 'kunit'] as const
export type Configuration = (typeof CONFIGURATIONS)[number]

const DIRECTORY = path.join(packageRoot, 'linux-api', 'config')

/** Answers on top of allmodconfig. */
export const BASE_FRAGMENT: string = path.join(DIRECTORY, 'base.config')

const readPart = (name: Configuration, kind: 'config' | 'kconfig'): Promise<string> =>
  fs.readFile(path.join(DIRECTORY, `${name}.${kind}`), 'utf8')

/** Headers of a configuration's own, by name. */
async function headersOf(name: Configuration): Promise<[name: string, text: string][]> {
  const dir = path.join(DIRECTORY, name, 'asm')
  const names = await fs.readdir(dir).catch(() => [])
  return Promise.all(names.toSorted().map(async (file) => [file, await fs.readFile(path.join(dir, file), 'utf8')]))
}

/** What a configuration adds to a view's key: nothing for the plain one. */
export async function configurationKey(name: Configuration | undefined): Promise<string[]> {
  if (name === undefined) return []
  const headers = (await headersOf(name)).flat()
  return [contentKey([name, await readPart(name, 'config'), await readPart(name, 'kconfig'), ...headers])]
}

const optionOf = (line: string): string | undefined => /^(?:# )?(CONFIG_\w+)(?:=| is not set)/.exec(line)?.[1]

/** Answers of `over` take the place of those of `base`: Kconfig warns about two. */
export function mergeFragments(base: string, over: string): string {
  const answered = new Set(over.split('\n').map(optionOf))
  const kept = base.split('\n').filter((line) => {
    const option = optionOf(line)
    return option === undefined || !answered.has(option)
  })
  return `${kept.join('\n')}\n${over}`
}

/** The file with the answers of a configuration; a merged one is written to `home`. */
export async function fragmentFor(name: Configuration | undefined, home: string): Promise<string> {
  if (name === undefined) return BASE_FRAGMENT
  const file = path.join(home, 'allconfig')
  await fs.writeFile(file, mergeFragments(await fs.readFile(BASE_FRAGMENT, 'utf8'), await readPart(name, 'config')))
  return file
}

/** Add a configuration's options and headers to the view's own copy of the architecture's. */
export async function extendView(name: Configuration | undefined, view: string): Promise<void> {
  if (name === undefined) return
  const arch = path.join(view, 'arch', 'wasm')
  await fs.appendFile(path.join(arch, 'Kconfig'), await readPart(name, 'kconfig'))
  for (const [file, text] of await headersOf(name)) await fs.writeFile(path.join(arch, 'include', 'asm', file), text)
}
