/**
 * Modules that are not part of a kernel tree: a C file, or a directory with a Kbuild file, anywhere on this computer.
 *
 * The small drivers of drivers-src are built this way, against any tree. Only the plain forms of Kbuild are understood:
 * `obj-m += name.o` and `name-y := a.o b.o`.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { exists } from '../cache.ts'
import { UsageError } from '../errors.ts'
import { identifier, type Root } from './flags.ts'
import type { KernelModule, KernelTree } from './kernel.ts'

/** Modules and their sources named by a Kbuild file, in order. */
export function parseKbuild(text: string): Map<string, string[]> {
  const lists = new Map<string, string[]>()
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const match = /^\s*([\w-]+)\s*(?::=|\+=|=)\s*(.*)$/.exec(line.replace(/#.*/, ''))
    if (match === null) continue
    const [, name = '', value = ''] = match
    lists.set(name, [...(lists.get(name) ?? []), ...value.split(/\s+/).filter((word) => word.endsWith('.o'))])
  }
  const stem = (object: string) => object.slice(0, -2)
  return new Map(
    (lists.get('obj-m') ?? []).map((object) => {
      const parts = lists.get(`${stem(object)}-y`) ?? lists.get(`${stem(object)}-objs`) ?? [object]
      return [stem(object), parts.map((part) => `${stem(part)}.c`)]
    }),
  )
}

/** What to call an outside directory in results and debug information. */
export const externalRoot = (dir: string): Root => ({
  dir,
  as: `external/${path.basename(dir)}/`,
  local: true,
})

async function externalModule(
  tree: KernelTree,
  dir: string,
  name: string,
  sources: readonly string[],
): Promise<KernelModule> {
  const id = identifier(name)
  const names = ['-DMODULE', `-DKBUILD_MODFILE="${id}"`, `-DKBUILD_MODNAME="${id}"`, `-D__KBUILD_MODNAME=kmod_${id}`]
  const objects = sources.map(async (source) => {
    const file = path.join(dir, source)
    // A source that is not there fails its module when it is compiled, not the others here.
    const object = (await exists(file)) ? await tree.builtin(file) : { source: file, args: [], cwd: dir }
    return {
      ...object,
      args: [...object.args.filter((arg) => !/^-D(__)?KBUILD_(MODNAME|MODFILE)=/.test(arg)), ...names],
    }
  })
  return { name, path: `${externalRoot(dir).as}${name}.ko`, objects: await Promise.all(objects), external: dir }
}

/**
 * Modules that a selector names outside the tree, or undefined when it does not name a file or directory that exists.
 * Relative paths start from the current directory. Throws UsageError for a directory without modules.
 */
export async function selectExternal(tree: KernelTree, selector: string): Promise<KernelModule[] | undefined> {
  if (!selector.includes('/') && !selector.endsWith('.c')) return undefined
  const file = await fs.realpath(path.resolve(selector)).catch(() => undefined)
  if (file === undefined) return undefined
  if (file.endsWith('.c'))
    return [await externalModule(tree, path.dirname(file), path.basename(file, '.c'), [path.basename(file)])]
  for (const name of ['Kbuild', 'Makefile']) {
    const text = await fs.readFile(path.join(file, name), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const modules = [...parseKbuild(text)]
    if (modules.length > 0)
      return Promise.all(modules.map(([module, sources]) => externalModule(tree, file, module, sources)))
  }
  throw new UsageError('no modules in this directory', {
    where: file,
    expected: 'a Kbuild or Makefile with obj-m lines',
  })
}
