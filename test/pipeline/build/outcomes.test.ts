/** What a compile comes to when the compiler misbehaves: a stand-in for it does, one way a test. */

import { spawn } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { compileContext, compileObject } from '../../../pipeline/build/objects.ts'
import { sweepDirectories } from '../../../pipeline/build/work-directory.ts'
import { InfrastructureError } from '../../../pipeline/errors.ts'
import type { CompileLimits, Toolchain } from '../../../pipeline/toolchain/index.ts'
import { nativeRunner } from '../../../pipeline/toolchain/limits.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-outcomes-'))
process.env['DRVPORT_CACHE'] = path.join(dir, 'cache')
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

const LIMITS: CompileLimits = { cpuSeconds: 1, wallSeconds: 20, memoryBytes: 2 ** 30 }
let made = 0

/** Compile with a shell script as the compiler; `$out` is where the object goes. */
async function compileWith(script: string, limits: CompileLimits = LIMITS, root = dir) {
  const id = ++made
  const compiler = path.join(dir, `cc${id}`)
  const find =
    'out=; while [ $# -gt 0 ]; do case $1 in -o) out=$2;; -c) source=$2;; -MF) list=$2;; esac; last=$1; shift; done'
  const listing = '[ -z "$out" ] && { [ -n "$list" ] && echo "object: $last" > "$list"; exit 0; }'
  await fs.writeFile(compiler, `#!/bin/sh\n${find}\n${listing}\n${script}\n`, { mode: 0o755 })
  const source = path.join(dir, `source${id}.c`)
  await fs.writeFile(source, 'int nothing;\n')
  const run = nativeRunner(process.env)
  const toolchain: Toolchain = {
    name: 'clang',
    version: '0',
    llvmMajor: 20,
    how: 'a stand-in',
    id: `stand-in ${id}`,
    width: 1,
    compile: (args, options) => run(compiler, args, options),
    archive: () => Promise.reject(new Error('not used')),
    link: () => Promise.reject(new Error('not used')),
    close: () => Promise.resolve(),
  }
  const context = compileContext(toolchain, [{ dir: root, as: '' }], undefined, limits)
  const job = { source, args: [] }
  return { outcome: await compileObject(context, job), again: () => compileObject(context, job) }
}

const failures: [name: string, script: string, reason: string, detail: RegExp][] = [
  ['dies of a signal', 'kill -SEGV $$', 'compiler-crash', /^source\d+\.c: cc\d+ crashed \(SIGSEGV\)$/],
  ['tells its own crash', 'echo "PLEASE submit a bug report to LLVM"; exit 70', 'compiler-crash', /PLEASE submit/],
  ['is a driver whose compiler was aborted', 'exit 134', 'compiler-crash', /crashed \(SIGABRT\)/],
  ['is killed for its memory', 'kill -KILL $$', 'out-of-memory', /SIGKILL/],
  ['says it has no memory', 'echo "LLVM ERROR: out of memory"; exit 1', 'out-of-memory', /out of memory/],
  ['computes without end', 'while :; do :; done', 'timeout', /more than 1 s of CPU/],
  ['writes rubbish', 'echo rubbish > "$out"', 'wrong-output', /no wasm object/],
  ['writes nothing and says it went well', 'exit 0', 'wrong-output', /no wasm object/],
  [
    'refuses the file',
    `echo "$source:3:1: error: no such type"; exit 1`,
    'compile-error',
    /^source\d+\.c:3: no such type$/,
  ],
  [
    'gives up after an error it has told',
    `echo "$source:7:1: error: computed gotos"; echo "PLEASE submit a bug report"; exit 70`,
    'compile-error',
    /^source\d+\.c:7: computed gotos$/,
  ],
]
for (const [name, script, reason, detail] of failures)
  test(`a compiler that ${name}: ${reason}`, async (t) => {
    const { outcome } = await compileWith(script)
    t.false(outcome.ok)
    t.is<string | undefined, string>(outcome.reason, reason)
    t.regex(outcome.detail ?? '', detail)
    t.is(outcome.object, undefined)
    t.is(outcome.inputs.length, 1)
  })

test('a compiler that only waits is ended by the clock, with what it has started', async (t) => {
  const mark = path.join(dir, 'still-running')
  const script = `sh -c 'sleep 3; touch ${mark}' & wait`
  const { outcome } = await compileWith(script, { ...LIMITS, wallSeconds: 0.5 })
  t.is(outcome.reason, 'timeout')
  t.regex(outcome.detail ?? '', /still running after 0.5 s/)
  await new Promise((resolve) => setTimeout(resolve, 3500))
  await t.throwsAsync(fs.access(mark))
})

/** A relocatable object without symbols: magic, version and a linking section of version 2. */
const OBJECT = String.raw`printf '\0asm\1\0\0\0\0\011\007linking\2' > "$out"`

