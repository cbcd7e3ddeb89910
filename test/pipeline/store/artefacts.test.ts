/** Late binding: artefacts beside a bytecode, found by all that decided them, never used when damaged. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { cacheDir } from '../../../pipeline/cache.ts'
import { boundArtefact, getArtefact, putArtefact, type ArtefactSource } from '../../../pipeline/store/artefacts.ts'

test.before(async () => {
  process.env['DRVPORT_CACHE'] = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-artefacts-'))
})
test.after.always(() => fs.rm(cacheDir(), { recursive: true, force: true }))

const source: ArtefactSource = {
  bytecode: 'b'.repeat(64),
  engine: 'node 24, V8 13',
  cpu: 'x64 1',
  optimiser: 'inline/1',
  profile: 'p',
}
const files = { wasm: Uint8Array.of(0, 97, 115, 109), lines: Uint8Array.of(1, 2), inlined: 3 }

test.serial('an artefact is found by everything that decided it, and by nothing less', async (t) => {
  const put = await putArtefact('nic', source, files)
  t.deepEqual((await getArtefact(source))?.artefact, put.artefact)
  t.deepEqual((await boundArtefact(source.bytecode, source))?.wasm, files.wasm)
  for (const part of ['bytecode', 'engine', 'cpu', 'optimiser', 'profile'] as const) {
    const other = { ...source, [part]: part === 'bytecode' ? 'c'.repeat(64) : 'another' }
    t.is(await getArtefact(other), undefined, part)
  }
  t.is(await boundArtefact(source.bytecode, { ...source, cpu: 'x64 2' }), undefined)
  t.is(await boundArtefact(source.bytecode, { ...source, engine: 'node 25' }), undefined)
})

test.serial('the newest is bound', async (t) => {
  await putArtefact('nic', source, files)
  const newer = await putArtefact('nic', { ...source, profile: 'q' }, { ...files, inlined: 9 })
  t.is((await boundArtefact(source.bytecode, source))?.artefact.inlined, 9)
  t.is((await getArtefact(source))?.artefact.inlined, 3)
  t.is((await boundArtefact(source.bytecode, source))?.artefact.inlined, 3, 'what was asked for last')
  t.not(newer.dir, (await getArtefact(source))?.dir)
})

for (const [what, damage] of Object.entries<(dir: string) => Promise<void>>({
  'a changed module': (dir) => fs.writeFile(path.join(dir, 'nic.wasm'), 'x'),
  'a missing module': (dir) => fs.rm(path.join(dir, 'nic.wasm')),
  'a changed line table': (dir) => fs.writeFile(path.join(dir, 'nic.lines'), 'x'),
  'a description that is no JSON': (dir) => fs.writeFile(path.join(dir, 'artefact.json'), '{'),
  'the description of another': async (dir) => {
    const file = path.join(dir, 'artefact.json')
    await fs.writeFile(file, (await fs.readFile(file, 'utf8')).replace('"p"', '"q"'))
  },
}))
  test.serial(`${what}: told, not used, and made again`, async (t) => {
    const { dir } = await putArtefact('nic', source, files)
    await damage(dir)
    const told: string[] = []
    t.is(await getArtefact(source, (why) => told.push(why)), undefined)
    t.is(await boundArtefact(source.bytecode, source, (why) => told.push(why)), undefined)
    t.is(told.length, 2)
    t.true(told.every((why) => why.startsWith(dir)))
    await putArtefact('nic', source, files)
    t.deepEqual((await getArtefact(source))?.wasm, files.wasm)
  })
