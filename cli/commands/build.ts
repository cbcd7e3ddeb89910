/** `drvport build SELECTOR...`: modules of a tree into packages in the store. */
import { buildModules, type BuildDocument, type ModuleResult } from '../../pipeline/build/index.ts'
import { bytes, duration, paint, table, treeText } from '../output.ts'
import type { Command, Context } from '../context.ts'
import { announce } from '../announce.ts'
import { showBuild } from '../show-build.ts'
import { treesOf } from '../trees.ts'
import { workspaceOf } from '../workspace.ts'

const isBuilt = (module: ModuleResult): boolean => module.rung === 'verify'

function row(module: ModuleResult): string[] {
  const wasm = module.wasm === undefined ? '' : bytes(module.wasm.bytes)
  const rung = isBuilt(module) ? paint('green', module.rung) : paint('red', module.rung)
  const patches = module.patches === undefined ? '' : ` (with ${module.patches.join(', ')})`
  const why =
    module.reason === undefined ? module.capabilities.join(' ') + patches : `${module.reason}: ${summary(module)}`
  return [module.name, rung, wasm, duration(module.ms.total), why]
}

/** What is wrong, in a line. */
function summary(module: ModuleResult): string {
  const [first] = module.diagnostics
  if (module.reason === 'unresolved-symbol') return some(module.unresolved)
  if (first !== undefined) return `${first.file}:${first.line}: ${first.message}`
  return (module.detail ?? '').split('\n')[0] ?? ''
}

const SHOWN = 4
const some = (names: readonly string[]): string =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`

/** Where each missing symbol is used: what a person needs to act. */
function missing(document: BuildDocument): string[] {
  return document.modules.flatMap((module) =>
    module.missing.map(({ symbol, file, line, neededBy }) => {
      const where = file === '' ? `needed by ${neededBy.join(', ')}` : `${file}:${line}`
      return `  ${module.name}: ${symbol} (${where})`
    }),
  )
}

export function renderBuild(document: BuildDocument, verbose: boolean): string {
  const built = document.modules.filter(isBuilt).length
  const { tree, toolchain } = document
  const lines = [
    table(
      [
        { title: 'module' },
        { title: 'rung' },
        { title: 'size', align: 'right' },
        { title: 'time', align: 'right' },
        { title: 'capabilities, or why not' },
      ],
      document.modules.map(row),
    ),
    ...(verbose ? missing(document) : []),
    '',
    `${built} of ${document.modules.length} modules of ${treeText(tree)} built with ${toolchain.name} ${toolchain.version} in ${duration(document.ms)}`,
  ]
  if (!verbose && document.modules.some((module) => module.missing.length > 0))
    lines.push('-v shows where each missing symbol is used')
  return lines.join('\n')
}

export const build: Command = {
  usage: 'build <selectors..>',
  describe: 'compile, link and verify modules into the store',
  options: (argv) =>
    argv.positional('selectors', {
      array: true,
      type: 'string',
      describe: 'module, path or glob in the tree, @set, a folder with a Kbuild file, or all',
    }),
  async run(context, argv) {
    const trees = treesOf(context)
    await announce(context, trees, 'verify')
    const columns: BuildDocument[] = []
    for (const tree of trees) columns.push(await buildOne(context, tree, argv['selectors'] as string[]))
    const [only] = columns
    const text = () => columns.map((document) => renderBuild(document, context.verbose > 0)).join('\n\n')
    if (only !== undefined && columns.length === 1) context.result(only, text)
    else context.result<BuildsDocument>({ schema: 'drvport.build/2', columns }, text)
    if (columns.some(({ interrupted }) => interrupted)) return 130
    return columns.every(({ modules }) => modules.every(isBuilt)) ? 0 : 1
  },
}

/** Several trees: a column for each, which is what a build for that tree alone says. */
interface BuildsDocument {
  readonly schema: 'drvport.build/2'
  readonly columns: readonly BuildDocument[]
}

async function buildOne(context: Context, tree: string, selectors: readonly string[]): Promise<BuildDocument> {
  const workspace = await workspaceOf(context, tree)
  try {
    return await buildModules({
      tree: workspace.tree,
      selectors,
      toolchain: workspace.toolchain,
      signal: context.signal,
      progress: (event) => showBuild(context, event),
    })
  } finally {
    await workspace.close()
  }
}
