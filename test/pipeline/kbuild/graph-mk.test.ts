import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { parseDirectory } from '../../../pipeline/kbuild/graph.ts'
import { packageRoot } from '../../../pipeline/root.ts'

/** What graph.mk needs of Linux's: it reads a directory's Makefile, and says in full what the targets are. */
const BUILD = `include $(srctree)/$(obj)/Makefile
real-obj-m := $(addprefix $(obj)/,$(obj-m))
targets := $(addprefix $(obj)/,$(targets)) $(real-obj-m)
c_flags = -O2
`

const MAKEFILES = {
  plain: 'obj-m := plain.o\n',
  hostprogs: 'obj-m := one.o\nhostprogs := maker\n',
  table: 'obj-m := one.o\ntargets += table.c\n',
  headers: 'obj-m := one.o\ntargets += generated/one.h generated/two.h\n',
  object: 'obj-m := one.o\ntargets += two.o\n',
}

test('a directory has something to generate where its Makefile has a program, a file to remove, or a C file or header as a target', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-graph-mk-'))
  t.teardown(() => fs.rm(dir, { recursive: true, force: true }))
  await fs.mkdir(path.join(dir, 'scripts'))
  await fs.mkdir(path.join(dir, 'graph'))
  await fs.writeFile(path.join(dir, 'scripts/Makefile.build'), BUILD)
  const generates: Record<string, boolean | undefined> = {}
  for (const [name, makefile] of Object.entries(MAKEFILES)) {
    await fs.mkdir(path.join(dir, name))
    await fs.writeFile(path.join(dir, name, 'Makefile'), makefile)
    const graphMk = path.join(packageRoot, 'linux-api/kbuild/graph.mk')
    const settings = [`obj=${name}`, `srctree=${dir}`, 'DRVPORT_GRAPH=graph', 'drvport-graph']
    const run = spawnSync('make', ['-s', '-C', dir, '-f', graphMk, ...settings], { encoding: 'utf8' })
    t.is(run.status, 0, run.stderr)
    generates[name] = parseDirectory(await fs.readFile(path.join(dir, 'graph', name), 'utf8')).generates
  }
  t.deepEqual(generates, { plain: false, hostprogs: true, table: true, headers: true, object: false })
})
