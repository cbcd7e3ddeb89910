/**
 * Exports that stand in a header: code that sources share by including it, with names that macros put together for each of
 * them where it is a template (drivers/iommu/generic_pt). Only the preprocessor knows those, so it is asked.
 *
 * Knows which sources include such a header, and how a compiler tells what it exports; nothing of modules.
 */
import * as path from 'node:path'
import { definesIn } from '../source/macros.ts'
import { runTool } from '../toolchain/process.ts'
import { exportsIn, type Export, type ExportMacros } from './exports.ts'
import type { KbuildObject } from './index.ts'
import type { MakeSetup } from './make.ts'
import { readTexts, type HeaderText } from './texts.ts'

/** A call, not a macro around one. */
const EXPORT = /^[ \t]*EXPORT_SYMBOL(?:_NS)?(_GPL)?[ \t]*\(/gm

export interface ExportingHeader {
  /** Exports by names that stand there, whatever is configured. */
  readonly named: readonly Export[]
  /** All that it exports is for GPL-compatible modules. */
  readonly gplOnly: boolean
}

/** Headers with exports of their own, by absolute path. */
export function exportingHeaders(
  headers: readonly HeaderText[],
  view: string,
  macros: ExportMacros,
): ReadonlyMap<string, ExportingHeader> {
  const found = new Map<string, ExportingHeader>()
  for (const { path: file, text } of headers) {
    const calls = [...text.matchAll(EXPORT)]
    if (calls.length === 0) continue
    const own = definesIn(text)
    const stands = (symbol: string): boolean => !own.has(symbol) && new RegExp(`\\b${symbol}\\b`).test(text)
    const named = exportsIn(text, macros).filter(({ symbol }) => stands(symbol))
    found.set(path.join(view, file), { named, gplOnly: calls.every(([, gpl]) => gpl !== undefined) })
  }
  return found
}

const INCLUDED = /^[ \t]*#[ \t]*include[ \t]+"([^"]+\.[ch])"/gm

/** Files that a source includes by a path from where it stands, and those that these include, itself among them. */
async function included(source: string): Promise<ReadonlySet<string>> {
  const seen = new Set([source])
  for (const file of seen) {
    for await (const text of readTexts([file]))
      for (const [, name] of text.matchAll(INCLUDED)) seen.add(path.resolve(path.dirname(file), name as string))
  }
  return seen
}

/** A source, by its index, and headers that it includes. */
export interface HeaderUse {
  readonly index: number
  readonly read: readonly string[]
}

/** Those of `sources` that include one of `headers`, which lies beside or above them. Paths are absolute. */
export async function sourcesWith(headers: readonly string[], sources: readonly string[]): Promise<HeaderUse[]> {
  const found: HeaderUse[] = []
  for (const [index, source] of sources.entries()) {
    const near = headers.filter((header) => source.startsWith(`${path.dirname(header)}/`))
    if (near.length === 0) continue
    const all = await included(source)
    const read = near.filter((header) => all.has(header))
    if (read.length > 0) found.push({ index, read })
  }
  return found
}

/** What the kernel's own reader of exports is shown in place of each (include/linux/export.h). */
const SHOWN = /\b__GENKSYMS_EXPORT_SYMBOL\((\w+)\)/g

/** Names that a source exports, its headers' among them; none where it cannot be preprocessed. */
export async function exportedBy(
  { cc, searchPath, signal }: MakeSetup,
  { source, args, cwd }: KbuildObject,
  gplOnly: boolean,
): Promise<Export[]> {
  const symbols = new Set<string>()
  const onLine = (line: string) => {
    for (const [, symbol] of line.matchAll(SHOWN)) symbols.add(symbol as string)
  }
  const words = [...args, '-w', '-U__DISABLE_EXPORTS', '-D__GENKSYMS__', '-E', '-P', source]
  const run = await runTool(cc, words, { cwd, env: { PATH: searchPath }, onLine, ...(signal && { signal }) })
  return run.status === 0 ? Array.from(symbols, (symbol) => ({ symbol, gplOnly })) : []
}
