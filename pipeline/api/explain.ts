/**
 * Why a driver that compiles for one kernel does not for another, from the kernels' own text.
 *
 * A complaint of the compiler is explained when what it is about is other in the trees that are compared: gone, not there
 * yet, of another type. When it is the same everywhere, or nowhere, the driver is wrong, and nothing is said.
 */

import type { ApiTree, Found } from './tree.ts'
import { memberAt, type Way } from './members.ts'
import { macrosAround, nameOfSubject, subjectsOf, versionTestsAt, type Complaint, type Subject } from './subjects.ts'

export type ApiReason = 'api-removed' | 'api-changed' | 'api-added'

/** A version of a tree's API at one place. */
export interface Definition {
  readonly tree: string
  readonly version: string
  /** Where it is declared; absent where it is not. */
  readonly file?: string
  readonly line?: number
  readonly text?: string
}

export interface Explanation {
  readonly reason: ApiReason
  /** `function`, `macro`, `field`, `header`, `type`, `include`, ... */
  readonly kind: string
  readonly subject: Subject
  /** `del_timer_sync`, `struct platform_driver.remove` */
  readonly name: string
  /** Where the driver uses it. */
  readonly file: string
  readonly line: number
  readonly message: string
  /** The newest tree here in which it is as the driver expects. */
  readonly expected?: Definition
  /** The oldest tree here in which it is not. */
  readonly found?: Definition
  /** A version test of the driver's that led to this line, and should not have. */
  readonly versionTest?: { readonly line: number; readonly text: string }
}

/** What a tree has of a subject. */
export interface State {
  readonly kind: string
  /** Equal shapes mean the same to a driver. */
  readonly shapes: readonly string[]
  /** Arguments that a call has, where that is known: undefined for what takes any, or is no call. */
  readonly arity: number | undefined
  readonly file: string
  readonly line: number
  readonly text: string
}

const pretty = (text: string): string => text.replaceAll(/(\w)(\*+)/g, '$1 $2').replaceAll(/,(?=\S)/g, ', ')

const TYPES: ReadonlySet<string> = new Set(['struct', 'union', 'enum'])

/** What a tree has of a subject; undefined: nothing. */
export async function stateOf(tree: ApiTree, subject: Subject): Promise<State | undefined> {
  if (subject.kind === 'header') {
    const [file] = (await tree.header(subject.name)).files
    return file === undefined ? undefined : { kind: 'header', shapes: [], arity: undefined, file, line: 1, text: file }
  }
  if (subject.kind === 'field') {
    const fields = await tree.fields(subject.struct, subject.name)
    const [first] = fields ?? []
    if (fields === undefined || first === undefined) return undefined
    const { file, line, text } = first
    const shapes = fields.map(({ shape }) => shape)
    return {
      kind: 'field',
      shapes,
      arity: undefined,
      file,
      line,
      text: `struct ${subject.struct} { ${pretty(text)}; }`,
    }
  }
  const found = (await tree.declarations(subject.name)).filter(
    ({ conditions, kind }) => !conditions.includes('0') && (subject.isType !== true || TYPES.has(kind)),
  )
  const first =
    found.find(({ kind }) => kind === 'function') ?? found.find(({ fields }) => fields !== undefined) ?? found[0]
  if (first === undefined) return undefined
  return {
    kind: first.kind,
    shapes: [...new Set(found.map(({ shape }) => shape))],
    arity: arityOf(first),
    file: first.file,
    line: first.line,
    text: pretty(first.text),
  }
}

const arityOf = ({ parameters }: Found): number | undefined =>
  parameters === undefined || parameters.some((parameter) => parameter.includes('...')) ? undefined : parameters.length

/** Whether a driver that was written for the one gets on with the other. */
function isSame(a: State | undefined, b: State | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  // A function that became a macro, or the other way round, is called as before if it takes as many arguments.
  if (a.kind !== b.kind) return a.arity === undefined || b.arity === undefined || a.arity === b.arity
  if (a.kind === 'macro') return a.arity === b.arity
  return a.shapes.length === 0 || a.shapes.some((shape) => b.shapes.includes(shape))
}

/** By version, oldest first. */
export const byVersion = (trees: readonly ApiTree[]): ApiTree[] =>
  trees.toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }))

