/** `drvport analyze MODULE`: what it uses of the kernel, where, what is missing, which capabilities it needs. */
import { join } from 'node:path'
import { selectAll } from '../../pipeline/build/index.ts'
import { readSymbols } from '../../pipeline/build/symbols.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { analyzeModules, type AnalyzeDocument } from '../../pipeline/source/analyze.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'
import { paint, table } from '../output.ts'
import type { Command } from '../context.ts'
import { reporting } from '../workspace.ts'

const COLOURS = { missing: 'red', trap: 'red', stub: 'yellow', partial: 'yellow', full: 'green' } as const

/** Symbols shown without -v: what is not fully there. */
function renderOne(document: AnalyzeDocument, verbose: boolean): string {
  const { summary, metadata } = document
  const shown = document.symbols.filter(({ status }) => verbose || status !== 'full')
  const rows = shown.map(({ symbol, status, provider, count, places, note }) => [
    symbol,
    paint(COLOURS[status], status),
    provider,
    places[0] === undefined
      ? 'through a header'
      : `${places[0].file}:${places[0].line}${count > 1 ? ` (${count} uses)` : ''}`,
    note,
  ])
  const ids = document.tables.map((ids) => `${ids.entries.length} ${ids.bus} ids`).join(', ')
  const problems = [
    ...document.parseErrors.map((error) => `${error.file}:${error.line}: cannot be parsed`),
    ...document.untranslatable.map((item) => `${item.file}:${item.line}: ${item.construct} cannot go to wasm`),
  ]
  const counts = Object.entries(summary)
    .filter(([, number]) => number > 0)
    .map(([status, number]) => `${number} ${status}`)
  return [
    `${paint('bold', document.module)}  ${document.path}  ${document.buses.join(' ')}  ${document.classes.join(' ')}  ${metadata.licenses.join(', ')}`,
    `${document.sources.length} files; ${ids === '' ? 'no device ids' : ids}; capabilities: ${document.capabilities.join(' ')}`,
    `kernel symbols: ${counts.join(', ')}`,
    ...problems.map((problem) => paint('red', problem)),
    ...(rows.length > 0
      ? [
          table(
            [{ title: 'symbol' }, { title: 'status' }, { title: 'provider' }, { title: 'used at' }, { title: '' }],
            rows,
          ),
        ]
      : []),
  ].join('\n')
}

export const analyze: Command = {
  usage: 'analyze <modules..>',
  describe: 'what modules use of the kernel, where, what is missing, which capabilities they need',
  options: (argv) => argv.positional('modules', { array: true, type: 'string', describe: 'modules, as for build' }),
  async run(context, argv) {
    const { tree } = await openTreeOnly({ tree: context.tree, ...reporting(context) })
    const symbols = await readSymbols(join(packageRoot, 'linux-api', 'symbols'))
    const documents = await analyzeModules(tree, await selectAll(tree, argv['modules'] as string[]), symbols)
    const [only] = documents
    const document =
      documents.length === 1 && only !== undefined
        ? only
        : { schema: 'drvport.analyze-list/1' as const, modules: documents }
    context.result(document, () => documents.map((one) => renderOne(one, context.verbose > 0)).join('\n\n'))
    return 0
  },
}
