import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { cacheDir, sha256 } from '../../../pipeline/cache.ts'
import { PACKAGE_SCHEMA, type Manifest } from '../../../pipeline/package.ts'
import { findPackage, putPackage, readPackage } from '../../../pipeline/store/index.ts'

test.before(async () => {
  process.env['DRVPORT_CACHE'] = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-store-'))
})
test.after.always(() => fs.rm(cacheDir(), { recursive: true, force: true }))

const wasm = Uint8Array.of(0, 97, 115, 109)
const manifest: Manifest = {
  schema: PACKAGE_SCHEMA,
  name: 'nic',
  abi: 1,
  tree: { name: 'linux-6.1', version: '6.1.1' },
  toolchain: { name: 'clang', version: '19' },
  modules: ['nic'],
  wasm: { file: 'nic.wasm', sha256: sha256(wasm), bytes: wasm.length },
  lines: null,
  imports: [],
  capabilities: [],
  ids: [],
  params: [],
  firmware: [],
  sources: [],
  licenses: ['GPL'],
  gplOnly: [],
  core: { key: '0', sha256: '0', tableEnd: 1, moduleBytes: 0, modules: [] },
}

test('a package is found by name, whole, and refused when its wasm file is not the one it names', async (t) => {
  t.is(await findPackage('linux-6.1', 'clang', 'nic'), undefined)
  const stored = await putPackage('key', { manifest, wasm })
  t.deepEqual(await findPackage('linux-6.1', 'clang', 'nic'), stored)
  t.is(await findPackage('linux-6.12', 'clang', 'nic'), undefined)
  await fs.writeFile(path.join(stored.dir, 'nic.wasm'), 'x')
  await t.throwsAsync(readPackage(stored.dir, 'nic'), { message: 'damaged package nic' })
  t.is(await findPackage('linux-6.1', 'clang', 'nic'), undefined)
})
