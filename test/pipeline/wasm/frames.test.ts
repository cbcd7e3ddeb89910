/** What a frame is estimated to take of the engine's stack, held against what V8 takes, compiled quickly and compiled well. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'

const STACK_KIB = 900

interface Row {
  readonly kept: 'locals' | 'operands' | 'recomputed'
  readonly count: number
  readonly measured: number
  readonly estimate: number
}

function measure(...flags: string[]): Row[] {
  const script = join(import.meta.dirname, '_frames.ts')
  const args = [`--stack-size=${STACK_KIB}`, ...flags, script, String(STACK_KIB << 10)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Row[]
}

for (const flag of ['--liftoff-only', '--no-liftoff'])
  test(`${flag}: frames take no more than their locals and operands are estimated to`, (t) => {
    const rows = measure(flag)
    t.is(rows.length, 18)
    for (const { kept, count, measured, estimate } of rows)
      if (kept !== 'recomputed') t.true(measured <= estimate, `${count} ${kept}: ${measured} of ${estimate}`)
  })

test('what an optimising compiler keeps instead of computing it again is not in the estimate: it is no proof', (t) => {
  const [row] = measure('--no-liftoff').filter(({ kept, count }) => kept === 'recomputed' && count === 300)
  t.true(row!.measured > row!.estimate, `${row!.measured} of ${row!.estimate}`)
})
