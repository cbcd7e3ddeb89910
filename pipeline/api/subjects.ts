/**
 * What of the kernel's API a compiler's message is about: the header, name or field that it misses, or those whose type
 * it does not like, in the order in which they are worth a look. Pure.
 */

import { accessesIn, assignedIn, initialiserAt, throughOwn, type Way } from './members.ts'

/** A part of the API. */
export type Subject =
  | { readonly kind: 'header'; readonly name: string }
  | {
      readonly kind: 'name'
      readonly name: string
      /** A structure or the like, and no function of that name. */
      readonly isType?: true
    }
  | { readonly kind: 'field'; readonly struct: string; readonly name: string }

/** What a compiler had against a line of a driver. */
export interface Complaint {
  /** As results name it. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly message: string
  /** Text of the file, where it is at hand. */
  readonly text?: string
  /** Texts of the driver's own headers, one after the other. */
  readonly headers?: string
}

export interface Subjects {
  /** The message says that it is not there. */
  readonly missing?: Subject
  /** Members that the statement sets, before functions that it calls: one of these is other than the driver expects. */
  readonly set: readonly Way[]
  readonly used: readonly Subject[]
  /** Members that the statement reads or calls: where none of the others is another, one of these may be. */
  readonly read: readonly Way[]
}

export const nameOfSubject = (subject: Subject): string =>
  subject.kind === 'field' ? `struct ${subject.struct}.${subject.name}` : subject.name

const MISSING_NAME = [
  /^call to undeclared (?:library )?function '(\w+)'/,
  /^implicit declaration of function '(\w+)'/,
  /^use of undeclared (?:identifier|label) '(\w+)'/,
  /^unknown type name '(\w+)'/,
  /^must use '(?:struct|union|enum)' tag to refer to type '(\w+)'/,
  /^unexpected type name '(\w+)'/,
]

/** Structures that are declared, and of which nothing more is known. */
const MISSING_TYPE = [
  /^incomplete definition of type '(?:const )?(?:struct |union )(\w+)'/,
  /incomplete (?:result |return |element )?type '(?:const )?(?:struct |union |enum )(\w+)'/,
]

/** What is said of a call where declarations stand, when it is of a macro that is not there. */
const NO_DECLARATION = /^(?:type specifier missing|expected parameter declarator|a parameter list without types)/
const TOP_CALL = /^([A-Za-z_]\w*)\s*\(/

const MISSING_FIELD = [
  /^no member named '(\w+)' in '(?:const )?(?:struct |union )?(\w+)'/,
  /^field designator '(\w+)' does not refer to any field in type '(?:const )?(?:struct |union )?(\w+)'/,
]

const NOTHING = { used: [], set: [], read: [] } as const

/** Read a complaint. */
export function subjectsOf({ message, text, line, headers = '' }: Complaint): Subjects {
  const header = /^'([^']+)' file not found/.exec(message)?.[1]
  if (header !== undefined) return { missing: { kind: 'header', name: header }, ...NOTHING }
  for (const pattern of MISSING_FIELD) {
    const [, name, struct] = pattern.exec(message) ?? []
    if (name !== undefined && struct !== undefined) return { missing: { kind: 'field', struct, name }, ...NOTHING }
  }
  for (const pattern of MISSING_NAME) {
    const name = pattern.exec(message)?.[1]
    if (name !== undefined) return { missing: { kind: 'name', name }, ...NOTHING }
  }
  for (const pattern of MISSING_TYPE) {
    const name = pattern.exec(message)?.[1]
    if (name !== undefined) return { missing: { kind: 'name', name, isType: true }, ...NOTHING }
  }
  const called = NO_DECLARATION.test(message) ? TOP_CALL.exec(text?.split('\n')[line - 1] ?? '')?.[1] : undefined
  if (called !== undefined) return { missing: { kind: 'name', name: called }, ...NOTHING }
  return text === undefined ? NOTHING : usedAt(message, text, line, headers)
}

