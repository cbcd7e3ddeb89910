/**
 * Which member of which structure a line of a driver sets: by an initialiser, nested or not, or by an assignment. From the
 * text of the driver as far as that says it; what the kernel's own structures hold, a tree is asked for.
 */

import { declarationsIn } from './declarations.ts'
import type { Subject } from './subjects.ts'
import type { ApiTree } from './tree.ts'

/** From a structure down to a member: `gpio_irq_chip` of `struct gpio_chip`, then `init_hw`. */
export interface Way {
  readonly struct: string
  readonly members: readonly string[]
}

const TYPE = /\b(?:struct|union)\s+(\w+)/

/** What an expression that is assigned to leads through: `chip->gc.set` is chip, gc, set. */
const ASSIGNED =
  /(\w+(?:\s*\[[^\]]*\])*(?:\s*(?:->|\.)\s*\w+(?:\s*\[[^\]]*\])*)+)\s*(?:(?:[-+*/|&^%]|<<|>>)?=(?!=)|\+\+|--)/

/** The member that a statement assigns to; `text` is the file's. */
export function assignedIn(statement: string, text: string, line: number): Way | undefined {
  const expression = ASSIGNED.exec(statement)?.[1]
  return expression === undefined ? undefined : wayOf(expression, text, line)
}

/** Expressions that lead from a variable through members, in order; what calls or brackets come before says nothing. */
const ACCESS = /(?<![\w.>)\]]\s*)([A-Za-z_]\w*(?:\s*\[[^\]]*\])*(?:\s*(?:->|\.)\s*[A-Za-z_]\w*(?:\s*\[[^\]]*\])*)+)/g

/** The members that a statement reads, or calls what they point to; `text` is the file's. */
export function accessesIn(statement: string, text: string, line: number): Way[] {
  return [...statement.matchAll(ACCESS)].flatMap(([, expression = '']) => wayOf(expression, text, line) ?? [])
}

function wayOf(expression: string, text: string, line: number): Way | undefined {
  const [variable, ...members] = expression.replaceAll(/\[[^\]]*\]/g, '').split(/\s*(?:->|\.)\s*/)
  const struct = variableType(text, line, (variable as string).trim())
  return struct === undefined ? undefined : { struct, members: members.map((member) => member.trim()) }
}

/** The structure that a variable is of, or points to: as declared last before a line, else anywhere. */
function variableType(text: string, line: number, name: string): string | undefined {
  const declaration = new RegExp(
    String.raw`\b(?:struct|union)\s+(\w+)\s*(?:const\s*)?(?:\*\s*(?:const\s*|__\w+\s*)*)*\b${name}\b(?!\s*\()`,
    'g',
  )
  const lines = text.split('\n')
  const before = [...lines.slice(0, line).join('\n').matchAll(declaration)].at(-1)
  return (before ?? declaration.exec(text))?.[1]
}

/** Past the driver's own structures, which no tree has: `text` is all of the driver's that may declare them. */
export function throughOwn(way: Way, text: string): Way | undefined {
  const own = new Map(
    declarationsIn(text).flatMap(({ name, fields }) => (fields === undefined ? [] : [[name, fields]])),
  )
  let { struct, members } = way
  for (let fields = own.get(struct); fields !== undefined; fields = own.get(struct)) {
    const [first, ...rest] = members
    const type = TYPE.exec(fields.find(({ name }) => name === first)?.text ?? '')?.[1]
    if (type === undefined || rest.length === 0) return undefined
    struct = type
    members = rest
  }
  return { struct, members }
}

/** The member itself: a tree tells of what type those on the way are. */
export async function memberAt(tree: ApiTree, { struct, members }: Way): Promise<Subject | undefined> {
  let [at, ...rest] = [struct, ...members] as [string, ...string[]]
  while (rest.length > 1) {
    const [name, ...below] = rest
    const [field] = (await tree.fields(at, name as string)) ?? []
    const type = TYPE.exec(field?.text ?? '')?.[1]
    if (type === undefined) return undefined
    at = type
    rest = below
  }
  const [name] = rest
  return name === undefined ? undefined : { kind: 'field', struct: at, name }
}

/** Braces further up are not this initialiser's. */
const LINES_MAX = 200

/** What stands before a brace: the end of its own line, or of the one above. */
const opening = (lines: readonly string[], index: number, at: number): string =>
  `${lines[index - 1] ?? ''} ${(lines[index] ?? '').slice(0, at)}`

/** `struct x name[] __initconst =`, with the brace behind it */
const OF_VARIABLE = /\b(?:struct|union)\s+(\w+)\s+(?:__\w+\s+)*\w+(?:\s*\[[^\]]*\])*(?:\s+__\w+(?:\([^)]*\))?)*\s*=\s*$/
const OF_LITERAL = /\(\s*(?:const\s+)?(?:struct|union)\s+(\w+)\s*(?:\[[^\]]*\])?\s*\)\s*$/

/**
 * The initialiser that a line stands in, or what is on a line from a column on: its structure, and the members that lead
 * to this level of it.
 */
export function initialiserAt(lines: readonly string[], line: number, column = 0): Way | undefined {
  const members: string[] = []
  let depth = 0
  for (let i = line - 1; i >= 0 && line - i < LINES_MAX; i--) {
    const whole = lines[i] ?? ''
    // On the line itself only what stands before the designator counts.
    const text = i === line - 1 ? whole.slice(0, column) : whole
    for (const brace of text.matchAll(/[{}]/g).toArray().toReversed()) {
      depth += brace[0] === '}' ? 1 : -1
      if (depth >= 0) continue
      const before = opening(lines, i, brace.index)
      const struct = OF_VARIABLE.exec(before)?.[1] ?? OF_LITERAL.exec(before)?.[1]
      if (struct !== undefined) return { struct, members }
      const member = /\.(\w+)(?:\[[^\]]*\])?\s*=\s*$/.exec(before)?.[1]
      const isElement = /(?:[{,]|\]\s*=)\s*$/.test(before)
      if (member !== undefined) members.unshift(member)
      else if (!isElement) return undefined
      depth = 0
    }
  }
  return undefined
}
