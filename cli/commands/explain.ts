/** `drvport explain MODULE --tree A,B`: why it compiles for one kernel and not for another, and what changed between them. */
import { compareTrials, type ExportProblem, type ModuleComparison, type Verdict } from '../../pipeline/api/compare.ts'
import type { Definition, Explanation } from '../../pipeline/api/explain.ts'
import { lastingReplacementFor, userWord, type Replacement } from '../../pipeline/api/replacement.ts'
import { openApiTree, type ApiTree } from '../../pipeline/api/tree.ts'
import { tryModules, type Trial } from '../../pipeline/api/trial.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { whoMayUse } from '../../pipeline/kbuild/namespaces.ts'
import { listTrees, openTree } from '../../pipeline/tree/index.ts'
import { announce } from '../announce.ts'
import type { Command, Context } from '../context.ts'
import { paint } from '../output.ts'
import { treesOf } from '../trees.ts'
import { workspaceOf } from '../workspace.ts'

interface Explained extends Explanation {
  readonly replacement?: Replacement
}

interface ExplainDocument {
  readonly schema: 'drvport.explain/1'
  readonly trees: readonly { readonly name: string; readonly version: string }[]
  readonly modules: readonly (Omit<ModuleComparison, 'verdicts'> & {
    readonly verdicts: readonly (Omit<Verdict, 'explanations' | 'unexplained'> & {
      readonly explanations: readonly Explained[]
      readonly unexplained: readonly { readonly file: string; readonly line: number; readonly message: string }[]
    })[]
  })[]
}

type ModuleExplained = ExplainDocument['modules'][number]

/** Compile the modules for each tree, one tree after another: they share the processors. */
async function trialsOf(context: Context, names: readonly string[], selectors: readonly string[]): Promise<Trial[]> {
  const trials: Trial[] = []
  for (const name of names) {
    const workspace = await workspaceOf(context, name)
    try {
      const onModule = (module: string) => context.progress.update(`${name}: compiling ${module}`)
      const { tree, toolchain } = workspace
      trials.push(await tryModules({ tree, toolchain, selectors, signal: context.signal, onModule }))
    } finally {
      await workspace.close()
    }
  }
  return trials
}

/** Trees that are here and were not asked for: what they have tells when something changed. */
async function otherTrees(trials: readonly Trial[]): Promise<ApiTree[]> {
  const tried = new Set(trials.map(({ tree }) => tree.version))
  const others = (await listTrees()).filter(({ version }) => !tried.has(version))
  return Promise.all(others.map(async ({ name }) => openApiTree(await openTree(name))))
}

async function withReplacements(
  context: Context,
  comparisons: readonly ModuleComparison[],
  trees: readonly ApiTree[],
): Promise<ModuleExplained[]> {
  const treeOf = ({ version }: Pick<Definition, 'version'>) => trees.find((tree) => tree.version === version)
  const known = new Map<string, Promise<Replacement | undefined>>()
  const explained = async (explanation: Explanation, here: ApiTree): Promise<Explained> => {
    const { expected, found, name, reason } = explanation
    const [from, to] = [expected && treeOf(expected), found && treeOf(found)]
    if (from === undefined || to === undefined || reason === 'api-added' || explanation.kind === 'include')
      return explanation
    context.progress.update(`looking at how drivers of ${to.name} do without ${name}`)
    const key = `${name} ${from.version} ${to.version} ${here.version}`
    const work = known.get(key) ?? lastingReplacementFor(explanation, from, to, here)
    known.set(key, work)
    const replacement = await work
    return { ...explanation, ...(replacement && { replacement }) }
  }
  const all = comparisons.flatMap(({ verdicts }) => verdicts.flatMap(({ explanations }) => explanations))
  for (const tree of trees) {
    const ours = all.filter(({ expected }) => expected?.version === tree.version)
    if (ours.length > 0) context.progress.update(`looking for drivers of ${tree.name} that use the same`)
    await tree.expect(ours.map(({ subject }) => userWord(subject)), 'users') // prettier-ignore
  }
  const modules: ModuleExplained[] = []
  for (const { verdicts, ...module } of comparisons) {
    const judged = []
    for (const { explanations, unexplained, ...verdict } of verdicts) {
      const told: Explained[] = []
      const here = treeOf(verdict) as ApiTree
      for (const explanation of explanations) told.push(await explained(explanation, here))
      const plain = unexplained.map(({ file, line, message }) => ({ file, line, message }))
      judged.push({ ...verdict, explanations: told, unexplained: plain })
    }
    modules.push({ ...module, verdicts: judged })
  }
  return modules
}

const at = ({ file, line }: { readonly file?: string; readonly line?: number }): string =>
  file === undefined ? '' : `${file}:${line}`

function sideLines(title: string, { tree, version, text, ...place }: Definition): string[] {
  const where = text === undefined ? 'not there' : at(place)
  return [`      ${title} ${tree} (${version}): ${where}`, ...(text === undefined ? [] : [`        ${text}`])]
}

