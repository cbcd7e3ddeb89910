/** A compile command taken apart, as far as precompiled headers depend on it. */

import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import type { Known, Search } from './headers.ts'
import { TRACE_SWITCH } from './pch-rules.ts'

/** A command line taken apart. */
export interface Command {
  readonly search: Search
  /** -D and -U arguments. */
  readonly defines: readonly string[]
  /** Files of -include, in order. */
  readonly forced: readonly string[]
  /** Equal for command lines that can share a precompiled header. */
  readonly kind: string
}

const FLAG_WITH_VALUE = new Set(['-mllvm', '-Xclang', '-x', '-target'])
/** Other ways of finding headers: not understood, so not used. */
const OTHER_SEARCH = /^-(isystem.|iquote|idirafter|imacros|include-pch|iprefix|isysroot)/
/** Take a command line apart; undefined when it finds headers in ways that are not understood. */
export function parseCommand(args: readonly string[]): Command | undefined {
  const dirs: string[] = []
  // Sought after all others, wherever it stands: the compiler's own headers, in trees that do without a stdarg.h of theirs.
  const system: string[] = []
  const defines: string[] = []
  const forced: string[] = []
  const rest: string[] = []
  let common = 0
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string
    if (OTHER_SEARCH.test(arg)) return undefined
    if (arg === '-I') dirs.push(args[++i] ?? '')
    else if (arg === '-isystem') system.push(args[++i] ?? '')
    else if (arg.startsWith('-I')) {
      if (rest.every((other) => other === '-nostdinc') && forced.length + defines.length === 0) common = dirs.length + 1
      dirs.push(arg.slice(2))
    } else if (arg === '-include') forced.push(args[++i] ?? '')
    else if (/^-[DU]/.test(arg)) defines.push(arg)
    else if (FLAG_WITH_VALUE.has(arg)) rest.push(arg, args[++i] ?? '')
    else if (!/^-W(?!a,|p,|l,)|^-f(file|macro|debug)-prefix-map=/.test(arg)) rest.push(arg)
  }
  const key = dirs.slice(0, common).join('\n')
  // A bare -DDEBUG is there to be asked for: it makes a kind. Others have values of a module's own.
  const switches = defines.filter((define) => !define.includes('='))
  const kind = [...rest, '', ...switches, '', ...forced, '', key, '', ...system].join('\n')
  return { search: { dirs: [...dirs, ...system], common, key }, defines, forced, kind }
}

/** Name of the macro of a -D or -U. */
export const macroOf = (define: string): string => /^-[DU](\w+)/.exec(define)?.[1] ?? ''
/** Options of the kernel's configuration, from the header that Kbuild makes of them, and what holds for any C file. */
export function knownMacros({ search, defines }: Command): Known {
  const always = new Map<string, boolean>([
    ['__KERNEL__', true],
    ['__clang__', true],
    ['__GNUC__', true],
    ['__ASSEMBLY__', false],
    ['__ASSEMBLER__', false],
    ['__cplusplus', false],
    [TRACE_SWITCH, false],
    ['_MSC_VER', false],
    ['__INTEL_COMPILER', false],
    ...['attribute', 'builtin', 'feature', 'extension', 'include'].map((what) => [`__has_${what}`, true] as const),
    ['MODULE', defines.includes('-DMODULE')],
    // The overlay's: old trees have two sets of headers for atomic operations.
    ['ARCH_ATOMIC', defines.includes('-DARCH_ATOMIC')],
  ])
  const text = search.dirs
    .map((dir) => textOf(path.join(dir, 'generated', 'autoconf.h')))
    .find((found) => found !== undefined)
  const options = new Set((text ?? '').match(/(?<=^#define )CONFIG_\w+/gm))
  return (macro) => (macro.startsWith('CONFIG_') && text !== undefined ? options.has(macro) : always.get(macro))
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
