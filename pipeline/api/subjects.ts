/**
 * What of the kernel's API a compiler's message is about: the header, name or field that it misses, or those whose type
 * it does not like, in the order in which they are worth a look. Pure.
 */

import { assignedIn, initialiserAt, throughOwn, type Way } from './members.ts'

/** A part of the API. */
export type Subject =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'name'; readonly name: string }
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
}

export const nameOfSubject = (subject: Subject): string =>
  subject.kind === 'field' ? `struct ${subject.struct}.${subject.name}` : subject.name

const MISSING_NAME = [
  /^call to undeclared (?:library )?function '(\w+)'/,
  /^implicit declaration of function '(\w+)'/,
  /^use of undeclared (?:identifier|label) '(\w+)'/,
  /^unknown type name '(\w+)'/,
  /^must use '(?:struct|union|enum)' tag to refer to type '(\w+)'/,
  /incomplete (?:result |return |element )?type '(?:const )?(?:struct |union |enum )(\w+)'/,
  /^unexpected type name '(\w+)'/,
]

const MISSING_FIELD = [
  /^no member named '(\w+)' in '(?:const )?(?:struct |union )?(\w+)'/,
  /^field designator '(\w+)' does not refer to any field in type '(?:const )?(?:struct |union )?(\w+)'/,
]

const NOTHING = { used: [], set: [] } as const

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
  return text === undefined ? NOTHING : usedAt(text, line, headers)
}

/** Members that a statement sets, and functions that it calls. */
function usedAt(text: string, line: number, headers: string): Pick<Subjects, 'used' | 'set'> {
  const { statement, initialiser } = statementAt(text, line)
  const subjects: Subject[] = []
  const set: Way[] = []
  const add = (subject: Subject) => {
    if (!subjects.some((other) => nameOfSubject(other) === nameOfSubject(subject))) subjects.push(subject)
  }
  if (initialiser === undefined) {
    const way = assignedIn(statement, text, line)
    if (way !== undefined) set.push(way)
  } else
    for (const [, name] of statement.matchAll(/(?<![\w)\]])\.(\w+)\s*=/g))
      set.push({ struct: initialiser.struct, members: [...initialiser.members, name as string] })
  const own = set.flatMap((way) => throughOwn(way, `${headers}\n${text}`) ?? [])
  for (const [, name] of statement.matchAll(/\b([A-Za-z_]\w*)\s*\(/g))
    if (!KEYWORD.test(name as string)) add({ kind: 'name', name: name as string })
  return { used: subjects, set: own }
}

const KEYWORD = /^(?:if|while|for|switch|return|sizeof|typeof|defined|do|else|case|void|int|char|long|unsigned)$/

/** Statements longer than this are tables. */
const LINES_MAX = 12

/**
 * The statement around a line, and the initialiser that it stands in. In an initialiser, the lines up to the
 * next comma are the statement.
 */
export function statementAt(text: string, line: number): { statement: string; initialiser?: Way } {
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
  return initialiser === undefined ? { statement } : { statement, initialiser }
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
