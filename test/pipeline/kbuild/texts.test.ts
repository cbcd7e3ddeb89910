import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { exportsIn } from '../../../pipeline/kbuild/exports.ts'
import { withIncluded } from '../../../pipeline/kbuild/texts.ts'

const exporting = (name: string) => `int ${name};\nEXPORT_SYMBOL_GPL(${name});\n`

test('what a source exports may stand in another one that it includes', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-texts-'))
  t.teardown(() => fs.rm(dir, { recursive: true, force: true }))
  await fs.writeFile(path.join(dir, 'part.c'), exporting('part'))
  const source = '#include <linux/export.h>\n#include "part.c"\n' + exporting('own')
  const whole = await withIncluded(source, path.join(dir, 'update.c'))
  t.deepEqual(
    exportsIn(whole).map(({ symbol }) => symbol),
    ['own', 'part'],
  )
})
