/** The address of a label becomes that of its function, where nobody jumps to it. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { withoutLabels } from '../../../pipeline/build/labels.ts'
import { compileContext, compileObject } from '../../../pipeline/build/objects.ts'
import { openNamed } from '../../../pipeline/toolchain/index.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-labels-'))
process.env['DRVPORT_CACHE'] = path.join(dir, 'cache')
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

test('functions stand where labels stood', (t) => {
  t.is(withoutLabels('call void @use(ptr blockaddress(@g, %2))'), 'call void @use(ptr @g)')
  t.is(withoutLabels('store ptr blockaddress(@"a b", %"c d"), ptr %x'), 'store ptr @"a b", ptr %x')
  t.is(
    withoutLabels('@list = [2 x ptr] [ptr blockaddress(@f, %1), ptr blockaddress(@f, %2)]'),
    '@list = [2 x ptr] [ptr @f, ptr @f]',
  )
})

test('a program that jumps to a label stays as it is, and one that takes none', (t) => {
  t.is(withoutLabels('  indirectbr ptr %1, [label %2]\n  store ptr blockaddress(@f, %2), ptr %x'), undefined)
  t.is(withoutLabels('call void @use(ptr @g)'), undefined)
  t.is(withoutLabels('store ptr blockaddress(@f,\n %2), ptr %x'), undefined)
})

async function compile(name: string, text: string) {
  const source = path.join(dir, `${name}.c`)
  await fs.writeFile(source, text)
  const context = compileContext(await openNamed('clang'), [{ dir, as: '' }])
  return { outcome: await compileObject(context, { source, args: ['-O2'] }), context, source }
}

const HERE = '({ __label__ here; here: __asm__ volatile(""); &&here; })'

test('a file that says where it is compiles, by any compile of it', async (t) => {
  const text = `#include "own.h"\nextern void failed(void *at);\nint check(int x)\n{\n\tif (x == VALUE)\n\t\tfailed(${HERE});\n\treturn x;\n}\n`
  await fs.writeFile(path.join(dir, 'own.h'), '#define VALUE 3\n')
  const { outcome, context, source } = await compile('mark', text)
  t.true(outcome.ok, outcome.detail)
  t.deepEqual(outcome.symbols?.defines, ['check'])
  t.true(outcome.symbols?.needs.includes('failed'))
  const read = outcome.inputs.map(({ name }) => name).filter((name) => !path.isAbsolute(name))
  t.deepEqual(read.toSorted(), ['mark.c', 'own.h'])
  const again = await compileObject(context, { source, args: ['-O2'] })
  t.true(again.cached)
  t.is(again.sha256, outcome.sha256)
})

test('one that jumps there does not, and says so', async (t) => {
  const jump =
    'int run(int x)\n{\n\tvoid *at[] = { &&one, &&two };\n\tgoto *at[x & 1];\none:\n\treturn 1;\ntwo:\n\treturn 2;\n}\n'
  const mark = `extern void failed(void *at);\nvoid fail(void)\n{\n\tfailed(${HERE});\n}\n`
  const { outcome, context, source } = await compile('jump', jump + mark)
  t.false(outcome.ok)
  t.is(outcome.reason, 'compile-error')
  t.regex(outcome.detail!, /^jump\.c:\d+: .*computed gotos/)
  t.true((await compileObject(context, { source, args: ['-O2'] })).cached, 'and is not asked again')
})
