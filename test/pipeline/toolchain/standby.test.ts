/** A program that stands by does what one that is spawned does, to the byte; how a job ends is told as a process's end is. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Interrupted } from '../../../pipeline/errors.ts'
import { cpuMs } from '../../../pipeline/matrix/usage.ts'
import { undisturbed } from '../../../pipeline/toolchain/limits.ts'
import { findProgram, runProcess } from '../../../pipeline/toolchain/process.ts'
import { openStandby, openStandbys, type Standby } from '../../../pipeline/toolchain/standby.ts'

const dir = mkdtempSync(join(tmpdir(), 'drvport-standby-'))
const LIMITS = { cpuSeconds: 1, wallSeconds: 100, memoryBytes: 2 ** 30 }
const env = undisturbed(process.env)

async function shell(t: ExecutionContext): Promise<Standby> {
  const standby = await openStandby('/bin/sh', (await findProgram('cc'))!, env)
  if (standby === undefined) throw new Error('the shell does not stand by')
  t.teardown(() => standby.close())
  return standby
}

test('a job is what a process of its own would be', async (t) => {
  const standby = await shell(t)
  const scripts = [
    'echo out; echo err >&2; exit 3',
    'pwd; echo "$0 $1"; cat; env | grep -c LD_ || true',
    'kill -SEGV $$',
    'kill -KILL $$',
    'i=0; while [ $i -lt 3000 ]; do echo "a line of some length, so that it is more than a pipe holds"; i=$((i+1)); done',
    'ulimit -c; ps -o pgid= -p $$ >/dev/null',
  ]
  for (const script of scripts) {
    const args = ['-c', script, 'name', 'ärgument']
    const spawned = await runProcess('/bin/sh', args, { cwd: dir, env })
    const { stdout, stderr, ...end } = (await standby.run({ args, cwd: dir }))!
    t.deepEqual(end, { status: spawned.status, signal: spawned.signal, timedOut: false }, script)
    t.is([...(stdout + stderr)].toSorted().join(''), [...(spawned.stdout + spawned.stderr)].toSorted().join(''), script)
  }
})

test('jobs run at once, and each answer is its own', async (t) => {
  const standby = await shell(t)
  const ends = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      standby.run({ args: ['-c', `sleep 0.0${i % 3}; echo ${i}; exit ${i}`], cwd: dir }),
    ),
  )
  ends.forEach((end, i) => t.like(end, { status: i, stderr: `${i}\n` }))
})

test('limits hold for a job, and an interrupt ends it', async (t) => {
  const standby = await shell(t)
  const run = (script: string, more: object = {}) =>
    standby.run({ args: ['-c', script], cwd: dir, limits: LIMITS, ...more })
  t.like(await run('while :; do :; done'), { status: null, signal: 'SIGXCPU', timedOut: false })
  t.like(await run('sleep 60 & wait', { limits: { ...LIMITS, wallSeconds: 0.3 } }), {
    signal: 'SIGKILL',
    timedOut: true,
  })
  t.like(await run('ulimit -v'), { stderr: `${2 ** 20}\n` })
  const abort = new AbortController()
  setTimeout(() => abort.abort(), 100)
  await t.throwsAsync(run('sleep 60', { signal: abort.signal }), { instanceOf: Interrupted })
  t.like(await run('exit 0'), { status: 0 })
})

test('what jobs cost is counted while the program stands by', async (t) => {
  const standby = await shell(t)
  const before = cpuMs()!
  const end = await standby.run({ args: ['-c', 'while :; do :; done'], cwd: dir, limits: LIMITS })
  t.is(end?.signal, 'SIGXCPU')
  const cost = cpuMs()! - before
  t.true(cost >= LIMITS.cpuSeconds * 900, `${cost} ms`)
})

test('when it is ended, what it did not finish is not taken for a result', async (t) => {
  const standby = await shell(t)
  const job = standby.run({ args: ['-c', 'sleep 60'], cwd: dir })
  setTimeout(() => standby.close(), 100)
  t.is(await job, undefined)
  t.is(await standby.run({ args: ['-c', 'exit 0'], cwd: dir }), undefined)
})

test('what cannot stand by is said to, and left to be spawned', async (t) => {
  const script = join(dir, 'script')
  writeFileSync(script, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  const cc = (await findProgram('cc'))!
  t.is(await openStandby(script, cc, env), undefined)
  t.is(await openStandby(join(dir, 'nothing'), cc, env), undefined)
})

test('objects are the same to the byte, whoever made them', async (t) => {
  const cc = (await findProgram('clang-19')) ?? (await findProgram('cc'))!
  writeFileSync(
    join(dir, 'some.c'),
    '#include <stddef.h>\nint some(int *at, size_t n) { int s = 0; while (n--) s += at[n]; return s; }\n',
  )
  const args = ['-O2', '-g', '-c', 'some.c', '-o', 'some.o']
  await runProcess(cc, args, { cwd: dir, env })
  const spawned = readFileSync(join(dir, 'some.o'))
  const standbys = openStandbys(cc, env)
  t.teardown(() => standbys.close())
  let by = 0
  for (let i = 0; i < 200 && by < 3; i++) {
    writeFileSync(join(dir, 'some.o'), '')
    const end = await standbys.run(cc, { args, cwd: dir, limits: { ...LIMITS, cpuSeconds: 10 } })
    if (end === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      continue
    }
    by++
    t.is(end.status, 0, end.stderr)
    t.deepEqual(readFileSync(join(dir, 'some.o')), spawned)
  }
  t.is(by, 3)
})
