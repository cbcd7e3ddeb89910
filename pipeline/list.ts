/**
 * What modules a tree has, for `drvport list`: name, path, bus, class, ids.
 *
 * The graph gives name and path; bus, class and ids are read from the source, which takes some milliseconds a module and
 * is kept by the content of its files. Knows nothing of terminals.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, inParallel, sha256, writeAtomic } from './cache.ts'
import { Interrupted } from './errors.ts'
import type { Kbuild, KbuildModule } from './kbuild/index.ts'
import type { DeviceId } from './package.ts'
import { analyzeSources, type TreeReader } from './source/index.ts'

export interface ListedModule {
  readonly name: string
  /** Of the .ko, in the tree. */
  readonly path: string
  readonly sources: readonly string[]
  /** Buses it binds on, sorted; empty for a library. */
  readonly buses: readonly string[]
  readonly classes: readonly string[]
  readonly ids: readonly DeviceId[]
  readonly description: string
  readonly licenses: readonly string[]
}

export interface ListDocument {
  readonly schema: 'drvport.list/1'
  readonly tree: { readonly name: string; readonly version: string }
  readonly modules: readonly ListedModule[]
}

export interface ListOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, of: number) => void
}

/** Changes when the meaning of what is kept changes. */
const FORMAT = 1

/** The modules that selectors name, in the tree's order. Throws UsageError for a selector that names none. */
export async function listModules(
  tree: Kbuild,
  selectors: readonly string[],
  options: ListOptions = {},
): Promise<ListDocument> {
  const modules = await tree.match(selectors)
  let done = 0
  const describe = async (module: KbuildModule) => {
    const listed = await describeModule(tree, module)
    options.onProgress?.(++done, modules.length)
    return listed
  }
  const results = await inParallel(modules, 4, describe, options.signal)
  if (options.signal?.aborted === true) throw new Interrupted()
  const listed = results.map((result) => {
    if (result?.status === 'fulfilled') return result.value
    throw result?.reason
  })
  return { schema: 'drvport.list/1', tree: { name: tree.name, version: tree.version }, modules: listed }
}

async function describeModule(tree: Kbuild, module: KbuildModule): Promise<ListedModule> {
  const files = await Promise.all(
    module.sources.map(async (file) => ({
      path: file,
      text: await fs.readFile(path.join(tree.view, file), 'utf8').catch(() => ''),
    })),
  )
  const key = contentKey([FORMAT, tree.version, module.path, ...files.map(({ text }) => sha256(text))])
  const kept = cachePath('list', key.slice(0, 2), `${key}.json`)
  const text = await fs.readFile(kept, 'utf8').catch(() => undefined)
  if (text !== undefined) return JSON.parse(text) as ListedModule
  const reader: TreeReader = {
    read: (file) => fs.readFile(path.join(tree.view, file), 'utf8').catch(() => undefined),
  }
  const facts = await analyzeSources(
    files.filter((file) => file.text !== ''),
    reader,
  )
  const listed: ListedModule = {
    name: module.name,
    path: module.path,
    sources: module.sources,
    buses: facts.buses,
    classes: facts.classes,
    ids: uniqueIds(facts.tables.flatMap(({ entries }) => entries.flatMap(({ id }) => (id === undefined ? [] : [id])))),
    description: facts.metadata.descriptions[0] ?? '',
    licenses: facts.metadata.licenses,
  }
  await writeAtomic(kept, JSON.stringify(listed))
  return listed
}

function uniqueIds(ids: readonly DeviceId[]): DeviceId[] {
  return [...new Map(ids.map((id) => [JSON.stringify(id), id])).values()]
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

/** An id as people write it: `10ec:8139`, with `*` for any; another bus's as its name. */
export function formatId(id: DeviceId): string {
  const part = (value: number) => (value === 0xffffffff ? '*' : hex(value, 4))
  if ('vendor' in id && 'device' in id) {
    const base = `${part(id.vendor)}:${part(id.device)}`
    if (id.classMask !== 0 && id.vendor === 0xffffffff) return `class ${hex(id.class, 6)}/${hex(id.classMask, 6)}`
    return id.subvendor === 0xffffffff && id.subdevice === 0xffffffff
      ? base
      : `${base} ${part(id.subvendor)}:${part(id.subdevice)}`
  }
  if ('product' in id) return `${hex(id.vendor, 4)}:${hex(id.product, 4)}`
  return `${id.bus}:${id.name}`
}
