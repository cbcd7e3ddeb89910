/** What a compiler said, as data. Understands clang's one-line form, which emcc and yowasp share. */

export interface Diagnostic {
  readonly file: string
  /** From 1; 0 when the compiler named no line. */
  readonly line: number
  readonly message: string
}

const LINE = /^(?<file>[^\s:][^:\n]*):(?<line>\d+):(?:\d+:)? (?<kind>error|fatal error|warning): (?<message>.*)$/
const BARE = /^(?:[\w./+-]*(?:clang|emcc)[\w.+-]*|wasm-ld[\w.-]*): (?:fatal )?error: (?<message>.*)$/

/** Errors (and, when asked, warnings) in the order they were said, each once. */
export function parseDiagnostics(output: string, options: { warnings?: boolean } = {}): Diagnostic[] {
  const seen = new Set<string>()
  const result: Diagnostic[] = []
  for (const text of output.split('\n')) {
    const match = LINE.exec(text) ?? BARE.exec(text)
    const groups = match?.groups
    if (groups === undefined) continue
    if (groups['kind'] === 'warning' && options.warnings !== true) continue
    const found = { file: groups['file'] ?? '', line: Number(groups['line'] ?? 0), message: groups['message'] ?? '' }
    const key = JSON.stringify(found)
    if (!seen.has(key)) result.push(found)
    seen.add(key)
  }
  return result
}

/** Names in a make-style dependency list. */
export function parseDependencies(text: string): string[] {
  const body = text.slice(text.indexOf(':') + 1).replaceAll('\\\n', ' ')
  return [...body.matchAll(/(?:\\ |[^\s])+/g)].map((match) => match[0].replaceAll('\\ ', ' ').replaceAll('$$', '$'))
}
