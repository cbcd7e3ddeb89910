/** Folders with modules below a checkout. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { foldersBelow, modulesNamed } from '../../../pipeline/folder/discover.ts'

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-discover-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

test('topmost folders that name modules, call the kernel’s make or have a dkms.conf; others are passed through', async (t) => {
  const files = {
    Makefile: 'all: ; echo docs\n',
    'a driver/Makefile': 'obj-m := a.o\n',
    'a driver/below/Kbuild': 'obj-m := b.o\n',
    'x/y/größe/Kbuild': 'obj-$(CONFIG_G) += g.o\n',
    'calls/Makefile': 'all:\n\tmake -C $(KDIR) M=$(PWD)/src\n',
    'dkms/dkms.conf': 'PACKAGE_NAME=p\n',
    'template/dkms.conf.in': 'PACKAGE_NAME=p\n',
    'tools/Makefile': 'all: tool\n',
    '.git/Makefile': 'obj-m := no.o\n',
    'docs/Makefile': 'obj-m := no.o\n',
  }
  for (const [name, text] of Object.entries(files)) {
    await fs.mkdir(path.dirname(path.join(work, name)), { recursive: true })
    await fs.writeFile(path.join(work, name), text)
  }
  t.deepEqual(
    (await foldersBelow(work)).map((dir) => path.relative(work, dir)),
    ['a driver', 'calls', 'dkms', 'template', 'x/y/größe'],
  )
})

test('modules that makefiles name, switched on or not', async (t) => {
  const dir = path.join(work, '.named')
  await fs.mkdir(dir)
  await fs.writeFile(path.join(dir, 'Kbuild'), 'obj-$(CONFIG_A) += a.o below/ \\\n  b-c.o\nb-c-objs := part.o\n')
  await fs.writeFile(path.join(dir, 'Makefile'), 'ifeq (0,1)\n  obj-m := a.o\nendif\nobj-m += $(NAME).o\n')
  t.deepEqual(await modulesNamed(dir), ['a', 'b-c'])
  t.deepEqual(await modulesNamed(work), [])
})
