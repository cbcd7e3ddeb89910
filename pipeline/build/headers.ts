/**
 * What a C file includes and which macros it depends on, found without a compiler.
 *
 * A scanner of preprocessor directives and a graph of headers over it, quick enough for a whole kernel tree. It never
 * guesses: an include is *sure* when every condition around it is known to hold, *possible* when one cannot be decided
 * here; what certainly is not included does not appear. Knows nothing of compilers or precompiled headers.
 */

import * as fs from 'node:fs'
import * as path from 'node:path'

/** Whether a macro is defined, where that is the same for every file. */
export type Known = (macro: string) => boolean | undefined

export interface Include {
  readonly spelling: string
  /** `"x"`, which is sought beside the including file first. */
  readonly quoted: boolean
  readonly sure: boolean
}

/** How a macro is defined: one with parameters is expanded only where it is called. */
export type Form = 'plain' | 'call'

/** What a header does to macros between two of its includes. */
export interface Section {
  /** Macros it defines or undefines, less its guard and defaults. */
  readonly defines: ReadonlyMap<string, Form>
  /** Macros it defines only where nobody did before, and asks nothing else about: `#ifndef M`, `#define M`, `#endif`. */
  readonly defaults: ReadonlyMap<string, Form>
  /** Macros that its conditions ask for, less its guard and what is known. */
  readonly tested: ReadonlySet<string>
}

export interface HeaderFacts {
  /** In order. */
  readonly includes: readonly Include[]
  /** One more than includes: what comes before the first, the second, and so on. */
  readonly sections: readonly Section[]
  /** Including it twice is including it once. */
  readonly guarded: boolean
  /** Its declarations get numbered names, or numbers, that depend on how often that happened before. */
  readonly counts: boolean
  /** Characters, less comments: what reading it costs. */
  readonly size: number
}

/** One step of a source file before its first declaration. */
export type Step =
  | ({ readonly kind: 'include' } & Include)
  | { readonly kind: 'define'; readonly name: string; readonly form: Form }
  | { readonly kind: 'test'; readonly names: readonly string[] }

type Truth = boolean | undefined

const not = (value: Truth): Truth => (value === undefined ? undefined : !value)
const and = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === true && b === true ? true : undefined
const or = (a: Truth, b: Truth): Truth => not(and(not(a), not(b)))

/** Truth of a condition made of defined(), IS_ENABLED() and the like, numbers, `!`, `&&`, `||`; undefined for others. */
export function evaluate(text: string, known: Known): Truth {
  const tokens = text.match(/\w+|&&|\|\||[^\s\w]/g) ?? []
  let at = 0
  let understood = true
  const eat = (token: string): boolean => tokens[at] === token && ++at > 0
  const named = (): string => {
    const inside = eat('(')
    const name = tokens[at++] ?? ''
    if (inside && !eat(')')) understood = false
    return name
  }
  const primary = (): Truth => {
    if (eat('!')) return not(primary())
    if (eat('(')) {
      const value = either()
      if (!eat(')')) understood = false
      return value
    }
    const token = tokens[at++] ?? ''
    if (token === 'defined') return known(named())
    if (token === 'IS_ENABLED') {
      const name = named()
      return or(known(name), known(`${name}_MODULE`))
    }
    if (token === 'IS_BUILTIN') return known(named())
    if (token === 'IS_MODULE') return known(`${named()}_MODULE`)
    if (/^[01]$/.test(token)) return token === '1'
    // A bare CONFIG name is 1 or not there at all.
    if (/^CONFIG_\w+$/.test(token) && known(token) === false) return false
    if (tokens[at] === '(') skipCall()
    return undefined
  }
  const skipCall = () => {
    let depth = 0
    do {
      if (tokens[at] === '(') depth++
      if (tokens[at] === ')') depth--
      at++
    } while (depth > 0 && at < tokens.length)
  }
  /** What is no logic (comparisons, sums) makes the operand unknown. */
  const operand = (): Truth => {
    let value = primary()
    while (at < tokens.length && !['&&', '||', ')', '?', ':'].includes(tokens[at] as string)) {
      at++
      value = undefined
    }
    return value
  }
  const both = (): Truth => {
    let value = operand()
    while (eat('&&')) value = and(value, operand())
    return value
  }
  const either = (): Truth => {
    let value = both()
    while (eat('||')) value = or(value, both())
    return value
  }
  const value = either()
  return understood && at === tokens.length ? value : undefined
}

