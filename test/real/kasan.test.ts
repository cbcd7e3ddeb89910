/**
 * Accesses to memory that was freed or never asked for, which nothing notices where the memory is there: seen by the tree's own
 * KASAN, in the configuration that has it. Each sample (drivers-src/faults/memory) ends with KASAN's words as its fault, at its C
 * line, beside a healthy driver under the same checker.
 */
import { join } from 'node:path'
import test from 'ava'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules, type BuildDocument } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { endsAlone, provoke, scene } from './samples.ts'
import { testTreeName } from './workspace.ts'

const FOLDER = join(packageRoot, 'drivers-src/faults/memory')

/** KASAN's own words: what, and the access that it was. */
const MISTAKES: Readonly<Record<string, RegExp>> = {
  freed_read: /use-after-free.*: Read of size 4 at addr/,
  freed_write: /use-after-free.*: Write of size 4 at addr/,
  beyond_read: /slab-out-of-bounds.*: Read of size 1 at addr/,
  beyond_write: /slab-out-of-bounds.*: Write of size 2 at addr/,
  before_read: /slab-out-of-bounds.*: Read of size 4 at addr/,
  freed_by_kernel: /use-after-free.*: Read of size 4 at addr/,
  freed_to_kernel: /use-after-free.*: \w+ of size \d+ at addr/,
  filled_beyond: /slab-out-of-bounds.*: Write of size 44 at addr/,
  freed_twice: /double-free/,
  freed_inside: /invalid-free/,
}

const workspace = await openWorkspace({ tree: testTreeName, toolchain: 'clang', configuration: 'kasan' })
let built: Promise<BuildDocument> | undefined

async function pack(name: string): Promise<DriverPackage> {
  built ??= buildModules({ tree: workspace.tree, selectors: [FOLDER, 'e1000'], toolchain: workspace.toolchain })
  const module = (await built).modules.find((one) => one.name === name)
  if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
  return readPackage(module.package, name)
}

for (const [name, said] of Object.entries(MISTAKES)) {
  for (const moment of ['init', 'probe', 'irq', 'xmit']) {
    test.serial(`${name} at ${moment}: KASAN's report is the fault, and ends that driver only`, async (t) => {
      const at = await scene(pack)
      await provoke(at, await pack(name), moment)
      await endsAlone(t, at, { folder: FOLDER, name, kind: 'heap-corruption', said })
    })
  }
}

test.serial('what is built under KASAN says so, and comes from unchanged sources', async (t) => {
  await pack('e1000')
  const { tree, modules } = await built!
  t.is(tree.configuration, 'kasan')
  t.is(modules.find(({ name }) => name === 'e1000')?.changedBytes, 0)
})
