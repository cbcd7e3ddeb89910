/** `drvport fetch [TREE...]`: get kernel trees into the cache. */
import { describeFetch } from '../../pipeline/workspace.ts'
import { fetchTree } from '../../pipeline/tree/index.ts'
import { table } from '../output.ts'
import type { Command } from '../context.ts'

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

export const fetchTrees: Command = {
  usage: 'fetch [trees..]',
  describe: 'get kernel trees: linux-6.1, linux-6.12, a tarball, or the path of a tree',
  options: (argv) => argv.positional('trees', { array: true, type: 'string', describe: 'default: --tree' }),
  async run(context, argv) {
    const named = (argv['trees'] as string[] | undefined) ?? []
    const trees: FetchDocument['trees'][number][] = []
    for (const spec of named.length > 0 ? named : [context.tree]) {
      const { tree, cached, warnings } = await fetchTree(spec, {
        signal: context.signal,
        onProgress: (progress) => context.progress.update(describeFetch(progress)),
      })
      for (const warning of warnings) context.progress.note(`warning: ${warning}`)
      trees.push({ name: tree.name, version: tree.version, path: tree.dir, origin: tree.origin, cached, warnings })
    }
    context.result<FetchDocument>({ schema: 'drvport.fetch/1', trees }, render)
    return 0
  },
}
