/** What `--filter` says: categories of trace events, each with patterns of names. */
import { UsageError } from '../pipeline/errors.ts'
import { TRACE_CATEGORIES, type TraceCategory, type TraceFilter } from '../machine/observe/tracer.ts'
import type { CFunction } from '../pipeline/rewrite/calls.ts'

export interface Filter extends TraceFilter {
  /** Which C calls are to be told: none, those of the drivers' own files, or those of functions with certain names. */
  readonly calls: 'none' | 'own' | 'named'
  /** The functions whose calls are to be told; `own` are the drivers' own source files. */
  functions(all: readonly CFunction[], own: ReadonlySet<string>): CFunction[]
}

/** Told only to those who ask: it says much and seldom what one looks for. */
const QUIET: ReadonlySet<TraceCategory> = new Set(['time', 'pci'])

const categories = Object.keys(TRACE_CATEGORIES) as TraceCategory[]

const isCategory = (text: string): text is TraceCategory => (categories as string[]).includes(text)

/** `e1000_*`: `*` for any characters, `?` for one. */
const globOf = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'i',
  )

/** Reads CATEGORY[:GLOB], several with commas or by repeating; all but the chatty ones when there is none. Throws UsageError. */
export function filterOf(texts: readonly string[]): Filter {
  const rules = new Map<TraceCategory, RegExp[]>()
  const words = texts.flatMap((text) => text.split(',')).filter((text) => text !== '')
  for (const text of words) {
    const [category = '', ...glob] = text.split(':')
    if (!isCategory(category)) {
      const list = Object.entries(TRACE_CATEGORIES).map(([name, what]) => `\n      ${name.padEnd(10)} ${what}`)
      throw new UsageError('cannot read --filter', {
        expected: `CATEGORY or CATEGORY:GLOB, of:${list.join('')}`,
        found: text,
      })
    }
    const globs = rules.get(category) ?? []
    rules.set(category, globs)
    if (glob.length > 0) globs.push(globOf(glob.join(':')))
  }
  if (words.length === 0) for (const category of categories) if (!QUIET.has(category)) rules.set(category, [])
  const calls = rules.get('calls')
  return {
    calls: calls === undefined ? 'none' : calls.length === 0 ? 'own' : 'named',
    wants(category, name) {
      const globs = rules.get(category)
      if (globs === undefined || globs.length === 0) return globs !== undefined
      const last = name.slice(name.lastIndexOf(' ') + 1)
      return globs.some((glob) => glob.test(name) || glob.test(last))
    },
    functions(all, own) {
      if (calls === undefined) return []
      return all.filter(({ name, file }) =>
        calls.length === 0 ? own.has(file) : calls.some((glob) => glob.test(name)),
      )
    },
  }
}
