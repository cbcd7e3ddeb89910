/**
 * `#define` and its expansion: enough of the preprocessor to evaluate device tables and module metadata as the compiler
 * would, with macros found by name when they are needed. Pure; finding headers is the caller's.
 * Source: C11 6.10.3.
 */
import { closing, splitArguments, tokenize, type Token } from './tokens.ts'

export interface Macro {
  readonly name: string
  /** Parameter names; undefined for an object-like macro. The last may be `...` (then named __VA_ARGS__) . */
  readonly params: readonly string[] | undefined
  readonly body: readonly Token[]
  /** Line of the #define, from 1. */
  readonly line: number
}

const DEFINE = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(\([^)]*\))?((?:\\\r?\n|\/\*[\s\S]*?\*\/|[^\n])*)/gm

/** All macros a text defines, by name; the first definition counts, later ones are usually the #else. */
export function definesIn(text: string): Map<string, Macro> {
  const macros = new Map<string, Macro>()
  let line = 1
  let from = 0
  for (const match of text.matchAll(DEFINE)) {
    const name = match[1] as string
    if (macros.has(name)) continue
    for (let i = text.indexOf('\n', from); i >= 0 && i < match.index; i = text.indexOf('\n', i + 1)) line++
    from = match.index
    const params = match[2]
      ?.slice(1, -1)
      .replaceAll(/\\\r?\n/g, ' ')
      .split(',')
      .map((p) => p.trim())
      .filter((p) => p !== '')
    macros.set(name, { name, params, body: tokenize(match[3] ?? ''), line })
  }
  return macros
}

export type MacroLookup = (name: string) => Macro | undefined

/** Work one expansion may do; a macro bomb ends here. */
const TOKENS_MAX = 20_000

/** Expand macros in `tokens`. */
export function expand(tokens: readonly Token[], lookup: MacroLookup): Token[] {
  const budget = { left: TOKENS_MAX }
  return expandWith(tokens, lookup, new Set(), budget)
}

function expandWith(
  tokens: readonly Token[],
  lookup: MacroLookup,
  active: ReadonlySet<string>,
  budget: { left: number },
): Token[] {
  const out: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token
    const macro = token.kind === 'id' && !active.has(token.text) ? lookup(token.text) : undefined
    if (--budget.left < 0) return out
    if (macro === undefined) {
      out.push(token)
      continue
    }
    let args: Token[][] = []
    if (macro.params !== undefined) {
      if (tokens[i + 1]?.text !== '(') {
        out.push(token)
        continue
      }
      const end = closing(tokens, i + 1)
      args = splitArguments(tokens.slice(i + 2, end))
      i = end
    }
    const inner = new Set(active).add(macro.name)
    const full = args.map((arg) => expandWith(arg, lookup, active, budget))
    for (const result of expandWith(substitute(macro, args, full), lookup, inner, budget)) out.push(result)
  }
  return out
}

/** The body with arguments in place: raw beside ##, as a string after #, else expanded. */
function substitute(macro: Macro, raw: readonly Token[][], full: readonly Token[][]): Token[] {
  const { body, params = [] } = macro
  const out: Token[] = []
  const argument = (name: string, list: readonly Token[][]): readonly Token[] | undefined => {
    const variadic = params.at(-1)?.endsWith('...') ? params.length - 1 : -1
    const rest = (params.at(-1) ?? '').slice(0, -3).trim()
    if (variadic >= 0 && (name === '__VA_ARGS__' || (rest !== '' && name === rest)))
      return list.slice(variadic).flatMap((arg, i) => (i > 0 ? [comma, ...arg] : arg))
    const index = params.indexOf(name)
    return index < 0 ? undefined : (list[index] ?? [])
  }
  for (let i = 0; i < body.length; i++) {
    const token = body[i] as Token
    if (token.text === '##' && out.length > 0 && i + 1 < body.length) {
      const next = body[++i] as Token
      paste(out, next.kind === 'id' ? (argument(next.text, raw) ?? [next]) : [next])
      continue
    }
    if (token.text === '#' && body[i + 1]?.kind === 'id') {
      const arg = argument((body[i + 1] as Token).text, raw)
      if (arg !== undefined) {
        out.push({ kind: 'string', text: `"${arg.map((t) => t.text).join('')}"`, at: token.at })
        i++
        continue
      }
    }
    const list = body[i + 1]?.text === '##' ? raw : full
    out.push(...((token.kind === 'id' ? argument(token.text, list) : undefined) ?? [token]))
  }
  return out
}

const comma: Token = { kind: 'punct', text: ',', at: 0 }

function paste(out: Token[], right: readonly Token[]): void {
  const left = out.pop()
  const [first, ...rest] = right
  if (left === undefined || first === undefined) {
    if (left) out.push(left)
    return
  }
  // `, ## __VA_ARGS__` is not a paste of two words: both stay.
  if (left.text === ',') out.push(left, first)
  else out.push(...tokenize(left.text + first.text, left.at))
  out.push(...rest)
}
