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
    'Locks: on one processor Linux compiles `spin_lock()` to a count. So a lock held too long, given back too often or slept under is always seen; a spin lock taken twice, and the order of locks, are not: the',
    "tree's own lockdep, which sees them, is a configuration of its own: `--lockdep` (samples: `drivers-src/faults/locks`).",
    '',
    'Reports: where Linux itself finds that something is wrong, it writes a report and goes on as well as it can. A domain ends at those after which nothing can be relied on (the table in `shim/lower/fault.c`); a plain',
    '`WARN()` stays what it is in Linux, a record in the log with its place, and the driver goes on.',
    '',
    'Memory: with `GFP_KERNEL` an allocation that cannot be had ends the domain, because there is no program whose end would give memory back; with `GFP_ATOMIC`, or `__GFP_NORETRY`, it is NULL, `__GFP_NOFAIL` or not,',
    'and who uses that is a `null-dereference`. A second `kfree()` of an object is seen if no other of its slab was freed since, and else is not, nor one of a pointer into an object, nor one of an object of another cache;',
    'of memory that is no object, Linux warns and gives the pages back.',
    '',
    'Locks held or given back unheld: by an interrupt handler, timer, tasklet or work item, found when it returns; by a thread, a system call or the init of a module,',
    'when it next sleeps.',
    '',
    'What is not seen: objects that a driver has not given back to the allocator when it exits; and without `--check=kasan`, memory that is read or written after it was freed or beyond what was asked for.',
    "With it the tree's own KASAN looks at each access of kernel and driver, and its report is the fault (`heap-corruption`; samples: `drivers-src/faults/memory`).",
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
