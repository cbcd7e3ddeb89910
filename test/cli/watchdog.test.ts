import { spawn } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import type { WatchdogRecord } from '../../cli/watchdog.ts'

test('a machine that stands still is ended from outside, with a record of where it was', async (t) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/_stalls.ts'), '500'])
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const by = await new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)))
  t.is(by, 'SIGKILL', said)
  const line = said.split('\n').find((each) => each.startsWith('{'))
  const record = JSON.parse(line ?? '{}') as WatchdogRecord
  t.is(record.schema, 'drvport.watchdog/1')
  t.is(record.domain, 'stuck')
  t.is(record.fiber, 1)
  t.true(record.virtualNs >= 2e6 && record.virtualNs < 2.1e6)
  t.true(record.stalled_ms >= 500)
  t.regex(said, /fiber 1 of stuck ran last/)
})
