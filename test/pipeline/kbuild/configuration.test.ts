/** Configurations besides the plain one: what they add, and that the plain one does not tell of them. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { configurationKey, extendView, mergeFragments } from '../../../pipeline/kbuild/configuration.ts'

test('an answer is given once: the later fragment has it, whichever way the earlier put it', (t) => {
  const base = '# why\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_AB=3\n'
  const merged = mergeFragments(base, '# CONFIG_A is not set\nCONFIG_B=y\n')
  t.deepEqual(merged.split('\n').filter(Boolean), ['# why', 'CONFIG_AB=3', '# CONFIG_A is not set', 'CONFIG_B=y'])
})

test('the plain configuration adds nothing to a key, another one does', async (t) => {
  t.deepEqual(await configurationKey(undefined), [])
  t.is((await configurationKey('lockdep')).length, 1)
})

test('a configuration extends the view’s copy of the architecture: options behind its own, headers among its own', async (t) => {
  const view = await mkdtemp(join(tmpdir(), 'drvport-view-'))
  t.teardown(() => rm(view, { recursive: true }))
  const [kconfig, headers] = [join(view, 'arch/wasm/Kconfig'), join(view, 'arch/wasm/include/asm')]
  await mkdir(headers, { recursive: true })
  await writeFile(kconfig, 'config WASM\n')
  await extendView(undefined, view)
  t.is(await readFile(kconfig, 'utf8'), 'config WASM\n')
  await extendView('kasan', view)
  t.regex(await readFile(kconfig, 'utf8'), /^config WASM\n[^]*config HAVE_ARCH_KASAN\n/)
  t.deepEqual((await readdir(headers)).toSorted(), ['kasan.h', 'string.h'])
})
