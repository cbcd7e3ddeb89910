/** Kernel trees of a few headers, for what reads their text. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { openApiTree, type ApiTree } from '../../../pipeline/api/tree.ts'

/** A tree of these files; `remove` takes it away again. */
export async function smallApiTree(
  version: string,
  files: Readonly<Record<string, string>>,
): Promise<{ tree: ApiTree; remove: () => Promise<void> }> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-api-'))
  for (const [name, text] of Object.entries(files)) {
    await fs.mkdir(path.dirname(path.join(dir, name)), { recursive: true })
    await fs.writeFile(path.join(dir, name), text)
  }
  const tree = openApiTree({ name: `linux-${version.split('.').slice(0, 2).join('.')}`, version, dir })
  return { tree, remove: () => fs.rm(dir, { recursive: true, force: true }) }
}
