/** C tokens, for macros and constants: the parts of a source that a syntax tree has no answer for. Pure. */

export interface Token {
  readonly kind: 'id' | 'number' | 'string' | 'char' | 'punct'
  readonly text: string
  /** Offset in the text it was read from; kept through macro expansion only for arguments. */
  readonly at: number
}

const TOKEN =
  /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|\\\r?\n|\s+|([A-Za-z_]\w*)|(\.?\d(?:[eEpP][+-]|[\w.])*)|((?:u8|[uUL])?"(?:\\[\s\S]|[^"\\\n])*"?)|([uUL]?'(?:\\[\s\S]|[^'\\\n])*'?)|(<<=|>>=|\.\.\.|##|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[\s\S])/g

const kinds = ['id', 'number', 'string', 'char', 'punct'] as const

/** Tokens of `text`, without comments and space. Never fails: what is not C becomes punctuation. */
export function tokenize(text: string, offset = 0): Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(TOKEN)) {
    for (let i = 0; i < kinds.length; i++) {
      const found = match[i + 1]
      if (found === undefined) continue
      tokens.push({ kind: kinds[i] as Token['kind'], text: found, at: offset + match.index })
      break
    }
  }
  return tokens
}

const OPEN = new Set(['(', '[', '{'])
const CLOSE = new Set([')', ']', '}'])

/** Split at top-level commas. `()` has no parts; a trailing comma adds none. */
export function splitArguments(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = []
  let part: Token[] = []
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'punct') {
      if (OPEN.has(token.text)) depth++
      else if (CLOSE.has(token.text)) depth--
      else if (token.text === ',' && depth === 0) {
        parts.push(part)
        part = []
        continue
      }
    }
    part.push(token)
  }
  if (part.length > 0) parts.push(part)
  return parts
}

/** Index of the bracket that closes the one at `open`; the last index if none does. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    const { kind, text } = tokens[i] as Token
    if (kind !== 'punct') continue
    if (OPEN.has(text)) depth++
    else if (CLOSE.has(text) && --depth === 0) return i
  }
  return tokens.length - 1
}

/** Value of a string literal token. */
export function stringValue(literal: string): string {
  const inner = literal.replace(/^[^"]*"/, '').replace(/"$/, '')
  const simple: Record<string, string> = { n: '\n', t: '\t', r: '\r', 0: '\0', a: '\x07', b: '\b', f: '\f', v: '\v' }
  return inner.replaceAll(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|\r?\n|[\s\S])/g, (_, escape: string) => {
    if (/^x[0-9a-fA-F]/.test(escape)) return String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
    if (/^[0-7]{1,3}$/.test(escape)) return String.fromCodePoint(Number.parseInt(escape, 8))
    if (escape.endsWith('\n') && escape.length <= 2) return ''
    return simple[escape] ?? escape
  })
}

/** Text of tokens, for people. */
export function textOf(tokens: readonly Token[]): string {
  const isWord = (token: Token | undefined): boolean => token?.kind === 'id' || token?.kind === 'number'
  return tokens.map((token, i) => (isWord(token) && isWord(tokens[i - 1]) ? ' ' : '') + token.text).join('')
}