test('what a compiler made is found again, with its symbols, until something it read changes', async (t) => {
  const count = path.join(dir, 'count')
  const { outcome, again } = await compileWith(`echo x >> ${count}; ${OBJECT}`)
  t.true(outcome.ok, outcome.detail)
  t.deepEqual(outcome.symbols, { defines: [], needs: [] })
  const second = await again()
  t.true(second.cached)
  t.is(second.sha256, outcome.sha256)
  t.is(await fs.readFile(count, 'utf8'), 'x\n')
})

test('what was made with headers of another configuration is made again', async (t) => {
  const headers = path.join(dir, 'cache', 'kbuild', 'linux-other', 'view')
  await fs.mkdir(headers, { recursive: true })
  await fs.writeFile(path.join(headers, 'a.h'), '')
  const compile = (root: string) =>
    compileWith(`echo "object: $source ${headers}/a.h" > "$out.d"; ${OBJECT}`, LIMITS, root)
  const own = await compile(headers)
  t.true(own.outcome.ok, own.outcome.detail)
  t.true((await own.again()).cached)
  const foreign = await compile(path.join(dir, 'elsewhere'))
  t.true(foreign.outcome.ok, foreign.outcome.detail)
  t.false((await foreign.again()).cached)
})

test('an error in the source is remembered; a crash is tried again', async (t) => {
  const count = path.join(dir, 'errors')
  const error = await compileWith(
    `echo x >> ${count}; echo "object: $source" > "$out.d"; echo "$source:3:1: error: no"; exit 1`,
  )
  const second = await error.again()
  t.is(second.reason, 'compile-error')
  t.true(second.cached)
  t.deepEqual(second.diagnostics, error.outcome.diagnostics)
  t.is(await fs.readFile(count, 'utf8'), 'x\n')
  const crashes = path.join(dir, 'crashes')
  const crash = await compileWith(`echo x >> ${crashes}; kill -SEGV $$`)
  t.false((await crash.again()).cached)
  t.is(await fs.readFile(crashes, 'utf8'), 'x\nx\n')
})

test('a back end that gives up, and takes the list of what was read with it, is asked for that list', async (t) => {
  const runs = path.join(dir, 'runs')
  const error = await compileWith(`
    echo x >> ${runs}; echo "$source:3:1: error: computed gotos"
    echo "clang: error: clang frontend command failed with exit code 70"; exit 70`)
  t.is(error.outcome.reason, 'compile-error')
  t.deepEqual(
    error.outcome.diagnostics.map(({ message }) => message),
    ['computed gotos'],
  )
  t.true((await error.again()).cached)
  t.is(await fs.readFile(runs, 'utf8'), 'x\n')
})

test('a file that is missing may come: its error is not remembered', async (t) => {
  const error = await compileWith(`echo "$source:3:1: fatal error: 'x.h' file not found"; exit 1`)
  t.is(error.outcome.reason, 'compile-error')
  t.false((await error.again()).cached)
})

test('a full disk and a missing compiler are no fault of the file', async (t) => {
  await t.throwsAsync(compileWith('echo "error: unable to open output file: No space left on device"; exit 1'), {
    instanceOf: InfrastructureError,
  })
  const run = nativeRunner(process.env)
  const options = { cwd: dir, limits: LIMITS }
  await t.throwsAsync(run(path.join(dir, 'no-such-compiler'), [], options), { instanceOf: InfrastructureError })
})

test('a compiler may not take more memory than its limit', async (t) => {
  const script = `head -c 200000000 /dev/zero | tail -c 200000000 >/dev/null || { echo "LLVM ERROR: out of memory"; exit 1; }; ${OBJECT}`
  t.is((await compileWith(script, { ...LIMITS, cpuSeconds: 10, memoryBytes: 2 ** 26 })).outcome.reason, 'out-of-memory')
  t.true((await compileWith(script, { ...LIMITS, cpuSeconds: 10 })).outcome.ok)
})

test('what killed processes left is removed once it is old; what is alive or young stays', async (t) => {
  const work = path.join(dir, 'left')
  const old = new Date(Date.now() - 7_200_000)
  const dead = await deadProcess()
  for (const [name, time] of [
    [`${dead}-1`, old],
    [`${dead}-2`, new Date()],
    [`${process.pid}-3`, old],
    ['others', old],
  ] as const) {
    await fs.mkdir(path.join(work, name), { recursive: true })
    await fs.utimes(path.join(work, name), time, time)
  }
  await sweepDirectories(work)
  t.deepEqual((await fs.readdir(work)).toSorted(), [`${dead}-2`, `${process.pid}-3`, 'others'].toSorted())
})

/** Number of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn('true')
  await new Promise((resolve) => child.on('close', resolve))
  return child.pid as number
}
