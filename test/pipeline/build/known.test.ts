/** What is kept of a module that was built before: for whom it holds, and for whom it does not. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import type { KernelModule, KernelTree } from '../../../pipeline/build/kernel.ts'
import { knownModule, rememberModule } from '../../../pipeline/build/known.ts'
import { NOTHING } from '../../../pipeline/build/module.ts'
import type { Facts } from '../../../pipeline/build/trace.ts'
import { packageDir } from '../../../pipeline/store/index.ts'
import type { Toolchain } from '../../../pipeline/toolchain/types.ts'

const cache = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-known-'))
process.env['DRVPORT_CACHE'] = cache
test.after.always(() => fs.rm(cache, { recursive: true, force: true }))

const builder = (tree: Partial<KernelTree> = {}, compiler = 'clang') => ({
  tree: { id: 'plain', version: '6.1.1', sealed: true, ...tree } as KernelTree,
  toolchain: { id: compiler } as Toolchain,
})
const module = (name: string): KernelModule => ({ name, path: `drivers/${name}.ko`, objects: [] })
const LINKED: Facts = { ...NOTHING, rung: 'link', imports: ['mmio.read32'] }

test('what a module came to holds for it, the rung that was asked, and all that decides it', async (t) => {
  await rememberModule(builder(), module('one'), 'link', ['companions'], LINKED)
  const ask = (by = builder(), of = module('one'), until: 'link' | 'verify' = 'link', on = ['companions']) =>
    knownModule(by, of, until, on)
  t.deepEqual(await ask(), LINKED)
  t.is(await ask(builder({ id: 'lockdep' })), undefined)
  t.is(await ask(builder({ version: '6.1.2' })), undefined)
  t.is(await ask(builder({}, 'emcc')), undefined)
  t.is(await ask(builder(), module('two')), undefined)
  t.is(await ask(builder(), module('one'), 'verify'), undefined)
  t.is(await ask(builder(), module('one'), 'link', ['others']), undefined)
})

test('of a module whose package is known, it is known that it links', async (t) => {
  const made = { path: '/x.wasm', sha256: 'x', bytes: 1 }
  const verified: Facts = {
    ...LINKED,
    rung: 'verify',
    capabilities: ['mmio'],
    wasm: made,
    package: packageDir('b'.repeat(64)),
  }
  await rememberModule(builder(), module('whole'), 'verify', [], verified)
  t.deepEqual(await knownModule(builder(), module('whole'), 'link', []), { ...LINKED, imports: [], capabilities: [] })
  t.is(await knownModule(builder(), module('whole'), 'compile', []), undefined)
})

test('nothing is kept of files that may change unseen', async (t) => {
  const loose = builder({ sealed: false })
  await rememberModule(loose, module('loose'), 'link', [], LINKED)
  t.is(await knownModule(loose, module('loose'), 'link', []), undefined)
  const own = { ...module('own'), external: [{ dir: '/home/somebody/own', as: '' }] }
  await rememberModule(builder(), own, 'link', [], LINKED)
  t.is(await knownModule(builder(), own, 'link', []), undefined)
})

test('what did not come as far as was asked is found out again', async (t) => {
  const failed: Facts = { ...NOTHING, rung: 'compile', reason: 'unresolved-symbol' }
  await rememberModule(builder(), module('failed'), 'link', [], failed)
  t.is(await knownModule(builder(), module('failed'), 'link', []), undefined)
})

test('a package that is gone is made again', async (t) => {
  const verified: Facts = { ...NOTHING, rung: 'verify' }
  await rememberModule(builder(), module('gone'), 'verify', [], verified)
  t.deepEqual(await knownModule(builder(), module('gone'), 'verify', []), verified)
  await rememberModule(builder(), module('gone'), 'verify', [], { ...verified, package: packageDir('a'.repeat(64)) })
  t.is(await knownModule(builder(), module('gone'), 'verify', []), undefined)
})

test('that a package was mended is told once', async (t) => {
  await rememberModule(builder(), module('mended'), 'link', [], { ...LINKED, repaired: 'a byte was another' })
  t.deepEqual(await knownModule(builder(), module('mended'), 'link', []), LINKED)
})
