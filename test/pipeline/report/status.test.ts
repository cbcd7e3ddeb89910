import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { collect, render, renewed, replaceSection, type Status } from '../../../pipeline/report/status.ts'
import { packageRoot } from '../../../pipeline/root.ts'
import { matrix, row } from '../matrix/_rows.ts'

test("README's status section is what docs/status.json gives", (t) => {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
  const status = JSON.parse(readFileSync(join(packageRoot, 'docs/status.json'), 'utf8')) as Status
  t.is(replaceSection(readme, render(status)), readme, 'run `node pipeline/report/status.ts`')
})

test('a module that does not link shows what is missing', (t) => {
  const tree = { name: 'linux-6.1', version: '6.1.1' }
  const toolchain = { name: 'clang', version: '19' }
  const modules = [
    { name: 'good', rung: 'verify', unresolved: [] },
    { name: 'bad', rung: 'compile', reason: 'unresolved-symbol', unresolved: ['a', 'b', 'c', 'd'] },
  ]
  const text = render(collect([{ schema: 'drvport.build/1', tree, toolchain, modules }]))
  t.regex(text, /of 2 modules, 1 compile, link and verify\.\*\* good\./)
  t.true(text.includes('| bad | unresolved-symbol | `a`, `b`, `c` and 1 more |'))
})

test('a matrix shows how many reached each rung, and stays when other documents are renewed', (t) => {
  const rungs = ['link', 'compile', 'parse', 'link'] as const
  const rows = rungs.map((rung, at) => row(`drivers/x/m${at}.ko`, { rung }))
  const tree = { name: 'linux-6.1', version: '6.1.1' }
  const before = collect([
    matrix(rows, { tree, toolchain: { name: 'clang', version: '19' }, selectors: ['all'], until: 'link' }),
  ])
  const run = { module: 'a', device: 'x', rung: 'probe' }
  const after = renewed(before, { built: [], run: [run] })
  t.deepEqual(after.matrices, before.matrices)
  const text = render(after)
  t.true(text.includes('| tree | toolchain | modules | parse | compile | link |'))
  t.true(text.includes('| linux-6.1 (6.1.1) | clang 19 | 4 | 4 (100.0 %) | 3 (75.0 %) | 2 (50.0 %) |'))
  t.true(text.includes('| a | x | probe |'))
})
