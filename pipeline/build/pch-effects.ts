/**
 * What a macro would do to the text of headers, found by having the compiler preprocess them with the macro defined as a
 * mark: text in, facts out.
 */

import type { Form } from './headers.ts'
import { push } from './pch-rules.ts'

/** How marks begin; no name of the kernel's does. */
export const MARK = 'drvport_marker_'

export interface Effects {
  /** Macros that change the text. */
  readonly bad: ReadonlySet<string>
  /** Macros that only rename something the text declares as extern, with its declaration. */
  readonly renamed: ReadonlyMap<string, string>
  /** Macros that only change string literals of functions, with a part of each of those. */
  readonly witnesses: ReadonlyMap<string, readonly string[]>
}

/** The definition of a marked macro. */
export const markOf = (name: string, form: Form): string =>
  form === 'call' ? `#define ${name}(...) ${MARK}${name}(__VA_ARGS__)\n` : `#define ${name} ${MARK}${name}\n`

/** Shorter ones could be anywhere. */
const WITNESS_MIN = 10

/** What of string literals is in an object as it stands: their longest part without escapes. */
function witnessOf(literals: string): string | undefined {
  const parts = literals.split(/"\s*"|^"|"\s*$|\\(?:[0-7]{1,3}|x[0-9a-fA-F]+|.)/)
  const longest = parts.reduce((best, part) => (part.length > best.length ? part : best), '')
  return longest.length >= WITNESS_MIN ? longest : undefined
}

/** Where the headers' own text ends, and questions about macros begin. */
const END = 'drvport_end_of_headers'
const DEFINED = 'drvport_defined_'

/** Text to preprocess after the headers: which of these macros they leave defined. */
export const questionsFor = (names: Iterable<string>): string =>
  [END, ...[...names].map((name) => `#ifdef ${name}\n${DEFINED}${name}\n#endif`), ''].join('\n')

/** Of the macros asked about after the headers: those left defined, and those that are neither defined nor named. */
export function findAnswers(
  text: string,
  names: ReadonlySet<string>,
): { readonly headers: string; readonly defined: ReadonlySet<string>; readonly unused: ReadonlySet<string> } {
  const end = text.lastIndexOf(END)
  const headers = text.slice(0, end)
  const defined = new Set(text.slice(end).match(/(?<=drvport_defined_)\w+/g))
  const unused = new Set([...names].filter((name) => !defined.has(name)))
  if (unused.size > 0) for (const [word] of headers.matchAll(/[A-Za-z_]\w*/g)) unused.delete(word)
  return { headers, defined, unused }
}

/** Marked macros in preprocessed text. */
export function findEffects(text: string): Effects {
  const bad = new Set<string>()
  const renamed = new Map<string, string>()
  const witnesses = new Map<string, string[]>()
  const marked = (part: string) => [...part.matchAll(/drvport_marker_(\w+)/g)].map((match) => match[1] as string)
  const free = text.replaceAll(
    /drvport_marker_(\w+)\(\s*((?:"(?:[^"\\\n]|\\.)*"\s*)+)\)/g,
    (whole, name: string, literals: string) => {
      const witness = witnessOf(literals)
      if (witness === undefined) return whole
      push(witnesses, name, witness)
      return '""'
    },
  )
  const code = free.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, (literal) => {
    for (const name of marked(literal)) bad.add(name)
    return '""'
  })
  for (const match of code.matchAll(/(?<=[;}]\s*)extern\b[^;{}=]*drvport_marker_(\w+)[^;{}=]*;/g)) {
    const names = marked(match[0])
    const statement = match[0].replace(MARK, '')
    if (names.length === 1) renamed.set(names[0] as string, statement)
  }
  for (const name of marked(code)) if (!renamed.has(name)) bad.add(name)
  for (const name of bad) renamed.delete(name)
  return { bad, renamed, witnesses }
}
