/**
 * Matrices of a real tree through the command line (shards, merge, diff, baseline, every report), and KTAP through the
 * parser that the kernel tree itself brings.
 */
import test from 'ava'
import { spawn } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import fc from 'fast-check'
import { readMatrix } from '../../pipeline/matrix/read.ts'
import { byPath, summarize } from '../../pipeline/matrix/summary.ts'
import type { MatrixDocument, MatrixRow } from '../../pipeline/matrix/types.ts'
import { ktap, resultText } from '../../pipeline/report/ktap.ts'
import { byDirectory, outcomeOf, type Outcome } from '../../pipeline/report/outcome.ts'
import { json } from '../../pipeline/report/json.ts'
import { REPORT_KINDS } from '../../pipeline/report/index.ts'
import { findProgram } from '../../pipeline/toolchain/process.ts'
import { fetchTree } from '../../pipeline/tree/index.ts'
import { anyRows, matrix, sample } from '../pipeline/matrix/_rows.ts'
import { testTreeName } from './workspace.ts'

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts')
const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-reports-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))
const at = (name: string): string => path.join(work, name)

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, ...text }))
  })
}

const drvport = (...words: string[]): Promise<Ended> => run(process.execPath, [MAIN, ...words, '--tree', testTreeName])

/** Small modules, and one that lacks symbols. */
const SELECTOR = 'drivers/net/ethernet/realtek/8139*'
const FEW = ['8139too', '8139cp', 'iavf']

test.serial('shards merged are the whole run, and every report of them is written', async (t) => {
  const until = ['--until', 'link']
  const whole = await drvport('matrix', ...FEW, ...until, '--report', `compact=${at('whole.json.gz')}`)
  t.is(whole.status, 0, whole.stderr)
  for (const i of [1, 2, 3]) {
    const part = await drvport('matrix', ...FEW, ...until, '--shard', `${i}/3`, '--output', at(`part${i}.json`))
    t.is(part.status, 0, part.stderr)
  }
  const parts = [1, 2, 3].map((i) => at(`part${i}.json`))
  const reports = REPORT_KINDS.flatMap((kind) => ['--report', `${kind}=${at(`r.${kind}`)}`])
  const merged = await drvport('matrix', 'merge', ...parts, ...reports, '--baseline', at('whole.json.gz'), '--json')
  t.is(merged.status, 0, merged.stderr)
  const document = JSON.parse(merged.stdout) as MatrixDocument
  t.deepEqual(document.rows.map(({ module }) => module).toSorted(), FEW.toSorted())
  t.is(document.summary.digest, (await readMatrix(at('whole.json.gz'))).summary.digest)
  for (const kind of REPORT_KINDS) t.true((await fs.stat(at(`r.${kind}`))).size > 0, kind)

  const lacking = await drvport('matrix', 'merge', parts[0]!, parts[2]!)
  t.is(lacking.status, 2)
  t.regex(lacking.stderr, /no shard 2\/3/)
})

test.serial('what a module lacks stands in the ranking, with who lacks nothing else', async (t) => {
  const folder = at('lacking')
  await fs.mkdir(folder)
  await fs.writeFile(path.join(folder, 'Kbuild'), 'obj-m += lacking.o\n')
  const lines = [
    '#include <linux/module.h>',
    'MODULE_LICENSE("GPL");',
    'int register_ftrace_function(void *ops);',
    'static int __init lacking_init(void) { return register_ftrace_function(NULL); }',
    'module_init(lacking_init);',
  ]
  await fs.writeFile(path.join(folder, 'lacking.c'), lines.join('\n'))
  const { stderr } = await drvport('matrix', folder, '--until', 'link', '--report', `missing=${at('missing.tsv')}`)
  const [, ...rows] = (await fs.readFile(at('missing.tsv'), 'utf8')).trim().split('\n')
  const cells = rows.map((line) => line.split('\t').slice(1, 5))
  t.deepEqual(cells, [['register_ftrace_function', '1', '1', '1']], stderr)
})

