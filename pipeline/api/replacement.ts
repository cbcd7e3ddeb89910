/**
 * What drivers of the tree did about a change of its API: how they called it before and call it now, as a pair of lines,
 * and what likely took the place of what is gone.
 *
 * Drivers that were converted vote: a line of the older tree that uses the name, and the line of the newer tree's file
 * that is most like it. Where nobody votes, what is new in the header that had it is looked at.
 */

import { declarationsIn } from './declarations.ts'
import { stateOf, type Explanation, type State } from './explain.ts'
import { accessesIn, initialiserAt } from './members.ts'
import type { Subject } from './subjects.ts'
import type { ApiTree } from './tree.ts'

/** The same call in one file of two trees. */
export interface Example {
  readonly file: string
  readonly before: { readonly line: number; readonly text: string }
  readonly after: { readonly line: number; readonly text: string }
}

export interface Replacement {
  /** What is used instead; absent where only the way of using it changed. */
  readonly name?: string
  /** How it is declared. */
  readonly text?: string
  /** How many files of the tree say so; 0: a guess by place and name. */
  readonly files: number
  readonly example?: Example
}

/** Files read at most. */
const FILES_MAX = 40
/** Lines less alike than this are not the same call. */
const ALIKE_MIN = 0.34
/** Where no name says what is used instead, lines must be this much alike to show anything. */
const ALIKE_ALONE = 0.7
/** Of the files that no longer have it, how many must agree on a name: fewer changed something else on the way. */
const SHARE_MIN = 0.2

/** The word by which users of a subject are found. */
export const userWord = (subject: Subject): string =>
  subject.kind === 'field' ? subject.struct : subject.kind === 'header' ? stem(subject.name) : subject.name

/** What became of it from one tree to the other; undefined when nobody in the trees tells. */
export async function replacementFor(
  { subject, reason }: Pick<Explanation, 'subject' | 'reason'>,
  from: ApiTree,
  to: ApiTree,
): Promise<Replacement | undefined> {
  // A member that may only be read now: who sets it has another way, often a function.
  if (reason === 'api-changed' && (await becameConst(subject, from, to)))
    return elected(subject, await pairsOf(subject, from, to, setMatcher(subject.name)), to, isCalled)
  const before = await stateOf(from, subject)
  const converted = await pairsOf(subject, from, to, lineMatcher(subject, before))
  if (reason === 'api-changed') {
    const [best] = converted.pairs.filter(({ after }) => mentions(after.text, subject.name)).toSorted(bySimilarity)
    return best && { files: converted.pairs.length, example: withoutScore(best) }
  }
  // Who called something calls something else now; a type on the same line is none of it.
  const accepts = before !== undefined && isCalled(before) ? isCalled : undefined
  if (subject.kind === 'header') return successorOf(before, converted.pairs, from, to)
  const gone = { ...converted, pairs: converted.pairs.filter(({ after }) => !isKept(subject, after.text)) }
  return (
    (await aliased(subject, before, gone, to)) ??
    (await elected(subject, gone, to, accepts)) ??
    neighbour(subject, from, to)
  )
}

/**
 * The same for a tree that may be newer than the one in which it was first gone: what came then may be gone as well, and
 * then `here` itself is asked.
 */
export async function lastingReplacementFor(
  explanation: Pick<Explanation, 'subject' | 'reason'>,
  from: ApiTree,
  to: ApiTree,
  here: ApiTree,
): Promise<Replacement | undefined> {
  const found = await replacementFor(explanation, from, to)
  if (here === to || found?.name === undefined) return found
  return (await standsFor(explanation.subject, found.name, here)) === undefined
    ? replacementFor(explanation, from, here)
    : found
}

/** What is gone and still on a line is the file's own by now. */
const isKept = (subject: Subject, text: string): boolean => subject.kind === 'name' && mentions(text, subject.name)

