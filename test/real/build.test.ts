/** Building real modules of a real tree, with every toolchain. */

import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { openBuild } from '../../pipeline/build/fresh.ts'
import { buildModules, type BuildDocument, type ModuleResult } from '../../pipeline/build/index.ts'
import { NOTHING } from '../../pipeline/build/module.ts'
import type { Facts } from '../../pipeline/build/trace.ts'
import { contentKey, sha256File } from '../../pipeline/cache.ts'
import { onCore } from '../../pipeline/core/build.ts'
import type { Core } from '../../pipeline/core/index.ts'
import { onOtherCore } from '../../pipeline/core/seen.ts'
import { openNamed, TOOLCHAINS, type Toolchain } from '../../pipeline/toolchain/index.ts'
import { getPackage } from '../../pipeline/store/index.ts'
import { testTree } from './tree.ts'
import { openTestWorkspace } from './workspace.ts'

const tree = await testTree()
const real = test.serial
const NIC = '8139too'

test.beforeEach((t) => t.timeout(600_000))

async function build(toolchain: Toolchain, selectors: readonly string[], signal?: AbortSignal): Promise<BuildDocument> {
  return buildModules({ tree, selectors, toolchain, ...(signal && { signal }) })
}

const one = (document: BuildDocument, name: string) =>
  document.modules.find((module) => module.name === name) as ModuleResult

for (const name of TOOLCHAINS) {
  real(`${name} builds a NIC driver from the tree's own source`, async (t) => {
    const { toolchain } = await openTestWorkspace(name)
    const document = await build(toolchain, [NIC]).finally(() => toolchain.close())
    const module = one(document, NIC)
    t.is(module.rung, 'verify', module.detail)
    t.is(module.changedBytes, 0)
    t.deepEqual([module.unresolved, module.traps], [[], []])
    t.true(module.sources.length > 0)
    for (const source of module.sources)
      t.is(source.sha256, await sha256File(path.join(tree.view, source.path)), source.path)
    t.true(module.capabilities.includes('net') && module.capabilities.includes('pci'), module.capabilities.join(' '))
  })
}

real('what was built by its name is found again without a look at the tree', async (t) => {
  const toolchain = await openNamed('clang')
  const first = await build(toolchain, [NIC])
  const unseen: ReadonlySet<unknown> = new Set(['select', 'match', 'modules', 'module', 'exports', 'kernelFiles'])
  const blind = new Proxy(tree, {
    get: (target, key) => {
      t.false(unseen.has(key), `${String(key)} of the tree was asked`)
      return Reflect.get(target, key) as unknown
    },
  })
  const again = await buildModules({ tree: blind, selectors: [NIC], toolchain })
  const without = ({ modules }: BuildDocument) => modules.map((module) => ({ ...module, ms: undefined }))
  t.deepEqual(without(again), without(first))
})

/** Hashes of a module's objects. */
async function objectsOf(toolchain: Toolchain): Promise<readonly string[]> {
  const module = await tree.module(NIC)
  const { compiler } = await openBuild({ tree, toolchain }, [])
  const { objects = [] } = await compiler.module(module!)
  return objects.map(({ sha256 }) => sha256)
}

// The kernel itself is left out of it: it is a thousand files more of the same.
real('a driver compiled from an empty cache, elsewhere, gives the same bytes', async (t) => {
  const toolchain = await openNamed('clang')
  const first = await objectsOf(toolchain)
  const before = process.env['DRVPORT_CACHE']
  const cache = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-another-place-'))
  process.env['DRVPORT_CACHE'] = cache
  t.teardown(async () => {
    if (before === undefined) delete process.env['DRVPORT_CACHE']
    else process.env['DRVPORT_CACHE'] = before
    await fs.rm(cache, { recursive: true, force: true })
  })
  t.true(first.length > 0)
  t.deepEqual(await objectsOf(toolchain), first)
})

