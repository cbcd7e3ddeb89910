/**
 * The workspace of real tests: the tree DRVPORT_TEST_TREE names (default linux-6.1), configured, and a compiler. What
 * is missing is brought, as it is for a user.
 */
import { openWorkspace, type Workspace } from '../../pipeline/workspace.ts'
import type { ToolchainName } from '../../pipeline/toolchain/index.ts'

export const testTreeName = process.env['DRVPORT_TEST_TREE'] ?? 'linux-6.1'

export const openTestWorkspace = (
  toolchain: ToolchainName | 'auto' = 'clang',
  tree = testTreeName,
): Promise<Workspace> => openWorkspace({ tree, toolchain })
