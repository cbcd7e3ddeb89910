/** Integer constant expressions, as in #if and in initialisers. Pure. Source: C11 6.6. */
import type { Token } from './tokens.ts'

const BINARY: Record<string, [precedence: number, apply: (a: bigint, b: bigint) => bigint | undefined]> = {
  '*': [10, (a, b) => a * b],
  '/': [10, (a, b) => (b === 0n ? undefined : a / b)],
  '%': [10, (a, b) => (b === 0n ? undefined : a % b)],
  '+': [9, (a, b) => a + b],
  '-': [9, (a, b) => a - b],
  '<<': [8, (a, b) => (b < 0n || b > 64n ? undefined : a << b)],
  '>>': [8, (a, b) => (b < 0n || b > 64n ? undefined : a >> b)],
  '<': [7, (a, b) => BigInt(a < b)],
  '>': [7, (a, b) => BigInt(a > b)],
  '<=': [7, (a, b) => BigInt(a <= b)],
  '>=': [7, (a, b) => BigInt(a >= b)],
  '==': [6, (a, b) => BigInt(a === b)],
  '!=': [6, (a, b) => BigInt(a !== b)],
  '&': [5, (a, b) => a & b],
  '^': [4, (a, b) => a ^ b],
  '|': [3, (a, b) => a | b],
  '&&': [2, (a, b) => BigInt(a !== 0n && b !== 0n)],
  '||': [1, (a, b) => BigInt(a !== 0n || b !== 0n)],
}

const DEPTH_MAX = 200

/**
 * Value of a constant expression of fully expanded tokens; undefined when it is not one. `unknown` gives the value of
 * an identifier (0 in #if).
 */
export function evaluate(
  tokens: readonly Token[],
  unknown: (name: string) => bigint | undefined = () => undefined,
): bigint | undefined {
  let at = 0
  let depth = 0
  const peek = (): string | undefined => tokens[at]?.text
  const unary = (): bigint | undefined => {
    const token = tokens[at++]
    if (token === undefined || ++depth > DEPTH_MAX) return undefined
    if (token.kind === 'number') return numberValue(token.text)
    if (token.kind === 'char') return token.text.length === 3 ? BigInt(token.text.codePointAt(1) as number) : undefined
    if (token.kind === 'id') return unknown(token.text)
    const operand = (apply: (v: bigint) => bigint): bigint | undefined => {
      const value = unary()
      return value === undefined ? undefined : apply(value)
    }
    if (token.text === '-') return operand((v) => -v)
    if (token.text === '+') return operand((v) => v)
    if (token.text === '~') return operand((v) => ~v)
    if (token.text === '!') return operand((v) => BigInt(v === 0n))
    if (token.text !== '(') return undefined
    // A cast changes nothing that matters here.
    let close = at
    while (tokens[close]?.kind === 'id' || tokens[close]?.text === '*') close++
    const next = tokens[close + 1]
    if (close > at && tokens[close]?.text === ')' && next && (next.kind !== 'punct' || next.text === '(')) {
      at = close + 1
      return unary()
    }
    const value = ternary()
    return tokens[at++]?.text === ')' ? value : undefined
  }
  const binary = (least: number): bigint | undefined => {
    let left = unary()
    for (;;) {
      const operator = BINARY[peek() ?? '']
      if (operator === undefined || operator[0] < least || left === undefined) return left
      at++
      const right = binary(operator[0] + 1)
      if (right === undefined) return undefined
      left = operator[1](left, right)
    }
  }
  const ternary = (): bigint | undefined => {
    const condition = binary(0)
    if (peek() !== '?') return condition
    at++
    const yes = ternary()
    if (tokens[at++]?.text !== ':') return undefined
    const no = ternary()
    return condition === undefined ? undefined : condition !== 0n ? yes : no
  }
  const value = ternary()
  return at === tokens.length ? value : undefined
}

function numberValue(text: string): bigint | undefined {
  const digits = text.replace(/[uUlL]+$/, '')
  try {
    if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`)
    return /^(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)$/.test(digits) ? BigInt(digits) : undefined
  } catch {
    return undefined
  }
}
