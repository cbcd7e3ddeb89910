/**
 * Source analysis: what a module's C files say, read without compiling them.
 *
 * Device tables, metadata, exports, what it calls and mentions that it does not define, what cannot go to wasm, errors
 * with file, line and column. Text in, data out: the caller reads the files, and caches by content if it wants to.
 *
 * Limits: one configuration is looked at; a name counts as the module's own when any of its files defines it; macros
 * and inline functions of kernel headers are uses like others, what stands behind them is known after compiling.
 */
import { exportsIn } from '../kbuild/exports.ts'
import { allModConfig, lineAt, resolveConditionals, type Config } from './conditionals.ts'
import { guessBuses, guessClasses } from './guess.ts'
import { definesIn, type Macro, type MacroLookup } from './macros.ts'
import { isMetadata, metaCalls, readMetadata, readParams, type MetaCall } from './metadata.ts'
import { iterationMacros, parseC, plain, withoutCommentsAndStrings } from './parser.ts'
import { BUS_HEADERS, readTable } from './tables.ts'
import { textOf } from './tokens.ts'
import type { Analysis, DeviceTable, FileFacts, NameUse, Place, SourceExport, SourceText, TreeReader } from './types.ts'
import { findLabels, walkFile, type FileWalk } from './walk.ts'

export type * from './types.ts'
export { allModConfig, type Config } from './conditionals.ts'

export interface AnalyzeOptions {
  /** Which CONFIG_ options are on. Default: allmodconfig on wasm32. */
  readonly config?: Config
}

/** One file, resolved and walked. */
interface Unit {
  readonly path: string
  /** Text with what is not compiled blanked. */
  readonly text: string
  readonly original: string
  readonly header: boolean
  readonly macros: ReadonlyMap<string, Macro>
  readonly walk: FileWalk
}

const HEADERS_MAX = 400

/** Analyze the C files of one module. Headers beside them are found through `tree`. */
export async function analyzeSources(
  files: readonly SourceText[],
  tree: TreeReader,
  options: AnalyzeOptions = {},
): Promise<Analysis> {
  const config = options.config ?? allModConfig
  const headers = await localHeaders(files, tree)
  const macros = new Map<string, Macro>()
  const units: Unit[] = []
  for (const file of [...headers, ...files]) {
    const header = headers.includes(file)
    const resolved = resolveConditionals(file.text, config, macros)
    if (header) for (const [name, macro] of resolved.macros) macros.set(name, macro)
    const walk = await walkText(resolved.text)
    units.push({ path: file.path, text: resolved.text, original: file.text, header, macros: resolved.macros, walk })
  }
  const kernel = await kernelMacros(units, tree)
  const lookupIn =
    (unit: Unit): MacroLookup =>
    (name) =>
      unit.macros.get(name) ?? macros.get(name)
  const calls = units.flatMap((unit) => metaCalls(unit.path, unit.text, unit.walk.topCalls, lookupIn(unit)))
  const all: MacroLookup = (name) => findMacro(units, name) ?? kernel.get(name)
  const tables = readTables(units, calls, all)
  const uses = collectUses(units)
  const called = new Set([...uses.map((use) => use.name), ...units.flatMap((u) => u.walk.topCalls.map((c) => c.name))])
  return {
    schema: 'drvport.source/1',
    files: units.map(fileFacts),
    metadata: readMetadata(calls, (name) => findMacro(units, name)),
    params: readParams(calls, (name) => findMacro(units, name)),
    tables,
    exports: units.flatMap(readExports),
    uses,
    untranslatable: units.flatMap((u) =>
      [...u.walk.untranslatable, ...findLabels(withoutCommentsAndStrings(u.text))].map((item) => ({
        file: u.path,
        ...item,
      })),
    ),
    parseErrors: units.flatMap((u) => u.walk.errors.map((error) => ({ file: u.path, ...error }))),
    buses: guessBuses(
      tables.map((t) => t.bus),
      called,
    ),
    classes: guessClasses(
      files.map((f) => f.path),
      called,
    ),
  }
}

async function walkText(text: string): Promise<FileWalk> {
  const tree = await parseC(plain(text))
  const cursor = tree.walk()
  try {
    return walkFile(cursor, text)
  } finally {
    cursor.delete()
    tree.delete()
  }
}

function findMacro(units: readonly Unit[], name: string): Macro | undefined {
  for (const unit of units) {
    const macro = unit.macros.get(name)
    if (macro) return macro
  }
  return undefined
}

