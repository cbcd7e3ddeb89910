/** The command line from one file does what the sources do, for exactly these sources, and nothing depends on there being one. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { bundleDir, codeFile, NAME, openBundle, recordFile, ROOT, type BundleRecord } from '../../cli/bundle.ts'
import { makeBundle } from '../../cli/make-bundle.ts'
import { takeOwnKeys } from '../../cli/own-keys.ts'

const cache = mkdtempSync(join(tmpdir(), 'drvport-bundle-'))
process.env['DRVPORT_CACHE'] = cache
test.after.always(() => rmSync(cache, { recursive: true, force: true }))

let recordText = ''
let record: BundleRecord
let code = ''

test.before(async () => {
  // Somebody may be at these sources: they are settled after a while.
  for (let tries = 0; !(await makeBundle()) && tries < 30; tries++) await sleep(1000)
  recordText = readFileSync(recordFile(), 'utf8')
  record = JSON.parse(recordText) as BundleRecord
  code = readFileSync(codeFile(record.id), 'utf8')
})

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** Files of ours that were read as modules, below the root. */
  readonly loaded: readonly string[]
}

const LISTING = `import { registerHooks } from 'node:module'
const loaded = []
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
process.on('exit', () => process.stderr.write('LOADED ' + JSON.stringify(loaded)))`

function run(entry: 'start' | 'main', words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const hook = `data:text/javascript,${encodeURIComponent(LISTING)}`
  const args = ['--disable-warning=ExperimentalWarning', '--import', hook, join(ROOT, 'cli', `${entry}.ts`), ...words]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      const [said = '', list = '[]'] = stderr.split('LOADED ')
      const loaded = (JSON.parse(list) as string[]).flatMap((url) => url.split(`file://${ROOT}/`)[1] ?? [])
      resolve({ status: error === null ? 0 : (error.code as number), stdout, stderr: said, loaded })
    })
  })
}

/** What it says does not depend on what is built here. */
const REFUSED = ['run', 'e1000', '--policy', 'e1000.nonsense=1', '--json']

test.serial('a command runs from the bundle as from the sources, and nothing else is read', async (t) => {
  const [plain, bundled] = [await run('main', REFUSED), await run('start', REFUSED)]
  t.is(plain.status, 2)
  t.regex(plain.stdout, /drvport\.error\/1/)
  t.deepEqual({ ...bundled, loaded: [] }, { ...plain, loaded: [] })
  t.true(plain.loaded.includes('cli/commands/run.ts'))
  t.deepEqual(bundled.loaded.toSorted(), ['cli/bundle.ts', 'cli/inlining.ts', 'cli/start.ts', 'pipeline/cache-dir.ts'])
})

test.serial('what the engine made of it is kept when a command was carried out, and fits', (t) => {
  const first = openBundle('run')!
  first.keepCompiled()
  const files = readFileSync(recordFile(), 'utf8')
  t.is(files, recordText)
  t.truthy(openBundle('run'))
})

test.serial('of files that changed there is no bundle', (t) => {
  t.teardown(() => writeFileSync(recordFile(), recordText))
  for (const [i, [file, bytes, modified, changed]] of [record.inputs[0]!, record.inputs.at(-1)!].entries()) {
    for (const other of [
      [file, bytes + 1, modified, changed],
      [file, bytes, modified + 1, changed],
      [file, bytes, modified, changed + 1],
      [`${file}x`, bytes, modified, changed],
    ]) {
      const inputs = record.inputs.map((input) => (input[0] === file ? other : input))
      writeFileSync(recordFile(), JSON.stringify({ ...record, inputs }))
      t.is(openBundle('run'), undefined, `${i}: ${JSON.stringify(other)}`)
    }
  }
  writeFileSync(recordFile(), JSON.stringify({ ...record, root: '/elsewhere' }))
  t.is(openBundle('run'), undefined)
})

test.serial('a damaged bundle, and none at all where nothing can be kept, leave the sources', async (t) => {
  t.teardown(() => writeFileSync(recordFile(), recordText))
  writeFileSync(recordFile(), recordText.slice(0, 1000))
  const damaged = await run('start', REFUSED)
  t.is(damaged.status, 2)
  t.true(damaged.loaded.includes('cli/commands/run.ts'))
  const nowhere = await run('start', REFUSED, { DRVPORT_CACHE: '/dev/null/nothing' })
  t.is(nowhere.status, 2)
  t.is(nowhere.stdout, damaged.stdout)
})

test('every source that decides what it does is looked at, and folders whose files do', (t) => {
  const files = record.inputs.map(([file]) => file)
  for (const file of [
    'cli/command-line.ts',
    'cli/make-bundle.ts',
    'machine/machine.ts',
    'pipeline/verify/code.ts',
    'shim/lower/fault.c',
    'shim/lower',
  ])
    t.true(files.includes(file), file)
  t.true(bundleDir().startsWith(cache))
})

test('keys of own files are those that would be taken', (t) => {
  t.deepEqual(record.keys, takeOwnKeys())
})

test('a stack names the sources', (t) => {
  const at = code.split('\n').findIndex((line) => line.startsWith('function plainWords('))
  const shown = openBundle('run')!.origin.shown(`Error: x\n    at plainWords (${NAME}:${at + 1}:10)`)
  const [, file = '', line = ''] = /\((.*):(\d+):\d+\)/.exec(shown) ?? []
  t.is(file, join(ROOT, 'cli', 'plain-words.ts'))
  t.regex(readFileSync(file, 'utf8').split('\n')[Number(line) - 1] ?? '', /function plainWords\(/)
})

test('errors that people meet keep their names, and modules know where they were written', (t) => {
  const names = [...readFileSync(join(ROOT, 'pipeline/errors.ts'), 'utf8').matchAll(/^export class (\w+)/gm)]
  t.true(names.length > 3)
  for (const [, name] of names) t.regex(code, new RegExp(`\\b${name} = class extends `), name)
  t.deepEqual([...code.matchAll(/import_meta|import\.meta/g)], [])
})
