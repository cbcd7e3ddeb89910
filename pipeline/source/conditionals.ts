/**
 * Preprocessor lines resolved for one configuration: what is not compiled, and all directives, become blanks of the same
 * length, so that positions in the result are positions in the file.
 */
import { evaluate } from './constant.ts'
import { definesIn, expand, type Macro } from './macros.ts'
import { lastAtMost } from '../wasm/offsets.ts'
import { tokenize, type Token } from './tokens.ts'

/** Whether a CONFIG_ option is on (=y or =m). */
export type Config = (option: string) => boolean

/**
 * Everything but other architectures, 64-bit and SMP: what allmodconfig says on wasm32, for when no configuration is at
 * hand.
 */
export const allModConfig: Config = (option) =>
  !/^CONFIG_(?:64BIT|SMP|X86|ARM|ARM64|PPC|PPC32|PPC64|SPARC|SPARC32|SPARC64|MIPS|SH|ALPHA|IA64|M68K|PARISC|S390|RISCV|SUPERH|MACH_|MIPS_|SH_|ARCH_|CPU_|KASAN|LOCKDEP|PROVE_LOCKING|PREEMPT_RT)/.test(
    option,
  )

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ')

/** A preprocessor line with its continuations; a comment that starts on it may run on. */
const DIRECTIVE = /^[ \t]*#[ \t]*(\w*)((?:\\\r?\n|\/\*[\s\S]*?\*\/|[^\n])*)/gm

interface Level {
  /** The enclosing text is compiled. */
  readonly outer: boolean
  /** This branch is compiled. */
  active: boolean
  /** Some branch has been. */
  taken: boolean
}

export interface Resolved {
  readonly text: string
  readonly macros: ReadonlyMap<string, Macro>
}

/** Resolve conditionals of one file. `predefined` are macros of the module's other headers. */
export function resolveConditionals(text: string, config: Config, predefined?: ReadonlyMap<string, Macro>): Resolved {
  const macros = new Map<string, Macro>()
  const levels: Level[] = []
  let out = ''
  let from = 0
  const isActive = (): boolean => levels.every((level) => level.active)
  const copy = (end: number): void => {
    const piece = text.slice(from, end)
    out += isActive() ? piece : blank(piece)
  }
  for (const match of text.matchAll(DIRECTIVE)) {
    copy(match.index)
    const [whole, name, rest = ''] = match
    from = match.index + whole.length
    if (name === 'if' || name === 'ifdef' || name === 'ifndef') {
      const outer = isActive()
      const active = outer && condition(name, rest, config, macros, predefined)
      levels.push({ outer, active, taken: active })
    } else if (name === 'elif' || name === 'else') {
      const level = levels.at(-1)
      if (level) {
        level.active =
          level.outer && !level.taken && (name === 'else' || condition('if', rest, config, macros, predefined))
        level.taken ||= level.active
      }
    } else if (name === 'endif') levels.pop()
    else if (isActive()) {
      if (name === 'define')
        for (const [key, macro] of definesIn(whole)) macros.set(key, { ...macro, line: lineAt(text, match.index) })
      else if (name === 'undef') macros.delete(rest.trim())
    }
    out += blank(whole)
  }
  copy(text.length)
  return { text: out, macros }
}

function condition(
  name: string,
  rest: string,
  config: Config,
  macros: ReadonlyMap<string, Macro>,
  predefined: ReadonlyMap<string, Macro> | undefined,
): boolean {
  const find = (macro: string): Macro | undefined => macros.get(macro) ?? predefined?.get(macro)
  const isDefined = (macro: string): boolean =>
    find(macro) !== undefined ||
    (macro.startsWith('CONFIG_') ? config(macro.replace(/_MODULE$/, '')) : ['MODULE', '__KERNEL__'].includes(macro))
  const tokens = tokenize(rest)
  if (name === 'ifdef') return isDefined(tokens[0]?.text ?? '')
  if (name === 'ifndef') return !isDefined(tokens[0]?.text ?? '')
  const value = evaluate(expand(replaceTests(tokens, isDefined, config), find), (id) => (isDefined(id) ? 1n : 0n))
  // What cannot be evaluated is taken as true: better to look at code that is not compiled than to miss some.
  return value === undefined || value !== 0n
}

/** defined(X), IS_ENABLED(X) and relatives to 1 or 0. */
function replaceTests(tokens: readonly Token[], isDefined: (name: string) => boolean, config: Config): Token[] {
  const out: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token
    const isTest = token.text === 'defined'
    const enabled = /^IS_(?:ENABLED|REACHABLE|BUILTIN|MODULE)$/.test(token.text)
    if (!isTest && !enabled) {
      out.push(token)
      continue
    }
    const bracket = tokens[i + 1]?.text === '('
    const name = tokens[i + (bracket ? 2 : 1)]?.text ?? ''
    i += bracket ? 3 : 1
    const value = isTest ? isDefined(name) : config(name)
    out.push({ kind: 'number', text: value ? '1' : '0', at: token.at })
  }
  return out
}

const lineStarts = new Map<string, Uint32Array>()
/** Texts whose line starts are remembered: those of one module at a time. */
const TEXTS_MAX = 64

function startsOf(text: string): Uint32Array {
  let starts = lineStarts.get(text)
  if (starts === undefined) {
    const found = [0]
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) found.push(i + 1)
    starts = Uint32Array.from(found)
    if (lineStarts.size >= TEXTS_MAX) lineStarts.clear()
    lineStarts.set(text, starts)
  }
  return starts
}

/** Line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  return lastAtMost(startsOf(text), offset) + 1
}