test.serial('a loss against the baseline, and between two matrices, is exit status 1', async (t) => {
  const made = await drvport('matrix', SELECTOR, '--until', 'link', '--output', at('now.json'))
  t.is(made.status, 0, made.stderr)
  const now = await readMatrix(at('now.json'))
  const better: MatrixRow[] = [
    ...now.rows,
    { ...(now.rows[0] as MatrixRow), path: 'drivers/net/ethernet/realtek/once.ko', module: 'once' },
  ]
  await fs.writeFile(at('then.json'), json({ ...now, rows: better.toSorted(byPath), summary: summarize(better) }))

  const diff = await drvport('matrix', 'diff', at('then.json'), at('now.json'), '--json')
  t.is(diff.status, 1, diff.stderr)
  t.like(JSON.parse(diff.stdout), { schema: 'drvport.matrix-diff/1', losses: 1, same: now.rows.length })
  t.is((await drvport('matrix', 'diff', at('now.json'), at('then.json'))).status, 0)

  const held = await drvport('matrix', SELECTOR, '--until', 'link', '--baseline', at('then.json'))
  t.is(held.status, 1, held.stderr)
  t.regex(held.stdout, /1 lost/)
  const parsed = await drvport('matrix', SELECTOR, '--until', 'parse', '--baseline', at('now.json'))
  t.is(parsed.status, 0, 'a lower --until is not a loss')
})

test.serial('a report that cannot be written loses no result', async (t) => {
  await fs.writeFile(at('plain'), '')
  const { status, stdout, stderr } = await drvport(
    'matrix',
    '8139too',
    '--until=compile',
    '--json',
    `--report=ktap=${at('plain/under')}`,
    `--report=junit=${at('written.xml')}`,
  )
  t.is(status, 3)
  t.is((JSON.parse(stdout) as MatrixDocument).rows.length, 1, 'one document, whatever happened to the reports')
  t.regex(stderr, /1 of 2 reports could not be written/)
  t.true((await fs.stat(at('written.xml'))).size > 0)
})

test.serial('an option that is wrong is told of before the work', async (t) => {
  const { status, stderr } = await drvport('matrix', 'all', '--report', 'pdf=x')
  t.is(status, 2)
  t.regex(stderr, /a KIND of html/)
  const missing = await drvport('matrix', 'all', '--baseline', at('never'))
  t.is(missing.status, 2)
  t.regex(missing.stderr, /no such file/)
})

interface KunitGroup {
  readonly name: string
  readonly sub_groups: readonly KunitGroup[]
  readonly test_cases: readonly { readonly name: string; readonly status: string }[]
}

const KUNIT: Readonly<Record<Outcome, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  error: 'FAIL',
  miss: 'FAIL',
  skip: 'SKIP',
}

test("the kernel tree's own parser reads from KTAP what the matrix says", async (t) => {
  const python = await findProgram('python3')
  if (python === undefined) return void t.pass('this computer has no python3 to run tools/testing/kunit')
  const { tree } = await fetchTree(testTreeName)
  const rows = new Map<string, MatrixRow>(sample.rows.map((row) => [row.path, row]))
  for (const more of fc.sample(anyRows, { seed: 7, numRuns: 40 })) for (const row of more) rows.set(row.path, row)
  const document = matrix([...rows.values()], { until: 'operate' })
  await fs.writeFile(at('m.ktap'), ktap(document))
  const kunit = path.join(tree.dir, 'tools/testing/kunit/kunit.py')
  // The tree is sealed: Python must leave nothing in it.
  const env = { PYTHONDONTWRITEBYTECODE: '1' }
  const ended = await run(python, [kunit, 'parse', `--json=${at('kunit.json')}`, at('m.ktap')], env)
  t.notRegex(ended.stdout, /\[ERROR\]/, 'it complains of nothing')
  const { sub_groups: groups } = JSON.parse(await fs.readFile(at('kunit.json'), 'utf8')) as KunitGroup
  const said = groups.map(({ name, test_cases: cases }) => [name, cases.map(({ name, status }) => [name, status])])
  const meant = byDirectory(document.rows).map(([directory, rows]) => [
    resultText(directory),
    rows.map((row) => [resultText(row.module), KUNIT[outcomeOf(row, document.until)]]),
  ])
  t.deepEqual(said, meant)
})
