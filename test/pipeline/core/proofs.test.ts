/** A proof that is kept is of exactly what was proved: whatever it rests on, another one is another proof. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { keepProof, proofFile, type Provable } from '../../../pipeline/core/proofs.ts'
import type { OnCoreFacts } from '../../../pipeline/package.ts'

const cache = mkdtempSync(join(tmpdir(), 'drvport-proofs-'))
process.env['DRVPORT_CACHE'] = cache
test.after.always(() => rmSync(cache, { recursive: true, force: true }))

const key = 'a'.repeat(64)
const core = join(cache, 'store', 'cores', key)
mkdirSync(core, { recursive: true })
writeFileSync(join(core, 'facts.json'), '{"sha256":"1"}')
writeFileSync(join(core, 'core.symbols'), 'symbols')

const facts: OnCoreFacts = { key, sha256: '1', tableEnd: 10, moduleBytes: 20, modules: [] }
const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)
const pack: Provable = { core: facts, imports: ['log.write'], modules: [{ wasm: bytes(1, 2), image: bytes(3) }] }

test.serial('the same package has the same proof, once it is kept', (t) => {
  const file = proofFile(pack)!
  t.true(file.startsWith(join(cache, 'store', 'proofs')))
  t.is(proofFile({ ...pack, modules: [{ wasm: bytes(1, 2), image: bytes(3) }] }), file)
  t.false(existsSync(file))
  keepProof(file, 'e1000')
  t.true(existsSync(file))
})

test.serial('another byte, claim, core or proof of it has another', (t) => {
  const others: Provable[] = [
    { ...pack, modules: [{ wasm: bytes(1, 3), image: bytes(3) }] },
    { ...pack, modules: [{ wasm: bytes(1, 2), image: bytes(4) }] },
    { ...pack, modules: [...pack.modules, ...pack.modules] },
    { ...pack, imports: ['log.write', 'mmio.map'] },
    { ...pack, core: { ...facts, tableEnd: 11 } },
  ]
  const files = [pack, ...others].map((one) => proofFile(one))
  writeFileSync(join(core, 'core.symbols'), 'other symbols')
  files.push(proofFile(pack))
  writeFileSync(join(core, 'facts.json'), '{"sha256":"2"}')
  files.push(proofFile(pack))
  t.is(new Set(files).size, files.length)
  t.false(files.includes(undefined))
})

test.serial('of a core that is not kept here there is none, whatever it is called', (t) => {
  t.is(proofFile({ ...pack, core: { ...facts, key: 'b'.repeat(64) } }), undefined)
  t.is(proofFile({ ...pack, core: { ...facts, key: `../cores/${key}` } }), undefined)
})

test.serial('where nothing can be written, nothing is kept, and nobody is told', (t) => {
  const full = join(cache, 'full')
  writeFileSync(full, '')
  chmodSync(full, 0o400)
  t.notThrows(() => keepProof(join(full, 'below', 'proof'), 'e1000'))
})
