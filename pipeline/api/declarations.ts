/**
 * What a header of the kernel declares: functions, macros, types with their fields, enumerators, variables; each with its
 * line and the conditions it stands under.
 *
 * Read from the text, whatever the configuration: #if is not evaluated, so a name may be declared more than once. Never
 * fails; what is no declaration is passed over. Pure.
 */

import { closing, splitArguments, textOf, tokenize, type Token } from '../source/tokens.ts'

export type DeclarationKind = 'function' | 'macro' | 'struct' | 'union' | 'enum' | 'typedef' | 'enumerator' | 'variable'

export interface Declaration {
  readonly kind: DeclarationKind
  readonly name: string
  /** From 1. */
  readonly line: number
  /** As a reader wants to see it, on one line, without a body. */
  readonly text: string
  /** What two declarations that mean the same have in common: types without the names of parameters. */
  readonly shape: string
  /** Of a function or a macro; undefined for what is not called. A variadic one ends in `...`. */
  readonly parameters?: readonly string[]
  readonly fields?: readonly Field[]
  /** The #if conditions around it, outermost first; an include guard is none. */
  readonly conditions: readonly string[]
}

export interface Field {
  readonly name: string
  readonly line: number
  readonly text: string
  readonly shape: string
}

/** Words that say how, not what: a declaration with and without one is the same. */
const DECORATION =
  /^(?:extern|static|inline|__inline|__inline__|__always_inline|noinline|__must_check|notrace|__pure|__cold|__malloc|__init|__exit|__sched|asmlinkage|__visible|__weak|__deprecated|__used|__maybe_unused|__unused|__attribute_const__|__user|__iomem|__rcu|__percpu|__force|__kernel|__bitwise|__nonstring|__ref|__refdata|__read_mostly|__ro_after_init|__printf|__scanf|__alloc_size|__realloc_size|__alloc_size__|__attribute__|__aligned|__counted_by|__counted_by_le|__acquires|__releases|__must_hold|__diagnose_as|__nocast|__nonnull|__assume_aligned|__cond_acquires|__no_context_analysis|__flatten)$/

interface Lines {
  /** The text with directives blanked, as long as it was. */
  readonly code: string
  readonly conditions: readonly (readonly string[])[]
  readonly macros: readonly Declaration[]
}

/** Everything that a text declares, in order. */
export function declarationsIn(text: string): Declaration[] {
  const { code, conditions, macros } = withoutDirectives(text)
  const starts = lineStarts(code)
  const lineOf = (at: number): number => upperBound(starts, at)
  const found: Declaration[] = [...macros]
  for (const chunk of chunks(tokenize(code))) {
    const context = { lineOf, conditionsAt: (at: number) => conditions[lineOf(at) - 1] ?? [] }
    found.push(...declared(chunk, context))
  }
  return found.toSorted((a, b) => a.line - b.line)
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** How many elements are not above `value`. */
function upperBound(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low
}

const DIRECTIVE = /^[ \t]*#[ \t]*(\w+)((?:\\\r?\n|\/\*[\s\S]*?\*\/|[^\n])*)/gm

function withoutDirectives(text: string): Lines {
  // Comments go first: a quote in one would hide code, a directive in one is none.
  const plain = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
  const total = plain.split('\n').length
  const conditions: (readonly string[])[] = Array.from({ length: total }, () => NO_CONDITIONS)
  const macros: Declaration[] = []
  let stack: string[] = []
  let [line, from] = [1, 0]
  const advance = (to: number) => {
    const kept = stack.length === 0 ? NO_CONDITIONS : stack.filter((condition) => condition !== '')
    for (let at = plain.indexOf('\n', from); at >= 0 && at < to; at = plain.indexOf('\n', at + 1)) {
      conditions[line - 1] = kept
      line++
      from = at + 1
    }
    if (line <= total) conditions[line - 1] = kept
  }
  const code = plain.replaceAll(DIRECTIVE, (whole, directive: string, rest: string, at: number) => {
    advance(at)
    if (directive === 'define') macros.push(...macroOf(rest, line, stack))
    else stack = conditionsAfter(stack, directive, rest.trim(), plain.slice(at + whole.length))
    return whole.replaceAll(/[^\n]/g, ' ')
  })
  advance(plain.length)
  return { code, conditions, macros }
}

const NO_CONDITIONS: readonly string[] = []

function conditionsAfter(stack: string[], directive: string, rest: string, following: string): string[] {
  const top = stack.at(-1) ?? ''
  const others = stack.slice(0, -1)
  if (directive === 'ifdef') return [...stack, `defined(${rest})`]
  if (directive === 'ifndef') return [...stack, isGuard(rest, following) ? '' : `!defined(${rest})`]
  if (directive === 'if') return [...stack, rest.replaceAll(/\s+/g, ' ')]
  if (directive === 'elif') return [...others, rest.replaceAll(/\s+/g, ' ')]
  if (directive === 'else') return [...others, top === '' ? '' : `!(${top})`]
  if (directive === 'endif') return others
  return stack
}

/** `#ifndef X` right before `#define X`: an include guard, or a default. */
const isGuard = (name: string, following: string): boolean =>
  new RegExp(`^\\s*#[ \\t]*define[ \\t]+${name}[ \\t]*\\r?\\n`).test(following)

function macroOf(rest: string, line: number, stack: readonly string[]): Declaration[] {
  const match = /^[ \t]+([A-Za-z_]\w*)(\([^)]*\))?([\s\S]*)$/.exec(rest)
  if (match === null) return []
  const [, name = '', list, body = ''] = match
  const parameters = list
    ?.slice(1, -1)
    .split(',')
    .map((parameter) => parameter.replaceAll(/[\\\s]+/g, ''))
    .filter((parameter) => parameter !== '')
  const tokens = textOf(tokenize(body.replaceAll(/\\\r?\n/g, ' ')))
  const head = `#define ${name}${parameters === undefined ? '' : `(${parameters.join(', ')})`}`
  return [
    {
      kind: 'macro',
      name,
      line,
      text: `${head} ${tokens}`.trim().slice(0, TEXT_MAX),
      shape: `${parameters === undefined ? '' : `(${parameters.length})`} ${tokens}`.trim(),
      ...(parameters && { parameters }),
      conditions: stack.filter((condition) => condition !== ''),
    },
  ]
}

