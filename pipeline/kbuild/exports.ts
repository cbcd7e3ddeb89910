/**
 * Which symbol is exported where, read from the source text.
 *
 * The overlay switches EXPORT_SYMBOL's ELF sections off, so the source is where exports are known. Pure.
 */

export interface Export {
  readonly symbol: string
  readonly gplOnly: boolean
}

/** The name is the first argument of all of these; what they export for it stands behind. */
const MACROS: readonly (readonly [pattern: RegExp, names: (name: string) => string[]])[] = [
  [/^[ \t]*(?:__)?EXPORT_SYMBOL((?:_[A-Z]+)*)\s*\(\s*([A-Za-z_]\w*)/gm, (name) => [name]],
  [/^[ \t]*EXPORT_PER_CPU_SYMBOL((?:_[A-Z]+)*)\s*\(\s*([A-Za-z_]\w*)/gm, (name) => [name]],
  [/^[ \t]*EXPORT_TRACEPOINT_SYMBOL((?:_[A-Z]+)*)\s*\(\s*([A-Za-z_]\w*)/gm, (name) => [`__tracepoint_${name}`]],
  [/^[ \t]*EXPORT(?:_[A-Z]+)?_DEV_PM_OPS()\s*\(\s*([A-Za-z_]\w*)/gm, (name) => [name]],
]

/** Exports in one C file, in order. */
export function exportsIn(text: string): Export[] {
  if (!text.includes('EXPORT')) return []
  const found = new Map<string, Export>()
  for (const [pattern, names] of MACROS) {
    for (const match of text.matchAll(pattern)) {
      for (const symbol of names(match[2] as string)) {
        found.set(symbol, { symbol, gplOnly: (match[1] ?? '').includes('GPL') })
      }
    }
  }
  return [...found.values()]
}
