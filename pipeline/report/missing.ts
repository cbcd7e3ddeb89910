/**
 * Which symbols keep modules from linking, and in which order to provide them.
 *
 * The order is greedy: the next symbol is the one that brings most modules nearest to linking. A module that lacks n more
 * symbols counts 2^(1-n): one that lacks nothing else counts whole, one that lacks fifty hardly. Pure.
 */

import type { SymbolTable } from '../build/symbols.ts'
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
  /** Its row in linux-api/symbols: `trap`, `stub`...; '' when it has none. */
  readonly status: string
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
  readonly table?: SymbolTable
}

const EXAMPLES = 3

interface Incidence {
  readonly symbols: readonly string[]
  /** Modules (by index) that need a symbol, and the other way round. */
  readonly neededBy: readonly number[][]
  readonly needs: readonly number[][]
}

function incidence(missing: readonly (readonly string[])[]): Incidence {
  const symbols = [...new Set(missing.flat())].toSorted()
  const number = new Map(symbols.map((symbol, i) => [symbol, i]))
  const needs = missing.map((names) => [...new Set(names)].map((name) => number.get(name) as number))
  const neededBy: number[][] = symbols.map(() => [])
  for (const [module, list] of needs.entries()) for (const symbol of list) neededBy[symbol]?.push(module)
  return { symbols, neededBy, needs }
}

/** Beyond this a module's share no longer moves the order. */
const FAR = 60
const weight = (lacking: number): number => (lacking > FAR ? 0 : 2 ** (1 - lacking))

/** The symbol to provide next; of equals the one that more modules need, then by name. */
function best(score: Float64Array, { neededBy }: Incidence, done: Uint8Array): number {
  let chosen = -1
  for (let i = 0; i < score.length; i++) {
    if (done[i] === 1) continue
    if (chosen < 0 || (score[i] as number) > (score[chosen] as number)) chosen = i
    else if (score[i] === score[chosen] && (neededBy[i]?.length ?? 0) > (neededBy[chosen]?.length ?? 0)) chosen = i
  }
  return chosen
}

/** Symbols in greedy order, each with how many modules link by then. */
function greedy(graph: Incidence): { symbol: number; cumulative: number }[] {
  const { symbols, neededBy, needs } = graph
  const lacking = needs.map((list) => list.length)
  const score = new Float64Array(symbols.length)
  for (const [module, list] of needs.entries())
    for (const symbol of list) score[symbol] = (score[symbol] as number) + weight(lacking[module] as number)
  const done = new Uint8Array(symbols.length)
  let cumulative = 0
  return symbols.map(() => {
    const symbol = best(score, graph, done)
    done[symbol] = 1
    for (const module of neededBy[symbol] ?? []) {
      const before = lacking[module] as number
      lacking[module] = before - 1
      if (before === 1) cumulative += 1
      const nearer = weight(before - 1) - weight(before)
      if (before > 1) for (const other of needs[module] ?? []) score[other] = (score[other] as number) + nearer
    }
    return { symbol, cumulative }
  })
}

/** The ranking. */
export function rankMissing(document: MatrixDocument, facts: MissingFacts = {}): MissingDocument {
  const blocked = document.rows.filter(({ missing }) => missing.length > 0)
  const graph = incidence(blocked.map(({ missing }) => missing))
  const symbols = greedy(graph).map(({ symbol: i, cumulative }): MissingRow => {
    const symbol = graph.symbols[i] as string
    const modules = graph.neededBy[i] ?? []
    return {
      symbol,
      modules: modules.length,
      alone: modules.filter((module) => graph.needs[module]?.length === 1).length,
      cumulative,
      exportedIn: facts.exportedIn?.(symbol) ?? '',
      status: facts.table?.get(symbol)?.status ?? '',
      examples: modules.slice(0, EXAMPLES).map((module) => blocked[module]?.module ?? ''),
    }
  })
  const { tree, toolchain, drvport } = document
  return { schema: 'drvport.missing/1', tree, toolchain, drvport, blocked: blocked.length, symbols }
}

const COLUMNS = ['order', 'symbol', 'modules', 'alone', 'cumulative', 'exported_in', 'status', 'examples'] as const

/** As tab-separated text, in order, with a header. */
export function missingTsv({ symbols }: MissingDocument): string {
  const lines = symbols.map(({ symbol, modules, alone, cumulative, exportedIn, status, examples }, i) =>
    [i + 1, symbol, modules, alone, cumulative, exportedIn, status, examples.join(' ')].join('\t'),
  )
  return `${[COLUMNS.join('\t'), ...lines].join('\n')}\n`
}

/** As JSON, one symbol a line. */
export function missingJson({ symbols, ...head }: MissingDocument): string {
  const opening = JSON.stringify(head).slice(0, -1)
  return `${opening},"symbols":[\n${symbols.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`
}