/** Members that a statement sets or reads, functions that it calls, types that the message names. */
function usedAt(message: string, text: string, line: number, headers: string): Omit<Subjects, 'missing'> {
  const { statement, from } = statementAt(text, line)
  const subjects: Subject[] = []
  const add = (name: string) => {
    if (!subjects.some((other) => other.name === name)) subjects.push({ kind: 'name', name })
  }
  const assigned = assignedIn(statement, text, line)
  const designated = designatedIn(withoutComments(text).split('\n'), from, statement)
  const set = designated.length > 0 || assigned === undefined ? designated : [assigned]
  for (const [, name] of statement.matchAll(/(?<!(?:->|\.)\s*)\b([A-Za-z_]\w*)\s*\(/g))
    if (!KEYWORD.test(name as string)) add(name as string)
  for (const name of typesIn(message)) add(name)
  const known = `${headers}\n${text}`
  const beyondOwn = (ways: readonly Way[]) => ways.flatMap((way) => throughOwn(way, known) ?? [])
  return { used: subjects, set: beyondOwn(set), read: beyondOwn(accessesIn(statement, text, line)) }
}

/** `.set =`, `.irq.init_hw =`: not the end of an expression. */
const DESIGNATOR = /(?<![\w)\]])((?:\.\w+(?:\s*\[[^\]]*\])*)+)\s*=(?!=)/g

/** Members that initialisers in a statement set; `from` is the line that it begins on, from 0. */
function designatedIn(lines: readonly string[], from: number, statement: string): Way[] {
  return statement.split('\n').flatMap((text, index) =>
    [...text.matchAll(DESIGNATOR)].flatMap(({ 1: path = '', index: column }) => {
      const initialiser = initialiserAt(lines, from + index + 1, column)
      const names = path
        .replaceAll(/\[[^\]]*\]/g, '')
        .split('.')
        .slice(1)
      return initialiser === undefined ? [] : [{ ...initialiser, members: [...initialiser.members, ...names] }]
    }),
  )
}

/** Names that a message spells out: `'filldir_t' (aka ...)` is what the kernel wants, or what it is given. */
function typesIn(message: string): string[] {
  return [...message.matchAll(/'([^']+)' \(aka /g)].flatMap(([, type = '']) =>
    [...type.matchAll(/(?<!\b(?:struct|union|enum)\s+)\b[A-Za-z_]\w*/g)].flatMap(([word]) =>
      KEYWORD.test(word) || /^(?:struct|union|enum|const)$/.test(word) ? [] : [word],
    ),
  )
}

const KEYWORD = /^(?:if|while|for|switch|return|sizeof|typeof|defined|do|else|case|void|int|char|long|unsigned)$/

/** Statements longer than this are tables. */
const LINES_MAX = 12

/**
 * The statement around a line, the line that it begins on (from 0), and the initialiser that it stands in. In an
 * initialiser, the lines up to the next comma are the statement.
 */
export function statementAt(text: string, line: number): { statement: string; from: number; initialiser?: Way } {
  const lines = withoutComments(text).split('\n')
  const initialiser = initialiserAt(lines, line)
  const ends = initialiser === undefined ? /[;{}]\s*$/ : /[,{};]\s*$/
  let [from, to] = [line - 1, line - 1]
  while (
    from > 0 &&
    line - from < LINES_MAX &&
    !ends.test(lines[from - 1] ?? '') &&
    !/^\s*#/.test(lines[from - 1] ?? '')
  )
    from--
  while (to < lines.length - 1 && to - from < LINES_MAX && !ends.test(lines[to] ?? '')) to++
  const statement = lines.slice(from, to + 1).join('\n')
  return { statement, from, ...(initialiser && { initialiser }) }
}

/** Macros of which a name is an argument by itself, on a line or in the call that it ends. */
export function macrosAround(text: string, line: number, name: string): { macro: string; argument: number }[] {
  const { statement } = statementAt(text, line)
  return [...statement.matchAll(/\b([A-Za-z_]\w*)\s*\(([^()]*)\)/g)].flatMap(([, macro = '', list = '']) => {
    const argument = list.split(',').findIndex((part) => part.trim() === name)
    return argument < 0 ? [] : [{ macro, argument }]
  })
}

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '))

/** The version tests that lead to a line: conditions of #if around it that ask for the kernel's version, innermost first. */
export function versionTestsAt(text: string, line: number): { line: number; text: string }[] {
  const stack: { line: number; text: string }[] = []
  text.split('\n').forEach((raw, index) => {
    if (index + 1 >= line) return
    const [, directive = '', rest = ''] = /^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)/.exec(raw) ?? []
    if (directive === 'if' || directive === 'ifdef' || directive === 'ifndef')
      stack.push({ line: index + 1, text: `#${directive} ${rest.trim()}` })
    else if (directive === 'endif') stack.pop()
    else if (directive === 'elif') stack.splice(-1, 1, { line: index + 1, text: `#elif ${rest.trim()}` })
    else if (directive === 'else') {
      const before = stack.pop()
      stack.push({ line: before?.line ?? index + 1, text: `#else of ${before?.text ?? '#if'}` })
    }
  })
  return stack.filter((test) => /KERNEL_VERSION|LINUX_VERSION_CODE/.test(test.text)).toReversed()
}
