/** A domain's interrupts: which is begun next, and how often in a row one was not silenced. */
import test from 'ava'
import { InterruptSet, type InterruptSource } from '../../kernel/interrupts.ts'

function scene() {
  const set = new InterruptSet()
  const asked: string[] = []
  /** What a source answers: whether there is still something to handle, and whether it could be unmasked. */
  const says = { begin: true, unmask: true }
  const add = (number: number, end = (): void => {}): void => {
    const source: InterruptSource = {
      mask: () => void asked.push(`mask ${number}`),
      unmask: () => (asked.push(`unmask ${number}`), says.unmask),
      begin: () => (asked.push(`begin ${number}`), says.begin),
      end: () => (asked.push(`end ${number}`), end()),
      detach: () => void asked.push(`detach ${number}`),
    }
    set.add(number, source)
  }
  const begun = (): number[] => {
    const numbers: number[] = []
    for (let number = set.begin(); number >= 0; number = set.begin()) numbers.push(number)
    return numbers
  }
  return { set, asked, says, add, begun }
}

test('what was notified is pending once the latency has passed, and begins in order of number, each once', (t) => {
  const { set, asked, add, begun } = scene()
  for (const number of [9, 2, 5]) add(number)
  t.deepEqual([set.count, set.pending, set.has(2), set.has(3)], [3, false, true, false])
  t.deepEqual([set.notify(9), set.notify(2), set.notify(3)], [true, true, false])
  t.deepEqual([set.pending, begun()], [false, []], 'not yet')
  set.arrive()
  t.true(set.pending)
  t.deepEqual([begun(), set.pending], [[2, 9], false])
  set.arrive()
  t.deepEqual([begun(), asked], [[], ['begin 2', 'begin 9']])
})

test('what its source has nothing to handle for any more is passed over', (t) => {
  const { set, asked, says, add } = scene()
  for (const number of [1, 2]) add(number)
  set.notify(1)
  set.notify(2)
  set.arrive()
  says.begin = false
  t.deepEqual([set.begin(), asked, set.pending], [-1, ['begin 1', 'begin 2'], false])
})

test('how often in a row it was still asserted when its handler returned is counted, until it is not', (t) => {
  const { set, add } = scene()
  let asserted = true
  add(4, () => {
    if (asserted) set.notify(4)
  })
  t.deepEqual([set.end(4), set.end(4), set.end(4)], [1, 2, 3])
  set.arrive()
  asserted = false
  t.is(set.end(4), 0)
  asserted = true
  t.deepEqual([set.end(4), set.end(7)], [1, 0], 'nobody knows 7')
})

test('masking is the source’s to do, where there is one', (t) => {
  const { set, asked, says, add } = scene()
  add(3)
  t.deepEqual([set.mask(3), set.mask(4), set.unmask(3), set.unmask(4)], [true, false, true, false])
  says.unmask = false
  t.false(set.unmask(3))
  t.deepEqual(asked, ['mask 3', 'unmask 3', 'unmask 3'])
})

test('what is removed is detached and comes no more, the others stay; cleared, none is left', (t) => {
  const { set, asked, add, begun } = scene()
  for (const number of [1, 2, 3]) add(number)
  for (const number of [1, 2, 3]) set.notify(number)
  set.arrive()
  t.deepEqual([set.remove(2), set.remove(2), set.count, set.notify(2)], [true, false, 2, false])
  t.deepEqual(
    [begun(), asked],
    [
      [1, 3],
      ['detach 2', 'begin 1', 'begin 3'],
    ],
  )
  asked.length = 0
  set.clear()
  t.deepEqual([set.count, set.notify(1), asked], [0, false, ['detach 1', 'detach 3']])
})