/** A macro that was only another name for something that is still there says itself what to use. */
async function aliased(
  subject: Subject,
  before: State | undefined,
  { pairs }: Converted,
  to: ApiTree,
): Promise<Replacement | undefined> {
  const name = /^#define \w+ (\w+)$/.exec(before?.kind === 'macro' ? before.text : '')?.[1]
  const state = name === undefined ? undefined : await standsFor(subject, name, to)
  if (name === undefined || state === undefined) return undefined
  const said = pairs.filter(({ after }) => mentions(after.text, name))
  const [example] = said.toSorted(bySimilarity)
  return { name, text: state.text, files: said.length, ...(example && { example: withoutScore(example) }) }
}

async function becameConst(subject: Subject, from: ApiTree, to: ApiTree): Promise<boolean> {
  if (subject.kind !== 'field') return false
  const isConst = async (tree: ApiTree) =>
    (await stateOf(tree, subject))?.shapes.some((shape) => /^const\b/.test(shape))
  return !(await isConst(from)) && (await isConst(to)) === true
}

/** Lines that set a member: by assignment, or by copying into it. */
function setMatcher(name: string): LineMatcher {
  const sets = new RegExp(
    String.raw`(?:\.|->)${name}(?:\[[^\]]*\])?\s*(?:[|&^+-]?=(?!=))|\b\w*(?:cpy|copy|set)\w*\(\s*[\w>.-]*(?:\.|->)${name}\b`,
  )
  return (lines, index) => sets.test(lines[index] as string)
}

interface Pair extends Example {
  readonly alike: number
}

const bySimilarity = (a: Pair, b: Pair): number => b.alike - a.alike || (a.file < b.file ? -1 : 1)
const withoutScore = ({ file, before, after }: Pair): Example => ({ file, before, after })

const wordsOf = (text: string): string[] => text.match(/[A-Za-z_]\w*/g) ?? []
const mentions = (text: string, name: string): boolean => wordsOf(text).includes(name)

/** Files that no longer have it as they had. */
interface Converted {
  /** One for each file in which the line is another now. */
  readonly pairs: readonly Pair[]
  /** All of them: a line may be gone without another in its place. */
  readonly files: number
}

/** Which lines use a subject: given all lines without comments and strings, and which one. */
type LineMatcher = (lines: readonly string[], index: number) => boolean

async function pairsOf(subject: Subject, from: ApiTree, to: ApiTree, uses: LineMatcher): Promise<Converted> {
  const word = new RegExp(`\\b${stem(subject.name)}\\b`)
  const pairs: Pair[] = []
  let [read, files] = [0, 0]
  for (const file of await from.users(userWord(subject))) {
    const before = (await from.text(file)) ?? ''
    if (!word.test(before)) continue
    const after = await to.text(file)
    if (after === undefined) continue
    const used = linesOf(before)
    const at = used.plain.flatMap((text, index) => (word.test(text) && uses(used.plain, index) ? [index] : []))
    if (at.length === 0) continue
    if (++read > FILES_MAX) break
    const { isChanged, pair } = pairIn(file, used, linesOf(after), at)
    if (isChanged) files++
    if (pair !== undefined) pairs.push(pair)
  }
  return { pairs, files }
}

interface Text {
  readonly lines: readonly string[]
  /** Without comments and what is in strings. */
  readonly plain: readonly string[]
}

const NO_CODE = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/g

const linesOf = (text: string): Text => ({
  lines: text.split('\n'),
  plain: text.replaceAll(NO_CODE, (part) => (part.startsWith('"') ? '""' : part.replaceAll(/[^\n]/g, ' '))).split('\n'),
})

/** A word of a header's name that a search for words finds. */
const stem = (header: string): string => (header.split('/').at(-1) ?? '').replace(/\.h$/, '').split('-').at(-1) ?? ''

