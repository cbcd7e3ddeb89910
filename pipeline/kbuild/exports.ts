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
  /** Only modules that import it may use the symbol; of `module:A,B`, modules of these names. */
  readonly namespace?: string
}

/** Macros that export something, by name; of one that a condition makes another the first, and that there are several. */
export type ExportMacros = ReadonlyMap<string, Macro & { readonly isOneOfSeveral?: boolean }>

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
  const found = new Map<string, Macro & { isOneOfSeveral?: boolean }>([...helpers, ...exporting(all, NONE)])
  const several = definedTwice(headers)
  for (const [name, macro] of found) if (several.has(name)) found.set(name, { ...macro, isOneOfSeveral: true })
  return found
}

const DEFINE_EXPORT = /#[ \t]*define[ \t]+(\w*EXPORT\w*)\([^)]*\)[ \t]*[^\s\\]/g

/** Names of macros that are defined to be something more than once. */
function definedTwice(headers: readonly string[]): ReadonlySet<string> {
  const once = new Set<string>()
  const names = headers.flatMap((text) => Array.from(text.matchAll(DEFINE_EXPORT), ([, name]) => name as string))
  return new Set(names.filter((name) => once.has(name) || !once.add(name)))
}

/** The namespace of exports that name none: a macro of a source, or of its directory's flags. */
const DEFAULT_NAMESPACE = 'DEFAULT_SYMBOL_NAMESPACE'

/** What a Makefile says of it: `-DDEFAULT_SYMBOL_NAMESPACE="NAME"`, in older trees without quotes. */
export function namespaceFrom(flags: readonly string[]): string | undefined {
  const start = `-D${DEFAULT_NAMESPACE}=`
  return flags
    .findLast((flag) => flag.startsWith(start))
    ?.slice(start.length)
    .replaceAll('"', '')
}

/** Exports in one C file, in order; `macros` are those of headers, `namespace` is what its flags say. */
export function exportsIn(text: string, macros: ExportMacros = NONE, namespace?: string): Export[] {
  const local = text.includes('EXPORT') && text.includes('#') ? definesIn(text) : NONE
  const own = local.size > 0 ? exporting(local, macros) : NONE
  const lookup = (name: string) => {
    if (isBase(name)) return undefined
    const macro = local.get(name)
    return macro?.params === undefined ? macros.get(name) : macro
  }
  const byDefault = namespaceOf(local.get(DEFAULT_NAMESPACE)?.body) ?? namespace
  const found = new Map<string, Export>()
  for (const { index, 0: line, 1: name = '' } of text.matchAll(CALL)) {
    if (!isBase(name) && !own.has(name) && !macros.has(name)) continue
    const tokens = expand(tokenize(callAt(text, index + line.indexOf(name))), lookup)
    for (const { namespace: named, ...item } of exportsOf(tokens, byDefault)) {
      const known = named !== undefined && macros.get(name)?.isOneOfSeveral !== true
      found.set(item.symbol, either(known ? { ...item, namespace: named } : item, found.get(item.symbol)))
    }
  }
  return [...found.values()]
}

/** Exported both ways, under conditions: nobody is accused on a guess. */
export function either<E extends Export>(item: E, other: Export | undefined): E {
  if (other === undefined) return item
  const { namespace, ...rest } = item
  const both = { ...rest, gplOnly: item.gplOnly && other.gplOnly }
  return (namespace !== undefined && namespace === other.namespace ? { ...both, namespace } : both) as E
}

/** A name or a text; undefined for what is neither. */
function namespaceOf(tokens: readonly Token[] | undefined): string | undefined {
  const only = tokens?.length === 1 ? tokens[0] : undefined
  const name = only?.text.replaceAll('"', '') ?? ''
  return name === '' ? undefined : name
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

function* exportsOf(tokens: readonly Token[], byDefault: string | undefined): Generator<Export> {
  for (const [i, { text: name, kind }] of tokens.entries()) {
    if (kind !== 'id' || !isBase(name) || tokens[i + 1]?.text !== '(') continue
    const [symbol, second, third] = splitArguments(tokens.slice(i + 2, closing(tokens, i + 1)))
    const only = symbol?.length === 1 ? symbol[0] : undefined
    if (only?.kind !== 'id') continue
    const [, gpl, forModules] = BASE.exec(name) ?? []
    const said = name === INNERMOST && /gpl/i.test(second?.[0]?.text ?? '')
    const given = namespaceOf(name === INNERMOST ? third : second)
    const named = forModules === undefined || given === undefined ? given : `module:${given}`
    // The innermost one has it as an argument, which may be empty.
    const namespace = name === INNERMOST ? named : (named ?? byDefault)
    const gplOnly = said || gpl !== undefined || forModules !== undefined
    yield { symbol: only.text, gplOnly, ...(namespace !== undefined && { namespace }) }
  }
}
