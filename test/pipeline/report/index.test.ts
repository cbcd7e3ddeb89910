import test from 'ava'
import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { InfrastructureError, UsageError } from '../../../pipeline/errors.ts'
import { parseReports, REPORT_KINDS, writeOut, writeReport, writeReports } from '../../../pipeline/report/index.ts'
import { sample } from '../matrix/_rows.ts'

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-report-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))
const at = (...names: string[]) => path.join(work, ...names)

test('every kind is written, into folders that are made, and leaves nothing else', async (t) => {
  const specs = await parseReports(REPORT_KINDS.map((kind) => `${kind}=${at('all', kind, `report=${kind}`)}`))
  await writeReports(specs, sample)
  for (const kind of REPORT_KINDS) t.deepEqual(await fs.readdir(at('all', kind)), [`report=${kind}`])
})

for (const text of ['pdf=x', 'json', 'json=', '=x', 'constructor=x', '']) {
  test(`--report '${text}' is refused, naming the kinds`, async (t) => {
    const error = await t.throwsAsync(parseReports([text]), { instanceOf: UsageError })
    t.is(error?.expected, `a KIND of ${REPORT_KINDS.join(', ')}`)
    t.is(error?.found, text)
  })
}

test('an unknown kind is refused by writeReport too', async (t) => {
  await t.throwsAsync(writeReport('pdf', sample, at('x.pdf')), { instanceOf: UsageError })
})

test('a folder as file, and two reports in one file, are refused before the work', async (t) => {
  await t.throwsAsync(parseReports([`json=${work}`]), { instanceOf: UsageError })
  await t.throwsAsync(parseReports([`json=${at('a')}`, `ktap=${work}/./a`]), { instanceOf: UsageError })
})

test('a report that cannot be written stops no other, and is told of at the end', async (t) => {
  await fs.writeFile(at('plain'), '')
  const specs = await parseReports([`ktap=${at('plain', 'in', 'a', 'file')}`, `junit=${at('after.xml')}`])
  const error = await t.throwsAsync(writeReports(specs, sample), { instanceOf: InfrastructureError })
  t.is(error?.where, `ktap=${at('plain', 'in', 'a', 'file')}`)
  t.regex(error?.message ?? '', /^1 of 2 /)
  t.regex(await fs.readFile(at('after.xml'), 'utf8'), /<testsuites /)
})

test('missing is a table, JSON or Markdown, as the file is called', async (t) => {
  for (const [name, begins] of [
    ['m.tsv', /^order\t/],
    ['m.json', /^\{"schema":"drvport\.missing\/1"/],
    ['m.md', /^# 3 modules lack/],
    ['m.json.gz', /^\{"schema"/],
  ] as const) {
    await writeReport('missing', sample, at(name))
    const bytes = await fs.readFile(at(name))
    t.regex((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString(), begins)
  }
})

test('a report replaces what a link names, not the link', async (t) => {
  await fs.mkdir(at('links'))
  await fs.writeFile(at('links', 'real'), 'old')
  await fs.symlink('real', at('links', 'link'))
  await writeOut(at('links', 'link'), 'new')
  t.is(await fs.readlink(at('links', 'link')), 'real')
  t.is(await fs.readFile(at('links', 'real'), 'utf8'), 'new')
})

test('a pipe is written into and stays a pipe', async (t) => {
  await promisify(execFile)('mkfifo', [at('pipe')])
  const [text] = await Promise.all([fs.readFile(at('pipe'), 'utf8'), writeOut(at('pipe'), 'said')])
  t.is(text, 'said')
  t.true((await fs.stat(at('pipe'))).isFIFO())
})
