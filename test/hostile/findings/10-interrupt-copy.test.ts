/**
 * Finding 10, a break between domains: a copy of a capability to a message interrupt outlived the block of vectors it came
 * from, and with its number, which was another domain's by then, `irq.attach` took it.
 */
import test from 'ava'
import { op } from '../../kernel/support.ts'
import { TestDevice, TURN, turn } from '../../machine/support.ts'
import { LAYERED, machineOf, say, script, word, WORDS } from '../script.ts'

const [IRQ, ATTACHED, HEARD, NEXT] = [WORDS, WORDS + 4, WORDS + 8, WORDS + 12]
const MSI = 1

/** Slots of what it was granted, by looking: the lowest free one before a grant is the grant's first. */
const thief = script(
  'thief',
  [
    {
      name: 'probe',
      params: 2,
      result: true,
      body: [
        ...say('cap.free', [], NEXT),
        ...say('pci.vectors', [[op.local(1)], MSI, 1], IRQ),
        // The block is in slot NEXT, its interrupt in the one after it. A copy, then away with both.
        ...say('cap.mint', [[...word(NEXT), op.value(1), op.add], [...word(NEXT), op.value(2), op.add], 15, 0]),
        ...say('cap.remove', [[...word(NEXT), op.value(1), op.add]]),
        ...say('cap.remove', [word(NEXT)]),
        op.value(0),
      ],
    },
    turn(say('irq.attach', [word(IRQ)], ATTACHED)),
    { name: 'irq', params: 1, body: [op.value(HEARD), ...word(HEARD), op.value(1), op.add, op.store] },
  ],
  { policy: LAYERED },
)

const owner = script('owner', [
  {
    name: 'probe',
    params: 2,
    result: true,
    body: [...say('pci.vectors', [[op.local(1)], MSI, 1], IRQ), op.value(0)],
  },
])

test('finding 10: no copy of an interrupt outlives its vectors, whatever is removed first', async (t) => {
  const machine = machineOf()
  const [first, second] = [1, 2].map((slot) => machine.board.pci.plug((context) => new TestDevice(context), slot))
  const hostile = await machine.load(thief)
  t.is(await hostile.bind(first!), 0)
  const victim = await machine.load(owner)
  t.is(await victim.bind(second!), 0)
  const [taken, given] = [hostile.host.words[IRQ >> 2]!, victim.host.words[IRQ >> 2]!]
  t.is(taken, given, 'the number is another’s now')
  await hostile.call(TURN)
  t.is(hostile.host.words[ATTACHED >> 2], -1)
  t.is(hostile.domain.interrupts.has(given), false)
  t.is(hostile.domain.capabilities.ofType('irq').length, 1, 'the line of its own function')
  t.is(second!.vectorCount, 1)
})
