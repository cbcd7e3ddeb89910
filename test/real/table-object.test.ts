/** The table of modules that we write, held against the one that the compiler makes of the same modules. */

import test from 'ava'
import { openBuild } from '../../pipeline/build/index.ts'
import { readBuiltObject } from '../../pipeline/build/compiler.ts'
import { moduleTable } from '../../pipeline/build/module-table.ts'
import { readLayout, relocations, tableObjectBytes, TEMPLATE } from '../../pipeline/build/table-object.ts'
import { cachePath, sha256, writeAtomic } from '../../pipeline/cache.ts'
import { definedSymbols, readObject, type WasmObject } from '../../pipeline/wasm/object.ts'
import { openTestWorkspace } from './workspace.ts'

const MODULES = [
  { name: 'mii', hasInit: false, hasExit: false },
  { name: 'snd-x', hasInit: true, hasExit: false },
  { name: '8139too', hasInit: true, hasExit: true },
]

/** Global data by name: its bytes less what is filled in at link time, and what is filled in where. */
function contents(object: WasmObject): Map<string, unknown> {
  const filled = relocations(object).map(({ at, symbol }) => ({ at, to: object.symbols[symbol]! }))
  /** A local name is the compiler's affair; the text under it is not. */
  const target = (symbol: (typeof object.symbols)[number]) => {
    if (!symbol.local || symbol.data === undefined) return symbol.name
    const segment = object.module.data[symbol.data.segment]!
    return Buffer.from(object.module.bytes.subarray(segment.start, segment.end)).toString()
  }
  const found = definedSymbols(object).map(({ name, data }) => {
    const segment = object.module.data[data!.segment]!
    const bytes = Uint8Array.from(object.module.bytes.subarray(segment.start, segment.end))
    const inside = filled.filter(({ at }) => at >= segment.start && at < segment.end)
    for (const { at } of inside) bytes.fill(0, at - segment.start, at - segment.start + 4)
    const references = inside.map(({ at, to }) => `${at - segment.start} ${target(to)}`)
    return [name, { size: data!.size, bytes: Buffer.from(bytes).toString('hex'), references }] as const
  })
  return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

test('it is what the compiler makes of the same modules', async (t) => {
  t.timeout(600_000)
  const { tree, toolchain, close } = await openTestWorkspace('clang')
  t.teardown(close)
  const { compiler } = await openBuild({ tree, toolchain }, [])
  const compiled = async (text: string) => {
    const file = cachePath('generated', sha256(text).slice(0, 16), 'modules.c')
    await writeAtomic(file, text)
    const { object, diagnostics } = await compiler.ownFile(file, 'generated:modules.c')
    t.deepEqual(diagnostics, [])
    return readBuiltObject(object!.object)
  }
  const theirs = await compiled(moduleTable(MODULES))
  const layout = readLayout(await compiled(moduleTable([TEMPLATE])))
  const ours = readObject(tableObjectBytes(layout, MODULES))
  t.deepEqual(contents(ours), contents(theirs))
  t.true(contents(ours).has('__this_module__8139too'))
})
