/** Contracts, alone: what fits, and how a refusal is worded. In conversations: ipc-ends.test.ts, at random: ipc-model.test.ts. */
import test from 'ava'
import { CNode } from '../../kernel/capability.ts'
import { type Carried, Contract } from '../../kernel/contract.ts'

const SESSION = 5

function scene() {
  const contract = new Contract({
    name: 'disk',
    start: 'closed',
    messages: {
      open: 1,
      write: { label: 2, words: 2, capabilities: ['memory', 'thing'] },
      end: { label: 3, capabilities: [] },
    },
    states: { closed: { open: 'opened' }, opened: { write: 'opened', end: 'over' }, over: {} },
  })
  const space = new CNode('space', 16)
  space.create({ type: 'memory', label: 'm' }, { slot: 0 })
  space.create({ type: 'thing', label: 't' }, { slot: 1 })
  const message = (label: number, count: number, ...caps: number[]): Carried => ({
    label,
    count,
    capCount: caps.length,
    caps,
  })
  return { contract, space, message }
}

test('a message fits that carries as many words and the types that its contract names, in order', (t) => {
  const { contract, space, message } = scene()
  const fits = (...what: Parameters<typeof message>): boolean => contract.fits(message(...what), space)
  t.deepEqual(
    [fits(2, 2, 0, 1), fits(1, 7), fits(1, 0, 1, 0), fits(3, 9), fits(9, 1, 1)],
    [true, true, true, true, true],
  )
  t.deepEqual([fits(2, 1, 0, 1), fits(2, 3, 0, 1)], [false, false])
  for (const caps of [[], [0], [1, 0], [0, 0], [1, 1], [0, 9], [9, 1], [0, 1, 1]])
    t.false(fits(2, 2, ...caps), caps.join())
  t.false(fits(3, 0, 1))
})

test('a refusal names message and state, and what is expected; else what it carries, and should', (t) => {
  const { contract, space, message } = scene()
  const said = (...what: Parameters<typeof message>): string => contract.refusal(SESSION, message(...what), space)
  t.is(said(2, 2, 0, 1), 'disk: write in state closed, where open is expected')
  contract.advance(SESSION, 1)
  t.is(said(1, 0), 'disk: open in state opened, where write, end is expected')
  t.is(said(9, 0), 'disk: message 9 in state opened, where write, end is expected')
  t.is(said(2, 1, 0, 1), 'disk: write carries 1 words, where 2 are expected')
  t.is(said(2, 2, 1, 9), 'disk: write carries thing, nothing, where memory, thing is expected')
  t.is(said(2, 2), 'disk: write carries no capability, where memory, thing is expected')
  t.is(said(3, 0, 1), 'disk: end carries thing, where no capability is expected')
  contract.advance(SESSION, 3)
  t.is(said(1, 0), 'disk: open in state over, where nothing is expected')
})

test('each session is at a place of its own, and begins again from the start', (t) => {
  const { contract } = scene()
  contract.advance(SESSION, 1)
  contract.advance(SESSION, 9)
  t.deepEqual([contract.allows(SESSION, 2), contract.allows(SESSION, 1), contract.allows(6, 1)], [true, false, true])
  contract.restart(SESSION)
  t.deepEqual([contract.allows(SESSION, 2), contract.allows(SESSION, 1)], [false, true])
})
