import test from 'ava'
import { CNode, revoke } from '../../kernel/capability.ts'
import { lookup, revocation } from '../../kernel/cspace.ts'
import { holdToModel } from './model/_capability-pair.ts'

test('random operations on capabilities agree with the model', (t) => {
  holdToModel(500, 100, 1)
  t.pass()
})

test('seL4: every descendant fails from the instant a revocation begins, siblings do not', (t) => {
  const node = new CNode('holder')
  const thing = { type: 'thing', label: 'a thing' }
  const root = node.create(thing)
  const left = node.derive(root, thing)
  const right = node.derive(root, thing)
  const leaves = Array.from({ length: 100 }, () => node.derive(left, thing))
  const begun = revocation(node, left.slot)
  t.false(begun.step(0))
  t.true(
    leaves.every((leaf) => !leaf.alive && leaf.space === node),
    'all unusable while their slots are still full',
  )
  t.throws(() => lookup(node, leaves[7]!.slot), { message: /being revoked/ })
  t.throws(() => node.derive(leaves[7]!, thing), { message: /has ended/ })
  t.true(right.alive && left.alive)
  let steps = 1
  while (!begun.step(8)) steps++
  t.is(begun.ended, 100)
  t.is(steps, 13)
  t.is(node.count, 3)
  t.is(revoke(root), 3)
})
