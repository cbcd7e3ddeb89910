import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { exportsIn } from '../../../pipeline/kbuild/exports.ts'
import { withIncluded } from '../../../pipeline/kbuild/texts.ts'

const exporting = (name: string) => `int ${name};\nEXPORT_SYMBOL_GPL(${name});\n`

test('what a source of the kernel exports may stand in another one, or in a header beside it; what a module does, in a source', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-texts-'))
  t.teardown(() => fs.rm(dir, { recursive: true, force: true }))
  await fs.mkdir(path.join(dir, 'up'))
  for (const name of ['part.c', 'tasks.h', 'up/far.h'])
    await fs.writeFile(path.join(dir, name), exporting(path.parse(name).name))
  const source =
    '#include <linux/export.h>\n#include "part.c"\n #  include "tasks.h"\n#include "up/far.h"\n' + exporting('own')
  const found = async (isKernel: boolean) =>
    exportsIn(await withIncluded(source, path.join(dir, 'update.c'), isKernel)).map(({ symbol }) => symbol)
  t.deepEqual(await found(true), ['own', 'part', 'tasks'])
  t.deepEqual(await found(false), ['own', 'part'])
})
