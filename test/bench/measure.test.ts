import test from 'ava'
import { cost, parseTimes } from '../../bench/measure.ts'

test('the second line of the times is what the children used', (t) => {
  t.is(parseTimes('0m0.01s 0m0.02s\n1m2.50s 0m0.25s\n'), 62_750)
  t.throws(() => parseTimes('0m0.01s 0m0.02s\n'), { message: /not two lines/ })
})

test('a command costs what it and everything it started used', async (t) => {
  const fill = `const held = Buffer.alloc(64e6, 1); const end = performance.now() + 600; while (performance.now() < end) held[0]++`
  const run = await cost(['sh', '-c', `echo out; echo err >&2; '${process.execPath}' -e "${fill}"; exit 3`])
  t.is(run.status, 3)
  t.is(run.stdout, 'out\n')
  t.is(run.stderr, 'err\n')
  t.true(run.cpuMs > 0 && run.wallMs >= 600)
  t.true(run.peakBytes > 64e6)
})