const WORD = /[A-Za-z_]\w*/g
/** Names in a condition that are its grammar, not macros that a file could define. */
const GRAMMAR = new Set(['defined', 'IS_ENABLED', 'IS_BUILTIN', 'IS_MODULE', 'IS_REACHABLE'])

/** Macros of a condition whose state is not known. */
function openNames(text: string, known: Known): string[] {
  return (text.match(WORD) ?? []).filter((name) => !GRAMMAR.has(name) && known(name) === undefined)
}

/** Joined lines, no comments. */
function plainText(text: string): string {
  const joined = text.includes('\\\n') ? text.replaceAll('\\\n', ' ') : text
  const noBlocks = joined.includes('/*') ? joined.replaceAll(/\/\*[^]*?\*\//g, blank) : joined
  return noBlocks.includes('//') ? noBlocks.replaceAll(/(^|[^:"])\/\/.*/gm, '$1') : noBlocks
}

/** A comment is one space, but a directive after a comment of several lines still begins a line. */
const blank = (comment: string): string => (comment.includes('\n') ? '\n' : ' ')

interface Directive {
  readonly word: string
  readonly rest: string
}

/** The conditions around a point: each with whether its branch is taken, and whether an earlier branch was. */
class Conditions {
  /** Whether code here is compiled. */
  active: Truth = true
  private readonly stack: { taken: Truth; before: Truth; outside: Truth }[] = []
  private readonly known: Known

  constructor(known: Known) {
    this.known = known
  }

  /** Follow a conditional directive; false when it is none. `guard` is the include guard, taken as not yet defined. */
  follow({ word, rest }: Directive, guard?: string): boolean {
    if (word === 'ifdef' || word === 'ifndef' || word === 'if') {
      const value = this.value(word, rest, guard)
      this.stack.push({ taken: value, before: value, outside: this.active })
    } else if (word === 'elif' || word === 'else' || word === 'endif') {
      const top = this.stack.pop()
      this.active = top?.outside ?? true
      if (top === undefined || word === 'endif') return true
      const value = word === 'else' ? true : evaluate(rest, this.known)
      this.stack.push({ ...top, taken: and(not(top.before), value), before: or(top.before, value) })
    } else return false
    const { taken, outside } = this.stack.at(-1) as { taken: Truth; outside: Truth }
    this.active = and(outside, taken)
    return true
  }

  private value(word: string, rest: string, guard: string | undefined): Truth {
    const name = /^\w+/.exec(rest)?.[0] ?? ''
    if (guard !== undefined && name === guard) return word === 'ifndef'
    if (word === 'if') return guard !== undefined && isNegated(rest, guard) ? true : evaluate(rest, this.known)
    return word === 'ifdef' ? this.known(name) : not(this.known(name))
  }
}

const isNegated = (rest: string, guard: string): boolean =>
  /^!\s*defined\s*\(?\s*(\w+)\s*\)?$/.exec(rest)?.[1] === guard

/** Macro of an include guard: the first two directives are `#ifndef M` and `#define M`. */
function guardOf(directives: readonly Directive[]): string | undefined {
  const [first, second] = directives
  if (first === undefined || second?.word !== 'define') return undefined
  const name = /^\w+/.exec(second.rest)?.[0] ?? ''
  if (first.word === 'ifndef') return /^\w+/.exec(first.rest)?.[0] === name ? name : undefined
  return first.word === 'if' && isNegated(first.rest, name) ? name : undefined
}

function parseInclude(rest: string, sure: boolean): Include | undefined {
  const match = /^(?:<([^>]+)>|"([^"]+)")/.exec(rest)
  if (match === null) return undefined
  return { spelling: (match[1] ?? match[2]) as string, quoted: match[2] !== undefined, sure }
}

/**
 * Use of the counter, outside of a macro's definition. Macros that count inside of functions name only what is local
 * there.
 */
const COUNTS = /^(?![ \t]*#).*\b(?:__COUNTER__|__UNIQUE_ID|MODULE_(?:[A-Z]+|DEVICE_TABLE|IMPORT_NS)[ \t]*\()/m

/** Scan a header's text. `intern` keeps the names, which otherwise keep the text. */
export function scanHeader(text: string, known: Known, intern: (name: string) => string = (name) => name): HeaderFacts {
  const plain = plainText(text)
  const directives = [...plain.matchAll(/^[ \t]*#[ \t]*(\w+)[ \t]*(.*)/gm)].map((match) => ({
    word: match[1] as string,
    rest: (match[2] as string).trimEnd(),
  }))
  const guard = guardOf(directives)
  const conditions = new Conditions(known)
  const includes: Include[] = []
  let section = { defines: new Map<string, Form>(), defaults: new Map<string, Form>(), tested: new Set<string>() }
  const sections = [section]
  let once = guard !== undefined
  directives.forEach((directive, i) => {
    const { word, rest } = directive
    const outside = conditions.active
    if (conditions.follow(directive, guard)) {
      if (outside === false || word === 'else' || word === 'endif') return
      const name = isDefault(directives, i)
      if (name !== undefined && name !== guard)
        section.defaults.set(intern(name), formOf(directives[i + 1]?.rest ?? ''))
      else for (const open of openNames(rest, known)) if (open !== guard) section.tested.add(intern(open))
      return
    }
    if (outside === false) return
    if (word === 'include') {
      const include = parseInclude(rest, outside === true)
      if (include === undefined) return
      includes.push({ ...include, spelling: intern(include.spelling) })
      section = { defines: new Map(), defaults: new Map(), tested: new Set() }
      sections.push(section)
    } else if (word === 'define' || word === 'undef') {
      const name = /^\w+/.exec(rest)?.[0]
      const isOfDefault = i > 0 && isDefault(directives, i - 1) === name
      if (name !== undefined && name !== guard && word === 'undef') section.tested.add(intern(name))
      if (name !== undefined && name !== guard && !isOfDefault)
        section.defines.set(intern(name), section.defines.get(name) === 'plain' ? 'plain' : formOf(rest))
    } else if (word === 'pragma' && rest === 'once') once = true
  })
  return { includes, sections, guarded: once, counts: COUNTS.test(plain), size: plain.length }
}

const formOf = (definition: string): Form => (/^\w+\(/.test(definition) ? 'call' : 'plain')

/** The macro that three directives give a default. */
function isDefault(directives: readonly Directive[], at: number): string | undefined {
  const first = directives[at]
  if (first?.word !== 'ifndef') return undefined
  const [second, third] = directives.slice(at + 1, at + 3)
  if (second?.word !== 'define' || third?.word !== 'endif') return undefined
  const name = /^\w+/.exec(first.rest)?.[0]
  return name === /^\w+/.exec(second.rest)?.[0] ? name : undefined
}

/** No file has more before its first declaration; one that had would only look as if it included less. */
const PRELUDE_MAX = 65_536

/** Scan a source file up to its first line that is neither blank nor a directive. */
export function scanSource(text: string, known: Known): Step[] {
  const conditions = new Conditions(known)
  const steps: Step[] = []
  for (const line of plainText(text.slice(0, PRELUDE_MAX)).split('\n')) {
    if (/^\s*$/.test(line)) continue
    const match = /^[ \t]*#[ \t]*(\w+)[ \t]*(.*?)\s*$/.exec(line)
    if (match === null) break
    const directive = { word: match[1] as string, rest: match[2] as string }
    if (conditions.follow(directive)) {
      const names = openNames(directive.rest, known)
      if (names.length > 0) steps.push({ kind: 'test', names })
      continue
    }
    const active = conditions.active
    if (active === false) continue
    if (directive.word === 'include') {
      const include = parseInclude(directive.rest, active === true)
      // A computed include could be anything.
      if (include === undefined) break
      steps.push({ kind: 'include', ...include })
    } else if (directive.word === 'define' || directive.word === 'undef') {
      const name = /^\w+/.exec(directive.rest)?.[0]
      if (name !== undefined) steps.push({ kind: 'define', name, form: formOf(directive.rest) })
    } else break
  }
  return steps
}

/** A header by the name under which the compiler opens it first. */
export interface Header {
  /** Small, from 0: an index. */
  readonly id: number
  /** As spelt by directory and include. */
  readonly path: string
  /** Small, from 0, of the file it is: two spellings of one file have one. */
  readonly file: number
  readonly facts: HeaderFacts
}

/** Where headers are sought: an ordered list of directories. */
export interface Search {
  readonly dirs: readonly string[]
  /** How many of the first directories are common to all files of a kind: what is found there is found once. */
  readonly common: number
  /** Equal for equal common directories. */
  readonly key: string
}

interface Edge {
  readonly header: Header
  readonly sure: boolean
}

interface Edges {
  /** Includes in order; those not found among the common directories are undefined. */
  readonly found: readonly (Edge | undefined)[]
  readonly complete: boolean
}

type EdgeMemo = Map<number, readonly (Edge | undefined)[]>

/** What is read, in order, when a file is compiled up to its first declaration. */
export interface Reading {
  /** Each header where it is entered first, and again where it surely is if it was only possible before. */
  readonly entered: readonly Header[]
  /** Where each file is entered first, by its number. */
  readonly firsts: ReadonlyMap<number, number>
  /** How many headers are entered before each section of each header entered: see sectionAt(). */
  readonly marks: ArrayLike<number>
  /** Where the marks of each header entered begin. */
  readonly starts: ArrayLike<number>
  /** Headers surely read, by id. */
  readonly sure: ReadonlySet<number>
  /** Macros the file itself defines, with the number of headers entered before. */
  readonly defines: readonly { readonly name: string; readonly form: Form; readonly at: number }[]
  /** Macros its conditions ask for, with the number of headers entered before. */
  readonly tests: readonly { readonly name: string; readonly at: number }[]
}

/** All headers met by one process, each read and scanned once. */
export class HeaderGraph {
  readonly headers: Header[] = []
  readonly known: Known
  private readonly byPath = new Map<string, Header | undefined>()
  private readonly files = new Map<string, number>()
  /** By header. */
  private readonly edges: Edges[] = []
  private readonly memos = new Map<string, EdgeMemo>()
  private readonly names = new Map<string, string>()

  constructor(known: Known) {
    this.known = known
  }

  /** The header at a path, or undefined when there is none. */
  at(spelt: string): Header | undefined {
    if (this.byPath.has(spelt)) return this.byPath.get(spelt)
    const header = this.load(spelt)
    this.byPath.set(spelt, header)
    return header
  }

  private load(spelt: string): Header | undefined {
    let text: string
    try {
      if (!fs.statSync(spelt, { throwIfNoEntry: false })?.isFile()) return undefined
      text = fs.readFileSync(spelt, 'latin1')
    } catch {
      return undefined
    }
    const normal = path.normalize(spelt)
    const file = this.files.get(normal) ?? this.files.size
    this.files.set(normal, file)
    const header = {
      id: this.headers.length,
      path: spelt,
      file,
      facts: scanHeader(text, this.known, (name) => this.intern(name)),
    }
    this.headers.push(header)
    return header
  }

  private intern(name: string): string {
    const known = this.names.get(name)
    if (known !== undefined) return known
    // A copy: a part of a string keeps all of it in memory.
    const copy = Buffer.from(name, 'latin1').toString('latin1')
    this.names.set(copy, copy)
    return copy
  }

  private resolve(include: Include, from: string, dirs: readonly string[]): Header | undefined {
    // As the compiler spells it: no normalising, as the name gets into line tables.
    const beside = include.quoted ? this.at(`${path.dirname(from)}/${include.spelling}`) : undefined
    if (beside !== undefined) return beside
    for (const dir of dirs) {
      const found = this.at(`${dir}/${include.spelling}`)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** What a header includes, in order; undefined for what is nowhere. `found` keeps what only this search finds. */
  edgesOf(header: Header, search: Search, found: EdgeMemo): readonly (Edge | undefined)[] {
    let edges = this.edges[header.id]
    if (edges === undefined) {
      const common = search.dirs.slice(0, search.common)
      const targets = header.facts.includes.map((include) => this.edge(include, header, common))
      edges = { found: targets, complete: !targets.includes(undefined) }
      this.edges[header.id] = edges
    }
    if (edges.complete || search.dirs.length === search.common) return edges.found
    let whole = found.get(header.id)
    if (whole === undefined) {
      const others = search.dirs.slice(search.common)
      whole = edges.found.map((edge, i) => edge ?? this.edge(header.facts.includes[i] as Include, header, others))
      found.set(header.id, whole)
    }
    return whole
  }

  private edge(include: Include, from: Header, dirs: readonly string[]): Edge | undefined {
    const header = this.resolve(include, from.path, dirs)
    return header && { header, sure: include.sure }
  }

  /** What searches with these directories found beyond the common ones. */
  memoOf({ dirs }: Search): EdgeMemo {
    const key = dirs.join('\n')
    const memo = this.memos.get(key) ?? new Map<number, readonly (Edge | undefined)[]>()
    this.memos.set(key, memo)
    return memo
  }

  /** Follow steps from the top of `source`, after the forced includes. */
  read(source: string, forced: readonly string[], steps: readonly Step[], search: Search): Reading {
    const reader = new Reader(this, search)
    const defines: { name: string; form: Form; at: number }[] = []
    const tests: { name: string; at: number }[] = []
    for (const file of forced) {
      const header = this.at(file)
      if (header !== undefined) reader.enter(header, true)
    }
    for (const step of steps) {
      const at = reader.entered.length
      if (step.kind === 'define') defines.push({ name: step.name, form: step.form, at })
      else if (step.kind === 'test') tests.push(...step.names.map((name) => ({ name, at })))
      else {
        const header = this.resolve(step, source, search.dirs)
        if (header !== undefined) reader.enter(header, step.sure)
      }
    }
    const { entered, firsts, sure } = reader
    // Thousands of these are kept for a while.
    const marks = Uint16Array.from(reader.marks)
    return { entered, firsts, marks, starts: Uint32Array.from(reader.starts), sure, defines, tests }
  }
}

/** How many headers are entered before a section of the header entered at `index`. */
export const sectionAt = (
  { marks, starts }: Pick<Reading, 'marks' | 'starts'>,
  index: number,
  section: number,
): number => marks[(starts[index] as number) + section] as number

/** Enters headers as a compiler would: each file once, with what it includes. */
export class Reader {
  readonly entered: Header[] = []
  readonly firsts = new Map<number, number>()
  readonly marks: number[] = []
  readonly starts: number[] = []
  readonly sure = new Set<number>()
  private readonly sureFiles = new Set<number>()
  private readonly graph: HeaderGraph
  private readonly search: Search
  private readonly memo: EdgeMemo

  constructor(graph: HeaderGraph, search: Search) {
    this.graph = graph
    this.search = search
    this.memo = graph.memoOf(search)
  }

  has(header: Header): boolean {
    return this.sureFiles.has(header.file)
  }

  enter(header: Header, sure: boolean): void {
    const { file, id } = header
    if (this.sureFiles.has(file) || (!sure && this.firsts.has(file))) return
    if (!this.firsts.has(file)) this.firsts.set(file, this.entered.length)
    if (sure) {
      this.sureFiles.add(file)
      this.sure.add(id)
    }
    this.entered.push(header)
    let mark = this.marks.length
    this.starts.push(mark)
    for (let i = 0; i <= header.facts.includes.length; i++) this.marks.push(this.entered.length)
    for (const edge of this.graph.edgesOf(header, this.search, this.memo)) {
      if (edge !== undefined) this.enter(edge.header, sure && edge.sure)
      this.marks[++mark] = this.entered.length
    }
  }
}
