/**
 * What a module of the tree that is a test said when it ran: case by case where it is a KUnit suite, by its own count where it
 * is one of lib/test_*, which test in their init. Pure; knows no machine.
 */
import { readKtap, type TestCase } from './ktap.ts'

export interface TestTally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Those that failed or were skipped. */
  readonly cases: readonly Pick<TestCase, 'suite' | 'name' | 'outcome' | 'detail'>[]
}

/** How tests that are no suites end: tools/testing/selftests/kselftest_module.h, and what came before it. */
const COUNTS: readonly (readonly [words: RegExp, of: 'passed' | 'failed' | 'skipped' | 'ratio'])[] = [
  [/\b(?:all|remaining) (\d+) tests passed/i, 'passed'],
  [/\bskipped (\d+) tests/i, 'skipped'],
  [/\bfailed (\d+) out of (\d+) tests/i, 'failed'],
  [/\b(\d+) of (\d+) tests passed/i, 'ratio'],
  [/\bSummary: (\d+) PASSED, (\d+) FAILED/, 'ratio'],
]

/** A check that did not hold. Not a count of none. */
const FAILED =
  /^WARNING: |^BUG: |\bTC failed at\b|\bfailed \d+ out of \d+ tests|\bFAIL(?:ED)?\b(?!.*\b(?:passed|PASSED)\b)|\b(?:test|check)s?\b.*\bfailed\b/
const NONE_FAILED = /\b0 (?:failed|failures|FAILED)\b|\bfailed: 0\b|FAIL(?:ED)?:? ?0\b/i

const countedIn = (lines: readonly string[]): { passed: number; failed: number; skipped: number } => {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const line of lines)
    for (const [words, of] of COUNTS) {
      const [, first, second] = words.exec(line) ?? []
      if (first === undefined) continue
      if (of === 'failed') {
        sum.failed += Number(first)
        sum.passed += Number(second) - Number(first)
      } else if (of === 'ratio') {
        const [passed, other] = [Number(first), Number(second)]
        sum.passed += passed
        sum.failed += /PASSED,/.test(line) ? other : other - passed
      } else sum[of] += Number(first)
    }
  return sum
}

/**
 * The tally of a test from all that was logged while its init ran. `refusal`: the error it returned, by name; a test that has
 * passed may return -EAGAIN, so that nothing of it stays loaded.
 */
export function tallyOf(name: string, lines: readonly string[], refusal: string | undefined): TestTally {
  const cases = readKtap(lines)
  if (cases.length > 0) {
    const count = (outcome: TestCase['outcome']): number => cases.filter((one) => one.outcome === outcome).length
    return {
      passed: count('passed'),
      failed: count('failed'),
      skipped: count('skipped'),
      cases: cases.filter(({ outcome }) => outcome !== 'passed'),
    }
  }
  const counted = countedIn(lines)
  const wrong = lines.find((line) => FAILED.test(line) && !NONE_FAILED.test(line))
  const refused = refusal !== undefined && refusal !== '-EAGAIN'
  if (refused || wrong !== undefined || counted.failed > 0) {
    const detail = [...(wrong === undefined ? [] : [wrong.trim()]), ...(refused ? [`init returned ${refusal}`] : [])]
    const failed = Math.max(1, counted.failed)
    return { ...counted, failed, cases: [{ suite: name, name, outcome: 'failed', detail: detail.join('; ') }] }
  }
  return { ...counted, passed: Math.max(1, counted.passed), cases: [] }
}
