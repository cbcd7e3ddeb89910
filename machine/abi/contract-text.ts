/**
 * Contracts as a program writes them: `open=1 write=2/3 lend=3/0+memory; closed: open > opened; opened: write > opened`.
 *
 * Messages first, each with its label, if it says so the number of its words and then the types of its capabilities; then the states, the first of which is where a session starts. What the text means is
 * kernel/contract.ts's business; it comes from a program, so all of it may be wrong.
 */
import type { ContractRules, MessageShape } from '../../kernel/contract.ts'
import { GONE, WORDS } from '../../kernel/message.ts'

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

/** LABEL, LABEL/WORDS or LABEL/WORDS+TYPE+TYPE */
function shapeIn(message: string, text: string): MessageShape {
  const [, label, words, types] = /^(\d{1,10})(?:\/(\d)((?:\+[\w-]+)*))?$/.exec(text) ?? []
  if (label === undefined || Number(label) >= GONE || Number(words ?? 0) > WORDS)
    throw new RangeError(`message ${message.slice(0, 40)}: LABEL, LABEL/WORDS or LABEL/WORDS+TYPE expected`)
  if (words === undefined) return { label: Number(label) }
  return { label: Number(label), words: Number(words), capabilities: (types ?? '').split('+').slice(1) }
}

/** Read the rules of contract `name`. Throws RangeError that says what is wrong. */
export function parseContract(name: string, text: string): ContractRules {
  const [head = '', ...rest] = text.split(';')
  const messages: Record<string, MessageShape> = {}
  for (const item of head.trim().split(/\s+/)) {
    const [message, shape] = pairIn(item, '=', 'MESSAGE=LABEL')
    messages[nameIn(message, 'a message')] = shapeIn(message, shape)
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
