/**
 * Tests as judges of mutants: of AVA as much as the tests beside the kernel use, without a process of their own. A mutant's copies of
 * them import this in AVA's place (worker.ts), and the first that fails has caught it.
 */
import { deepEqual, doesNotMatch, equal, fail, match, notEqual, ok } from 'node:assert/strict'

/** Rounds of the host's loop in which a healthy test of the kernel's is done, however busy the computer: it waits for no wall clock. */
const ROUNDS_MAX = 60_000
const { setImmediate: nextRound } = globalThis

interface Expected {
  readonly name?: string
  readonly message?: string | RegExp
  readonly instanceOf?: new (...args: never[]) => unknown
}

const t = {
  is: (a: unknown, b: unknown, why?: string): void => ok(Object.is(a, b), why ?? `${String(a)} is not ${String(b)}`),
  not: (a: unknown, b: unknown, why?: string): void => notEqual(a, b, why),
  deepEqual: (a: unknown, b: unknown, why?: string): void => deepEqual(a, b, why),
  true: (a: unknown, why?: string): void => equal(a, true, why),
  false: (a: unknown, why?: string): void => equal(a, false, why),
  regex: (text: string, expected: RegExp, why?: string): void => match(text, expected, why),
  notRegex: (text: string, unwanted: RegExp, why?: string): void => doesNotMatch(text, unwanted, why),
  throwsAsync: async (work: Promise<unknown>, expected: Expected): Promise<void> => {
    const thrown: unknown = await work.then(
      () => undefined,
      (error: unknown) => error,
    )
    t.throws(() => {
      if (thrown !== undefined) throw thrown
    }, expected)
  },
  pass: (): void => undefined,
  fail: (why?: string): never => fail(why),
  notThrows: (work: () => unknown): void => void work(),
  throws: (work: () => unknown, expected: Expected = {}, why?: string): unknown => {
    let thrown: unknown
    try {
      work()
    } catch (error) {
      thrown = error
    }
    ok(thrown instanceof Error, why ?? 'nothing is thrown')
    const { name, message, instanceOf } = expected
    if (name !== undefined) equal(thrown.name, name, why)
    if (typeof message === 'string') equal(thrown.message, message, why)
    if (message instanceof RegExp) match(thrown.message, message, why)
    if (instanceOf !== undefined) ok(thrown instanceof instanceOf, why)
    return thrown
  },
}

/** One that fails in the midst of what is tested may be caught there: as AVA does, a test fails of it all the same. */
let failed: Error | undefined
const kept = <F extends (...args: never[]) => unknown>(assertion: F): F =>
  ((...args) => {
    try {
      return assertion(...args)
    } catch (error) {
      failed ??= error as Error
      throw error
    }
  }) as F
const keeping = Object.fromEntries(Object.entries(t).map(([name, assertion]) => [name, kept(assertion)])) as typeof t

type Body = (to: typeof t) => unknown
const tests: { readonly title: string; readonly body: Body }[] = []

const test = (title: string, body: Body): void => void tests.push({ title, body })
test.serial = test
export default test

/** Those that were registered since the last time, one after the other. Throws when one fails. */
export async function runTests(): Promise<void> {
  for (const { title, body } of tests.splice(0)) {
    let left = ROUNDS_MAX
    const silence = new Promise<never>((_, reject) => {
      const round = (): void => {
        if (left-- > 0) nextRound(round)
        else if (left === -1) reject(new Error('a wait without end'))
      }
      round()
    })
    failed = undefined
    try {
      await Promise.race([body(keeping), silence])
      if (failed !== undefined) throw failed as Error
    } catch (error) {
      throw new Error(`${title}: ${String((error as Error).message).split('\n')[0]}`, { cause: error })
    } finally {
      left = -1
    }
  }
}
