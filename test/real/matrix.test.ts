/** Matrices of real modules: a bad one beside good ones, shards, interruption, SIGKILL, two runs at once. */

import { spawn } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { cacheDir } from '../../pipeline/cache.ts'
import type { ClimbJob, Climber } from '../../pipeline/matrix/climb.ts'
import { runMatrix, type MatrixRequest } from '../../pipeline/matrix/run.ts'
import { digestOf } from '../../pipeline/matrix/summary.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace, testTreeName } from './workspace.ts'

const { tree, toolchain, close } = await openTestWorkspace('clang')
test.after.always(close)
const real = test.serial

/** A directory of a dozen small modules. */
const DIRECTORY = 'drivers/leds/trigger'

test.beforeEach((t) => t.timeout(600_000))

const matrix = (request: Partial<MatrixRequest> & Pick<MatrixRequest, 'selectors'>): Promise<MatrixDocument> =>
  runMatrix({ tree, toolchain, until: 'compile', seed: 1, ...request })

async function temporary(t: ExecutionContext, name: string): Promise<string> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), `drvport-${name}-`))
  t.teardown(() => fs.rm(dir, { recursive: true, force: true }))
  return dir
}

const HEAD = '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n'
const init = (body: string) => `static int __init f(void) { ${body} }\nmodule_init(f);\n`

/** A folder of modules that fail, each in its own way, around one that does not. */
async function badFolder(t: ExecutionContext): Promise<string> {
  const dir = await temporary(t, 'bad')
  const files = {
    Kbuild: 'obj-m += absent.o broken.o good.o headless.o lonely.o needy.o\n',
    'broken.c': `${HEAD}int broken_call(void) { return 1 }\nEXPORT_SYMBOL_GPL(broken_call);\n`,
    'good.c': `${HEAD}${init('return 0;')}`,
    'headless.c': `${HEAD}#include <linux/no_such_header.h>\n`,
    'needy.c': `${HEAD}extern int broken_call(void);\n${init('return broken_call();')}`,
    'lonely.c': `${HEAD}extern int nobody_has_it(void);\n${init('return nobody_has_it();')}`,
  }
  for (const [name, text] of Object.entries(files)) await fs.writeFile(path.join(dir, name), text)
  return dir
}

const TABLE = '#include <linux/pci.h>\nstatic const struct pci_device_id ids[] = { { PCI_DEVICE(1, 2) }, {} };\n'

real('a test that an init has no time for gets that of a test; another module does not', async (t) => {
  const asked: ClimbJob[] = []
  const climber: Climber = {
    climb: (job) => {
      asked.push(job)
      const late =
        job.isTest === true ? ({ rung: 'init', reason: '' } as const) : ({ rung: 'load', reason: 'timeout' } as const)
      return Promise.resolve({ ...late, detail: '', ms: {} })
    },
    besideFor: () => [],
    close: () => Promise.resolve(),
  }
  const { rows } = await matrix({ selectors: ['list-test', 'crc7'], until: 'init', climber })
  t.deepEqual(rows.map(({ module, rung, reason }) => `${module} ${rung} ${reason}`).toSorted(), [
    'crc7 load timeout',
    'list-test init ',
  ])
  t.deepEqual(asked.map(({ name, isTest }) => `${name} ${isTest ?? false}`).toSorted(), [
    'crc7 false',
    'list-test false',
    'list-test true',
  ])
})

real('what a tree makes by a rule of its Makefile is no source that is missing', async (t) => {
  const [row] = (await matrix({ selectors: ['lkdtm'] })).rows
  t.like(row, { rung: 'none', reason: 'not-c' })
  t.is(row?.detail, 'drivers/misc/lkdtm/rodata_objcopy.o is made from no C file, but by a rule of its Makefile')
})

real('two modules of one link may name their device tables alike', async (t) => {
  const dir = await temporary(t, 'alike')
  const own = `${HEAD}${TABLE}MODULE_DEVICE_TABLE(pci, ids);\nextern int lend(void);\n`
  await fs.writeFile(path.join(dir, 'Kbuild'), 'obj-m += lender.o borrower.o\n')
  await fs.writeFile(
    path.join(dir, 'lender.c'),
    `${own}int lend(void) { return ids->vendor - 1; }\nEXPORT_SYMBOL(lend);\n`,
  )
  await fs.writeFile(path.join(dir, 'borrower.c'), `${own}${init('return lend() + ids->vendor - 1;')}`)
  const { rows } = await matrix({ selectors: [dir], until: 'link' })
  t.deepEqual(
    rows.map(({ module, rung, detail }) => `${module} ${rung} ${detail}`.trim()),
    ['borrower link', 'lender link'],
  )
})

real('bad modules are rows with a reason and never stop the others', async (t) => {
  const dir = await badFolder(t)
  const document = await matrix({ selectors: [dir], until: 'link' })
  const rows = new Map(document.rows.map((row) => [row.module, row]))
  const told = document.rows.map(({ module, rung, reason }) => `${module} ${rung} ${reason}`.trim())
  t.deepEqual(told, [
    'absent none no-source',
    'broken parse compile-error',
    'good link',
    'headless none missing-header',
    'lonely compile unresolved-symbol',
    'needy compile dependency-failed',
  ])
  t.regex(rows.get('broken')!.detail, /^external\/.*\/broken\.c:3: expected ';'/)
  t.is(rows.get('broken')!.diagnostics[0]?.source, 'int broken_call(void) { return 1 }')
  t.regex(rows.get('headless')!.detail, /headless\.c:3: 'linux\/no_such_header\.h' file not found/)
  t.regex(rows.get('absent')!.detail, /absent\.c/)
  t.is(rows.get('needy')!.detail, 'needs broken, which does not compile')
  t.deepEqual(rows.get('needy')!.missing, [])
  t.deepEqual(rows.get('lonely')!.missing, ['nobody_has_it'])
  t.regex(rows.get('lonely')!.detail, /nobody_has_it \(external\/.*\/lonely\.c:3\)/)
  t.false(JSON.stringify(document.rows).includes(dir), 'a row names a path of this computer')
  const again = await matrix({ selectors: [dir], until: 'link' })
  t.is(again.summary.digest, document.summary.digest)
})

