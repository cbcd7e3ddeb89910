/**
 * The same modules tried for several trees: what each tree's complaints come from, and which exports are others.
 *
 * A tree for which a module compiles tells what the driver expects. Pure but for reading the trees' text.
 */

import { isOpen } from '../kbuild/namespaces.ts'
import { byVersion, explain, type Definition, type Explanation } from './explain.ts'
import { subjectsOf, type Complaint } from './subjects.ts'
import type { ApiTree } from './tree.ts'
import type { ModuleTrial, Trial } from './trial.ts'

/** A symbol that a module uses and this tree does not let it. */
export interface ExportProblem {
  readonly reason: 'not-exported' | 'gpl-only' | 'not-imported'
  readonly name: string
  /** Present where that is why: what it is exported in. */
  readonly namespace?: string
  /** The newest tree here in which it could be used. */
  readonly expected: Definition
  readonly found: Definition
}

/** What one tree says of one module. */
export interface Verdict {
  readonly tree: string
  readonly version: string
  readonly compiles: boolean
  /** Why not, where no line of the driver is at fault. */
  readonly ended?: NonNullable<ModuleTrial['ended']>
  readonly explanations: readonly Explanation[]
  readonly exports: readonly ExportProblem[]
  /** Complaints that the trees say nothing about: mistakes of the driver, or of drvport. */
  readonly unexplained: readonly Complaint[]
}

export interface ModuleComparison {
  readonly module: string
  readonly path: string
  /** In the order of the trees' versions. */
  readonly verdicts: readonly Verdict[]
}

/** Compare; `others` are trees that are here and were not tried. */
export async function compareTrials(
  trials: readonly Trial[],
  others: readonly ApiTree[] = [],
): Promise<ModuleComparison[]> {
  const ordered = byVersion(trials.map(({ tree }) => tree)).map(
    (tree) => trials.find((trial) => trial.tree === tree) as Trial,
  )
  await expectSubjects(ordered, others)
  const paths = [...new Set(ordered.flatMap(({ modules }) => modules.map(({ path }) => path)))].toSorted()
  const results: ModuleComparison[] = []
  for (const path of paths) {
    const tried = ordered.flatMap((trial) => {
      const module = trial.modules.find((item) => item.path === path)
      return module === undefined ? [] : [{ trial, module }]
    })
    const verdicts: Verdict[] = []
    for (const one of tried) verdicts.push(await verdictOf(one, tried, others))
    results.push({ module: tried[0]?.module.module ?? path, path, verdicts })
  }
  return results
}

/** All names that will be looked up, looked up together. */
async function expectSubjects(trials: readonly Trial[], others: readonly ApiTree[]): Promise<void> {
  const names = new Set<string>()
  for (const { modules } of trials)
    for (const complaint of modules.flatMap(({ complaints }) => complaints)) {
      const { missing, used, set, read } = subjectsOf(complaint)
      for (const subject of missing === undefined ? used : [missing])
        names.add(subject.kind === 'field' ? subject.struct : subject.name)
      for (const { struct } of [...set, ...read]) names.add(struct)
    }
  for (const tree of [...trials.map((trial) => trial.tree), ...others]) await tree.expect([...names], 'declarations')
}

interface Tried {
  readonly trial: Trial
  readonly module: ModuleTrial
}

async function verdictOf(one: Tried, tried: readonly Tried[], others: readonly ApiTree[]): Promise<Verdict> {
  const { trial, module } = one
  const trees = [...tried.map((item) => item.trial.tree), ...others]
  const explanations = new Map<string, Explanation>()
  const explained = new Set<string>()
  const unexplained: Complaint[] = []
  for (const complaint of module.complaints) {
    const good = goodFor(complaint, one, tried)
    const found = await explain({ complaint, bad: trial.tree, ...(good && { good }), trees })
    if (found === undefined) unexplained.push(complaint)
    else explained.add(lineOf(complaint))
    if (found !== undefined && !explanations.has(`${found.kind} ${found.name}`))
      explanations.set(`${found.kind} ${found.name}`, found)
  }
  return {
    tree: trial.tree.name,
    version: trial.tree.version,
    compiles: module.compiles,
    ...(module.ended && { ended: module.ended }),
    explanations: [...explanations.values()],
    exports: await exportProblems(one, tried),
    unexplained: unexplained.filter((complaint) => !isConsequence(complaint, module.complaints, explained)),
  }
}

