/**
 * The kernel tree that real tests run on: DRVPORT_TEST_TREE (a path or a name), else linux-6.1. What is missing is
 * brought, as it is for a user: a test that skips itself on a fresh machine would prove nothing there.
 */
import type { Configuration } from '../../pipeline/kbuild/configuration.ts'
import type { Kbuild } from '../../pipeline/kbuild/index.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

export const testTree = async (configuration?: Configuration): Promise<Kbuild> =>
  (await openTreeOnly({ tree: testTreeName, ...(configuration && { configuration }) })).tree
