/**
 * Mistakes in locking that nobody has waited for yet: seen by the tree's own lockdep, in the configuration that has it.
 * Each sample (drivers-src/faults/locks) ends with lockdep's words as its fault, at its C line, beside a healthy driver
 * under the same lockdep.
 */
import { join } from 'node:path'
import test from 'ava'
import type { FaultKind } from '../../kernel/fault.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules, type BuildDocument } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { endsAlone, provoke, scene } from './samples.ts'
import { testTreeName } from './workspace.ts'

const FOLDER = join(packageRoot, 'drivers-src/faults/locks')

interface Mistake {
  readonly kind: FaultKind
  /** Lockdep's own words, and the locks by name; of several classes that share one it numbers the later ones. */
  readonly said: RegExp
  readonly when: readonly string[]
}

const MISTAKES: Readonly<Record<string, Mistake>> = {
  spin_twice: {
    kind: 'deadlock',
    said: /^possible recursive locking detected: lock(#\d+)? and lock(#\d+)?$/,
    when: ['init', 'probe', 'irq', 'timer', 'xmit'],
  },
  mutex_twice: {
    kind: 'deadlock',
    said: /^possible recursive locking detected: lock(#\d+)? and lock(#\d+)?$/,
    when: ['init', 'probe'],
  },
  spin_order: {
    kind: 'deadlock',
    said: /^possible circular locking dependency detected: first(#\d+)? and second(#\d+)?$/,
    when: ['init', 'probe', 'irq', 'timer', 'xmit'],
  },
  mutex_order: {
    kind: 'deadlock',
    said: /^possible circular locking dependency detected: first(#\d+)? and second(#\d+)?$/,
    when: ['init', 'probe'],
  },
  irq_unsafe: { kind: 'deadlock', said: /^inconsistent lock state: lock(#\d+)?$/, when: ['irq', 'timer'] },
  work_wait: {
    kind: 'deadlock',
    said: /^possible circular locking dependency detected: item(#\d+)? and lock(#\d+)?$/,
    when: ['init', 'probe'],
  },
  timer_wait: {
    kind: 'deadlock',
    said: /^possible circular locking dependency detected: \S+timer_wait\.c:\d+ and lock(#\d+)?$/,
    when: ['probe'],
  },
  lock_freed: { kind: 'bug', said: /^held lock freed!: &guarded->lock$/, when: ['init', 'probe'] },
}

const workspace = await openWorkspace({ tree: testTreeName, toolchain: 'clang', configuration: 'lockdep' })
let built: Promise<BuildDocument> | undefined

async function pack(name: string): Promise<DriverPackage> {
  built ??= buildModules({ tree: workspace.tree, selectors: [FOLDER, 'e1000'], toolchain: workspace.toolchain })
  const module = (await built).modules.find((one) => one.name === name)
  if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
  return readPackage(module.package, name)
}

for (const [name, { kind, said, when }] of Object.entries(MISTAKES)) {
  for (const moment of when) {
    test.serial(`${name} at ${moment}: lockdep's report is the fault, and ends that driver only`, async (t) => {
      const at = await scene(pack)
      await provoke(at, await pack(name), moment)
      await endsAlone(t, at, { folder: FOLDER, name, kind, said })
    })
  }
}

test.serial('what is built under lockdep says so, and comes from unchanged sources', async (t) => {
  await pack('e1000')
  const { tree, modules } = await built!
  t.is(tree.configuration, 'lockdep')
  const e1000 = modules.find(({ name }) => name === 'e1000')
  t.is(e1000?.changedBytes, 0)
  const { manifest } = await pack('e1000')
  t.is(manifest.tree.configuration, 'lockdep')
})
