/**
 * Tests as judges of mutants: of AVA as much as the tests beside the kernel use, without a process of their own. A mutant's copies of
 * them import this in AVA's place (worker.ts), and the first that fails has caught it.
 */
import { deepEqual, equal, fail, match, notEqual, ok } from 'node:assert/strict'

/** A healthy test of the kernel's is done much sooner. */
const SILENCE_MS = 5000

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

type Body = (to: typeof t) => unknown
const tests: { readonly title: string; readonly body: Body }[] = []

const test = (title: string, body: Body): void => void tests.push({ title, body })
test.serial = test
export default test

/** Those that were registered since the last time, one after the other. Throws when one fails. */
export async function runTests(): Promise<void> {
  for (const { title, body } of tests.splice(0)) {
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('a wait without end')), SILENCE_MS)
    })
    try {
      await Promise.race([body(t), silence])
    } catch (error) {
      throw new Error(`${title}: ${String((error as Error).message).split('\n')[0]}`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }
}
