/**
 * What of the kernel's API a compiler's message is about: the header, name or field that it misses, or those whose type
 * it does not like, in the order in which they are worth a look. Pure.
 */

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
}

export interface Subjects {
  /** The message says that it is not there. */
  readonly missing?: Subject
  /** Used in the statement: something of one of these is other than the driver expects. */
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

/** Read a complaint. */
export function subjectsOf({ message, text, line }: Complaint): Subjects {
  const header = /^'([^']+)' file not found/.exec(message)?.[1]
  if (header !== undefined) return { missing: { kind: 'header', name: header }, used: [] }
  for (const pattern of MISSING_FIELD) {
    const [, name, struct] = pattern.exec(message) ?? []
    if (name !== undefined && struct !== undefined) return { missing: { kind: 'field', struct, name }, used: [] }
  }
  const used = text === undefined ? [] : usedAt(text, line)
  for (const pattern of MISSING_NAME) {
    const name = pattern.exec(message)?.[1]
    if (name !== undefined) return { missing: { kind: 'name', name }, used: [] }
  }
  return { used }
}

/** Operations whose functions a statement sets, then functions it calls, then other names in it. */
function usedAt(text: string, line: number): Subject[] {
  const { statement, struct } = statementAt(text, line)
  const subjects: Subject[] = []
  const add = (subject: Subject) => {
    if (!subjects.some((other) => nameOfSubject(other) === nameOfSubject(subject))) subjects.push(subject)
  }
  if (struct !== undefined)
    for (const [, name] of statement.matchAll(/(?<![\w)\]])\.(\w+)\s*=/g))
      add({ kind: 'field', struct, name: name as string })
  for (const [, name] of statement.matchAll(/\b([A-Za-z_]\w*)\s*\(/g))
    if (!KEYWORD.test(name as string)) add({ kind: 'name', name: name as string })
  return subjects
}

const KEYWORD = /^(?:if|while|for|switch|return|sizeof|typeof|defined|do|else|case|void|int|char|long|unsigned)$/

/** Statements longer than this are tables. */
const LINES_MAX = 12

/**
 * The statement around a line, and the type of the initialiser that it stands in. In an initialiser, the lines up to the
 * next comma are the statement.
 */
export function statementAt(text: string, line: number): { statement: string; struct?: string } {
  const lines = withoutComments(text).split('\n')
  const struct = initialiserAt(lines, line)
  const ends = struct === undefined ? /[;{}]\s*$/ : /[,{};]\s*$/
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
  return struct === undefined ? { statement } : { statement, struct }
}

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '))

/** `platform_driver` in `static struct platform_driver d = { ... here`. */
function initialiserAt(lines: readonly string[], line: number): string | undefined {
  let depth = 0
  for (let i = line - 1; i >= 0 && line - i < INITIALISER_LINES_MAX; i--) {
    const text = lines[i] ?? ''
    // On the line itself only what stands before its designator counts, which is nothing that opens.
    for (const brace of i === line - 1 ? [] : text.matchAll(/[{}]/g).toArray().toReversed()) {
      depth += brace[0] === '}' ? 1 : -1
      if (depth < 0) return /\bstruct\s+(\w+)\s+\w+(?:\[[^\]]*\])?\s*=\s*$/.exec(opening(lines, i, brace.index))?.[1]
    }
  }
  return undefined
}

const INITIALISER_LINES_MAX = 200

/** What stands before a brace: the end of its own line, or of the one above. */
const opening = (lines: readonly string[], index: number, at: number): string =>
  `${lines[index - 1] ?? ''} ${(lines[index] ?? '').slice(0, at)}`

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
