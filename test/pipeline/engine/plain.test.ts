import test from 'ava'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { guestEntries } from '../../../cli/engine/index.ts'
import { moduleGraph, writePlain } from '../../../pipeline/engine/plain.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-plain-'))
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

const [nodeEntry, pageEntry] = guestEntries() as [string, string]

test('the machine, what policy says and the symbolizer need nothing of Node: what a page loads imports none of its modules', async (t) => {
  const { files, builtins, libraries } = await moduleGraph([pageEntry])
  t.deepEqual(builtins, [])
  t.deepEqual(libraries, ['@wasmer/wasi'])
  for (const part of ['kernel/kernel.ts', 'lab/run.ts', 'pipeline/verify/manifest.ts', 'pipeline/wasm/lines.ts'])
    t.true(
      files.some((file) => file.endsWith(part)),
      part,
    )
})

test('a module of Node is found wherever it is imported', async (t) => {
  const { builtins } = await moduleGraph([nodeEntry])
  t.deepEqual([...new Set(builtins.map(({ name, from }) => `${name} ${path.basename(from)}`))].toSorted(), [
    'node:fs guest-node.ts',
    'node:path guest-node.ts',
  ])
})

test('plain modules load as they are', async (t) => {
  const [entry] = await writePlain([path.resolve('lab/run.ts')], dir)
  t.is(entry, 'lab/run.js')
  const text = await fs.readFile(path.join(dir, entry!), 'utf8')
  t.notRegex(text, /from '[^']*\.ts'|\binterface /)
  const loaded = (await import(path.join(dir, entry!))) as { runMachine: unknown }
  t.is(typeof loaded.runMachine, 'function')
})
