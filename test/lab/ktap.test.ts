import test from 'ava'
import { readKtap } from '../../lab/ktap.ts'
import { tallyOf, type TestEnding } from '../../lab/tests.ts'
import { endingOf, parseEndings } from '../../pipeline/matrix/endings.ts'

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

test('tests that are no suites: one case, what they count and say of a failure, and how they end', (t) => {
  const tally = (text: string, refusal?: string, ending?: TestEnding) => {
    const { passed, failed, checks, cases } = tallyOf('test_x', lines(text), { refusal }, ending)
    return [passed, failed, checks, ...cases.map(({ detail }) => detail)]
  }
  t.deepEqual(tally('test_bitmap: loaded.\ntest_bitmap: all 6550 tests passed'), [1, 0, 6550])
  t.deepEqual(tally('test_scanf: failed 2 out of 10 tests', '-EINVAL'), [
    0,
    1,
    10,
    'test_scanf: failed 2 out of 10 tests; init returned -EINVAL',
  ])
  t.deepEqual(tally('XArray: 148 of 148 tests passed'), [1, 0, 148])
  t.deepEqual(tally('XArray: 147 of 148 tests passed', '-EINVAL'), [
    0,
    1,
    148,
    '1 of its checks failed; init returned -EINVAL',
  ])
  t.deepEqual(tally('test_bpf: Summary: 1035 PASSED, 1 FAILED, [0/1023 JITed]').slice(0, 3), [0, 1, 1036])
  t.deepEqual(tally('test_bpf: Summary: 1035 PASSED, 0 FAILED, [0/1023 JITed]'), [1, 0, 1035])
  t.deepEqual(tally('Summary: fix_align_alloc_test passed: 10 failed: 0 repeat: 10'), [1, 0, undefined])
  t.deepEqual(tally('Summary: fix_align_alloc_test passed: 0 failed: 10 repeat: 10').slice(0, 2), [0, 1])
  t.deepEqual(tally('rbtree testing -> test 1: 0 cycles', '-EAGAIN'), [1, 0, undefined])
  t.deepEqual(tally('WARNING: CPU: 0 PID: 41 at lib/test_div64.c:12').slice(0, 2), [0, 1])
  t.deepEqual(tally('', '-ENOMEM'), [0, 1, undefined, 'init returned -ENOMEM'])
})

test('a test that did not come to its end has failed', (t) => {
  const { passed, cases } = tallyOf('test_x', lines('all is well so far'), { fault: 'endless-loop in init' })
  t.deepEqual([passed, cases[0]?.detail], [0, 'endless-loop in init'])
})

test('tests whose end is an error, or a warning that is to come', (t) => {
  const outcome = (text: string, refusal?: string, ending?: TestEnding) => {
    const { passed, cases } = tallyOf('test_x', lines(text), { refusal }, ending)
    return passed === 1 ? 'passed' : cases[0]?.detail
  }
  t.is(outcome('', '-EINVAL', { error: '-EINVAL' }), 'passed')
  t.is(outcome('', undefined, { error: '-EINVAL' }), 'init returned without an error')
  t.is(outcome('WARNING: at lib/x.c:1', '-EINVAL', { error: '-EINVAL' }), 'WARNING: at lib/x.c:1')
  t.is(outcome('WARNING: at lib/x.c:1', undefined, { warns: 'at lib/x.c' }), 'passed')
  t.is(
    outcome('WARNING: at lib/y.c:1', undefined, { warns: 'at lib/x.c' }),
    'WARNING: at lib/y.c:1; no warning of at lib/x.c',
  )
})

test('the table of endings: each has a reason', async (t) => {
  t.deepEqual(
    parseEndings('module\terror\twarns\treason\ntest-x\t-EINVAL\t\tIt always returns this, to be gone.\n').get(
      'test_x',
    ),
    {
      error: '-EINVAL',
    },
  )
  t.throws(() => parseEndings('module\terror\twarns\treason\ntest-x\t\t\tIt always returns this, to be gone.\n'), {
    message: /makes no sense/,
  })
  t.is((await endingOf('test_ida'))?.error, '-EINVAL')
})
