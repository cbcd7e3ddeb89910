/**
 * The kernel tree that real tests run on: DRVPORT_TEST_TREE (a path or a fetched name), else linux-6.1 when it was
 * fetched. Undefined when there is none: those tests are skipped, and say so.
 */

import { openKbuild, type Kbuild } from '../../pipeline/kbuild/index.ts'
import { probeClang } from '../../pipeline/toolchain/clang.ts'
import { openTree } from '../../pipeline/tree/index.ts'

export async function testTree(): Promise<Kbuild | undefined> {
  try {
    if (!(await probeClang()).found) return undefined
    return await openKbuild(await openTree(process.env['DRVPORT_TEST_TREE'] ?? 'linux-6.1'))
  } catch (error) {
    if (process.env['DRVPORT_TEST_TREE'] !== undefined) throw error
    return undefined
  }
}
