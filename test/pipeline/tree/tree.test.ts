import test from 'ava'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { InfrastructureError, UsageError } from '../../../pipeline/errors.ts'
import { parseOffers } from '../../../pipeline/tree/apt.ts'
import { removeTrees } from '../../../pipeline/tree/catalogue.ts'
import { fetchTree, listTrees, nameOfPath, openTree, parseVersion } from '../../../pipeline/tree/index.ts'
import { lockedTrees, parseLock } from '../../../pipeline/tree/lock.ts'
import { compressionOf } from '../../../pipeline/tree/unpack.ts'

const MAKEFILE = '# SPDX\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 192\nEXTRAVERSION =\nNAME = Something\n'

/** A directory that looks like a kernel tree, for everything that does not build. */
async function smallTree(dir: string): Promise<void> {
  for (const sub of ['arch', 'drivers/net', 'include', 'scripts'])
    await fs.mkdir(path.join(dir, sub), { recursive: true })
  await fs.writeFile(path.join(dir, 'Makefile'), MAKEFILE)
  await fs.writeFile(path.join(dir, 'Kconfig'), '# none\n')
  await fs.writeFile(path.join(dir, 'scripts/Makefile.build'), '')
  await fs.writeFile(path.join(dir, 'drivers/net/mii.c'), 'int mii;\n')
}

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-tree-'))
process.env['DRVPORT_CACHE'] = path.join(work, 'cache')
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

async function tarball(name: string, compress: string): Promise<string> {
  const dir = path.join(work, 'make', name)
  await smallTree(dir)
  const file = path.join(work, `${name}.tar${compress === '' ? '' : '.gz'}`)
  execFileSync('tar', [`-c${compress}f`, file, '-C', path.dirname(dir), name])
  return file
}

test('a version is read from a top Makefile, whatever is empty in it', (t) => {
  t.is(parseVersion(MAKEFILE), '6.1.192')
  t.is(parseVersion('VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\n'), '6.12.0-rc1')
  t.is(parseVersion('all:\n\techo\n'), undefined)
})

test('the lock names the trees of the project, and where each was', async (t) => {
  const locked = await lockedTrees()
  t.deepEqual(
    locked.map(({ name }) => name),
    ['linux-5.10', 'linux-6.1', 'linux-6.12', 'linux-7.2'],
  )
  t.true(locked.every(({ suite }) => suite !== undefined))
  const wrong = t.throws(() => parseLock('# comment\nlinux-6.1 linux-source-6.1\n'), { instanceOf: UsageError })
  t.regex(wrong?.where ?? '', /trees\.lock:2$/)
})

test('offers: what an archive has, not what is only installed', (t) => {
  const text = `Package: p
Version: 2-1
Filename: pool/p_2-1.deb
Size: 42
SHA256: aa

Package: p
Status: install ok installed
Version: 1-1
`
  t.deepEqual(parseOffers(text), [{ version: '2-1', bytes: 42, sha256: 'aa' }])
})

test('compression is told by the first bytes', (t) => {
  t.is(compressionOf(Buffer.from('fd377a585a00', 'hex')), 'xz')
  t.is(compressionOf(Buffer.from('1f8b08', 'hex')), 'gzip')
  t.is(compressionOf(Buffer.from('28b52ffd', 'hex')), 'zstd')
  t.is(compressionOf(Buffer.from('linux-6.1/')), 'none')
  t.is(nameOfPath('/x/linux-6.6.1.tar.xz'), 'linux-6.6.1')
  t.is(nameOfPath('/x/linux'), 'linux')
})

test.serial('a tarball becomes a sealed tree with the hash of every file', async (t) => {
  const file = await tarball('linux-small', 'z')
  const steps = new Set<string>()
  const { tree, cached } = await fetchTree(file, { onProgress: ({ step }) => steps.add(step) })
  t.false(cached)
  t.deepEqual([tree.name, tree.version], ['linux-small', '6.1.192'])
  t.true(steps.has('unpack'))
  t.is(await tree.pristine('drivers/net/mii.c'), '091ac73f5bcecec5b1c8ccdb1eba6a887cd4219b9a076f9d66383077cbbd3380')
  t.is(await tree.pristine('nothing.c'), undefined)
  t.is((await fs.stat(path.join(tree.dir, 'drivers/net/mii.c'))).mode & 0o222, 0)
  const again = await fetchTree(file)
  t.true(again.cached)
  t.is(again.tree.id, tree.id)
  t.is((await openTree('linux-small')).dir, tree.dir)
})

