/**
 * Everything a build needs, brought if it is missing: host programs, a compiler, a kernel tree and its configuration.
 *
 * A tree that Debian has is fetched on first use; an unknown one is refused. Knows nothing of
 * commands or terminals.
 */
import { checkInterrupted } from './errors.ts'
import type { Configuration } from './kbuild/configuration.ts'
import { openKbuild, type Kbuild } from './kbuild/index.ts'
import { ensureHostTools, probeHostTools, type HostTool } from './toolchain/host-packages.ts'
import { openToolchain, type Toolchain, type ToolchainName } from './toolchain/index.ts'
import { fetchTree, isFetchable, openTree, type FetchProgress, type SourceTree } from './tree/index.ts'

/** What configuring a kernel tree runs on this computer. */
export const CONFIGURE_TOOLS: readonly HostTool[] = ['make', 'flex', 'bison', 'm4', 'bc', 'perl', 'cc', 'clang']

export interface WorkspaceOptions {
  /** Tree name, path or tarball. */
  readonly tree: string
  readonly toolchain: ToolchainName | 'auto'
  /** Of the tree; default: the plain one. */
  readonly configuration?: Configuration
  readonly signal?: AbortSignal
  /** What is going on now. */
  readonly onProgress?: (text: string) => void
  /** Something the user should know afterwards too. */
  readonly onNote?: (text: string) => void
}

export interface Workspace {
  readonly tree: Kbuild
  readonly source: SourceTree
  readonly toolchain: Toolchain
  close(): Promise<void>
}

/** "downloading linux-source-6.1: 45 of 137 MB" */
export function describeFetch({ text, done, total, step }: FetchProgress): string {
  if (done === 0) return text
  if (step === 'seal') return `${text}: ${done} files`
  const megabytes = (count: number): string => (count / 1e6).toFixed(0)
  return total === 0 ? `${text}: ${megabytes(done)} MB` : `${text}: ${megabytes(done)} of ${megabytes(total)} MB`
}

/** Open a tree; fetch it first when it has a name that can be fetched and is not here yet. */
export async function bringTree(
  name: string,
  options: Omit<WorkspaceOptions, 'tree' | 'toolchain'>,
): Promise<SourceTree> {
  const isTarball = /\.(tar(\.\w+)?|t[gbx]z)$/.test(name)
  if (!isFetchable(name) && !isTarball) return openTree(name)
  const { tree, cached, warnings } = await fetchTree(name, {
    onProgress: (progress) => options.onProgress?.(describeFetch(progress)),
    ...(options.signal && { signal: options.signal }),
  })
  if (!cached) options.onNote?.(`fetched ${tree.name} (${tree.version})`)
  for (const warning of warnings) options.onNote?.(`warning: ${warning}`)
  return tree
}

/** A configured tree without a compiler for drivers: enough to list and to analyse. */
export async function openTreeOnly(
  options: Omit<WorkspaceOptions, 'toolchain'>,
): Promise<Pick<Workspace, 'tree' | 'source'>> {
  const { signal, onProgress } = options
  const bringing = { ...(signal && { signal }), ...(onProgress && { progress: onProgress }) }
  // The rest is looked at by whoever runs it, but brought together with the compiler.
  const [compiler] = await probeHostTools(['clang'])
  const { env, brought } = await ensureHostTools(compiler?.found === true ? [] : CONFIGURE_TOOLS, bringing)
  if (brought.length > 0) options.onNote?.(`brought ${brought.join(' ')}`)
  process.env['PATH'] = env['PATH']
  checkInterrupted(signal)
  const source = await bringTree(options.tree, options)
  checkInterrupted(signal)
  const tree = await openKbuild(source, {
    ...(options.configuration && { configuration: options.configuration }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  })
  // What is cached is opened without a tool that would notice.
  checkInterrupted(signal)
  return { tree, source }
}

/** Open everything. Throws UsageError (unknown tree) or InfrastructureError (no network, no compiler, disk full). */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { tree, source } = await openTreeOnly(options)
  const { signal, onProgress } = options
  const wanted: readonly HostTool[] = options.toolchain === 'emcc' ? ['emcc'] : []
  const bringing = { ...(signal && { signal }), ...(onProgress && { progress: onProgress }) }
  const { env } = await ensureHostTools(wanted, bringing)
  checkInterrupted(signal)
  const toolchain = await openToolchain(options.toolchain, env)
  return { tree, source, toolchain, close: () => toolchain.close() }
}