/** Files that `#include "..."` names, beside the file that does, and theirs. */
async function localHeaders(files: readonly SourceText[], tree: TreeReader): Promise<SourceText[]> {
  const seen = new Set(files.map((file) => file.path))
  const found: SourceText[] = []
  const visit = async (file: SourceText): Promise<void> => {
    for (const match of file.text.matchAll(/^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"/gm)) {
      const path = resolvePath(file.path, match[1] as string)
      if (seen.has(path) || found.length >= HEADERS_MAX) continue
      seen.add(path)
      const text = await tree.read(path)
      if (text === undefined) continue
      const header = { path, text }
      // What a header includes is defined before it.
      await visit(header)
      found.push(header)
    }
  }
  for (const file of files) await visit(file)
  return found
}

function resolvePath(from: string, to: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of to.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

const headerCache = new WeakMap<TreeReader, Map<string, Promise<ReadonlyMap<string, Macro>>>>()

/** Macros of the kernel headers that the module's device tables are written with. */
async function kernelMacros(units: readonly Unit[], tree: TreeReader): Promise<ReadonlyMap<string, Macro>> {
  const buses = new Set(
    units.flatMap((u) => [...u.text.matchAll(/\bMODULE_DEVICE_TABLE\s*\(\s*(\w+)/g)].map((m) => m[1])),
  )
  const paths = new Set([...buses].flatMap((bus) => BUS_HEADERS[bus ?? ''] ?? []))
  const cache = headerCache.get(tree) ?? new Map<string, Promise<ReadonlyMap<string, Macro>>>()
  headerCache.set(tree, cache)
  const merged = new Map<string, Macro>()
  for (const path of paths) {
    let macros = cache.get(path)
    if (macros === undefined) {
      macros = tree.read(path).then((text) => definesIn(text ?? ''))
      cache.set(path, macros)
    }
    for (const [name, macro] of await macros) if (!merged.has(name)) merged.set(name, macro)
  }
  return merged
}

function readTables(units: readonly Unit[], calls: readonly MetaCall[], lookup: MacroLookup): DeviceTable[] {
  const tables: DeviceTable[] = []
  for (const call of calls) {
    if (call.name !== 'MODULE_DEVICE_TABLE') continue
    const [bus, name] = call.args.map(textOf)
    if (bus === undefined || name === undefined) continue
    const found = units
      .flatMap((unit) => unit.walk.initialisers.map((initialiser) => ({ unit, initialiser })))
      .find(({ initialiser }) => initialiser.name === name)
    const entries =
      found === undefined
        ? []
        : readTable(bus, found.unit.text.slice(found.initialiser.start, found.initialiser.end), lookup, (offset) => ({
            file: found.unit.path,
            line: lineAt(found.unit.text, found.initialiser.start + offset),
          }))
    tables.push({ bus, name, file: call.file, line: call.line, entries })
  }
  return tables
}

function readExports(unit: Unit): SourceExport[] {
  return exportsIn(unit.text).map(({ symbol, gplOnly }) => {
    const at = unit.text.search(new RegExp(`\\bEXPORT_\\w+\\s*\\(\\s*${symbol}\\b`))
    return { symbol, gplOnly, file: unit.path, line: lineAt(unit.text, Math.max(0, at)) }
  })
}

const PLACES_MAX = 5
/** Keywords and type names that stand where a name may. */
const NOT_NAMES =
  /^(?:if|else|for|while|do|switch|case|return|sizeof|typeof|__typeof__|defined|struct|union|enum|const|static|inline|void|int|char|long|short|unsigned|signed|float|double|bool|true|false|NULL|asm|__asm__|volatile|__volatile__|goto|break|continue|default|extern|register|_Generic|__func__|__FUNCTION__|__LINE__|__FILE__|__VA_ARGS__|__builtin_\w+|[us](?:8|16|32|64)|__[bl]?[eu]?(?:8|16|32|64)|u?int(?:8|16|32|64)_t|s?size_t)$/

/** `DEFINE_MUTEX(lock)` declares `lock`; metadata macros are no use of the kernel. */
function declaredByMacros(unit: Unit): string[] {
  return unit.walk.topCalls.flatMap((call) => {
    const first = /^\(\s*(\w+)/.exec(unit.text.slice(call.start, call.end))?.[1]
    const meta = isMetadata(call.name) ? [call.name] : []
    return first === undefined ? meta : [...meta, first]
  })
}

/** Names used and not defined by the module, sorted by name. */
function collectUses(units: readonly Unit[]): NameUse[] {
  const defined = new Set(
    units.flatMap((unit) => [...unit.walk.defined, ...unit.macros.keys(), ...declaredByMacros(unit)]),
  )
  const uses = new Map<string, { called: boolean; count: number; places: Place[] }>()
  const add = (name: string, file: string, line: number, called: boolean): void => {
    if (defined.has(name) || NOT_NAMES.test(name) || !/^[A-Za-z_]\w*$/.test(name)) return
    let use = uses.get(name)
    if (use === undefined) uses.set(name, (use = { called: false, count: 0, places: [] }))
    use.called ||= called
    use.count++
    if (use.places.length < PLACES_MAX && use.places.at(-1)?.line !== line) use.places.push({ file, line })
  }
  for (const unit of units) {
    for (const { name, line, called } of unit.walk.names) add(name, unit.path, line, called)
    for (const { name, offset } of iterationMacros(unit.text)) add(name, unit.path, lineAt(unit.text, offset), true)
    for (const macro of unit.macros.values())
      macro.body.forEach((token, i) => {
        const own = token.kind !== 'id' || macro.params?.includes(token.text)
        const member = ['.', '->', '##', 'struct', 'union', 'enum'].includes(macro.body[i - 1]?.text ?? '')
        if (!own && !member) add(token.text, unit.path, macro.line, macro.body[i + 1]?.text === '(')
      })
  }
  return [...uses]
    .map(([name, use]) => ({ name, ...use }))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function fileFacts(unit: Unit): FileFacts {
  const spdx = /SPDX-License-Identifier:\s*(.*?)\s*(?:\*\/|-->|$)/m.exec(unit.original.slice(0, 2000))?.[1] ?? null
  return { path: unit.path, spdx, lines: unit.original.split('\n').length, header: unit.header }
}
