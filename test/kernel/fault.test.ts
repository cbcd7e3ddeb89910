/** The taxonomy: what the engine and the host say becomes a kind of the one table, and docs/faults.md is that table. */
import { join } from 'node:path'
import test from 'ava'
import { CapabilityError } from '../../kernel/capability.ts'
import { classify, FAULTS, Failure } from '../../kernel/fault.ts'
import { golden } from '../golden.ts'

test('every kind is in docs/faults.md, as the table has it', (t) => {
  const rows = Object.entries(FAULTS).map(
    ([kind, { noticed, reported, follows }]) => `| \`${kind}\` | ${noticed} | ${reported} | ${follows} |`,
  )
  const text = [
    '# How a driver fails',
    '',
    '<!-- Generated from kernel/fault.ts by test/kernel/fault.test.ts (DRVPORT_BLESS=1). Do not edit. -->',
    '',
    'Every way a domain can end but of its own will. The domain ends there, and only it: its capabilities end, its DMA windows close, its interrupts are masked, its device is',
    'reset; `remains()` is zero. The record has kind, message, virtual time and the C backtrace, innermost call first.',
    '',
    '`restart`: the supervisor starts it again, with backoff (1 ms, doubled, up to 1 s), a limit (5 in 60 s) and escalation. `never`: it stays down and the reason is recorded.',
    '',
    '| kind | noticed by | reported | what follows |',
    '|---|---|---|---|',
    ...rows,
    '',
    'One sample driver per kind that a driver can cause is in `drivers-src/faults`; `test/real/faults.test.ts` runs each at every moment where it applies, beside a driver under traffic.',
    '',
    'What is not seen: on one processor `spin_lock()` keeps no state (Linux compiles it to a count), so a spin lock taken twice and the order of spin locks are not; a lock held too long, given',
    'back too often or slept under is. Memory that is read after it was freed is seen only when the allocator meets it again.',
    '',
  ]
  golden(t, join(import.meta.dirname, '../../docs'), 'faults.md', text.join('\n'))
})

test('an exhausted stack is told from any other RangeError', (t) => {
  const deeper = (): number => deeper() + 1
  t.is(classify(t.throws(deeper, { instanceOf: RangeError })).kind, 'stack-overflow')
  t.is(classify(new RangeError('Start offset 5 is outside the bounds of the buffer')).kind, 'internal')
})

test('what the kernel refuses for want of room or right is the domain having asked', (t) => {
  t.is(classify(new CapabilityError('quota', 'full')).kind, 'quota')
  t.is(classify(new CapabilityError('ended', 'gone')).kind, 'no-capability')
  t.is(classify(new Failure('bug', 'so')).kind, 'bug')
})
