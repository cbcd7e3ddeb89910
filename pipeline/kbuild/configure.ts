/**
 * The configuration of a tree: a view of it, allmodconfig with the fragment's answers, the generated headers, and the graph. How it is
 * made is in configure-make.ts, which is read when there is none.
 *
 * Kept in the cache under a key of everything that went in; a configuration is used only when its last file is there, so
 * an interrupted one is done again.
 */

import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { cachePath, contentKey, exists, withLock } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import type { SourceTree } from '../tree/types.ts'
import { configurationKey, type Configuration } from './configuration.ts'
import type { Graph } from './graph.ts'
import type { MakeSetup } from './make.ts'
import { overlayKey } from './view.ts'

/** Changes when the layout of what is kept changes. */
const FORMAT = 4

export interface ConfigureOptions {
  /** A clang that has the wasm32 target, and its version. */
  readonly cc: { readonly path: string; readonly version: string }
  /** Default: the plain one. */
  readonly configuration?: Configuration
  readonly signal?: AbortSignal
  /** Told what is being done, for people. */
  readonly onProgress?: (what: string) => void
}

export interface Configured {
  /** The view: sources are `view/drivers/...`. */
  readonly view: string
  /** Kbuild's output directory, where relative paths in flags start. */
  readonly build: string
  readonly graph: Graph
  /** How make is run here; asked for only when something must be generated. */
  setup(): Promise<MakeSetup>
}

/** A configuration of this tree, made if there is none. */
export async function configure(tree: SourceTree, options: ConfigureOptions): Promise<Configured> {
  const own = await configurationKey(options.configuration)
  const key = contentKey([FORMAT, tree.id, tree.dir, overlayKey(), options.cc.version, ...own])
  const home = cachePath('kbuild', `${tree.name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}-${key.slice(0, 16)}`)
  const view = path.join(home, 'view')
  if (/[\s:]/.test(view))
    throw new InfrastructureError('Linux cannot be configured in this directory', {
      where: view,
      expected: 'a path without spaces and colons',
      todo: 'set DRVPORT_CACHE to such a path',
    })
  const graphFile = path.join(home, 'graph.json')
  if (!(await exists(graphFile))) {
    const waiting = () => options.onProgress?.('waiting for another drvport that configures this tree')
    const lock = { onWait: waiting, ...(options.signal && { signal: options.signal }) }
    const { makeConfiguration } = await import('./configure-make.ts')
    await withLock(`kbuild-${path.basename(home)}`, () => makeConfiguration(tree, home, graphFile, options), lock)
  }
  let graph: Graph | undefined
  return {
    view,
    build: path.join(view, 'build'),
    // Read when it is asked for: it is large, and a build that is known already needs none of it.
    get graph() {
      return (graph ??= JSON.parse(readFileSync(graphFile, 'utf8')) as Graph)
    },
    setup: async () => (await import('./configure-make.ts')).makeSetup(view, options),
  }
}