const definitionOf = ({ name, version }: ApiTree, state: State | undefined): Definition => ({
  tree: name,
  version,
  ...(state && { file: state.file, line: state.line, text: state.text }),
})

interface Question {
  readonly complaint: Complaint
  /** Where the compiler complained. */
  readonly bad: ApiTree
  /** A tree for which the driver compiles, or at least without this complaint. */
  readonly good?: ApiTree
  /** All that there are, those two among them. */
  readonly trees: readonly ApiTree[]
}

/** Explain one complaint; undefined when the trees say nothing about it. */
export async function explain(question: Question): Promise<Explanation | undefined> {
  const { missing, used, set, read } = subjectsOf(question.complaint)
  if (missing !== undefined) return explainMissing(question, missing)
  const membersOf = async (ways: readonly Way[]) =>
    (await Promise.all(ways.map((way) => memberAt(question.bad, way)))).filter((member) => member !== undefined)
  const plain = [...(await membersOf(set)), ...used, ...(await membersOf(read))]
  return (await firstChanged(question, plain)) ?? firstChanged(question, await membersBehind(question, used))
}

async function firstChanged(question: Question, subjects: readonly Subject[]): Promise<Explanation | undefined> {
  for (const subject of subjects) {
    const explanation = await explainChanged(question, subject)
    if (explanation !== undefined) return explanation
  }
  return undefined
}

