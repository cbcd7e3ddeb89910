/**
 * From modules of a kernel tree to packages in the store: compile, bind to the tree's own kernel, instrument, verify, store.
 *
 * `buildModules` is the whole of it. A module that fails is a result and never stops the others; an interruption keeps
 * what is finished; only a failing infrastructure (no compiler, disk full) is thrown.
 */

import { checkInterrupted } from '../errors.ts'
import type { BuildDocument, BuildRequest, ModuleResult } from './document.ts'
import { treeFacts } from './kernel.ts'
import { knownResults } from './known.ts'

export type * from './document.ts'
export type * from './kernel.ts'

/** Build every module that the selectors name. Throws UsageError for an unknown selector, InfrastructureError. */
export async function buildModules(request: BuildRequest): Promise<BuildDocument> {
  const start = performance.now()
  const { tree, toolchain, signal, progress } = request
  checkInterrupted(signal)
  const plan = (count: number): void =>
    progress?.({ step: 'plan', modules: count, toolchain: `${toolchain.name} ${toolchain.version}` })
  const document = (results: readonly ModuleResult[]): BuildDocument => ({
    schema: 'drvport.build/1',
    tree: treeFacts(tree),
    toolchain: { name: toolchain.name, version: toolchain.version, how: toolchain.how },
    modules: results,
    interrupted: signal?.aborted === true,
    ms: performance.now() - start,
  })
  const known = await knownResults(request)
  if (known !== undefined) {
    plan(known.length)
    known.forEach((result, i) => progress?.({ step: 'module', done: i + 1, of: known.length, result }))
    return document(known)
  }
  // Half of this project's code, which a run of what is known is spared.
  const { buildFresh } = await import('./fresh.ts')
  return document(await buildFresh(request, plan))
}
