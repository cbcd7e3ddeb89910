/** `drvport list [SELECTOR...]`: modules of the configured tree: name, path, bus, class, ids. */
import { analyzeModules } from '../../pipeline/source/analyze.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'
import { count, table } from '../output.ts'
import type { Command } from '../context.ts'
import { reporting } from '../workspace.ts'

interface ListedModule {
  readonly name: string
  readonly path: string
  readonly buses?: readonly string[]
  readonly classes?: readonly string[]
  readonly ids?: number
}

interface ListDocument {
  readonly schema: 'drvport.list/1'
  readonly tree: { readonly name: string; readonly version: string }
  /** Sources were read: buses, classes and ids are given. */
  readonly analyzed: boolean
  readonly modules: readonly ListedModule[]
}

/** Reading the sources of more modules than this takes minutes the first time; --ids asks for it all the same. */
const ANALYZED_MODULES = 300

function render({ modules, analyzed, tree }: ListDocument): string {
  const rows = modules.map(({ name, path, buses = [], classes = [], ids = 0 }) =>
    analyzed ? [name, buses.join(' '), classes.join(' '), ids > 0 ? String(ids) : '', path] : [name, path],
  )
  const columns = analyzed
    ? [
        { title: 'module' },
        { title: 'bus' },
        { title: 'class' },
        { title: 'ids', align: 'right' as const },
        { title: 'path' },
      ]
    : [{ title: 'module' }, { title: 'path' }]
  const hint = analyzed ? '' : '; --ids adds bus, class and ids'
  return `${table(columns, rows)}\n\n${count(modules.length)} modules in ${tree.name} (${tree.version})${hint}`
}

export const list: Command = {
  usage: 'list [selectors..]',
  describe: 'modules of the tree: name, path, bus, class, ids',
  options: (argv) =>
    argv
      .positional('selectors', { array: true, type: 'string', describe: 'modules, as for build; default all' })
      .option('ids', {
        type: 'boolean',
        describe: `read the sources for bus, class and ids (default up to ${ANALYZED_MODULES} modules)`,
      }),
  async run(context, argv) {
    const named = (argv['selectors'] as string[] | undefined) ?? []
    const { tree } = await openTreeOnly({ tree: context.tree, ...reporting(context) })
    const modules = await tree.match(named.length > 0 ? named : ['all'])
    const analyzed = (argv['ids'] as boolean | undefined) ?? modules.length <= ANALYZED_MODULES
    const listed: ListedModule[] = []
    for (const { name, path } of modules) {
      context.signal.throwIfAborted()
      if (!analyzed) {
        listed.push({ name, path })
        continue
      }
      context.progress.update(`reading ${listed.length + 1} of ${modules.length}: ${name}`)
      const [facts] = await analyzeModules(tree, [name], new Map())
      const ids = facts?.tables.reduce((sum, ids) => sum + ids.entries.length, 0) ?? 0
      listed.push({ name, path, buses: facts?.buses ?? [], classes: facts?.classes ?? [], ids })
    }
    const { name, version } = tree
    context.result<ListDocument>(
      { schema: 'drvport.list/1', tree: { name, version }, analyzed, modules: listed },
      render,
    )
    return 0
  },
}
