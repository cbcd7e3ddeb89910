/** The symbol tables of linux-api/symbols held against what the objects really define. */

import * as path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createCompiler } from '../../pipeline/build/compiler.ts'
import { compileContext } from '../../pipeline/build/objects.ts'
import { readSymbols, type SymbolRow } from '../../pipeline/build/symbols.ts'
import type { Configuration } from '../../pipeline/kbuild/configuration.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openNamed } from '../../pipeline/toolchain/index.ts'
import { testTree } from './tree.ts'

/** Names that are ours, the compiler's or the C library's: no kernel symbols, so without a row. */
const OURS = /^(drvport_|__drvport|__ubsan_|__stack_chk|__asan_|memcpy$|memset$|memmove$|memcmp$)/

/** What the tables say that the objects of a configuration do not bear out, and the other way round. */
async function untrue(
  t: ExecutionContext,
  configuration: Configuration | undefined,
  held: (row: SymbolRow) => boolean,
): Promise<string[]> {
  const tree = await testTree(configuration)
  const toolchain = await openNamed('clang')
  const roots = [...tree.roots, { dir: packageRoot, as: 'drvport/' }]
  const compiler = createCompiler(tree, compileContext(toolchain, roots))
  const table = await readSymbols(path.join(packageRoot, 'linux-api', 'symbols'), configuration)
  const shim = await compiler.shim()
  t.deepEqual(shim.diagnostics, [])
  const wrong: string[] = []
  // The tables serve several releases: a symbol that this one does not export may have a row for another.
  const exported = await tree.exports()
  const elsewhere = (symbol: string) => !exported.has(symbol)
  for (const row of [...table.values()].filter(held)) {
    const [kind, name = ''] = row.provider.split(/:(.*)/)
    if (kind === 'shim') {
      const found = shim.bySymbol.get(row.symbol)?.origin
      if (found !== row.provider && !(found === undefined && elsewhere(row.symbol)))
        wrong.push(`${row.where}: ${row.symbol} is in ${found ?? 'no shim file'}, the row says ${row.provider}`)
    } else if (kind === 'tree') {
      const object = await compiler.treeFile(name)
      if (elsewhere(row.symbol) && object?.defines.includes(row.symbol) !== true) continue
      if (object === undefined) wrong.push(`${row.where}: ${name} does not compile`)
      else if (!object.defines.includes(row.symbol)) wrong.push(`${row.where}: ${row.symbol} is not in ${name}`)
    } else if (kind === 'module' && (await tree.module(name)) === undefined)
      wrong.push(`${row.where}: no module ${name}`)
  }
  for (const symbol of shim.bySymbol.keys())
    if (!OURS.test(symbol) && !table.has(symbol))
      wrong.push(`${shim.bySymbol.get(symbol)?.origin}: ${symbol} has no row`)
  return wrong
}

test.serial('every row of the tables is true, and every symbol of the shim has a row', async (t) => {
  t.deepEqual(await untrue(t, undefined, () => true), [])
})

test.serial('so are the rows of symbols that only the checked configuration has', async (t) => {
  t.deepEqual(await untrue(t, 'lockdep', ({ where }) => where.startsWith('symbols/lockdep/')), [])
})
