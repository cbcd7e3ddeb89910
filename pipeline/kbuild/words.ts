/** Splitting a command line as a POSIX shell would, without expansions: quotes and backslashes only. */

/** Words of a line, unquoted. Throws on a quote that is not closed. */
export function shellWords(line: string): string[] {
  const words: string[] = []
  let word = ''
  let open = false
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string
    if (c === ' ' || c === '\t' || c === '\n') {
      if (open) words.push(word)
      word = ''
      open = false
      continue
    }
    open = true
    if (c === '\\') {
      i += 1
      word += line[i] ?? ''
    } else if (c === "'" || c === '"') {
      const [text, end] = quoted(line, i)
      word += text
      i = end
    } else word += c
  }
  if (open) words.push(word)
  return words
}

/** Text of the quoted part that starts at `start`, and where its closing quote is. */
function quoted(line: string, start: number): [text: string, end: number] {
  const quote = line[start]
  let text = ''
  for (let i = start + 1; i < line.length; i++) {
    const c = line[i] as string
    if (c === quote) return [text, i]
    const escapes = quote === '"' && c === '\\' && '"\\$`'.includes(line[i + 1] ?? ' ')
    if (escapes) i += 1
    text += escapes ? line[i] : c
  }
  throw new Error(`unclosed ${quote} in: ${line}`)
}