const TEXT_MAX = 400

/** Top-level pieces of a file: up to a semicolon, or the end of a function's body. */
function* chunks(tokens: readonly Token[]): Generator<Token[]> {
  let chunk: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token
    if (token.kind === 'punct' && token.text === ';') {
      if (chunk.length > 0) yield chunk
      chunk = []
    } else if (token.kind === 'punct' && token.text === '{') {
      const end = closing(tokens, i)
      const isBody = chunk.at(-1)?.text === ')' || DECORATION.test(chunk.at(-1)?.text ?? '')
      const hasType = chunk.some(({ text }) => text === 'struct' || text === 'union' || text === 'enum')
      if (isBody && chunk.some(({ text }) => text === '(') && !(hasType && endsInType(chunk))) {
        yield chunk
        chunk = []
      } else chunk.push(...tokens.slice(i, end + 1))
      i = end
    } else if (chunk.length > 0 || token.text !== '}') chunk.push(token)
  }
}

/** `struct name {`, `struct __packed name {`: the brace opens a type. */
function endsInType(chunk: readonly Token[]): boolean {
  const [last, before] = [chunk.at(-1)?.text ?? '', chunk.at(-2)?.text ?? '']
  return /^(?:struct|union|enum)$/.test(last) || /^(?:struct|union|enum)$/.test(before)
}

interface Context {
  readonly lineOf: (at: number) => number
  readonly conditionsAt: (at: number) => readonly string[]
}

function declared(chunk: readonly Token[], context: Context): Declaration[] {
  const types = typesIn(chunk, context)
  const named = typedefIn(chunk, context) ?? functionIn(chunk, context) ?? variableIn(chunk, context)
  return named === undefined ? types : [...types, named]
}