const TITLES: Readonly<Record<string, string>> = {
  'api-removed': 'is gone',
  'api-changed': 'is another',
  'api-added': 'is not there yet',
  'not-exported': 'is not exported to modules',
  'gpl-only': 'is exported to GPL-compatible modules only',
}

/** Whether a driver is ahead of the tree: what it expects came later. */
const isOlder = (found: Definition | undefined, expected: Definition | undefined): boolean =>
  (found?.version ?? '').localeCompare(expected?.version ?? '', 'en', { numeric: true }) < 0

function explanationLines(item: Explained): string[] {
  const { replacement, versionTest } = item
  const isNewer = isOlder(item.found, item.expected)
  const include = `is declared in a header that is ${isNewer ? 'not included yet' : 'no longer included'}`
  const what = item.kind === 'include' ? include : TITLES[item.reason]
  const [first, then] = !isNewer ? ['last in', 'since'] : ['first in', item.reason === 'api-added' ? 'not in' : 'until']
  const lines = [
    `    ${paint('bold', `${item.name} ${what}`)} (${item.reason}, ${item.kind}); used at ${at(item)}`,
    ...(item.expected ? sideLines(first as string, item.expected) : []),
    ...(item.found ? sideLines(then as string, item.found) : []),
  ]
  if (replacement?.name !== undefined) {
    const many =
      replacement.files === 1 ? '1 file of the tree says so' : `${replacement.files} files of the tree say so`
    const by = replacement.files > 0 ? many : 'a guess by place and name'
    lines.push(
      `      instead: ${replacement.name} (${by})`,
      ...(replacement.text ? [`        ${replacement.text}`] : []),
    )
  }
  if (replacement?.example !== undefined) {
    const { file, before, after } = replacement.example
    lines.push(`      as in ${file}:`, paint('red', `        ${before.line} - ${before.text}`), paint('green', `        ${after.line} + ${after.text}`)) // prettier-ignore
  }
  if (versionTest !== undefined)
    lines.push(
      `      ${item.file}:${versionTest.line}: this test is at odds with ${item.found?.version}: ${versionTest.text}`,
    )
  return lines
}

const exportLines = (item: ExportProblem): string[] => [
  `    ${paint('bold', `${item.name} ${item.namespace === undefined ? TITLES[item.reason] : whoMayUse(item.namespace)}`)} (${item.reason})`,
  ...sideLines('usable in', item.expected),
  ...sideLines('not in', item.found),
]

type VerdictExplained = ModuleExplained['verdicts'][number]

/** What dkms.conf leaves out is no failure. */
const isFine = ({ compiles, ended, exports }: VerdictExplained): boolean =>
  ended?.reason === 'excluded' || (compiles && exports.length === 0)

function stateOf({ compiles, ended, explanations, exports }: VerdictExplained): string {
  if (ended?.reason === 'excluded') return 'is not built'
  if (!compiles) return paint('red', 'does not compile')
  return explanations.length + exports.length > 0 ? paint('red', 'would not load') : paint('green', 'compiles')
}

function verdictLines(verdict: VerdictExplained): string[] {
  const { tree, version, ended } = verdict
  const known = verdict.explanations.length + verdict.exports.length
  const plain = verdict.unexplained.slice(0, known > 0 ? 3 : 8)
  return [
    `  ${tree} (${version}): ${stateOf(verdict)}`,
    ...(ended ? [`    ${ended.reason}: ${ended.detail}`] : []),
    ...verdict.explanations.flatMap(explanationLines),
    ...verdict.exports.flatMap(exportLines),
    ...(plain.length > 0 ? ['    nothing in the trees explains:'] : []),
    ...plain.map((complaint) => `      ${at(complaint)}: ${complaint.message}`),
  ]
}

const render = ({ modules }: ExplainDocument): string =>
  modules
    .map(({ module, path, verdicts }) =>
      [`${paint('bold', module)}  ${path}`, ...verdicts.flatMap(verdictLines)].join('\n'),
    )
    .join('\n\n')

export const explain: Command = {
  usage: 'explain <modules..>',
  describe: 'why modules compile for one kernel and not for another: what changed, and what is used instead',
  options: (argv) =>
    argv.positional('modules', {
      array: true,
      type: 'string',
      describe: 'modules, as for build; --tree A,B names the kernels',
    }),
  async run(context, argv) {
    const names = treesOf(context)
    if (names.length < 2)
      throw new UsageError('explain compares kernels', {
        found: `--tree ${context.tree}`,
        todo: 'name two or more: --tree linux-6.1,linux-7.2',
      })
    await announce(context, names, 'compile')
    const trials = await trialsOf(context, names, argv['modules'] as string[])
    const others = await otherTrees(trials)
    const comparisons = await compareTrials(trials, others)
    const trees = [...trials.map(({ tree }) => tree), ...others]
    const document: ExplainDocument = {
      schema: 'drvport.explain/1',
      trees: trials.map(({ tree }) => ({ name: tree.name, version: tree.version })),
      modules: await withReplacements(context, comparisons, trees),
    }
    context.result(document, render)
    const fine = document.modules.every(({ verdicts }) => verdicts.every(isFine))
    return fine ? 0 : 1
  },
}
