/**
 * Whether a kernel would link and load a module, by what its tree exports alone: names, and which of them are for
 * GPL-compatible modules only. It is what modpost asks of a kernel's Module.symvers, and costs no kernel: the list is read
 * from the sources.
 *
 * For modules of somebody's own. What binding to a linked kernel tells besides (types of calls, what is proved of the
 * binary) is core/build.ts's.
 */

import { absenceOf, exportAbsence } from '../api/absent.ts'
import type { ApiTree } from '../api/tree.ts'
import type { BuiltModule } from '../build/compiler.ts'
import { moduleEntries } from '../build/flags.ts'
import { importedNamespaces } from '../build/module-info.ts'
import { describeMissing } from '../build/inputs.ts'
import type { MissingSymbol } from '../build/document.ts'
import type { ModuleBuild } from '../build/module.ts'
import { knownOutcome, rememberOutcome, type Facts, type On } from '../build/trace.ts'
import { isOpen, whoMayUse } from '../kbuild/namespaces.ts'
import type { Reason } from '../matrix/types.ts'
import { needsOf } from './closure.ts'
import { exportedNames } from './index.ts'

const NAMES_SHOWN = 5

/** Under this name what is found out is kept: it depends on the module and the tree alone. */
const KEPT: On = { besides: 'by-exports 5' }

/** At rung link, or below it with what it lacks. `own` is what is known of the module by itself. */
export async function linkedByExports(
  build: ModuleBuild,
  api: ApiTree,
  compiled: BuiltModule,
  own: Facts,
): Promise<Facts> {
  const { module, objects = [] } = compiled
  const job = { build, module, objects }
  const known = await knownOutcome(job, KEPT)
  if (known !== undefined) return known.linked
  const beside = await ownersBeside(build, compiled)
  const linked = {
    ...own,
    licenses: own.facts?.licenses ?? [],
    gplOnly: own.facts?.gplOnly ?? [],
    ...(await judged(build, api, compiled, own, beside)),
  }
  await rememberOutcome(job, KEPT, { consulted: beside, needs: [] }, { linked })
  return linked
}

type Verdict = Pick<Facts, 'rung'> & Partial<Pick<Facts, 'reason' | 'detail' | 'unresolved' | 'missing'>>

/** Modules of the same person's, by name, that export what this one needs. */
async function ownersBeside({ tree }: ModuleBuild, compiled: BuiltModule): Promise<string[]> {
  const exports = await tree.exports()
  const owners = new Set(needsOf(compiled).flatMap((symbol) => exports.get(symbol)?.modules.slice(0, 1) ?? []))
  const found = await Promise.all([...owners].map(async (name) => ({ name, module: await tree.module(name) })))
  return found.flatMap(({ name, module }) => (module?.external === undefined ? [] : [name])).toSorted()
}

/** Those that do not compile. */
async function failedOf({ tree, compiler }: ModuleBuild, names: readonly string[]): Promise<string[]> {
  const failed: string[] = []
  for (const name of names) {
    const module = await tree.module(name)
    if (module !== undefined && (await compiler.module(module)).objects === undefined) failed.push(name)
  }
  return failed
}

async function judged(
  build: ModuleBuild,
  api: ApiTree,
  compiled: BuiltModule,
  own: Facts,
  beside: readonly string[],
): Promise<Verdict> {
  const { tree } = build
  const failed = await failedOf(build, beside)
  if (failed.length > 0) {
    const detail = `needs ${failed.join(', ')}, which ${failed.length > 1 ? 'do' : 'does'} not compile`
    return { rung: 'compile', reason: 'dependency-failed', detail }
  }
  const exports = await tree.exports()
  const kernel = new Set((await exportedNames(tree)).map(({ symbol }) => symbol))
  // Its struct module is made where it is bound, as modpost makes it.
  const { self } = moduleEntries(compiled.module.name)
  const unresolved = needsOf(compiled).filter(
    (symbol) => symbol !== self && !kernel.has(symbol) && !exports.has(symbol),
  )
  if (unresolved.length > 0) {
    const missing = await describeMissing(unresolved, compiled.module.name, compiled.objects ?? [])
    return { rung: 'compile', unresolved, missing, ...(await whyMissing(api, missing)) }
  }
  const problem = own.facts?.licenseProblem
  if (problem !== undefined)
    return { rung: 'compile', reason: 'gpl-only', detail: problem, unresolved: own.facts?.gplOnly ?? [] }
  const closed = await notImported(compiled, exports)
  if (closed.length === 0) return { rung: 'link' }
  const said = closed.slice(0, NAMES_SHOWN).map(({ symbol, namespace }) => `${symbol} ${whoMayUse(namespace)}`)
  const more = closed.length > NAMES_SHOWN ? `; and ${closed.length - NAMES_SHOWN} more` : ''
  const names = closed.map(({ symbol }) => symbol)
  return { rung: 'compile', reason: 'not-imported', detail: said.join('; ') + more, unresolved: names }
}

/** Symbols of namespaces that are not open to the module. */
async function notImported(
  compiled: BuiltModule,
  exports: Awaited<ReturnType<ModuleBuild['tree']['exports']>>,
): Promise<{ symbol: string; namespace: string }[]> {
  const closed = needsOf(compiled).flatMap((symbol) => {
    const namespace = exports.get(symbol)?.namespace
    return namespace === undefined ? [] : [{ symbol, namespace }]
  })
  if (closed.length === 0) return []
  const imported = await importedNamespaces(compiled.objects ?? [])
  return closed.filter(({ namespace }) => !isOpen(namespace, compiled.module.name, imported))
}

/** Of several symbols, what no other configuration would mend comes first. */
const WORST_FIRST: readonly Reason[] = ['unresolved-symbol', 'not-exported']

/** Declared for the kernel's own code, and not for modules; or nowhere, which is the driver's affair. */
async function whyMissing(
  api: ApiTree,
  missing: readonly MissingSymbol[],
): Promise<{ reason: Reason; detail: string }> {
  await api.expect(
    missing.map(({ symbol }) => symbol),
    'declarations',
  )
  const said: string[] = []
  const reasons: Reason[] = []
  for (const { symbol, file, line } of missing) {
    const [declared] = await api.declarations(symbol)
    const elsewhere = declared && (await exportAbsence(api, symbol))
    const absence = declared === undefined ? await absenceOf(api, { kind: 'name', name: symbol }) : elsewhere
    const place = line > 0 ? ` (${file}:${line})` : ''
    const hidden = declared && `${declared.file}:${declared.line} declares it, no module may use it`
    said.push(`${symbol}${place}: ${absence?.why ?? hidden ?? 'nobody defines it'}`)
    reasons.push(declared === undefined ? 'unresolved-symbol' : (elsewhere?.reason ?? 'not-exported'))
  }
  const reason = WORST_FIRST.find((one) => reasons.includes(one)) ?? reasons[0] ?? 'unresolved-symbol'
  const more = said.length > NAMES_SHOWN ? `; and ${said.length - NAMES_SHOWN} more` : ''
  return { reason, detail: said.slice(0, NAMES_SHOWN).join('; ') + more }
}
