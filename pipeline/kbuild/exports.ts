/**
 * Which symbol is exported where, read from the source text.
 *
 * The overlay switches EXPORT_SYMBOL's ELF sections off, so the source is where exports are known. Macros around it, a
 * file's own and those of headers, are expanded; #if is not evaluated, so what is exported in some configuration counts.
 * Pure. Source: include/linux/export.h.
 */

import { definesIn, expand, type Macro } from '../source/macros.ts'
import { closing, splitArguments, tokenize, type Token } from '../source/tokens.ts'

export interface Export {
  readonly symbol: string
  /** Modules that are not GPL-compatible may not use it. */
  readonly gplOnly: boolean
}

/** Macros that export something, by name. */
export type ExportMacros = ReadonlyMap<string, Macro>

/** What all others come down to: the symbol is the first argument. */
const BASE = /^EXPORT_SYMBOL(?:_NS)?(_GPL)?(_FOR_MODULES)?$/
/** Its second argument says the licence: `"GPL"`, in older releases `"_gpl"`. */
const INNERMOST = '__EXPORT_SYMBOL'

const isBase = (name: string) => name === INNERMOST || BASE.test(name)

/** Macros of `all` that export something, themselves or through another one of `all` or of `known`. */
function exporting(all: ReadonlyMap<string, Macro>, known: ExportMacros): Map<string, Macro> {
  const found = new Map<string, Macro>()
  const exports = ({ kind, text }: Token) => kind === 'id' && (isBase(text) || known.has(text) || found.has(text))
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const [name, macro] of all)
      if (macro.params !== undefined && !isBase(name) && macro.body.some(exports)) found.set(name, macro)
  }
  return found
}

const NONE: ExportMacros = new Map()

/** Macros that name symbols inside of the others: include/linux/static_call_types.h, include/linux/compiler_types.h. */
const HELPERS = /^(?:_*PASTE|STATIC_CALL_\w+)$/

/** Macros in headers' texts that export something, and those they name symbols with. */
export function exportMacrosIn(headers: readonly string[]): ExportMacros {
  const all = new Map<string, Macro>()
  const helpers = new Map<string, Macro>()
  for (const text of headers)
    for (const [name, macro] of definesIn(text)) {
      if (!all.has(name) && macro.body.length > 0) all.set(name, macro)
      if (!helpers.has(name) && HELPERS.test(name)) helpers.set(name, macro)
    }
  return new Map([...helpers, ...exporting(all, NONE)])
}

/** Exports in one C file, in order; `macros` are those of headers. */
export function exportsIn(text: string, macros: ExportMacros = NONE): Export[] {
  const local = text.includes('EXPORT') && text.includes('#') ? definesIn(text) : NONE
  const own = local.size > 0 ? exporting(local, macros) : NONE
  const lookup = (name: string) => {
    if (isBase(name)) return undefined
    const macro = local.get(name)
    return macro?.params === undefined ? macros.get(name) : macro
  }
  const found = new Map<string, Export>()
  for (const { index, 0: line, 1: name = '' } of text.matchAll(CALL)) {
    if (!isBase(name) && !own.has(name) && !macros.has(name)) continue
    const tokens = expand(tokenize(callAt(text, index + line.indexOf(name))), lookup)
    for (const item of exportsOf(tokens)) {
      // Exported both ways, under conditions: nobody is accused on a guess.
      const gplOnly = item.gplOnly && found.get(item.symbol)?.gplOnly !== false
      found.set(item.symbol, { symbol: item.symbol, gplOnly })
    }
  }
  return [...found.values()]
}

/** A macro that stands where a declaration would, at times right behind the function it is of. */
const CALL = /^[ \t]*(?:\}[ \t]*)?([A-Za-z_]\w*)[ \t]*\(/gm

/** Longer calls are no exports. */
const CALL_MAX = 4000

/** Text of a call up to its closing bracket. */
function callAt(text: string, from: number): string {
  let depth = 0
  const end = Math.min(text.length, from + CALL_MAX)
  for (let i = from; i < end; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')' && --depth === 0) return text.slice(from, i + 1)
  }
  return ''
}

function* exportsOf(tokens: readonly Token[]): Generator<Export> {
  for (const [i, { text: name, kind }] of tokens.entries()) {
    if (kind !== 'id' || !isBase(name) || tokens[i + 1]?.text !== '(') continue
    const [symbol, license] = splitArguments(tokens.slice(i + 2, closing(tokens, i + 1)))
    const only = symbol?.length === 1 ? symbol[0] : undefined
    if (only?.kind !== 'id') continue
    const [, gpl, forModules] = BASE.exec(name) ?? []
    const said = name === INNERMOST && /gpl/i.test(license?.[0]?.text ?? '')
    yield { symbol: only.text, gplOnly: said || gpl !== undefined || forModules !== undefined }
  }
}
