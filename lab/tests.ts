/**
 * What a module of the tree that is a test said when it ran: case by case where it is a KUnit suite; as one case where it is one
 * of lib/test_*, which test in their init and tell in their own words. Pure; knows no machine.
 */
import { readKtap, type TestCase } from './ktap.ts'

export interface TestTally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Of one that is no suite, which is one case: what it counted itself. */
  readonly checks?: number
  /** Those that failed or were skipped. */
  readonly cases: readonly Pick<TestCase, 'suite' | 'name' | 'outcome' | 'detail'>[]
}

/** How a test that is no suite ends when it has passed, where that is not by returning 0 without a warning. */
export interface TestEnding {
  /** The error its init returns, by name. */
  readonly error?: string
  /** Words of what the kernel is to warn of. */
  readonly warns?: string
}

/** How tests that are no suites end: tools/testing/selftests/kselftest_module.h, and what came before it. */
const COUNTS: readonly (readonly [words: RegExp, of: 'passed' | 'failed' | 'ratio'])[] = [
  [/\b(?:all|remaining) (\d+) tests passed/i, 'passed'],
  [/\bfailed (\d+) out of (\d+) tests/i, 'failed'],
  [/\b(\d+) of (\d+) tests passed/i, 'ratio'],
  [/\bSummary: (\d+) PASSED, (\d+) FAILED/, 'ratio'],
]

/** A check that did not hold. Not a count of none. */
const FAILED =
  /^WARNING: |^BUG: |\bTC failed at\b|\bfailed \d+ out of \d+ tests|\bfailed: [1-9]|\bFAIL(?:ED)?\b(?!.*\b(?:passed|PASSED)\b)|\b(?:test|check)s?\b.*\bfailed\b/
const NONE_FAILED = /\b0 (?:failed|failures|FAILED)\b(?!:)|\bfailed: 0\b|FAIL(?:ED)?:? ?0\b/i

const countedIn = (lines: readonly string[]): { passed: number; failed: number } => {
  const sum = { passed: 0, failed: 0 }
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
      } else sum.passed += Number(first)
    }
  return sum
}

/** How a test's init ended. */
export interface TestEnd {
  /** The error it returned, by name. */
  readonly refusal?: string | undefined
  /** What ended it before it returned. */
  readonly fault?: string | undefined
}

/**
 * The tally of a test from all that was logged while its init ran, and from how that ended. A test that has passed may return
 * -EAGAIN, so that nothing of it stays loaded.
 */
export function tallyOf(name: string, lines: readonly string[], end: TestEnd, ending: TestEnding = {}): TestTally {
  const cases = readKtap(lines)
  if (cases.length === 0) return oneCase(name, lines, end, ending)
  const count = (outcome: TestCase['outcome']): number => cases.filter((one) => one.outcome === outcome).length
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    cases: cases.filter(({ outcome }) => outcome !== 'passed'),
  }
}

/** One that is no suite: what went wrong, if anything did. */
function oneCase(
  name: string,
  lines: readonly string[],
  { refusal, fault }: TestEnd,
  { error, warns }: TestEnding,
): TestTally {
  const counted = countedIn(lines)
  const isMeant = (line: string): boolean => warns !== undefined && line.includes(warns)
  const wrong = lines.find((line) => FAILED.test(line) && !NONE_FAILED.test(line) && !isMeant(line))
  const wanted = error ?? (refusal === '-EAGAIN' ? refusal : undefined)
  const trouble = [
    ...(wrong === undefined ? [] : [wrong.trim()]),
    ...(wrong === undefined && counted.failed > 0 ? [`${counted.failed} of its checks failed`] : []),
    ...(warns === undefined || lines.some(isMeant) ? [] : [`no warning of ${warns}`]),
    ...(fault === undefined ? [] : [fault]),
    ...(refusal === wanted || fault !== undefined ? [] : [`init returned ${refusal ?? 'without an error'}`]),
  ]
  const checks = counted.passed + counted.failed
  const rest = { skipped: 0, ...(checks > 0 && { checks }) }
  if (trouble.length === 0) return { passed: 1, failed: 0, ...rest, cases: [] }
  const detail = trouble.join('; ')
  return { passed: 0, failed: 1, ...rest, cases: [{ suite: name, name, outcome: 'failed', detail }] }
}
