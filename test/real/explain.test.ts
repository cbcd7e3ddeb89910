/**
 * What changed between kernels, explained: small drivers (fixtures/api), each with one use of an API that is another in
 * some of the trees. What is expected stands in each file: `// expect TREE REASON KIND NAME -> INSTEAD`, from which tree
 * on; `nothing` ends that. A driver without such a line is merely wrong, and nothing may be said of it.
 */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import test from 'ava'
import { compareTrials, type ModuleComparison, type Verdict } from '../../pipeline/api/compare.ts'
import { replacementFor, userWord } from '../../pipeline/api/replacement.ts'
import { tryModules, type Trial } from '../../pipeline/api/trial.ts'
import { openTestWorkspace } from './workspace.ts'

const FOLDER = path.join(import.meta.dirname, 'fixtures', 'api')
const TREES = ['linux-5.10', 'linux-6.1', 'linux-6.12', 'linux-7.2']

interface Expected {
  readonly tree: string
  /** `api-removed function strlcpy` */
  readonly what: string
  readonly instead?: string
}

async function expectedOf(module: string): Promise<Expected[]> {
  const text = await fs.readFile(path.join(FOLDER, `${module}.c`), 'utf8')
  return [...text.matchAll(/^\/\/ expect (\S+) (.*?)(?: -> (\S+))?$/gm)].map(([, tree, what, instead]) => ({
    tree: `linux-${tree}`,
    what: what as string,
    ...(instead !== undefined && { instead }),
  }))
}

const trials: Trial[] = []
for (const name of TREES) {
  const { tree, toolchain, close } = await openTestWorkspace('clang', name)
  trials.push(await tryModules({ tree, toolchain, selectors: [FOLDER] }))
  await close()
}
const comparisons = await compareTrials(trials)
const expectations = new Map<string, Expected[]>()
for (const { module } of comparisons) expectations.set(module, await expectedOf(module))

const saidOf = ({ explanations, exports }: Verdict): string[] => [
  ...explanations.map(({ reason, kind, name }) => `${reason} ${kind} ${name}`),
  ...exports.map(({ reason, name }) => `${reason} ${name}`),
]

/** What a tree must say: what is expected from it or an older tree on, each name by its newest line. */
function wantedFor(expected: readonly Expected[], tree: string): string[] {
  const at = TREES.indexOf(tree)
  if (expected.some((item) => item.what === 'nothing' && TREES.indexOf(item.tree) <= at)) return []
  const added = expected.filter(({ what }) => what.startsWith('api-added'))
  const others = expected.filter((item) => !added.includes(item) && TREES.indexOf(item.tree) <= at)
  const names = new Map(others.map(({ what }) => [what.split(' ').slice(1).join(' '), what]))
  return [...names.values(), ...added.filter((item) => item.tree === tree).map(({ what }) => what)].toSorted()
}

const rightOf = ({ module, verdicts }: ModuleComparison): string[] =>
  verdicts.flatMap((verdict) => {
    const wanted = wantedFor(expectations.get(module) ?? [], verdict.tree)
    const said = saidOf(verdict).toSorted()
    return JSON.stringify(said) === JSON.stringify(wanted)
      ? []
      : [`${verdict.tree}: ${said.join(', ')}; wanted ${wanted.join(', ')}`]
  })

test('at least 62 changes of the API are explained as each driver expects, in every tree', (t) => {
  const changing = comparisons.filter(({ module }) => (expectations.get(module) ?? []).length > 0)
  t.true(changing.length >= 62, String(changing.length))
  const wrong = changing.flatMap((one) => rightOf(one).map((text) => `${one.module}: ${text}`))
  t.deepEqual(wrong, [])
})

test('a driver that is merely wrong is wrong everywhere, and nothing explains it', (t) => {
  const wrong = comparisons.filter(({ module }) => (expectations.get(module) ?? []).length === 0)
  t.true(wrong.length >= 7)
  for (const { module, verdicts } of wrong)
    for (const verdict of verdicts) {
      t.false(verdict.compiles, module)
      t.deepEqual(saidOf(verdict), [], `${module} ${verdict.tree}`)
      t.true(verdict.unexplained.length > 0, module)
    }
})

test('a second complaint about a line that is explained is its consequence; a type takes no function’s place', async (t) => {
  const verdict = comparisons.find(({ module }) => module === 'pcm_pages')?.verdicts.at(2)
  t.is(verdict?.explanations.length, 1)
  t.deepEqual(verdict?.unexplained, [])
  const [from, to] = [trials[1]?.tree, trials[2]?.tree]
  const [explanation] = verdict?.explanations ?? []
  if (from === undefined || to === undefined || explanation === undefined) return t.fail()
  t.is((await replacementFor(explanation, from, to))?.name, undefined)
})

test('where it changed is the newest tree that has it and the oldest that has not, each with its line', (t) => {
  const verdict = comparisons.find(({ module }) => module === 'timer_del')?.verdicts.at(-1)
  const [found] = verdict?.explanations ?? []
  t.is(found?.expected?.tree, 'linux-6.12')
  t.is(found?.expected?.file, 'include/linux/timer.h')
  t.regex(found?.expected?.text ?? '', /^int del_timer_sync\(struct timer_list \*timer\)$/)
  t.is(found?.found?.tree, 'linux-7.2')
  t.is(found?.found?.text, undefined)
})

test("a driver's version test that is at odds with the tree is named with its line", (t) => {
  const verdict = comparisons.find(({ module }) => module === 'version_test')?.verdicts.at(-2)
  t.is(verdict?.tree, 'linux-6.12')
  const [found] = verdict?.explanations ?? []
  t.like(found?.versionTest, { text: '#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)' })
  t.is(found?.versionTest?.line, (found?.line ?? 0) - 1)
})

test('what is used instead is what drivers of the tree use, shown as a pair of their lines', async (t) => {
  const asked = comparisons.flatMap(({ module, verdicts }) =>
    (expectations.get(module) ?? []).flatMap(({ tree, what, instead }) => {
      const explanation = verdicts
        .find((verdict) => verdict.tree === tree)
        ?.explanations.find(({ reason, kind, name }) => what === `${reason} ${kind} ${name}`)
      return instead === undefined || explanation === undefined ? [] : [{ module, explanation, instead }]
    }),
  )
  t.true(asked.length >= 15)
  for (const { tree } of trials) {
    const ours = asked.filter(({ explanation }) => explanation.expected?.version === tree.version)
    await tree.expect(ours.map(({ explanation }) => userWord(explanation.subject)), 'users') // prettier-ignore
  }
  const treeOf = (version: string | undefined) => trials.find(({ tree }) => tree.version === version)?.tree
  for (const { module, explanation, instead } of asked) {
    const [from, to] = [treeOf(explanation.expected?.version), treeOf(explanation.found?.version)]
    if (from === undefined || to === undefined) return t.fail(module)
    const replacement = await replacementFor(explanation, from, to)
    t.is(replacement?.name, instead, module)
    t.truthy(replacement?.files === 0 || replacement?.example, module)
  }
})
