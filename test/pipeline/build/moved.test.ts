/** An object is found again wherever the directories lie that its command names, also when another one's path becomes the longest. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { compileContext, compileObject } from '../../../pipeline/build/objects.ts'
import { openNamed } from '../../../pipeline/toolchain/index.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-moved-'))
process.env['DRVPORT_CACHE'] = path.join(dir, 'cache')
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

/** Compile the same text below a tree and a product that lie at these places. */
async function compileAt(tree: string, product: string) {
  const roots = [
    { dir: path.join(dir, tree), as: '' },
    { dir: path.join(dir, product), as: 'drvport/' },
    { dir: path.join(dir, 'made'), as: 'generated/' },
  ]
  const source = path.join(roots[0]!.dir, 'here.c')
  await fs.mkdir(roots[0]!.dir, { recursive: true })
  await fs.writeFile(source, 'const char *here(void)\n{\n\treturn __FILE__;\n}\n')
  return compileObject(compileContext(await openNamed('clang'), roots), { source, args: ['-O2', `-I${roots[1]!.dir}`] })
}

test('whichever of its roots has the longest path', async (t) => {
  const first = await compileAt('t', 'p')
  t.true(first.ok, first.detail)
  for (const [tree, product] of [
    ['t', 'product-with-a-long-path'],
    ['tree-with-a-long-path', 'p'],
    ['tree-with-a-long-path', 'product-with-a-longer-path'],
  ] as const) {
    const again = await compileAt(tree, product)
    t.true(again.cached, `${tree} ${product}`)
    t.is(again.sha256, first.sha256)
  }
  // It is the object of there, too.
  process.env['DRVPORT_CACHE'] = path.join(dir, 'other')
  t.is((await compileAt('tree-with-a-long-path', 'product-with-a-longer-path')).sha256, first.sha256)
})