/**
 * Whether a complaint comes of one that is explained: on its line (of what is undeclared a compiler guesses the type), or
 * about a variable that such a line declares, or about an array of which such a line initialises an element.
 */
function isConsequence(complaint: Complaint, all: readonly Complaint[], explained: ReadonlySet<string>): boolean {
  if (explained.has(lineOf(complaint))) return true
  const variable = /^use of undeclared identifier '(\w+)'/.exec(complaint.message)?.[1]
  const isArray = /to an incomplete type '[^']*\[\]'/.test(complaint.message)
  if (variable === undefined) return isArray && explained.size > 0
  return all.some((other) => explained.has(lineOf(other)) && isTypeMissing(other) && wordsOn(other).has(variable))
}

/** A declaration of which the compiler did not understand the type: the variable is none for it. */
const isTypeMissing = ({ message }: Complaint): boolean =>
  /^(?:unknown type name|variable has incomplete type|use of undeclared identifier)/.test(message)

const wordsOn = ({ text = '', line }: Complaint): ReadonlySet<string> =>
  new Set(text.split('\n')[line - 1]?.match(/\w+/g) ?? [])

const lineOf = ({ file, line }: Complaint): string => `${file}:${line}`

/** A header that was not found ends a compile: what else there is, nobody knows. */
const isWhole = ({ complaints }: ModuleTrial): boolean =>
  complaints.length > 0 && complaints.every(({ message }) => !message.endsWith('file not found'))

/**
 * The tree nearest to this one for which the module compiles, else one that has nothing against the line: the same mistake
 * is told in other words where a function takes more arguments, or for other flags.
 */
function goodFor(complaint: Complaint, one: Tried, tried: readonly Tried[]): ApiTree | undefined {
  const at = tried.indexOf(one)
  const near = tried.toSorted((a, b) => Math.abs(tried.indexOf(a) - at) - Math.abs(tried.indexOf(b) - at))
  const without = ({ module }: Tried) => !module.complaints.some((other) => lineOf(other) === lineOf(complaint))
  const found =
    near.find(({ module }) => module.compiles) ??
    near.find((item) => item !== one && isWhole(item.module) && without(item))
  return found?.trial.tree
}

/** Why a tree keeps a symbol from a module; undefined where it may use it. */
function keptFrom({ trial, module }: Tried, name: string): Pick<ExportProblem, 'reason' | 'namespace'> | undefined {
  const state = trial.exported(name)
  if (state === undefined) return { reason: 'not-exported' }
  if (state.gplOnly && module.licenseProblem !== undefined) return { reason: 'gpl-only' }
  const { namespace } = state
  if (namespace === undefined || isOpen(namespace, module.module, module.imports)) return undefined
  return { reason: 'not-imported', namespace }
}

async function exportProblems(one: Tried, tried: readonly Tried[]): Promise<ExportProblem[]> {
  const problems: ExportProblem[] = []
  for (const name of one.module.needs) {
    const why = keptFrom(one, name)
    if (why === undefined) continue
    const usable = tried.filter((item) => keptFrom(item, name) === undefined)
    const nearest = usable.findLast((item) => tried.indexOf(item) < tried.indexOf(one)) ?? usable[0]
    if (nearest === undefined) continue
    const [expected, found] = [await placeOf(nearest.trial.tree, name), await placeOf(one.trial.tree, name)]
    problems.push({ ...why, name, expected, found })
  }
  return problems
}

async function placeOf(tree: ApiTree, name: string): Promise<Definition> {
  const [first] = await tree.declarations(name)
  const place = first && { file: first.file, line: first.line, text: first.text }
  return { tree: tree.name, version: tree.version, ...place }
}
