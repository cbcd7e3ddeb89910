/** `drvport fetch [TREE...]`: get kernel trees into the cache. */
import { describeFetch } from '../../pipeline/workspace.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { catalogue, removeTrees, type CatalogueEntry } from '../../pipeline/tree/catalogue.ts'
import { fetchTree } from '../../pipeline/tree/index.ts'
import { NAMES_FOR_PEOPLE } from '../../pipeline/tree/names.ts'
import { bytes, table } from '../output.ts'
import type { Command, Context } from '../context.ts'

interface FetchDocument {
  readonly schema: 'drvport.fetch/1'
  readonly trees: readonly {
    readonly name: string
    readonly version: string
    readonly path: string
    readonly origin: string
    readonly cached: boolean
    readonly warnings: readonly string[]
  }[]
}

const render = ({ trees }: FetchDocument): string =>
  table(
    [{ title: 'tree' }, { title: 'version' }, { title: '' }, { title: 'path' }],
    trees.map((tree) => [tree.name, tree.version, tree.cached ? 'was here' : 'fetched', tree.path]),
  )

interface TreesDocument {
  readonly schema: 'drvport.trees/1'
  readonly trees: readonly CatalogueEntry[]
}

const renderCatalogue = ({ trees }: TreesDocument): string =>
  [
    table(
      [
        { title: 'tree' },
        { title: 'version' },
        { title: 'download', align: 'right' },
        { title: 'on disk', align: 'right' },
        { title: 'from' },
      ],
      trees.map((tree) => [
        tree.name,
        tree.version,
        tree.downloadBytes === undefined ? '' : bytes(tree.downloadBytes),
        tree.diskBytes === undefined ? '' : bytes(tree.diskBytes),
        `${tree.from.join(', ')}${tree.locked ? ' (published results are about this one)' : ''}`,
      ]),
    ),
    '',
    'linux-unstable, linux-testing, linux-stable, linux-backports and linux-experimental name the newest of their suite;',
    'a tarball or the path of a tree is a tree too.',
  ].join('\n')

interface RemovedDocument {
  readonly schema: 'drvport.trees-removed/1'
  readonly trees: readonly { readonly name: string; readonly bytes: number }[]
}

const renderRemoved = ({ trees }: RemovedDocument): string =>
  trees.map(({ name, bytes: freed }) => `removed ${name}: ${bytes(freed)}`).join('\n')

/** About what a tree takes on disk, beside its package. */
const NEEDED = 'about 1.8 GB on disk'

async function fetchAll(context: Context, named: readonly string[]): Promise<number> {
  const trees: FetchDocument['trees'][number][] = []
  for (const spec of named) {
    const { tree, cached, warnings } = await fetchTree(spec, {
      signal: context.signal,
      onProgress: (progress) => context.progress.update(describeFetch(progress)),
    })
    for (const warning of warnings) context.progress.note(`warning: ${warning}`)
    trees.push({ name: tree.name, version: tree.version, path: tree.dir, origin: tree.origin, cached, warnings })
  }
  context.result<FetchDocument>({ schema: 'drvport.fetch/1', trees }, render)
  return 0
}

export const fetchTrees: Command = {
  usage: 'fetch [trees..]',
  describe: `get kernel trees (${NEEDED} each), list what can be had, or remove some`,
  options: (argv) =>
    argv
      .positional('trees', {
        array: true,
        type: 'string',
        describe: `${NAMES_FOR_PEOPLE}, a tarball, or the path of a tree; default: --tree`,
      })
      .option('list', { type: 'boolean', describe: 'what can be had, what is here, how big it is' })
      .option('remove', { type: 'boolean', describe: 'take the named trees away again' })
      .conflicts('list', 'remove'),
  async run(context, argv) {
    const named = (argv['trees'] as string[] | undefined) ?? []
    if (argv['list'] === true) {
      const trees = await catalogue({ signal: context.signal, say: (text) => context.progress.update(text) })
      context.result<TreesDocument>({ schema: 'drvport.trees/1', trees }, renderCatalogue)
      return 0
    }
    if (argv['remove'] !== true) return fetchAll(context, named.length > 0 ? named : [context.tree])
    if (named.length === 0)
      throw new UsageError('--remove without a tree', { todo: 'name it: drvport fetch --remove linux-6.12' })
    const trees = await removeTrees(named)
    context.result<RemovedDocument>({ schema: 'drvport.trees-removed/1', trees }, renderRemoved)
    return 0
  },
}
