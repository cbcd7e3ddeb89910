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
  const { files, packages } = reach('cli/main.ts')
  t.true(packages.has('yargs') && files.has('cli/commands/index.ts'))
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

test('the walk would find them', (t) => {
  const { packages } = reach('cli/queue.ts')
  t.true(packages.has('bullmq') && packages.has('ioredis'))
})
