import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { exportedBy, exportingHeaders, sourcesWith } from '../../../pipeline/kbuild/header-exports.ts'
import { findHostCompiler } from '../../../pipeline/kbuild/make.ts'

/** As include/linux/export.h has it, and a header that puts a name together for whoever includes it. */
const TEMPLATE = `#if defined(__DISABLE_EXPORTS)
#define EXPORT_SYMBOL_GPL(sym)
#elif defined(__GENKSYMS__)
#define EXPORT_SYMBOL_GPL(sym) __GENKSYMS_EXPORT_SYMBOL(sym)
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define table_init JOIN(FORMAT, _init)
EXPORT_SYMBOL_GPL(table_init);
EXPORT_SYMBOL_GPL(JOIN(FORMAT, _map));
EXPORT_SYMBOL_GPL(table_size);
#ifdef NEVER
EXPORT_SYMBOL_GPL(table_never);
#endif
`

test('a source exports what a header does that it includes, by the names that it gives', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-header-exports-'))
  t.teardown(() => fs.rm(dir, { recursive: true, force: true }))
  const files = {
    'table/template.h': TEMPLATE,
    'table/formats/common.h': '#include "../template.h"\n',
    'table/formats/amd.c': '#define FORMAT amd\n#include "common.h"\n',
    'table/formats/other.c': '#include <linux/export.h>\nEXPORT_SYMBOL(other);\n',
    // Not beside or below it: nobody looks there.
    'far.c': '#define FORMAT far\n#include "table/template.h"\n',
  }
  for (const [name, text] of Object.entries(files)) {
    await fs.mkdir(path.dirname(path.join(dir, name)), { recursive: true })
    await fs.writeFile(path.join(dir, name), text)
  }
  const texts = Object.entries(files).map(([name, text]) => ({ path: name, text }))
  const headers = exportingHeaders(
    texts.filter(({ path: name }) => name.endsWith('.h')),
    dir,
    new Map(),
  )
  const template = path.join(dir, 'table/template.h')
  const named = ['table_size', 'table_never'].map((symbol) => ({ symbol, gplOnly: true }))
  t.deepEqual([...headers], [[template, { named, gplOnly: true }]])

  const sources = ['far.c', 'table/formats/other.c', 'table/formats/amd.c'].map((name) => path.join(dir, name))
  t.deepEqual(await sourcesWith([template], sources), [{ index: 2, read: [template] }])

  const searchPath = process.env['PATH'] ?? ''
  const cc = (await findHostCompiler(searchPath)) as string
  const setup = { view: dir, cc, hostcc: cc, searchPath }
  const object = { source: sources[2] as string, args: ['-D__DISABLE_EXPORTS'], cwd: dir }
  const symbols = (await exportedBy(setup, object, true)).map(({ symbol }) => symbol)
  t.deepEqual(symbols, ['amd_init', 'amd_map', 'table_size'])
  t.deepEqual(await exportedBy(setup, { ...object, source: path.join(dir, 'none.c') }, true), [])
})