test.serial(
  'a fetch that was interrupted leaves nothing, and the next one clears what a killed one left',
  async (t) => {
    const file = await tarball('linux-cut', '')
    const trees = path.join(process.env['DRVPORT_CACHE'] as string, 'trees')
    const abort = new AbortController()
    const cut = fetchTree(file, { signal: abort.signal, onProgress: () => abort.abort() })
    await t.throwsAsync(cut)
    t.false((await fs.readdir(trees)).some((name) => name.includes('linux-cut')))
    await fs.mkdir(path.join(trees, '.linux-cut.1.1.tmp', 'source'), { recursive: true })
    await fetchTree(file)
    t.deepEqual(
      (await fs.readdir(trees)).filter((name) => name.includes('linux-cut')),
      ['linux-cut'],
    )
  },
)

test.serial('a damaged archive is an infrastructure error and leaves nothing', async (t) => {
  const file = await tarball('linux-damaged', 'z')
  const bytes = await fs.readFile(file)
  await fs.writeFile(file, bytes.subarray(0, bytes.length / 2))
  await t.throwsAsync(fetchTree(file), { instanceOf: InfrastructureError })
  t.false((await listTrees()).some(({ name }) => name === 'linux-damaged'))
})

test.serial('a path is used where it lies; its id follows its build files', async (t) => {
  const dir = path.join(work, 'linux-mine')
  await smallTree(dir)
  const { tree } = await fetchTree(dir)
  t.is(tree.dir, dir)
  t.is((await openTree('linux-mine')).id, tree.id)
  t.is((await openTree(dir)).id, tree.id)
  await fs.writeFile(path.join(dir, 'drivers/net/Makefile'), 'obj-m += mii.o\n')
  t.not((await openTree(dir)).id, tree.id)
})

test.serial('what is removed is gone with its configurations, and nothing else is', async (t) => {
  const cache = process.env['DRVPORT_CACHE'] as string
  for (const name of ['linux-go', 'linux-go-on']) {
    await fetchTree(await tarball(name, ''))
    await fs.mkdir(path.join(cache, 'kbuild', `${name}-0123456789abcdef`), { recursive: true })
  }
  const [removed] = await removeTrees(['linux-go'])
  t.is(removed?.name, 'linux-go')
  t.true((removed?.bytes ?? 0) > 0)
  t.false((await listTrees()).some(({ name }) => name === 'linux-go'))
  t.true((await listTrees()).some(({ name }) => name === 'linux-go-on'))
  t.deepEqual(await fs.readdir(path.join(cache, 'kbuild')), ['linux-go-on-0123456789abcdef'])
  const unknown = await t.throwsAsync(removeTrees(['linux-go']), { instanceOf: UsageError })
  t.regex(unknown?.expected ?? '', /linux-go-on/)
})

test.serial('a tree of the user is forgotten by --remove, and stays', async (t) => {
  const dir = path.join(work, 'linux-theirs')
  await smallTree(dir)
  await fetchTree(dir)
  await removeTrees(['linux-theirs'])
  t.is((await openTree(dir)).version, '6.1.192')
})

test.serial('wrong names say what would be right', async (t) => {
  const unknown = await t.throwsAsync(fetchTree('freebsd'), { instanceOf: UsageError })
  t.regex(unknown?.expected ?? '', /linux-X\.Y@X\.Y\.Z/)
  await t.throwsAsync(fetchTree('/no/such/tree'), { instanceOf: UsageError })
  const absent = await t.throwsAsync(openTree('linux-9.9'), { instanceOf: InfrastructureError })
  t.regex(absent?.todo ?? '', /drvport fetch/)
  const empty = path.join(work, 'empty')
  await fs.mkdir(empty)
  const notATree = await t.throwsAsync(fetchTree(empty), { instanceOf: UsageError })
  t.regex(notATree?.found ?? '', /Kconfig/)
})