/** Structures, unions and enumerations with a body in this piece; the first is the piece's own. */
function typesIn(chunk: readonly Token[], context: Context): Declaration[] {
  const open = chunk.findIndex(({ kind, text }) => kind === 'punct' && text === '{')
  if (open < 1) return []
  const keyword = chunk.slice(0, open).findLastIndex(({ text }) => /^(?:struct|union|enum)$/.test(text))
  if (keyword < 0 || chunk.slice(keyword, open).some(({ text }) => text === '(' || text === '=')) return []
  const kind = (chunk[keyword] as Token).text as 'struct' | 'union' | 'enum'
  const body = chunk.slice(open + 1, closing(chunk, open))
  const tag = chunk.slice(keyword + 1, open).findLast((token) => token.kind === 'id' && !DECORATION.test(token.text))
  const at = (chunk[keyword] as Token).at
  const common = { line: context.lineOf(at), conditions: context.conditionsAt(at) }
  const name = tag?.text ?? ''
  if (kind === 'enum') {
    const enumerators = splitArguments(body).flatMap(([first]) => (first?.kind === 'id' ? [first] : []))
    const values = enumerators.map((token): Declaration => ({
      kind: 'enumerator',
      name: token.text,
      line: context.lineOf(token.at),
      text: `enum ${name} { ... ${token.text} ... }`,
      shape: token.text,
      conditions: context.conditionsAt(token.at),
    }))
    if (name === '') return values
    return [{ kind, name, text: `enum ${name}`, shape: `enum ${name}`, ...common }, ...values]
  }
  if (name === '') return []
  const fields = fieldsIn(body, context)
  return [{ kind, name, text: `${kind} ${name}`, shape: `${kind} ${name}`, fields, ...common }]
}

/** Fields of a body, those of unnamed parts among them. */
function fieldsIn(body: readonly Token[], context: Context): Field[] {
  const fields: Field[] = []
  let piece: Token[] = []
  const flush = () => {
    fields.push(...fieldsOf(piece, context))
    piece = []
  }
  for (let i = 0; i < body.length; i++) {
    const token = body[i] as Token
    if (token.kind === 'punct' && token.text === ';') flush()
    else if (token.kind === 'punct' && token.text === '{') {
      const end = closing(body, i)
      fields.push(...fieldsIn(body.slice(i + 1, end), context))
      // What follows the brace, if anything, is the name of the part.
      piece = [{ ...token, kind: 'id', text: 'struct' }]
      i = end
    } else piece.push(token)
  }
  flush()
  return fields
}

function fieldsOf(piece: readonly Token[], context: Context): Field[] {
  // struct_group(name, fields...) and the like: their last arguments are fields, with semicolons of their own.
  const [first, open] = piece
  if (first !== undefined && /^(?:__)?struct_group/.test(first.text) && open?.text === '(')
    return fieldsOf(splitArguments(piece.slice(2, closing(piece, 1))).at(-1) ?? [], context)
  return splitArguments(piece).flatMap((part, index) => {
    const name = declarator(part)
    if (name === undefined || (index === 0 && part.length < 2)) return []
    const whole = index === 0 ? part : [...specifiers(splitArguments(piece)[0] ?? []), ...part]
    const text = textOf(undecorated(whole))
    return [{ name: name.text, line: context.lineOf(name.at), text, shape: shapeOf(undecorated(whole), name) }]
  })
}

/** `unsigned int` of `unsigned int a`, for `b` of `unsigned int a, b`. */
function specifiers(part: readonly Token[]): Token[] {
  const name = declarator(part)
  const end = name === undefined ? -1 : part.indexOf(name)
  return part.slice(0, Math.max(end, 0)).filter(({ text }) => text !== '*')
}

