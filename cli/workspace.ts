/** Opens the workspace a command's options ask for, with its progress on the terminal. */
import type { Configuration } from '../pipeline/kbuild/configuration.ts'
import { openWorkspace, type Workspace } from '../pipeline/workspace.ts'
import type { Context } from './context.ts'

/** What the pipeline reports, shown by a command. */
export const reporting = (context: Context, tree = '') => ({
  signal: context.signal,
  // Several trees may be at it: a line says of which it is.
  onProgress: (text: string) => context.progress.update(text.includes(tree) ? text : `${tree}: ${text}`),
  onNote: (text: string) => context.progress.note(text),
})

export const configurationOf = ({ check }: Context): { configuration?: Configuration } =>
  check === undefined ? {} : { configuration: check }

export const workspaceOf = (context: Context, tree: string = context.tree): Promise<Workspace> =>
  openWorkspace({
    tree,
    toolchain: context.toolchain,
    ...configurationOf(context),
    ...reporting(context, tree),
  })