/** `CLASS_ATTR_RO(name)` initialises a structure: its members that take a function of as many parameters as the message wants. */
async function membersBehind({ bad, complaint }: Question, used: readonly Subject[]): Promise<Subject[]> {
  const wanted = /initializing '[^']*\(\*\)\(([^']*)\)'/.exec(complaint.message)?.[1]
  if (wanted === undefined) return []
  const found: Subject[] = []
  for (const { name } of used)
    for (const { kind, text } of await bad.declarations(name)) {
      const struct = kind === 'macro' ? /\bstruct (\w+)/.exec(text)?.[1] : undefined
      if (struct === undefined) continue
      for (const { fields = [] } of await bad.declarations(struct))
        for (const field of fields)
          if (parametersIn(field.text) === wanted.split(',').length)
            found.push({ kind: 'field', struct, name: field.name })
    }
  return found
}

/** How many parameters a member takes that is a pointer to a function; of another, none. */
const parametersIn = (field: string): number => /\(\*\s*\w+\)\s*\((.*)\)$/.exec(field)?.[1]?.split(',').length ?? 0

async function explainMissing(question: Question, subject: Subject): Promise<Explanation | undefined> {
  const { bad, good, trees } = question
  const quoted = await explainQuoted(question, subject)
  if (quoted !== undefined) return quoted
  const states = await statesOf(trees, subject)
  const here = states.get(bad)
  if (here !== undefined) {
    // It is declared, and the driver does not see it: another header brought the declaration once.
    if (subject.kind !== 'name' || good === undefined || states.get(good) === undefined) return undefined
    // Of a macro that was given more or fewer arguments only the bare name is left, which is then undeclared.
    if (here.kind === 'macro' && here.arity !== undefined && !isSame(states.get(good), here))
      return explainChanged(question, subject)
    return explainInclude(question, subject, states, good)
  }
  const having = byVersion(trees).filter((tree) => states.get(tree) !== undefined)
  const [oldest] = having
  if (oldest === undefined) return undefined
  const order = byVersion(trees)
  const isNewer = order.indexOf(oldest) > order.indexOf(bad)
  // The newest that has it of those before; of those after, the oldest.
  const nearest = isNewer ? oldest : (having.findLast((tree) => order.indexOf(tree) < order.indexOf(bad)) as ApiTree)
  const gone = isNewer
    ? order.findLast((tree) => states.get(tree) === undefined && order.indexOf(tree) < order.indexOf(nearest))
    : order.find((tree) => states.get(tree) === undefined && order.indexOf(tree) > order.indexOf(nearest))
  const kind = kindOf(subject, states.get(nearest))
  const reason = isNewer ? 'api-added' : 'api-removed'
  return described(question, reason, kind, subject, [nearest, states.get(nearest)], [gone ?? bad, undefined])
}

/** A name that was none: the macro that it is given to made text of it once, and now takes text. */
async function explainQuoted(question: Question, { kind, name }: Subject): Promise<Explanation | undefined> {
  const { bad, good, trees, complaint } = question
  if (kind !== 'name' || good === undefined || complaint.text === undefined) return undefined
  for (const { macro, argument } of macrosAround(complaint.text, complaint.line, name)) {
    const subject: Subject = { kind: 'name', name: macro }
    const states = await statesOf(trees, subject)
    const quotes = (tree: ApiTree) => isQuoted(states.get(tree)?.text ?? '', argument)
    if (states.get(bad)?.kind !== 'macro' || !quotes(good) || quotes(bad)) continue
    const [expected, other] = bounds(trees, good, bad, quotes)
    return described(question, 'api-changed', 'macro', subject, [expected, states.get(expected)], [other, states.get(other)]) // prettier-ignore
  }
  return undefined
}

/** Whether `#define NAME(a, b) ...` makes text of an argument. */
function isQuoted(text: string, argument: number): boolean {
  const [, list = '', body = ''] = /^#define \w+\(([^)]*)\)(.*)$/.exec(text) ?? []
  const parameter = list.split(',')[argument]?.trim() ?? ''
  return parameter !== '' && new RegExp(`(?<!#)#\\s*${parameter}\\b|stringify\\(\\s*${parameter}\\s*\\)`).test(body)
}

/** It is where it was, or was moved: then the header tells since when it is where the driver does not look. */
function explainInclude(
  question: Question,
  subject: Subject,
  states: ReadonlyMap<ApiTree, State | undefined>,
  good: ApiTree,
): Explanation {
  const { bad, trees } = question
  const isMoved = states.get(good)?.file !== states.get(bad)?.file
  const [expected, other] = isMoved
    ? bounds(trees, good, bad, (tree) => states.get(tree)?.file === states.get(good)?.file)
    : [good, bad]
  return described(
    question,
    'api-changed',
    'include',
    subject,
    [expected, states.get(expected)],
    [other, states.get(other)],
  )
}

const kindOf = (subject: Subject, state: State | undefined): string =>
  subject.kind === 'name' ? (state?.kind ?? 'name') : subject.kind

async function explainChanged(question: Question, subject: Subject): Promise<Explanation | undefined> {
  const { bad, good, trees } = question
  if (good === undefined) return undefined
  const states = await statesOf(trees, subject)
  const [wanted, here] = [states.get(good), states.get(bad)]
  if (wanted === undefined || here === undefined || isSame(wanted, here)) return undefined
  const [expected, other] = bounds(trees, good, bad, (tree) => isSame(wanted, states.get(tree)))
  const kind = kindOf(subject, here)
  return described(question, 'api-changed', kind, subject, [expected, states.get(expected)], [other, states.get(other)])
}

/** Between a tree that is as expected and one that is not: the last as expected on the way, and the first that is not. */
function bounds(
  trees: readonly ApiTree[],
  good: ApiTree,
  bad: ApiTree,
  isExpected: (tree: ApiTree) => boolean,
): [expected: ApiTree, other: ApiTree] {
  const order = byVersion(trees)
  const ends = [order.indexOf(good), order.indexOf(bad)] as [number, number]
  const between = order.slice(Math.min(...ends), Math.max(...ends) + 1)
  const way = ends[0] < ends[1] ? between : between.toReversed()
  return [way.findLast(isExpected) ?? good, way.find((tree) => !isExpected(tree)) ?? bad]
}

async function statesOf(trees: readonly ApiTree[], subject: Subject): Promise<Map<ApiTree, State | undefined>> {
  const states = await Promise.all(trees.map(async (tree) => [tree, await stateOf(tree, subject)] as const))
  return new Map(states)
}

type At = readonly [tree: ApiTree, state: State | undefined]

function described(
  { complaint }: Question,
  reason: ApiReason,
  kind: string,
  subject: Subject,
  expected: At,
  found: At,
): Explanation {
  const { file, line, message, text } = complaint
  const [test] = text === undefined ? [] : versionTestsAt(text, line)
  return {
    reason,
    kind,
    subject,
    name: nameOfSubject(subject),
    file,
    line,
    message,
    expected: definitionOf(...expected),
    found: definitionOf(...found),
    ...(test && { versionTest: test }),
  }
}
