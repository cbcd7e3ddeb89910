/**
 * The configuration of tests (--check=kunit): modules bring suites that want KUnit in the kernel itself, and tests pass that want
 * to be booted otherwise. With it, device trees that are linked into suites, and the root that such overlays want.
 */
import test from 'ava'
import { openClimber } from '../../cli/matrix-machine.ts'
import { runMatrix } from '../../pipeline/matrix/run.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'

/** By module, how many cases pass. */
const SUITES: Readonly<Record<string, number>> = {
  'clk-fixed-rate-test': 7,
  of_test: 2,
  'overlay-test': 3,
  test_meminit: 1,
  // Memory at multiples of more than a page, too.
  test_vmalloc: 1,
  thunderbolt: 39,
}

test('suites that want KUnit in the kernel itself run, and pass', async (t) => {
  const workspace = await openWorkspace({ tree: 'linux-6.12', configuration: 'kunit', toolchain: 'clang' })
  const climber = openClimber({ seed: 1 })
  try {
    const request = { ...workspace, selectors: Object.keys(SUITES), until: 'operate', seed: 1, climber } as const
    const { rows } = await runMatrix(request)
    for (const { module, rung, tests, detail } of rows)
      t.deepEqual([module, rung, tests?.passed, tests?.cases], [module, 'operate', SUITES[module], []], detail)
    t.is(rows.length, Object.keys(SUITES).length)
  } finally {
    await climber.close()
    await workspace.close()
  }
})
