/** The taxonomy: what the engine and the host say becomes a kind of the one table, and docs/faults.md is that table. */
import { join } from 'node:path'
import test from 'ava'
import { CapabilityError } from '../../kernel/capability.ts'
import { classify, describeFault, FAULTS, Failure, KILLED, TRACE_DEPTH, wasmFrames } from '../../kernel/fault.ts'
import { exhaustion, trapKind } from '../../kernel/trap-words.ts'
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

/** An error as this engine would have it, with these lines of a stack. */
const traced = (error: Error, ...lines: string[]): Error =>
  Object.assign(error, { stack: ['Error: x', ...lines].join('\n') })

test('of a trace the innermost frames of modules are taken, up to the host’s own entry, by number, offset and module', (t) => {
  const error = traced(
    new Error('x'),
    '    at host (file:///kernel/domain.ts:1:2)',
    '    at inner (wasm://wasm/e1000-0a1b2c3d:wasm-function[12]:0x1f)',
    '    at outer (wasm://wasm/0a1b2c3d:wasm-function[7]:0x10)',
    '    at plain (wasm-function[8]:0xab)',
    'said by nobody',
    '    at bare wasm-function[9]:0xc',
    '    at entry (file:///kernel/fiber.ts:3:4)',
    '    at interrupted (wasm://wasm/0a1b2c3d:wasm-function[99]:0x1)',
  )
  t.deepEqual(wasmFrames(error), [
    { module: 'e1000', index: 12, offset: 0x1f },
    { module: undefined, index: 7, offset: 0x10 },
    { module: undefined, index: 8, offset: 0xab },
    { module: undefined, index: 9, offset: 0xc },
  ])
  t.deepEqual(wasmFrames(Object.assign(new Error('x'), { stack: undefined })), [])
  const [one, entry] = ['    at f (wasm-function[1]:0x1)', '    at entry (file:///kernel/fiber.ts:3:4)']
  t.is(wasmFrames(traced(new Error('x'), one!, entry!, one!)).length, 1)
})

test('a failure that somebody else tells of has no trace of whoever was interrupted', (t) => {
  const apart = Failure.apart('dma-stray', 'it strayed')
  t.deepEqual(
    [apart.kind, apart.message, apart.name, apart.stack],
    ['dma-stray', 'it strayed', 'Failure', 'Failure: it strayed'],
  )
  t.true(new Failure('bug', 'so').stack!.includes('fault.test'))
})

test('what left a domain becomes its record: where, when, and lines by the program’s own table', (t) => {
  const error = traced(new Failure('bug', 'so'), '    at f (wasm://wasm/m-00ff:wasm-function[3]:0x20)')
  const inlined = (...asked: unknown[]): { function: string; file: string; line: number; offset: number }[] => [
    { function: 'inner', file: 'a.c', line: 1, offset: asked[0] as number },
    { function: String(asked[2]), file: 'a.c', line: asked[1] as number, offset: 0 },
  ]
  t.deepEqual(describeFault('one', error, 70, inlined), {
    domain: 'one',
    kind: 'bug',
    message: 'so',
    frames: [
      { function: 'inner', file: 'a.c', line: 1, offset: 32 },
      { function: 'm', file: 'a.c', line: 3, offset: 0 },
    ],
    atNs: 70,
  })
  t.deepEqual(describeFault('one', error, 70).frames, [{ function: 'function[3]', file: '', line: 0, offset: 32 }])
  const thrown = describeFault('one', 'no error', 0)
  t.deepEqual([thrown.kind, thrown.message, thrown.frames], ['internal', 'no error', []])
})

/** Run a function of these instructions, in a module with a page of memory and a table of two places, the second of which is it. */
function trap(body: readonly number[]): void {
  const sections = [
    [1, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f],
    [3, 1, 0],
    [4, 1, 0x70, 0, 2],
    [5, 1, 0, 1],
    [7, 1, 1, 0x66, 0, 0],
    [9, 1, 0, 0x41, 1, 0x0b, 1, 0],
    [10, 1, body.length + 2, 0, ...body, 0x0b],
  ].flatMap(([id, ...bytes]) => [id!, bytes.length, ...bytes])
  const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]))
  ;(new WebAssembly.Instance(module).exports['f'] as () => void)()
}

test('traps are told in our own words; what no probe has seen is code that must not be reached', (t) => {
  const said = (...body: number[]): ReturnType<typeof classify> => classify(t.throws(() => trap(body)))
  t.deepEqual(
    [
      said(0x00),
      said(0x41, 0x7f, 0x28, 2, 0, 0x1a),
      said(0x41, 0x7f, 0x41, 0, 0x41, 5, 0xfc, 11, 0),
      said(0x41, 1, 0x41, 0, 0x6d, 0x1a),
      said(0x41, 1, 0x41, 0, 0x6f, 0x1a),
      said(0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 0x7f, 0x6d, 0x1a),
      said(0x41, 0, 0x11, 0, 0),
      said(0x41, 1, 0x11, 1, 0, 0x1a),
      said(0x41, 5, 0x11, 0, 0),
      classify(new WebAssembly.RuntimeError('something new')),
    ].map(({ kind, message }) => `${kind}: ${message}`),
    [
      'unreachable: an instruction that must not be reached',
      'memory-access: an access outside of the memory of the domain',
      'memory-access: an access outside of the memory of the domain',
      'divide-by-zero: a division by zero, or one whose quotient does not fit',
      'divide-by-zero: a division by zero, or one whose quotient does not fit',
      'divide-by-zero: a division by zero, or one whose quotient does not fit',
      'bad-indirect-call: a call through a pointer to no function or to one of another type',
      'bad-indirect-call: a call through a pointer to no function or to one of another type',
      'bad-indirect-call: a call through a pointer to no function or to one of another type',
      'unreachable: an instruction that must not be reached',
    ],
  )
  t.is(trapKind('something new'), undefined)
})

test('what nobody foresaw is a mistake on this side of the boundary, with its stack; an exhausted stack is the domain’s', (t) => {
  const mistake = new TypeError('x is not a function')
  t.deepEqual(classify(mistake), { kind: 'internal', message: mistake.stack })
  t.deepEqual(classify(Object.assign(new Error('bare'), { stack: undefined })), { kind: 'internal', message: 'bare' })
  t.deepEqual(classify(new RangeError(exhaustion())), {
    kind: 'stack-overflow',
    message: 'the call stack is exhausted',
  })
  t.is(classify(new Error(exhaustion())).kind, 'internal')
  t.deepEqual(classify(new CapabilityError('quota', 'full')), { kind: 'quota', message: 'full' })
  t.deepEqual(classify(new CapabilityError('empty', 'nothing')), { kind: 'no-capability', message: 'nothing' })
  const { SuspendError } = WebAssembly as unknown as { SuspendError?: new () => Error }
  if (SuspendError === undefined) return
  t.deepEqual(classify(new SuspendError()), {
    kind: 'sleep-in-atomic',
    message: 'blocking where the domain must return',
  })
})

test('a trace is kept to 64 frames, and who is unwound is not failed', (t) => {
  t.deepEqual([TRACE_DEPTH, KILLED.name, KILLED.message], [64, 'Killed', 'domain ended'])
})
