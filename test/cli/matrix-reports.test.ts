import test from 'ava'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import type { Context } from '../../cli/context.ts'
import { askedReports, checkRequired, conclude } from '../../cli/matrix-reports.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { matrix, row, sample } from '../pipeline/matrix/_rows.ts'

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-asked-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))
const at = (name: string): string => path.join(work, name)

/** A context that keeps what a command says. */
function listening(): { context: Context; said: string[] } {
  const said: string[] = []
  const context = {
    verbose: 0,
    progress: { note: (text: string) => void said.push(text) },
    result: (document: unknown, text: (d: unknown) => string) => void said.push(text(document)),
  }
  return { context: context as unknown as Context, said }
}

test.serial('a time comes from SOURCE_DATE_EPOCH or not at all', async (t) => {
  const before = process.env['SOURCE_DATE_EPOCH']
  try {
    delete process.env['SOURCE_DATE_EPOCH']
    t.is((await askedReports({})).startTime, undefined)
    process.env['SOURCE_DATE_EPOCH'] = '86400'
    const asked = await askedReports({ report: [`kcidb=${at('timed.json')}`] })
    t.is(asked.startTime, '1970-01-02T00:00:00.000Z')
    await conclude(listening().context, sample, asked, () => '')
    t.regex(await fs.readFile(at('timed.json'), 'utf8'), /"start_time":"1970-01-02T00:00:00\.000Z"/)
    for (const wrong of ['today', '-1', '999999999999999']) {
      process.env['SOURCE_DATE_EPOCH'] = wrong
      await t.throwsAsync(askedReports({}), { instanceOf: UsageError })
    }
  } finally {
    if (before === undefined) delete process.env['SOURCE_DATE_EPOCH']
    else process.env['SOURCE_DATE_EPOCH'] = before
  }
})

test.serial(
  '--output is the matrix; held against itself nothing is lost, against a better one something is',
  async (t) => {
    const now = matrix([row('a/a.ko'), row('a/b.ko', { rung: 'compile', reason: 'unresolved-symbol', missing: ['x'] })])
    const better = matrix([row('a/a.ko'), row('a/b.ko')])
    for (const [name, document] of [
      ['now', now],
      ['better', better],
    ] as const) {
      const status = await conclude(
        listening().context,
        document,
        await askedReports({ output: at(name) }),
        () => 'made',
      )
      t.is(status, 0)
    }
    const { context, said } = listening()
    t.is(await conclude(context, now, await askedReports({ baseline: at('now') }), () => 'table'), 0)
    t.is(await conclude(context, now, await askedReports({ baseline: at('better') }), () => 'table'), 1)
    t.regex(said[0] ?? '', /^table\n[^]*nothing lost/)
    t.regex(said[1] ?? '', /^table\n[^]*a\/b\.ko[^]*now missing: x[^]*1 lost/)
  },
)

test.serial('--require is met by every module or by none, and cannot ask for more than was climbed', async (t) => {
  const half = matrix([row('a/a.ko'), row('a/b.ko', { rung: 'compile', reason: 'link-error' })])
  const { context, said } = listening()
  t.is(await conclude(context, half, await askedReports({ require: 'compile' }), () => ''), 0)
  t.is(await conclude(context, half, await askedReports({ require: 'link' }), () => ''), 1)
  t.regex(said.at(-1) ?? '', /1 modules did not reach link: b \(compile: link-error\)/)
  t.throws(() => checkRequired({ reports: [], required: 'probe' }, 'link'), { instanceOf: UsageError })
  t.notThrows(() => checkRequired({ reports: [], required: 'link' }, 'link'))
})
