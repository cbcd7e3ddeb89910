/**
 * What a compiled module says of itself: licence, parameters, firmware, device ids.
 *
 * Read from the objects rather than the source, so that macros, conditionals and generated tables are seen as the
 * compiler saw them. `.modinfo` holds `tag=value` strings (include/linux/moduleparam.h); MODULE_DEVICE_TABLE leaves a
 * symbol `__mod_<bus>__<table>_device_table` on the table itself (include/linux/module.h).
 */

import * as fs from 'node:fs/promises'
import type { DeviceId, ModuleParam } from '../package.ts'
import { readIds } from './device-ids.ts'
import { definedSymbols, readObject, type ObjectSymbol, type WasmObject } from '../wasm/object.ts'
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

/** A symbol of MODULE_DEVICE_TABLE: the bus is the first group. */
export const DEVICE_TABLE = /^__mod_(\w+?)__.*_device_table$/

function deviceIds(object: WasmObject): DeviceId[] {
  return definedSymbols(object).flatMap((symbol) => {
    const bus = DEVICE_TABLE.exec(symbol.name)?.[1]
    return bus === undefined ? [] : readIds(bus, symbolBytes(object, symbol))
  })
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