real('a syntax error names file and line, and the next module is built all the same', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-bad-'))
  t.teardown(() => fs.rm(dir, { recursive: true, force: true }))
  const head = '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n'
  await fs.writeFile(path.join(dir, 'Kbuild'), 'obj-m += bad.o\nobj-m += lost.o\n')
  await fs.writeFile(path.join(dir, 'bad.c'), `${head}int broken(void)\n{\n\treturn 1\n}\n`)
  await fs.writeFile(
    path.join(dir, 'lost.c'),
    `${head}void nobody_has_this(void);\nint __init go(void)\n{\n\tnobody_has_this();\n\treturn 0;\n}\nmodule_init(go);\n`,
  )
  const document = await build(await openNamed('clang'), [dir])
  const bad = one(document, 'bad')
  t.deepEqual([bad.rung, bad.reason], ['parse', 'compile-error'])
  t.regex(bad.diagnostics[0]?.file ?? '', /bad\.c$/)
  t.is(bad.diagnostics[0]?.line, 5)
  const lost = one(document, 'lost')
  t.deepEqual([lost.rung, lost.reason, lost.unresolved], ['compile', 'unresolved-symbol', ['nobody_has_this']])
  t.is(lost.missing[0]?.line, 3)
})

real('an interrupted build keeps what is finished and says what is not', async (t) => {
  const controller = new AbortController()
  const toolchain = await openNamed('clang')
  const document = await buildModules({
    tree,
    selectors: [NIC, 'drivers/net/ethernet/dec/tulip'],
    toolchain,
    signal: controller.signal,
    progress: (event) => event.step === 'module' && controller.abort(),
  })
  t.true(document.interrupted)
  t.true(document.modules.some((module) => module.reason !== 'interrupted'))
  t.true(document.modules.some((module) => module.reason === 'interrupted'))
})

real("an unknown module is the caller's mistake", async (t) => {
  const error = await t.throwsAsync(build(await openNamed('clang'), ['no_such_module']))
  t.is((error as unknown as { status: number }).status, 2)
})

/** A module on its core, and on others that are said to be this one but for what `change` changes. */
async function onCores(changes: readonly ((core: Core, needs: readonly string[]) => Partial<Core>)[]) {
  const build = await openBuild({ tree, toolchain: await openNamed('clang') }, [])
  const compiled = await build.compiler.module((await tree.module(NIC))!)
  const core = await build.core()
  const own = { ...NOTHING, rung: 'none' as const }
  const needs = (compiled.objects ?? []).flatMap((object) => object.needs)
  const on = (other: Core) => onCore({ ...build, core: () => Promise.resolve(other) }, compiled, 'verify', own)
  const first = await on(core)
  const made: Facts[] = []
  for (const [i, change] of changes.entries())
    made.push(await on({ ...core, key: contentKey(['a core for a test', i]), ...change(core, needs) }))
  for (const { package: dir } of made) if (dir !== undefined) await fs.rm(dir, { recursive: true })
  // It is the newest of its name again.
  return { core, first, made, last: await on(core) }
}

real('on a kernel that is the same to a module, what was bound before is proved and taken as it is', async (t) => {
  const moved = ({ symbols }: Core, needs: readonly string[]) => {
    const [name, at] = [...symbols.data].find(([symbol]) => needs.includes(symbol))!
    return { symbols: { ...symbols, data: new Map([...symbols.data, [name, { ...at, address: at.address + 64 }]]) } }
  }
  const { core, first, made, last } = await onCores([() => ({}), moved])
  t.is(first.rung, 'verify', first.detail)
  const [same, elsewhere] = made
  t.is(same?.rung, 'verify')
  t.is(same?.wasm?.sha256, first.wasm?.sha256)
  t.not(same?.package, first.package)
  t.is(elsewhere?.rung, 'verify')
  t.not(elsewhere?.wasm?.sha256, first.wasm?.sha256)
  t.is(last.package, first.package)
  // Seen alike, and proved otherwise: it is not taken. Nothing is kept of that.
  const stored = await getPackage(path.basename(first.package!), NIC)
  const deeper = { ...core, key: contentKey(['deeper']), proved: { ...core.proved, functions: new Map() } }
  t.is(await onOtherCore(stored!, deeper), undefined)
  t.is(await getPackage(contentKey(['moved', deeper.key, path.basename(first.package!)]), NIC), undefined)
})
