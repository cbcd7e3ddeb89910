/** What only some commands need is loaded by them only: starting `drvport` never reads it. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Packages of the queue and of the shared store. */
const OPTIONAL = ['bullmq', 'ioredis', 'aws4fetch']

/** What a file imports when it is loaded: neither types nor `import()`. */
function loads(text: string): string[] {
  const statements = text.matchAll(
    /^\s*(?:import|export)\s+(?!type\s)[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm,
  )
  return [...statements].map((match) => match[1] ?? (match[2] as string))
}

/** Every file that loading one loads, and every package. */
function reach(start: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    for (const name of loads(readFileSync(join(root, file), 'utf8'))) {
      if (name.startsWith('.')) visit(relative(root, join(root, dirname(file), name)))
      else packages.add(name)
    }
  }
  visit(start)
  return { files, packages }
}

const commands = readdirSync(join(root, 'cli/commands')).map((name) => `cli/commands/${name}`)

test('no command is read before it is asked for', (t) => {
  const { files, packages } = reach('cli/command-line.ts')
  t.true(files.has('cli/commands/index.ts'))
  t.false(packages.has('yargs'), 'which takes a tenth of a start')
  t.deepEqual(
    commands.filter((file) => files.has(file)),
    ['cli/commands/index.ts'],
  )
})

test('every command starts without the queue and its packages, and without a server', (t) => {
  t.true(commands.includes('cli/commands/worker.ts'))
  for (const command of commands) {
    const { files, packages } = reach(command)
    for (const name of [...OPTIONAL, 'node:http']) t.false(packages.has(name), `${command}: ${name}`)
    t.deepEqual(
      [...files].filter((file) => file.startsWith('pipeline/queue/')),
      [],
    )
  }
})

/** What a warm `drvport run` reads: modules of ours. One more is one more that each start pays for. */
const MODULES_OF_A_RUN = 214

test('a run of what is built reads so many modules, and nothing that builds, fetches, proves or records', (t) => {
  const [line, run] = [reach('cli/command-line.ts'), reach('cli/commands/run.ts')]
  const files = [...line.files.union(run.files)].filter((file) => !file.startsWith('node:'))
  t.is(files.length, MODULES_OF_A_RUN)
  t.deepEqual(
    [...line.packages.union(run.packages)].filter((name) => !name.startsWith('node:')),
    [],
  )
  for (const what of ['node:child_process', 'node:worker_threads', 'node:zlib', 'node:http'])
    t.false(line.packages.has(what) || run.packages.has(what), what)
  const unwanted =
    /pipeline\/(source|api|folder|optimize|rewrite|matrix|report)\/|build\/fresh|verify\/(code|core|bound)|wasm\/(dwarf|module|instrument)|prove|replacement|recording-file|watchdog|make-bundle/
  t.deepEqual(
    files.filter((file) => unwanted.test(file)),
    [],
  )
})

test('before the bundle, four files are read', (t) => {
  const { files, packages } = reach('cli/start.ts')
  t.deepEqual([...files].toSorted(), ['cli/bundle.ts', 'cli/inlining.ts', 'cli/start.ts', 'pipeline/cache-dir.ts'])
  t.deepEqual(
    [...packages].filter((name) => !name.startsWith('node:')),
    [],
  )
})

test('the walk would find them', (t) => {
  const { packages } = reach('cli/queue.ts')
  t.true(packages.has('bullmq') && packages.has('ioredis'))
})