function lineMatcher(subject: Subject, state: State | undefined): LineMatcher {
  if (subject.kind === 'header') {
    const include = new RegExp(`#\\s*include\\s*<${subject.name.replaceAll('.', '\\.')}>`)
    return (lines, index) => include.test(lines[index] as string)
  }
  if (subject.kind === 'field') {
    const member = new RegExp(`(?:\\.|->)${subject.name}\\b`)
    return (lines, index) => member.test(lines[index] as string) && isOf(subject, lines, index)
  }
  const word = new RegExp(`\\b${subject.name}\\b`)
  // At the beginning of a line a function is declared or exported, which tells callers nothing.
  const isFunction = state?.kind === 'function'
  return (lines, index) => word.test(lines[index] as string) && !(isFunction && /^\w/.test(lines[index] as string))
}

/** Whether the members of that name on a line may be this structure's: unless all are known to be another one's. */
function isOf({ struct, name }: Subject & { kind: 'field' }, lines: readonly string[], index: number): boolean {
  const line = lines[index] as string
  const column = new RegExp(`(?<![\\w)\\]])\\.${name}\\s*=`).exec(line)?.index
  const initialiser = column === undefined ? undefined : initialiserAt(lines, index + 1, column)
  if (initialiser !== undefined) return initialiser.members.length > 0 || initialiser.struct === struct
  const owners = accessesIn(line, lines.join('\n'), index + 1).filter(({ members }) => members.includes(name))
  return owners.length === 0 || owners.some((owner) => owner.members[0] !== name || owner.struct === struct)
}

/** What of a line tells it from others. */
const squeezed = (text: string): string => text.trim().replaceAll(/\s+/g, ' ')

/** The line of those at `at` that is another now, with the one that is most like it. */
function pairIn(
  file: string,
  old: Text,
  now: Text,
  at: readonly number[],
): { readonly isChanged: boolean; readonly pair?: Pair } {
  const [had, has] = [new Set(old.lines.map(squeezed)), new Set(now.lines.map(squeezed))]
  const fresh = now.plain.flatMap((text, index) =>
    text.trim() === '' || had.has(squeezed(now.lines[index] as string)) ? [] : [index],
  )
  const gone = at.filter((index) => !has.has(squeezed(old.lines[index] as string)))
  let best: Pair | undefined
  for (const before of gone)
    for (const after of fresh) {
      const [text, other] = [old.lines[before] as string, now.lines[after] as string]
      const alike = likeness(text, other)
      if (alike < ALIKE_MIN || (best !== undefined && alike <= best.alike)) continue
      best = {
        file,
        alike,
        before: { line: before + 1, text: text.trim() },
        after: { line: after + 1, text: other.trim() },
      }
    }
  return { isChanged: gone.length > 0, ...(best && { pair: best }) }
}

/** Of two lines, from 0 to 1: words that both have (Dice), parts of names counted too. */
function likeness(a: string, b: string): number {
  const parts = (text: string) =>
    new Set(
      wordsOf(text)
        .flatMap((word) => [word, ...word.split('_')])
        .filter((part) => part !== ''),
    )
  const [left, right] = [parts(a), parts(b)]
  if (left.size === 0 || right.size === 0) return 0
  return (2 * left.intersection(right).size) / (left.size + right.size)
}

/** Names looked up at most. */
const RANKS_MAX = 8

const isCalled = ({ kind }: State): boolean => kind === 'function' || kind === 'macro'

/** The name that most of the converted lines have and their former ones had not. */
async function elected(
  subject: Subject,
  { pairs, files }: Converted,
  to: ApiTree,
  accepts: (state: State) => boolean = () => true,
): Promise<Replacement | undefined> {
  const votes = new Map<string, Pair[]>()
  for (const pair of pairs) for (const word of votesIn(pair)) votes.set(word, [...(votes.get(word) ?? []), pair])
  const ranked = [...votes]
    .filter(([, said]) => said.length >= files * SHARE_MIN)
    .toSorted(
      ([a, m], [b, n]) =>
        n.length - m.length || likeness(subject.name, b) - likeness(subject.name, a) || (a < b ? -1 : 1),
    )
  for (const [name, said] of ranked.slice(0, RANKS_MAX)) {
    const state = await standsFor(subject, name, to, said)
    if (state === undefined || !accepts(state)) continue
    const [example] = said.toSorted(bySimilarity)
    return { name, text: state.text, files: said.length, ...(example && { example: withoutScore(example) }) }
  }
  const [only] = pairs.filter(({ alike }) => alike >= ALIKE_ALONE).toSorted(bySimilarity)
  return only ? { files: pairs.length, example: withoutScore(only) } : undefined
}

