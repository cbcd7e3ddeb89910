import test from 'ava'
import { CapabilityError, CNode, Revocation, revoke, RIGHT } from '../../kernel/capability.ts'

const object = { type: 'thing', label: 'a thing' }

test('rights only shrink along derivations', (t) => {
  const a = new CNode('a')
  const b = new CNode('b')
  const root = a.create(object)
  const reader = b.derive(root, object, { rights: RIGHT.READ })
  t.is(reader.rights, RIGHT.READ)
  t.is(b.derive(reader, object).rights, RIGHT.READ)
  t.throws(() => a.derive(reader, object), { message: /lacks the right to be granted on/ })
})

test('revoking ends every descendant, in any space, and no sibling', (t) => {
  const a = new CNode('a')
  const b = new CNode('b')
  const ended: string[] = []
  const named = (name: string) => ({ ended: () => ended.push(name) })
  const root = a.create(object, named('root'))
  const left = b.derive(root, object, named('left'))
  const right = b.derive(root, object, named('right'))
  b.derive(left, object, named('left/1'))
  b.derive(left, object, named('left/2'))
  t.is(revoke(left), 3)
  t.deepEqual(ended.toSorted(), ['left', 'left/1', 'left/2'])
  t.true(right.alive && root.alive)
  t.is(b.count, 1)
  t.throws(() => b.derive(left, object), { message: /has ended/ })
})

test('what is revoked step by step may be ended at once: whoever asks is told of the rest', (t) => {
  const a = new CNode('a')
  const root = a.create(object)
  for (let i = 0; i < 5; i++) a.derive(root, object)
  t.false(Revocation.of(root).step(2))
  t.is(revoke(root), 4)
  t.is(a.count, 0)
})

test('deleting one hands its children to its parent', (t) => {
  const a = new CNode('a')
  const root = a.create(object)
  const middle = a.derive(root, object)
  const leaf = a.derive(middle, object)
  a.delete(middle)
  t.true(leaf.alive)
  t.is(leaf.parent, root)
  t.is(revoke(root), 2)
  t.is(a.count, 0)
})

test('a space holds no more than its quota, and slots are used again', (t) => {
  const a = new CNode('a', 2)
  const first = a.create(object)
  a.create(object)
  t.throws(() => a.create(object), { message: 'a holds 2 capabilities: its quota' })
  a.delete(first)
  t.is(a.create(object).slot, first.slot)
  t.is(a.clear(), 2)
})

test('a refusal takes no trace, and leaves other errors theirs', (t) => {
  const before = Error.stackTraceLimit
  t.notRegex(new CapabilityError('empty', 'nothing there').stack ?? '', /\n\s+at /)
  t.is(Error.stackTraceLimit, before)
})
