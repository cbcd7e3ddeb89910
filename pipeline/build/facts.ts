/**
 * What a module is, told from its compiled objects and the text of its sources: buses, classes, licences, GPL-only
 * symbols it uses.
 *
 * Cheap, so that a whole tree can be told: no parsing of C. A module that did not compile is told from its sources and
 * its path, as far as they say. Knows nothing of linking: a symbol is used when the object needs it.
 */

import * as fs from 'node:fs/promises'
import type { SourceFile } from '../package.ts'
import { guessBuses, guessClasses } from '../source/guess.ts'
import { licenseProblem } from '../source/license.ts'
import { fileSpdx } from '../source/spdx.ts'
import { readBuiltObject, type BuiltObject } from './compiler.ts'
import type { WasmObject } from '../wasm/object.ts'
import { identifier } from './flags.ts'
import { ownInputs, type Reader } from './inputs.ts'
import type { KernelModule } from './kernel.ts'
import { readModuleInfo, tableBus } from './module-info.ts'

export interface ModuleFacts {
  /** Sorted, as all of these. */
  readonly buses: readonly string[]
  readonly classes: readonly string[]
  /** MODULE_LICENSE texts. */
  readonly licenses: readonly string[]
  /** Distinct SPDX expressions of its own source files; `NONE` for a file that states none. */
  readonly spdx: readonly string[]
  /** Symbols it uses that the tree exports to GPL-compatible modules only. */
  readonly gplOnly: readonly string[]
  /** Why Linux itself would refuse to load it for its licence. */
  readonly licenseProblem?: string
}

export type ExportTable = ReadonlyMap<string, { readonly gplOnly: boolean }>

const unique = (names: Iterable<string>): string[] => [...new Set(names)].toSorted()

/** Own sources with the licence each states. */
export const licensedSources = (readers: readonly Reader[]): Promise<SourceFile[]> =>
  Promise.all(
    ownInputs(readers).map(async ({ name, file, sha256 }) => ({
      path: name,
      sha256,
      spdx: await fileSpdx(file, sha256),
    })),
  )

/** Symbols that one module's objects need from elsewhere. */
function needsOf(objects: readonly BuiltObject[]): string[] {
  const own = new Set(objects.flatMap((object) => object.defines))
  return unique(objects.flatMap((object) => object.needs)).filter((symbol) => !own.has(symbol))
}

/** GPL-only symbols that modules use, of each other too. */
export function gplOnlyOf(objects: readonly BuiltObject[], exports: ExportTable): string[] {
  const modules = Map.groupBy(objects, (object) => object.origin)
  const used = [...modules.values()].flatMap(needsOf)
  return unique(used.filter((symbol) => exports.get(symbol)?.gplOnly === true))
}

const tableBuses = (objects: readonly WasmObject[]): string[] =>
  objects.flatMap(({ symbols }) => symbols.flatMap(({ name, defined }) => (defined ? (tableBus(name) ?? []) : [])))

/** For a module without objects: what its text says, macros unseen. */
async function licensesInSources(reader: Reader): Promise<string[]> {
  const files = ownInputs([reader]).filter(({ name }) => name.endsWith('.c'))
  const texts = await Promise.all(files.map(({ file }) => fs.readFile(file, 'latin1').catch(() => '')))
  return unique(
    texts.flatMap((text) => [...text.matchAll(/^MODULE_LICENSE\s*\(\s*"([^"]*)"/gm)].map((m) => m[1] ?? '')),
  )
}

/**
 * Everything known of a module itself, less what is linked with it. `objects` are its own, as many of them as compiled; `reader` has
 * what the compiler read for them; `exports` the tree's.
 */
export async function factsOf(
  module: KernelModule,
  objects: readonly BuiltObject[],
  reader: Reader,
  exports: ExportTable,
): Promise<ModuleFacts> {
  const needs = needsOf(objects)
  const called = new Set(needs)
  const sources = await licensedSources([reader])
  const gplOnly = gplOnlyOf(objects, exports)
  const read = await Promise.all(objects.map(({ object }) => readBuiltObject(object)))
  const licenses =
    read.length > 0 ? readModuleInfo(identifier(module.name), read).licenses : await licensesInSources(reader)
  const problem = objects.length === module.objects.length ? licenseProblem(licenses, gplOnly) : undefined
  return {
    buses: guessBuses(tableBuses(read), called),
    classes: guessClasses([module.path], called),
    licenses,
    spdx: unique(sources.flatMap(({ spdx }) => spdx ?? [])),
    gplOnly,
    ...(problem !== undefined && { licenseProblem: problem }),
  }
}
