/**
 * What drivers of the tree did about a change of its API: how they called it before and call it now, as a pair of lines,
 * and what likely took the place of what is gone.
 *
 * Drivers that were converted vote: a line of the older tree that uses the name, and the line of the newer tree's file
 * that is most like it. Where nobody votes, what is new in the header that had it is looked at.
 */

import { declarationsIn } from './declarations.ts'
import type { Explanation } from './explain.ts'
import { stateOf, type State } from './explain.ts'
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
    return elected(subject, await pairsOf(subject, from, to, setMatcher(subject.name)), from, to, isCalled)
  const pairs = await pairsOf(subject, from, to)
  if (reason === 'api-changed') {
    const [best] = pairs.filter(({ after }) => mentions(after.text, subject.name)).toSorted(bySimilarity)
    return best && { files: pairs.length, example: withoutScore(best) }
  }
  // Who called something calls something else now; a type on the same line is none of it.
  const before = await stateOf(from, subject)
  const accepts = before !== undefined && isCalled(before) ? isCalled : undefined
  return (await elected(subject, pairs, from, to, accepts)) ?? neighbour(subject, from, to)
}

async function becameConst(subject: Subject, from: ApiTree, to: ApiTree): Promise<boolean> {
  if (subject.kind !== 'field') return false
  const isConst = async (tree: ApiTree) =>
    (await stateOf(tree, subject))?.shapes.some((shape) => /^const\b/.test(shape))
  return !(await isConst(from)) && (await isConst(to)) === true
}

/** Lines that set a member: by assignment, or by copying into it. */
const setMatcher = (name: string): RegExp =>
  new RegExp(
    String.raw`(?:\.|->)${name}(?:\[[^\]]*\])?\s*(?:[|&^+-]?=(?!=))|\b\w*(?:cpy|copy|set)\w*\(\s*[\w>.-]*(?:\.|->)${name}\b`,
  )

interface Pair extends Example {
  readonly alike: number
}

const bySimilarity = (a: Pair, b: Pair): number => b.alike - a.alike || (a.file < b.file ? -1 : 1)
const withoutScore = ({ file, before, after }: Pair): Example => ({ file, before, after })

const wordsOf = (text: string): string[] => text.match(/[A-Za-z_]\w*/g) ?? []
const mentions = (text: string, name: string): boolean => wordsOf(text).includes(name)

/** One pair for each file that both trees have, in which the line is another now. */
async function pairsOf(subject: Subject, from: ApiTree, to: ApiTree, matcher = lineMatcher(subject)): Promise<Pair[]> {
  const users = await from.users(userWord(subject))
  const pairs: Pair[] = []
  let read = 0
  for (const file of users) {
    const before = (await from.text(file)) ?? ''
    if (!matcher.test(before)) continue
    const after = await to.text(file)
    if (after === undefined) continue
    if (++read > FILES_MAX) break
    const pair = pairIn(file, before, after, matcher)
    if (pair !== undefined) pairs.push(pair)
  }
  return pairs
}

/** A word of a header's name that a search for words finds. */
const stem = (header: string): string => (header.split('/').at(-1) ?? '').replace(/\.h$/, '').split('-').at(-1) ?? ''

function lineMatcher(subject: Subject): RegExp {
  if (subject.kind === 'header') return new RegExp(`#\\s*include\\s*<${subject.name.replaceAll('.', '\\.')}>`)
  if (subject.kind === 'field') return new RegExp(`(?:\\.|->)${subject.name}\\b`)
  return new RegExp(`\\b${subject.name}\\b`)
}

function pairIn(file: string, before: string, after: string, matcher: RegExp): Pair | undefined {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const [had, has] = [new Set(old.map((text) => text.trim())), new Set(now.map((text) => text.trim()))]
  let best: Pair | undefined
  old.forEach((text, index) => {
    if (!matcher.test(text) || has.has(text.trim()) || isComment(text)) return
    now.forEach((other, at) => {
      if (had.has(other.trim()) || other.trim() === '' || isComment(other)) return
      const alike = likeness(text, other)
      if (alike < ALIKE_MIN || (best !== undefined && alike <= best.alike)) return
      best = {
        file,
        alike,
        before: { line: index + 1, text: text.trim() },
        after: { line: at + 1, text: other.trim() },
      }
    })
  })
  return best
}

const isComment = (text: string): boolean => /^\s*(?:\*|\/\*|\/\/)/.test(text)

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
  pairs: readonly Pair[],
  from: ApiTree,
  to: ApiTree,
  accepts: (state: State) => boolean = () => true,
): Promise<Replacement | undefined> {
  const votes = new Map<string, Pair[]>()
  for (const pair of pairs) {
    const before = new Set(wordsOf(pair.before.text))
    for (const word of new Set(wordsOf(pair.after.text)))
      if (!before.has(word)) votes.set(word, [...(votes.get(word) ?? []), pair])
    if (subject.kind === 'header') {
      const header = /<([^>]+)>/.exec(pair.after.text)?.[1]
      if (header !== undefined) votes.set(header, [...(votes.get(header) ?? []), pair])
    }
  }
  const ranked = [...votes].toSorted(
    ([a, m], [b, n]) =>
      n.length - m.length || likeness(subject.name, b) - likeness(subject.name, a) || (a < b ? -1 : 1),
  )
  for (const [name, said] of ranked.slice(0, RANKS_MAX)) {
    const other: Subject = subject.kind === 'field' ? { ...subject, name } : { kind: subject.kind, name }
    const state =
      (await stateOf(to, other)) ?? (subject.kind === 'field' ? await stateOf(to, { kind: 'name', name }) : undefined)
    if (state === undefined || !accepts(state)) continue
    const [example] = said.toSorted(bySimilarity)
    return { name, text: state.text, files: said.length, ...(example && { example: withoutScore(example) }) }
  }
  const [only] = pairs.toSorted(bySimilarity)
  return only && subject.kind !== 'header' ? { files: pairs.length, example: withoutScore(only) } : undefined
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
