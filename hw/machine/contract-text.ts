/**
 * Contracts as a program writes them: `open=1 write=2 close=3; closed: open > opened; opened: write > opened, close > closed`.
 *
 * Messages with their labels first, then the states, the first of which is where a session starts. What the text means is
 * kernel/contract.ts's business; it comes from a program, so all of it may be wrong.
 */
import type { ContractRules } from '../../kernel/contract.ts'

const NAME = /^[\w-]+$/

function nameIn(text: string, what: string): string {
  const name = text.trim()
  if (!NAME.test(name)) throw new RangeError(`${what} expected, found ${JSON.stringify(name.slice(0, 40))}`)
  return name
}

const pairIn = (text: string, separator: string, what: string): [string, string] => {
  const at = text.indexOf(separator)
  if (at < 0) throw new RangeError(`${what} expected, found ${JSON.stringify(text.trim().slice(0, 40))}`)
  return [text.slice(0, at), text.slice(at + separator.length)]
}

/** Read the rules of contract `name`. Throws RangeError that says what is wrong. */
export function parseContract(name: string, text: string): ContractRules {
  const [head = '', ...rest] = text.split(';')
  const messages: Record<string, number> = {}
  for (const item of head.trim().split(/\s+/)) {
    const [message, label] = pairIn(item, '=', 'MESSAGE=LABEL')
    const number = Number(label)
    if (!/^\d+$/.test(label) || number > 0x7fff_ffff) throw new RangeError(`label of ${message}: ${label}`)
    messages[nameIn(message, 'a message')] = number
  }
  const states: Record<string, Record<string, string>> = {}
  for (const item of rest) {
    if (item.trim() === '') continue
    const [state, moves] = pairIn(item, ':', 'STATE: MESSAGE > STATE, ...')
    const next: Record<string, string> = {}
    for (const move of moves.split(',')) {
      if (move.trim() === '') continue
      const [message, to] = pairIn(move, '>', 'MESSAGE > STATE')
      next[nameIn(message, 'a message')] = nameIn(to, 'a state')
    }
    states[nameIn(state, 'a state')] = next
  }
  const [start] = Object.keys(states)
  if (start === undefined) throw new RangeError('a state expected, found none')
  return { name, start, messages, states }
}
