/** Names that are asked for at run time: who asks, and the table by which the tree's loader finds them. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { asksOf, asksOfKernel, tableSource } from '../../../pipeline/core/export-table.ts'

async function object(needs: readonly string[], defines: readonly string[]) {
  const file = path.join(await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-asks-')), 'one.o')
  await fs.writeFile(file, Buffer.from('\0asm..symbol:found_by_name\0symbol:not a name\0symbol:cut'))
  return { name: 'one.c', object: file, sha256: '', needs, defines }
}

test('who cannot ask does not, whatever its data says', async (t) => {
  t.deepEqual(await asksOf(await object(['printk'], [])), [])
  t.deepEqual(await asksOf(await object(['__symbol_get'], [])), ['found_by_name'])
})

test('what the kernel asks for goes with every function beside the one that asks', async (t) => {
  const asks = await asksOfKernel([await object(['__symbol_get'], ['load', 'unload']), await object([], ['other'])])
  t.deepEqual(asks, { load: ['found_by_name'], unload: ['found_by_name'] })
})

const OFFERED = [
  { symbol: 'table', gplOnly: false },
  { symbol: 'attach', gplOnly: true },
]
const FUNCTIONS = new Map([['attach', 'iI>i']])

test('a function has its type, and a GPL-only name a table of its own', (t) => {
  const source = tableSource(OFFERED, FUNCTIONS, 'two tables')
  t.true(source.includes('\t.functype attach (i32, i64) -> (i32)\n'))
  t.false(source.includes('.functype table'))
  t.regex(source, /\.section __ksymtab_gpl,"R",@[^.]*\.p2align 2[\s\S]*?\.int32 attach\n/)
  t.regex(source, /\.section __ksymtab,"R",@[^.]*\.p2align 2[\s\S]*?\.int32 table\n/)
})

test('with flags there is one table, in the order of names, and a byte for each row', (t) => {
  const source = tableSource(OFFERED, FUNCTIONS, 'flags')
  t.false(source.includes('__ksymtab_gpl'))
  const rows = [
    ...source.matchAll(
      /\.section __ksymtab,"R",@[\s\S]*?\.int32 (\w+)\n[\s\S]*?\.section __kflagstab,"R",@[\s\S]*?\.int8 (\d)\n/g,
    ),
  ]
  t.deepEqual(
    rows.map(([, symbol, flags]) => [symbol, flags]),
    [
      ['attach', '1'],
      ['table', '0'],
    ],
  )
})
