import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { askedCompiler, placeAskedCompiler } from '../../../pipeline/kbuild/asked-compiler.ts'

/** A compiler that notes what it is asked, and takes all but -fno-such; in a view whose path is as odd as any may be. */
async function view(t: ExecutionContext) {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), "drvport-ask'd-"))
  t.teardown(() => fs.rm(dir, { recursive: true, force: true }))
  await fs.mkdir(path.join(dir, 'build'))
  const log = path.join(dir, 'asked')
  const cc = path.join(dir, 'cc')
  const answer =
    'case "$*" in --version) echo cc 1.0 ;; *" - "*) wc -c ;; *-fno-such*) exit 1 ;; *-fkilled*) kill -9 $$ ;; esac'
  // By a program of its own: a file that this one writes is busy for as long as some other thread's child has it open.
  const input = `#!/bin/sh\nprintf '%s|' "$@" >>"${log}"; echo >>"${log}"\n${answer}\n`
  spawnSync('sh', ['-c', 'cat >"$1" && chmod 755 "$1"', 'sh', cc], { input })
  await fs.writeFile(log, '')
  await placeAskedCompiler(dir, cc, path.join(dir, 'memory'))
  const ask = (args: readonly string[], input = '') => {
    const run = () => spawnSync(askedCompiler(dir, cc), args, { input, encoding: 'utf8' })
    let asking = run()
    // What this process wrote stays open in a child that another thread is just making, for a moment.
    while ((asking.error as NodeJS.ErrnoException | undefined)?.code === 'ETXTBSY') asking = run()
    const { status, signal, stdout } = asking
    return { status: signal === null ? status : null, stdout }
  }
  const asked = async () => (await fs.readFile(log, 'utf8')).split('\n').filter((line) => line !== '')
  return { dir, cc, ask, asked }
}

const option = (flag: string, at: string) => [
  '-Werror',
  '-DX=((void *)0)',
  flag,
  '-c',
  '-x',
  'c',
  '/dev/null',
  '-o',
  at,
]

test('a question is asked once, wherever its object would go, and yes and no are remembered', async (t) => {
  const { ask, asked } = await view(t)
  for (const at of ['.tmp_1/tmp', '.tmp_22/tmp', '/folder/my-own/.tmp_3/tmp'])
    for (const [flag, status] of [
      ['-fsome', 0],
      ['-fno-such', 1],
    ] as const)
      t.is(ask(option(flag, at)).status, status)
  t.is((await asked()).length, 2)
  t.is(ask(option('-fother', '.tmp_1/tmp')).status, 0)
  t.is((await asked()).length, 3)
})

test('the compiler gets the words as they were given', async (t) => {
  const { ask, asked } = await view(t)
  const words = option('-DNAME="it\'s *"', '.tmp_1/tmp')
  ask(words)
  t.deepEqual(await asked(), [`${words.join('|')}|`])
})

test('its version is asked once; an answer that lasts no longer than a process is none', async (t) => {
  const { ask, asked } = await view(t)
  t.deepEqual(
    [ask(['--version']), ask(['--version'])],
    [0, 1].map(() => ({ status: 0, stdout: 'cc 1.0\n' })),
  )
  t.is((await asked()).length, 1)
  ask(option('-fkilled', '.tmp_1/tmp'))
  ask(option('-fkilled', '.tmp_1/tmp'))
  t.is((await asked()).length, 3)
})

test('what is compiled, or comes by stdin, or is read by who asks, goes to the compiler each time', async (t) => {
  const { ask, asked } = await view(t)
  const plain = [
    ['-c', '-o', 'a.o', 'a.c'],
    ['-S', '-x', 'c', '/dev/null', '-o', '-'],
    ['-Wa,--version', '-c', '-x', 'assembler', '/dev/null', '-o', '/dev/null'],
  ]
  for (const words of [...plain, ...plain]) t.is(ask(words).status, 0)
  t.is((await asked()).length, 6)
  t.is(ask(['-x', 'c', '-c', '-', '-o', 'x'], 'four').stdout.trim(), '4')
})

test('a view that was made without one asks the compiler itself', async (t) => {
  const { dir } = await view(t)
  t.is(askedCompiler(path.join(dir, 'memory'), '/usr/bin/clang'), '/usr/bin/clang')
})
