/** Configurations besides the plain one: what they add, and that the plain one does not tell of them. */
import test from 'ava'
import { configurationKey, mergeFragments } from '../../../pipeline/kbuild/configuration.ts'

test('an answer is given once: the later fragment has it, whichever way the earlier put it', (t) => {
  const base = '# why\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_AB=3\n'
  const merged = mergeFragments(base, '# CONFIG_A is not set\nCONFIG_B=y\n')
  t.deepEqual(merged.split('\n').filter(Boolean), ['# why', 'CONFIG_AB=3', '# CONFIG_A is not set', 'CONFIG_B=y'])
})

test('the plain configuration adds nothing to a key, another one does', async (t) => {
  t.deepEqual(await configurationKey(undefined), [])
  t.is((await configurationKey('lockdep')).length, 1)
})