/** The token that names what is declared: inside `(*name)`, else the last name before an array, a width or a value. */
function declarator(part: readonly Token[]): Token | undefined {
  const tokens = undecorated(part)
  for (let i = 0; i + 1 < tokens.length; i++) {
    if (tokens[i]?.text !== '(' || tokens[i + 1]?.text !== '*') continue
    const inner = tokens.slice(i + 1, closing(tokens, i)).find((token) => token.kind === 'id' && token.text !== 'const')
    if (inner !== undefined) return inner
  }
  const end = tokens.findIndex(({ kind, text }) => kind === 'punct' && /^[[:=(]$/.test(text))
  const head = end < 0 ? tokens : tokens.slice(0, end)
  const last = head.at(-1)
  return last?.kind === 'id' && !TYPE_WORD.test(last.text) ? last : undefined
}

const TYPE_WORD = /^(?:void|char|short|int|long|float|double|signed|unsigned|const|volatile|struct|union|enum)$/

/** Without decoration, and without the arguments of decoration. */
function undecorated(tokens: readonly Token[]): Token[] {
  const kept: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token
    if (token.kind !== 'id' || !DECORATION.test(token.text)) kept.push(token)
    else if (tokens[i + 1]?.text === '(' && token.text.startsWith('__')) i = closing(tokens, i + 1)
  }
  return kept
}

/** A type without the name it is given, and without names of parameters. */
function shapeOf(tokens: readonly Token[], name: Token): string {
  const at = tokens.indexOf(name)
  const rest = at < 0 ? tokens : [...tokens.slice(0, at), ...tokens.slice(at + 1)]
  const open = rest.findLastIndex(({ text }) => text === '(')
  const isFunction = open > 0 && rest[open - 1]?.text === ')'
  if (!isFunction) return textOf(rest)
  const list = splitArguments(rest.slice(open + 1, closing(rest, open)))
  return `${textOf(rest.slice(0, open))}(${list.map(parameterShape).join(',')})`
}

function parameterShape(parameter: readonly Token[]): string {
  const tokens = undecorated(parameter)
  const name = declarator(tokens)
  // `struct device` and `size_t` name a type, not a parameter.
  const isNamed = name !== undefined && tokens.length > 1 && !/^(?:struct|union|enum)$/.test(before(tokens, name))
  return isNamed ? shapeOf(tokens, name) : textOf(tokens)
}

const before = (tokens: readonly Token[], token: Token): string => tokens[tokens.indexOf(token) - 1]?.text ?? ''

function typedefIn(chunk: readonly Token[], context: Context): Declaration | undefined {
  if (chunk[0]?.text !== 'typedef') return undefined
  const open = chunk.findIndex(({ text }) => text === '{')
  const rest = open < 0 ? chunk.slice(1) : chunk.slice(closing(chunk, open) + 1)
  const name = declarator(rest) ?? rest.findLast(({ kind }) => kind === 'id')
  if (name === undefined) return undefined
  const conditions = context.conditionsAt(name.at)
  const text = open < 0 ? textOf(chunk) : `typedef ... ${name.text}`
  return {
    kind: 'typedef',
    name: name.text,
    line: context.lineOf(name.at),
    text,
    shape: shapeOf(rest, name),
    conditions,
  }
}

function functionIn(chunk: readonly Token[], context: Context): Declaration | undefined {
  const tokens = undecorated(chunk)
  for (let i = 1; i < tokens.length; i++) {
    if (tokens[i]?.text === '=' || tokens[i]?.text === '{') return undefined
    if (tokens[i]?.text !== '(') continue
    const name = tokens[i - 1] as Token
    const end = closing(tokens, i)
    const next = tokens[end + 1]
    // A macro before the declaration: DEFINE_FREE(...) static void f(...).
    const follows = next !== undefined && (next.kind === 'id' || next.text === '*') && !isTrailer(tokens.slice(end + 1))
    if (name.kind !== 'id' || follows || i < 2) {
      i = end
      continue
    }
    const parameters = splitArguments(tokens.slice(i + 1, end)).map((parameter) => textOf(parameter))
    const returns = textOf(declarationOf(tokens.slice(0, i - 1)))
    if (returns === '') return undefined
    const list = splitArguments(tokens.slice(i + 1, end))
    return {
      kind: 'function',
      name: name.text,
      line: context.lineOf(name.at),
      text: `${returns} ${name.text}(${parameters.join(', ')})`.slice(0, TEXT_MAX),
      shape: `${returns}(${list.map(parameterShape).join(',')})`,
      parameters: parameters.length === 1 && parameters[0] === 'void' ? [] : parameters,
      conditions: context.conditionsAt(name.at),
    }
  }
  return undefined
}

/** Attributes that nobody listed, after a prototype: `__noreturn`, `__latent_entropy`. */
const isTrailer = (tokens: readonly Token[]): boolean =>
  tokens.every(({ kind, text }) => kind === 'id' && text.startsWith('__'))

/** What follows the last macro that is used like a declaration. */
function declarationOf(tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findLastIndex(({ text }) => text === ')')
  return end < 0 ? tokens : tokens.slice(end + 1)
}

function variableIn(chunk: readonly Token[], context: Context): Declaration | undefined {
  if (chunk[0]?.text !== 'extern') return undefined
  const tokens = undecorated(chunk)
  const name = declarator(tokens)
  if (name === undefined || tokens.length < 2) return undefined
  const conditions = context.conditionsAt(name.at)
  const line = context.lineOf(name.at)
  return { kind: 'variable', name: name.text, line, text: textOf(tokens), shape: shapeOf(tokens, name), conditions }
}
