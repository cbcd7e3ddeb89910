/**
 * `drvport test`: everything CI holds a commit to, fastest first: generated files, types, lint, format, then the ava
 * suite. Ends with `N passed, N failed`. Works in a checkout only: a published package carries no tests.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { existsSync } from 'node:fs'
import { buildModules } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { ensureHostTools } from '../../pipeline/toolchain/host-packages.ts'
import { openTreeOnly, openWorkspace, type Workspace } from '../../pipeline/workspace.ts'
import type { Command, Context } from '../context.ts'
import { reporting } from '../workspace.ts'
import { showBuild } from '../show-build.ts'

const root = `${packageRoot}/`
const tool = (name: string): string => `${root}node_modules/.bin/${name}`

interface Outcome {
  passed: number
  failed: number
}

/** The checks that need no test runner: each counts as one. */
const checks: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['generated files', process.execPath, ['linux-api/generate.ts', '--check']],
  ['types', tool('tsc'), ['-p', '.']],
  ['lint', tool('oxlint'), ['--quiet']],
  ['format', tool('prettier'), ['--check', '--log-level', 'warn', '.']],
]

function run(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<number> {
  const child = spawn(command, args, { cwd: root, signal, stdio: ['ignore', 'pipe', 'pipe'] })
  let rest = ''
  const take = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop()!
    for (const line of lines) onLine(line)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (rest !== '') onLine(rest)
      resolve(code ?? 1)
    })
  })
}

async function runChecks(context: Context, outcome: Outcome): Promise<void> {
  for (const [name, command, args] of checks) {
    const lines: string[] = []
    const ok = (await run(command, args, context.signal, (line) => lines.push(line))) === 0
    process.stdout.write(`${ok ? 'ok' : 'not ok'} - ${name}\n${ok ? '' : `${lines.join('\n')}\n`}`)
    if (ok) outcome.passed++
    else outcome.failed++
  }
}

/** What the real tests run on, brought here so that its progress is seen and no two tests fetch at once. */
async function prepare(context: Context): Promise<void> {
  const trees = ['linux-6.1', 'linux-6.12', 'linux-5.10', 'linux-7.2'].map((tree) =>
    openTreeOnly({ tree, ...reporting(context) }),
  )
  for (const tree of await Promise.allSettled(trees)) if (tree.status === 'rejected') throw tree.reason
  const bringing = { signal: context.signal, progress: (line: string) => context.progress.update(line) }
  await ensureHostTools(['emcc', 'chromium', 'qemu-arm64'], bringing)
  await ensureHostTools(['redis'], { ...bringing, unprivileged: true })
  await buildCommon(context)
  context.progress.done()
}

/** Kernels that tests stand on: a test that had to compile one first would be over its time. */
const KERNELS = [
  { tree: 'linux-6.1' },
  { tree: 'linux-6.12' },
  { tree: 'linux-6.1', configuration: 'lockdep' },
  { tree: 'linux-6.1', configuration: 'kasan' },
  { tree: 'linux-6.12', configuration: 'kunit' },
] as const

/** What most real tests begin with, compiled once: those that run side by side would all do it. */
async function buildCommon(context: Context): Promise<void> {
  const { signal } = context
  const open = (kernel: (typeof KERNELS)[number]): Promise<Workspace> =>
    openWorkspace({ ...kernel, toolchain: 'clang', ...reporting(context) })
  let opened = open(KERNELS[0])
  for (let i = 0; i < KERNELS.length; i++) {
    const workspace = await opened
    const next = KERNELS[i + 1]
    // Configuring a tree keeps one processor busy for part of a minute: it goes on beside the compilers.
    if (next !== undefined) opened = open(next)
    opened.catch(() => undefined)
    const request = { ...workspace, selectors: ['8139too', 'e1000'], signal }
    await buildModules({ ...request, progress: (event) => showBuild(context, event) }).finally(workspace.close)
  }
}

/** One more than processors: some tests wait for servers and browsers. ava itself takes two wherever CI is set. */
const FILES_AT_ONCE = availableParallelism() + 1

/** Runs ava in TAP form and relays it: a line per test, the whole report of a failure. */
async function runSuite(files: readonly string[], context: Context, outcome: Outcome): Promise<void> {
  let ended = false
  const onLine = (line: string): void => {
    if (/^ok \d+/.test(line) && !/# (SKIP|TODO)/.test(line)) outcome.passed++
    else if (/^not ok \d+/.test(line) && !/# TODO/.test(line)) outcome.failed++
    if (/^1\.\.\d+/.test(line)) ended = true
    if (!/^(TAP version|1\.\.|# )/.test(line)) process.stdout.write(`${line}\n`)
  }
  const args = [tool('ava'), '--tap', '--concurrency', String(FILES_AT_ONCE), ...files]
  const code = await run(process.execPath, args, context.signal, onLine)
  if (code !== 0 && outcome.failed === 0) {
    outcome.failed++
    process.stdout.write(`not ok - the suite ${ended ? 'failed' : 'did not run to its end'} (exit status ${code})\n`)
  }
}

export const test: Command = {
  usage: 'test [files..]',
  describe: 'run the test suite',
  options: (argv) =>
    argv.positional('files', { array: true, type: 'string', describe: 'test files; all when none is named' }),
  async run(context, argv) {
    if (!existsSync(`${root}test`) || !existsSync(tool('ava'))) {
      throw new UsageError('the tests are not here', {
        where: root,
        expected: 'a checkout of drvport',
        todo: 'clone the repository and run ./drvport test there',
      })
    }
    const files = (argv['files'] as string[] | undefined) ?? []
    const outcome: Outcome = { passed: 0, failed: 0 }
    if (files.length === 0) {
      // Unpacking a tree keeps one processor busy, and so does each check.
      await Promise.all([prepare(context), runChecks(context, outcome)])
    }
    await runSuite(files, context, outcome)
    process.stdout.write(`${outcome.passed} passed, ${outcome.failed} failed\n`)
    return outcome.failed === 0 && outcome.passed > 0 ? 0 : 1
  },
}
