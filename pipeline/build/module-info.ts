/**
 * What a compiled module says of itself: licence, parameters, firmware, device ids.
 *
 * Read from the objects rather than the source, so that macros, conditionals and generated tables are seen as the
 * compiler saw them. `.modinfo` holds `tag=value` strings (include/linux/moduleparam.h); MODULE_DEVICE_TABLE leaves a
 * symbol on the table itself (include/linux/module.h): `__mod_<bus>__<table>_device_table`, in recent trees
 * `__mod_device_table__kmod_<module>__<bus>__<table>`.
 */

import * as fs from 'node:fs/promises'
import type { DeviceId, ModuleParam } from '../package.ts'
import { readIds } from './device-ids.ts'
import { readObject, type ObjectSymbol, type WasmObject } from '../wasm/object.ts'
import { identifier } from './flags.ts'

export interface ModuleInfo {
  readonly licenses: readonly string[]
  readonly params: readonly ModuleParam[]
  readonly firmware: readonly string[]
  readonly ids: readonly DeviceId[]
}

/** Bytes of one data segment, by its index. */
function segmentBytes(object: WasmObject, index: number): Uint8Array {
  const segment = object.module.data[index]
  return segment === undefined ? new Uint8Array() : object.module.bytes.subarray(segment.start, segment.end)
}

/** The `tag=value` strings of an object. */
export function modinfo(object: WasmObject): [tag: string, value: string][] {
  const result: [string, string][] = []
  object.segments.forEach(({ name }, index) => {
    if (!name.startsWith('.modinfo')) return
    for (const text of new TextDecoder().decode(segmentBytes(object, index)).split('\0')) {
      const at = text.indexOf('=')
      if (at > 0) result.push([text.slice(0, at), text.slice(at + 1)])
    }
  })
  return result
}

function symbolBytes(object: WasmObject, symbol: ObjectSymbol): Uint8Array {
  if (symbol.data === undefined) return new Uint8Array()
  const { segment, offset, size } = symbol.data
  return segmentBytes(object, segment).subarray(offset, offset + size)
}

const DEVICE_TABLES = [/^__mod_device_table__kmod_\w+?__([a-z0-9]+)__/, /^__mod_(\w+?)__.*_device_table$/]

/** The bus that a symbol of MODULE_DEVICE_TABLE is for. */
export const tableBus = (symbol: string): string | undefined =>
  DEVICE_TABLES.map((name) => name.exec(symbol)?.[1]).find((bus) => bus !== undefined)

function deviceIds(object: WasmObject): DeviceId[] {
  return object.symbols.flatMap((symbol) => {
    const bus = symbol.defined ? tableBus(symbol.name) : undefined
    return bus === undefined ? [] : readIds(bus, symbolBytes(object, symbol))
  })
}

/** Namespaces of symbols that a module's objects import (MODULE_IMPORT_NS). */
export async function importedNamespaces(
  objects: readonly { readonly object: string }[],
): Promise<ReadonlySet<string>> {
  const read = await Promise.all(objects.map(async ({ object }) => readObject(await fs.readFile(object))))
  return new Set(read.flatMap(modinfo).flatMap(([tag, value]) => (tag === 'import_ns' ? [value] : [])))
}

/** Everything the objects of one module say. */
export function readModuleInfo(module: string, objects: readonly WasmObject[]): ModuleInfo {
  const tags = objects.flatMap(modinfo)
  const values = (tag: string) =>
    [...new Set(tags.filter(([name]) => name === tag).map(([, value]) => value))].toSorted()
  const params = values('parmtype').map((text) => {
    const at = text.indexOf(':')
    return { module, name: text.slice(0, at), type: text.slice(at + 1) }
  })
  return { licenses: values('license'), params, firmware: values('firmware'), ids: objects.flatMap(deviceIds) }
}

/** What the objects of several modules say, each module's by itself: `objects` name theirs by `module:NAME`. */
export async function infoOf(
  modules: readonly string[],
  objects: readonly { readonly origin: string; readonly object: string }[],
): Promise<ModuleInfo> {
  const all: ModuleInfo[] = []
  for (const name of modules) {
    const own = objects.filter(({ origin }) => origin === `module:${name}`)
    const read = await Promise.all(own.map(async ({ object }) => readObject(await fs.readFile(object))))
    all.push(readModuleInfo(identifier(name), read))
  }
  return {
    licenses: [...new Set(all.flatMap((info) => info.licenses))].toSorted(),
    params: all.flatMap((info) => info.params),
    firmware: [...new Set(all.flatMap((info) => info.firmware))].toSorted(),
    ids: all.flatMap((info) => info.ids),
  }
}
