/** `drvport analyze MODULE`: what it uses of the kernel, where, what is missing, which capabilities it needs. */
import { selectAll } from '../../pipeline/build/fresh.ts'
import { readAuthority } from '../../pipeline/build/authority.ts'
import { analyzeModules, type AnalyzeDocument } from '../../pipeline/source/analyze.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'
import { paint, table } from '../output.ts'
import type { Command } from '../context.ts'
import { configurationOf, reporting } from '../workspace.ts'

const COLOURS = { missing: 'red', full: 'green' } as const

/** Names shown for a capability without -v. */
const NAMES_SHOWN = 4

/** Who asks for a capability, where. */
function asks({ capability, asked }: AnalyzeDocument['authority'][number], verbose: boolean): string {
  const named = asked.toSorted((a, b) => b.places.length - a.places.length)
  const shown = verbose ? named : named.slice(0, NAMES_SHOWN)
  const said = shown.map(({ name, places: [first], count }) => {
    const more = count > 1 ? `, ${count} uses` : ''
    return first === undefined ? `${name} (through a header)` : `${name} (${first.file}:${first.line}${more})`
  })
  const rest = named.length - shown.length
  return `  ${capability}: ${said.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

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
    `${document.sources.length} files; ${ids === '' ? 'no device ids' : ids}`,
    document.authority.length === 0 ? 'capabilities: those of every driver' : 'capabilities, and who asks for them:',
    ...document.authority.map((one) => asks(one, verbose)),
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
    const opening = { tree: context.tree, ...configurationOf(context), ...reporting(context) }
    const { tree } = await openTreeOnly(opening)
    const options = { authority: await readAuthority() }
    const documents = await analyzeModules(tree, await selectAll(tree, argv['modules'] as string[]), options)
    const [only] = documents
    const document =
      documents.length === 1 && only !== undefined
        ? only
        : { schema: 'drvport.analyze-list/1' as const, modules: documents }
    context.result(document, () => documents.map((one) => renderOne(one, context.verbose > 0)).join('\n\n'))
    return 0
  },
}
