import test from 'ava'
import { readKtap } from '../../lab/ktap.ts'
import { tallyOf } from '../../lab/tests.ts'

const lines = (text: string): string[] => text.split('\n')

/** As 6.1 prints it, with what else is said in between. */
const OLD = lines(`    KTAP version 1
    # Subtest: overflow
    1..3
    # shift_test: 47 shift tests finished
    ok 1 shift_test
------------[ cut here ]------------
    # alloc_test: EXPECTATION FAILED at lib/overflow_kunit.c:560
    Expected dev is not error, but is: -12
    not ok 2 alloc_test
    ok 3 huge_test # SKIP only on 64-bit
# overflow: pass:1 fail:1 skip:1 total:3
# Totals: pass:1 fail:1 skip:1 total:3
not ok 1 overflow`)

test('cases, with the expectation that was not met and why one was skipped', (t) => {
  t.deepEqual(readKtap(OLD), [
    { suite: 'overflow', name: 'shift_test', outcome: 'passed', detail: '' },
    {
      suite: 'overflow',
      name: 'alloc_test',
      outcome: 'failed',
      detail: 'lib/overflow_kunit.c:560: Expected dev is not error, but is: -12',
    },
    { suite: 'overflow', name: 'huge_test', outcome: 'skipped', detail: 'only on 64-bit' },
  ])
})

test('parameters of a case are its own affair, and say which one it was', (t) => {
  const text = `KTAP version 1
1..1
    KTAP version 1
    # Subtest: time_test_cases
    # module: time_test
    1..1
        KTAP version 1
        # Subtest: days
        ok 1 1970
        not ok 2 2100
    not ok 1 days
not ok 1 time_test_cases`
  t.deepEqual(readKtap(lines(text)), [
    { suite: 'time_test_cases', name: 'days', outcome: 'failed', detail: 'with 2100' },
  ])
})

test('several suites, one that does not end, and one whose surroundings fail', (t) => {
  const first = ['    # Subtest: a', '    1..2', '    ok 1 one', '    ok 2 two', 'not ok 1 a']
  const second = ['    # Subtest: b', '    1..3', '    ok 1 three', '    # four: said something']
  t.deepEqual(
    readKtap([...first, ...second]).map(({ suite, name, outcome, detail }) => [suite, name, outcome, detail]),
    [
      ['a', 'one', 'passed', ''],
      ['a', 'two', 'passed', ''],
      ['a', 'a', 'failed', ''],
      ['b', 'three', 'passed', ''],
      ['b', 'case 2 of 3', 'failed', 'the suite did not go on: said something'],
    ],
  )
})

test('a log without results has none', (t) => t.deepEqual(readKtap(['ok so far', 'ok', '# Subtest: x']), []))

test('tests that are no suites: their own count, what they say of a failure, and how they end', (t) => {
  const tally = (text: string, refusal?: string) => {
    const { passed, failed, skipped, cases } = tallyOf('test_x', lines(text), refusal)
    return [passed, failed, skipped, ...cases.map(({ detail }) => detail)]
  }
  t.deepEqual(tally('test_bitmap: loaded.\ntest_bitmap: all 6550 tests passed'), [6550, 0, 0])
  t.deepEqual(tally('test_scanf: failed 2 out of 10 tests', '-EINVAL'), [
    8,
    2,
    0,
    'test_scanf: failed 2 out of 10 tests; init returned -EINVAL',
  ])
  t.deepEqual(tally('XArray: 148 of 148 tests passed'), [148, 0, 0])
  t.deepEqual(tally('test_bpf: Summary: 1035 PASSED, 1 FAILED, [0/1023 JITed]').slice(0, 3), [1035, 1, 0])
  t.deepEqual(tally('test_bpf: Summary: 1035 PASSED, 0 FAILED, [0/1023 JITed]'), [1035, 0, 0])
  t.deepEqual(tally('rbtree testing -> test 1 (latency of nnodes insert+delete): 0 cycles', '-EAGAIN'), [1, 0, 0])
  t.deepEqual(tally('WARNING: CPU: 0 PID: 41 at lib/test_div64.c:12').slice(0, 3), [0, 1, 0])
  t.deepEqual(tally('', '-ENOMEM'), [0, 1, 0, 'init returned -ENOMEM'])
})