/** Words of a converted line that may say what is used instead. */
function votesIn({ before, after }: Pair): ReadonlySet<string> {
  const known = new Set(wordsOf(before.text))
  return new Set(wordsOf(after.text).filter((word) => !known.has(word)))
}

/**
 * The header that is included instead: the one that took over most of what was declared; where none did, one that most of
 * the lines agree on. Files that only dropped it say nothing: they had the other one before.
 */
async function successorOf(
  before: State | undefined,
  pairs: readonly Pair[],
  from: ApiTree,
  to: ApiTree,
): Promise<Replacement | undefined> {
  const headers = Map.groupBy(pairs, ({ after }) => /<([^>]+)>/.exec(after.text)?.[1] ?? '')
  const had = before === undefined ? [] : await declaredIn(from, before.file)
  const candidates = [...headers].map(async ([name, said]) => {
    const file = (await to.header(name)).files[0]
    const taken = file === undefined ? 0 : new Set(await declaredIn(to, file)).intersection(new Set(had)).size
    return { name, said, file, taken }
  })
  const [best] = (await Promise.all(candidates))
    .filter(({ file }) => file !== undefined)
    .toSorted((a, b) => b.taken - a.taken || b.said.length - a.said.length || (a.name < b.name ? -1 : 1))
  if (best === undefined || (best.taken === 0 && best.said.length * 2 < pairs.length)) return undefined
  const [example] = best.said.toSorted(bySimilarity)
  return {
    name: best.name,
    text: best.file as string,
    files: best.said.length,
    ...(example && { example: withoutScore(example) }),
  }
}

/**
 * What a tree has under a name that may stand for a subject: for a member another one of its structure, where lines use it
 * as one, or what is called; not what happens to have the name of a variable.
 */
async function standsFor(
  subject: Subject,
  name: string,
  to: ApiTree,
  said?: readonly Pair[],
): Promise<State | undefined> {
  if (subject.kind !== 'field') return stateOf(to, { kind: subject.kind, name })
  const member = new RegExp(`(?:\\.|->)${name}\\b`)
  const isMember = said === undefined || said.some(({ after }) => member.test(after.text))
  const sibling = isMember ? await stateOf(to, { ...subject, name }) : undefined
  if (sibling !== undefined) return sibling
  const other = await stateOf(to, { kind: 'name', name })
  return other !== undefined && isCalled(other) ? other : undefined
}

/** What is new where it was, if its name is like it. */
async function neighbour(subject: Subject, from: ApiTree, to: ApiTree): Promise<Replacement | undefined> {
  if (subject.kind !== 'name') return undefined
  const state = await stateOf(from, subject)
  if (state === undefined) return undefined
  const names = await declaredIn(to, state.file)
  const before = new Set(await declaredIn(from, state.file))
  const fresh = names.filter((name) => !before.has(name))
  const [best] = fresh.toSorted((a, b) => likeness(subject.name, b) - likeness(subject.name, a) || (a < b ? -1 : 1))
  if (best === undefined || likeness(subject.name, best) < 0.4) return undefined
  const text = (await stateOf(to, { kind: 'name', name: best }))?.text
  return { name: best, ...(text !== undefined && { text }), files: 0 }
}

async function declaredIn(tree: ApiTree, file: string): Promise<string[]> {
  return declarationsIn((await tree.text(file)) ?? '').map(({ name }) => name)
}
