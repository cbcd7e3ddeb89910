/**
 * What a package adds to what it links or makes of it: its table of modules, its traps, padding for older linkers, and
 * objects of several modules kept apart.
 */

import * as fs from 'node:fs/promises'
import { cachePath, exists, sha256, writeAtomic } from '../cache.ts'
import type { FuncType } from '../wasm/module.ts'
import { readBuiltObject, type BuiltObject, type Compiler } from './compiler.ts'
import { identifier, padSource } from './flags.ts'
import { localize } from '../wasm/object.ts'
import { DEVICE_TABLE } from './module-info.ts'
import { moduleTable } from './module-table.ts'
import type { Resolution } from './resolve.ts'
import { readLayout, tableObjectBytes, TEMPLATE, type ModuleLayout } from './table-object.ts'
import { calledType, trapSource } from './traps.ts'

/** Layouts of `struct module`, learnt once a build. */
const layouts = new WeakMap<Compiler, Promise<ModuleLayout>>()

async function learnLayout(compiler: Compiler): Promise<ModuleLayout> {
  const { object } = await generated(compiler, 'modules.c', moduleTable([TEMPLATE]))
  return readLayout(await readBuiltObject(object))
}

/** The package's table of modules. */
export async function tableObject(compiler: Compiler, resolution: Resolution<BuiltObject>): Promise<BuiltObject> {
  const defined = new Set(resolution.moduleObjects.flatMap((object) => object.defines))
  const modules = resolution.modules.map((name) => ({
    name,
    hasInit: defined.has(`init_module__${identifier(name)}`),
    hasExit: defined.has(`cleanup_module__${identifier(name)}`),
  }))
  const layout = layouts.get(compiler) ?? learnLayout(compiler)
  layouts.set(compiler, layout)
  const bytes = tableObjectBytes(await layout, modules)
  return { origin: 'generated:modules', ...(await kept(bytes)), defines: [], needs: [], inputs: [] }
}

/** Compile a generated file; that it does not compile is a bug of ours, or of the shim's headers. */
async function generated(compiler: Compiler, name: string, text: string): Promise<BuiltObject> {
  const file = cachePath('generated', sha256(text).slice(0, 16), name)
  if (!(await exists(file))) await writeAtomic(file, text)
  const { object, diagnostics } = await compiler.ownFile(file, `generated:${name}`)
  if (object === undefined) throw new Error(`${name} does not compile: ${JSON.stringify(diagnostics[0])}\n${text}`)
  return object
}

/**
 * Objects of several modules in one link. Linux loads modules apart, so two may call their device tables alike; the
 * symbols by which its build finds these tables (`__mod_*_device_table`) are all that is global of them, and nothing
 * refers to one. The later object's become local to it.
 */
export async function keptApart(objects: readonly BuiltObject[]): Promise<BuiltObject[]> {
  const taken = new Set<string>()
  return Promise.all(
    objects.map(async (built) => {
      const tables = built.defines.filter((name) => DEVICE_TABLE.test(name))
      const twice = new Set(tables.filter((name) => taken.has(name)))
      for (const name of tables) taken.add(name)
      if (twice.size === 0) return built
      const bytes = localize(await fs.readFile(built.object), twice)
      return { ...built, ...(await kept(bytes)), defines: built.defines.filter((name) => !twice.has(name)) }
    }),
  )
}

/** An object that was made here, in the cache. */
async function kept(bytes: Uint8Array): Promise<{ object: string; sha256: string }> {
  const sha = sha256(bytes)
  const object = cachePath('generated', sha.slice(0, 2), `${sha}.o`)
  if (!(await exists(object))) await writeAtomic(object, bytes)
  return { object, sha256: sha }
}

/** The traps that the objects of a link call, as an object of its own; none when there are none. */
export async function trapObjects(compiler: Compiler, resolution: Resolution<BuiltObject>): Promise<BuiltObject[]> {
  if (resolution.traps.length === 0) return []
  const types = new Map<string, FuncType>()
  for (const built of [...resolution.moduleObjects, ...resolution.support]) {
    const wanted = resolution.traps.filter((symbol) => !types.has(symbol) && built.needs.includes(symbol))
    if (wanted.length === 0) continue
    const object = await readBuiltObject(built.object)
    for (const symbol of wanted) {
      const type = calledType(object, symbol)
      if (type !== undefined) types.set(symbol, type)
    }
  }
  return types.size === 0 ? [] : [await generated(compiler, 'traps.c', trapSource(types))]
}

/** An object that takes the first function numbers of a table; to be linked first. */
export const padObject = (compiler: Compiler): Promise<BuiltObject> => generated(compiler, 'pad.c', padSource())
