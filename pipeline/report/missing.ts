/**
 * Which symbols keep modules from linking, and in which order to provide them.
 *
 * The order is greedy: the next symbol is the one that brings most modules nearest to linking. A module that lacks n more
 * symbols counts 2^(1-n): one that lacks nothing else counts whole, one that lacks fifty hardly. Pure.
 */

import type { MatrixDocument } from '../matrix/types.ts'

export interface MissingRow {
  readonly symbol: string
  /** Modules that need it. */
  readonly modules: number
  /** Modules that lack nothing else. */
  readonly alone: number
  /** Modules that link once this and all symbols above it are there. */
  readonly cumulative: number
  /** File of the tree that exports it; '' when not known. */
  readonly exportedIn: string
  /** A few modules that need it, by name. */
  readonly examples: readonly string[]
}

export interface MissingDocument {
  readonly schema: 'drvport.missing/1'
  readonly tree: MatrixDocument['tree']
  readonly toolchain: MatrixDocument['toolchain']
  readonly drvport: string
  /** Modules that lack at least one symbol. */
  readonly blocked: number
  /** In the order in which to provide them. */
  readonly symbols: readonly MissingRow[]
}

export interface MissingFacts {
  /** File of the tree that exports a symbol. */
  readonly exportedIn?: (symbol: string) => string | undefined
}

const EXAMPLES = 3

interface Incidence {
  readonly symbols: readonly string[]
  /** Modules (by index) that need a symbol, and the other way round. */
  readonly neededBy: readonly Int32Array[]
  readonly needs: readonly Int32Array[]
}

function incidence(missing: readonly (readonly string[])[]): Incidence {
  const symbols = [...new Set(missing.flat())].toSorted()
  const number = new Map(symbols.map((symbol, i) => [symbol, i]))
  const needs = missing.map((names) => Int32Array.from(new Set(names), (name) => number.get(name) as number))
  const neededBy: number[][] = symbols.map(() => [])
  for (const [module, list] of needs.entries()) for (const symbol of list) neededBy[symbol]?.push(module)
  return { symbols, neededBy: neededBy.map((list) => Int32Array.from(list)), needs }
}

/** A module that lacks more than this does not move the order yet. */
const FAR = 24
const weight = (lacking: number): number => (lacking > FAR ? 0 : 2 ** (1 - lacking))

/** The symbol to provide next; of equals the one that more modules need, then by name. */
function best(score: Float64Array, { neededBy }: Incidence): number {
  let chosen = 0
  for (let i = 1; i < score.length; i++) {
    if ((score[i] as number) < (score[chosen] as number)) continue
    if (score[i] !== score[chosen] || (neededBy[i]?.length ?? 0) > (neededBy[chosen]?.length ?? 0)) chosen = i
  }
  return chosen
}

/** Symbols in greedy order, each with how many modules link by then. */
function greedy(graph: Incidence): { symbol: number; cumulative: number }[] {
  const { symbols, neededBy, needs } = graph
  const lacking = Int32Array.from(needs, (list) => list.length)
  const score = new Float64Array(symbols.length)
  const add = (module: number, share: number): void => {
    const list = needs[module] as Int32Array
    for (let i = 0; i < list.length; i++) score[list[i] as number]! += share
  }
  for (const module of needs.keys()) add(module, weight(lacking[module] as number))
  let cumulative = 0
  return symbols.map(() => {
    const symbol = best(score, graph)
    for (const module of neededBy[symbol] as Int32Array) {
      const before = lacking[module] as number
      lacking[module] = before - 1
      if (before === 1) cumulative += 1
      else if (before - 1 <= FAR) add(module, weight(before - 1) - weight(before))
    }
    score[symbol] = -Infinity
    return { symbol, cumulative }
  })
}

/** The ranking. */
export function rankMissing(document: MatrixDocument, facts: MissingFacts = {}): MissingDocument {
  const blocked = document.rows.filter(({ missing }) => missing.length > 0)
  const graph = incidence(blocked.map(({ missing }) => missing))
  const symbols = greedy(graph).map(({ symbol: i, cumulative }): MissingRow => {
    const symbol = graph.symbols[i] as string
    const modules = [...(graph.neededBy[i] ?? [])]
    return {
      symbol,
      modules: modules.length,
      alone: modules.filter((module) => graph.needs[module]?.length === 1).length,
      cumulative,
      exportedIn: facts.exportedIn?.(symbol) ?? '',
      examples: modules.slice(0, EXAMPLES).map((module) => blocked[module]?.module ?? ''),
    }
  })
  const { tree, toolchain, drvport } = document
  return { schema: 'drvport.missing/1', tree, toolchain, drvport, blocked: blocked.length, symbols }
}

const COLUMNS = ['order', 'symbol', 'modules', 'alone', 'cumulative', 'exported_in', 'examples'] as const

/** As tab-separated text, in order, with a header. */
export function missingTsv({ symbols }: MissingDocument): string {
  const lines = symbols.map(({ symbol, modules, alone, cumulative, exportedIn, examples }, i) =>
    [i + 1, symbol, modules, alone, cumulative, exportedIn, examples.join(' ')].join('\t'),
  )
  return `${[COLUMNS.join('\t'), ...lines].join('\n')}\n`
}

/** As JSON, one symbol a line. */
export function missingJson({ symbols, ...head }: MissingDocument): string {
  const opening = JSON.stringify(head).slice(0, -1)
  return `${opening},"symbols":[\n${symbols.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`
}
