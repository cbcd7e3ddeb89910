/** `drvport list [SELECTOR...]`: modules of the configured tree: name, path, bus, class, ids. */
import { readAuthority } from '../../pipeline/build/authority.ts'
import { selectExternal } from '../../pipeline/build/external.ts'
import type { Kbuild } from '../../pipeline/kbuild/index.ts'
import { analyzeModules, type AnalyzedModule } from '../../pipeline/source/analyze.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'
import { count, duration, table } from '../output.ts'
import type { Command, Context } from '../context.ts'
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

/** What selectors name, without making what is generated: a list compiles nothing. */
async function matching(tree: Kbuild, selectors: readonly string[]): Promise<AnalyzedModule[]> {
  const folders = new Map<string, string>()
  const inTree: string[] = []
  const outside: AnalyzedModule[] = []
  for (const selector of selectors) {
    const found = await selectExternal(tree, selector, folders, { ready: false })
    if (found === undefined) inTree.push(selector)
    else outside.push(...found)
  }
  return [...(inTree.length > 0 ? await tree.match(inTree) : []), ...outside]
}

/** Buses, classes and the number of ids of each module, read from its sources. */
async function analyzed(context: Context, tree: Kbuild, modules: readonly AnalyzedModule[]): Promise<ListedModule[]> {
  const start = performance.now()
  const listed: ListedModule[] = []
  for (const module of modules) {
    context.signal.throwIfAborted()
    const done = listed.length
    const left = done === 0 ? '' : `, ${duration(((performance.now() - start) / done) * (modules.length - done))} left`
    context.progress.update(`reading ${done + 1} of ${modules.length}: ${module.name}${left}`)
    const [facts] = await analyzeModules(tree, [module], { authority: await readAuthority() })
    const ids = facts?.tables.reduce((sum, table) => sum + table.entries.length, 0) ?? 0
    const { name, path } = module
    listed.push({ name, path, buses: facts?.buses ?? [], classes: facts?.classes ?? [], ids })
  }
  return listed
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
    const modules = await matching(tree, named.length > 0 ? named : ['all'])
    const withIds = (argv['ids'] as boolean | undefined) ?? modules.length <= ANALYZED_MODULES
    const listed = withIds ? await analyzed(context, tree, modules) : modules.map(({ name, path }) => ({ name, path }))
    const { name, version } = tree
    context.result<ListDocument>(
      { schema: 'drvport.list/1', tree: { name, version }, analyzed: withIds, modules: listed },
      render,
    )
    return 0
  },
}