real('what is kept of a link does not outlive a change of the source', async (t) => {
  const dir = await temporary(t, 'change')
  const file = path.join(dir, 'fickle.c')
  const text = `${HEAD}extern int nobody_has_it(void);\n${init('return nobody_has_it();')}`
  const row = async (source: string) => {
    await fs.writeFile(file, source)
    return (await matrix({ selectors: [file], until: 'link' })).rows[0]!
  }
  t.is((await row(text)).reason, 'unresolved-symbol')
  t.is((await row(`${text}int nobody_has_it(void) { return 0; }\n`)).rung, 'link')
  // One line further down: the same object code, another place to look at.
  t.regex((await row(`\n${text}`)).detail, /fickle\.c:4/)
})

real('the document: sorted, counted, complete', async (t) => {
  const document = await matrix({ selectors: [DIRECTORY, `${DIRECTORY}/**`] })
  const paths = document.rows.map((row) => row.path)
  t.true(paths.length > 3)
  t.deepEqual(paths, [...new Set(paths)].toSorted())
  t.is(document.summary.modules, paths.length)
  t.deepEqual(document.summary.rungs, { compile: paths.length })
  t.is(document.interrupted, false)
  for (const row of document.rows) {
    t.is(row.changedBytes, 0, row.path)
    t.true(row.sources > 0 && row.licenses.length > 0 && row.spdx.length > 0, row.path)
  }
})

real('shards together are the whole', async (t) => {
  const selectors = [DIRECTORY, 'drivers/net/pcs', 'drivers/mux']
  const whole = await matrix({ selectors })
  const parts = []
  for (const index of [1, 2, 3]) parts.push(await matrix({ selectors, shard: { index, of: 3 } }))
  t.true(parts.every((part) => part.rows.length > 0))
  t.is(digestOf(parts.flatMap((part) => part.rows)), whole.summary.digest)
  t.deepEqual(parts[1]?.shard, { index: 2, of: 3 })
})

real('an interrupted run tells what it finished, and the next one finishes the rest', async (t) => {
  const stop = new AbortController()
  let rows = 0
  const half = await matrix({
    selectors: [DIRECTORY],
    until: 'link',
    signal: stop.signal,
    progress: (event) => void (event.step === 'row' && ++rows === 2 && stop.abort()),
  })
  t.true(half.interrupted)
  t.true(half.rows.some((row) => row.reason === 'interrupted'))
  t.true(half.rows.some((row) => row.reason !== 'interrupted'))
  const rest = await matrix({ selectors: [DIRECTORY], until: 'link' })
  t.false(rest.interrupted)
  const finished = half.rows.filter((row) => row.reason !== 'interrupted')
  for (const row of finished) t.is(digestOf([row]), digestOf(rest.rows.filter(({ path }) => path === row.path)))
})

/** The command line as a process of its own, with a cache of its own beside the trees there are. */
function start(cache: string): { ended: Promise<MatrixDocument | undefined>; kill: () => void } {
  const env = { ...process.env, DRVPORT_CACHE: cache, DRVPORT_TREES: process.env['DRVPORT_TREES'] ?? cacheDir() }
  const main = path.join(packageRoot, 'cli', 'main.ts')
  const args = [
    main,
    'matrix',
    DIRECTORY,
    '--tree',
    testTreeName,
    '--until',
    'compile',
    '--toolchain',
    'clang',
    '--json',
  ]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended = new Promise<MatrixDocument | undefined>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve(status === 0 ? (JSON.parse(text) as MatrixDocument) : undefined))
  })
  return { ended, kill: () => void child.kill('SIGKILL') }
}

/** Objects that a cache has so far. */
async function objectsIn(cache: string): Promise<number> {
  const names = await fs.readdir(path.join(cache, 'objects'), { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith('.o') && !name.startsWith('work')).length
}

/** Until so many objects are there, or the run has ended. */
async function progressed(cache: string, run: { ended: Promise<unknown> }, objects: number): Promise<void> {
  const over = run.ended.then(() => true)
  const goesOn = (): Promise<boolean> => Promise.race([over.then(() => false), sleep(20).then(() => true)])
  while ((await objectsIn(cache)) < objects && (await goesOn()));
}

real('killed at any moment, then gone on with twice at once: the matrix of an undisturbed run', async (t) => {
  const cache = await temporary(t, 'killed')
  const undisturbed = await matrix({ selectors: [DIRECTORY] })
  for (let round = 0; round < 2; round++) {
    const killed = start(cache)
    const objects = (await objectsIn(cache)) + 1 + Math.floor(Math.random() * 5)
    await progressed(cache, killed, objects)
    await sleep(Math.random() * 300)
    killed.kill()
    // A second run has few objects left to make, and may have come to its end before.
    const ended = await killed.ended
    t.log(ended === undefined ? `killed at object ${objects}` : 'ended before')
    t.true(ended === undefined || round > 0)
  }
  const both = await Promise.all([start(cache).ended, start(cache).ended])
  for (const resumed of both) t.is(resumed?.summary.digest, undisturbed.summary.digest)
})
