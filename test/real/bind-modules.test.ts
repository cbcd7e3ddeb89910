/** All modules of a few directories bound to the tree's own kernel: names, types, checks and ranges proved for each. */
import test from 'ava'
import { buildModules } from '../../pipeline/build/index.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

const DIRECTORIES = [
  'drivers/net/ethernet/realtek/**',
  'drivers/net/ethernet/intel/e1000/**',
  'drivers/char/hw_random/**',
]

test('every module of these directories is bound and accepted, with nothing missing', async (t) => {
  t.timeout(15 * 60_000)
  const workspace = await openWorkspace({ tree: testTreeName, toolchain: 'clang' })
  t.teardown(workspace.close)
  const { modules } = await buildModules({ ...workspace, selectors: DIRECTORIES })
  t.true(modules.length >= 10, `${modules.length} modules`)
  const wrong = modules.filter(
    ({ wasm, unresolved, traps }) => wasm === undefined || unresolved.length + traps.length > 0,
  )
  t.deepEqual(
    wrong.map(({ name, reason, detail, unresolved, traps }) => ({ name, reason, detail, unresolved, traps })),
    [],
  )
  t.true(modules.every(({ changedBytes }) => changedBytes === 0))
})
