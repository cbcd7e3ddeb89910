/** A folder's own makefile, asked what it would have the kernel's make build: no kernel is here, only where one would be. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { askMakefile, recipeLines, type OwnMakefile } from '../../../pipeline/folder/own-makefile.ts'
import { installedKernel } from '../../../pipeline/folder/stand-ins.ts'

const work = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-own-')))

/** A directory as a configured tree's view, of which nothing is read here. */
const view = path.join(work, 'view')
await fs.mkdir(path.join(view, 'include', 'linux'), { recursive: true })
await fs.mkdir(path.join(view, 'build', 'include', 'generated'), { recursive: true })
await fs.writeFile(path.join(view, 'Makefile.linux'), '')
await fs.writeFile(path.join(view, 'build', '.config'), 'CONFIG_PCI=y\n')
const kernel = await installedKernel(path.join(work), view, '6.1.99')

test.after.always(() => fs.rm(work, { recursive: true, force: true }))

let count = 0
async function ask(
  files: Readonly<Record<string, string>>,
  command?: string,
): Promise<{ asked: OwnMakefile | undefined; dir: string }> {
  const dir = path.join(work, `folder${count++}`)
  for (const [name, text] of Object.entries(files)) {
    await fs.mkdir(path.dirname(path.join(dir, name)), { recursive: true })
    await fs.writeFile(path.join(dir, name), text)
  }
  const searchPath = process.env['PATH'] ?? ''
  const asking = { dir, scratch: `${dir}-scratch`, kernel, searchPath }
  return { asked: await askMakefile({ ...asking, ...(command !== undefined && { command }) }), dir }
}

test('exported options, options and flags on the command line, and another folder', async (t) => {
  const Makefile = `
export CONFIG_ACME = m
FLAGS := -DNAME="x y"
all:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src ARCH=arm CC=gcc V=1 EXTRA_CFLAGS='$(FLAGS)' CONFIG_ACME_USB=y modules
`
  const { asked, dir } = await ask({ Makefile, 'src/Kbuild': '' })
  t.deepEqual(asked?.calls, [
    {
      dir: path.join(dir, 'src'),
      words: [`KDIR=${kernel.headers}`, 'EXTRA_CFLAGS=-DNAME="x y"', 'CONFIG_ACME_USB=y'],
      environment: { CONFIG_ACME: 'm' },
    },
  ])
})

test('make by its plain name, in a folder that a makefile below goes to, with what is exported', async (t) => {
  const Makefile = 'export CONFIG_A=m\nall:\n\t$(MAKE) -C driver\n'
  const below = 'all:\n\t@cd . && make -C /lib/modules/`uname -r`/build M=`pwd` modules\n'
  const { asked, dir } = await ask({ Makefile, 'driver/Makefile': below })
  t.deepEqual(asked?.calls, [{ dir: path.join(dir, 'driver'), words: [], environment: { CONFIG_A: 'm' } }])
})

test('a name of its own for the kernel is found by what it is set to, and the release is the kernel’s', async (t) => {
  const Makefile = `
WHERE := /lib/modules/$(shell uname -r)/build
ifeq ($(wildcard $(WHERE)/.config),)
$(error no kernel)
endif
all: ; $(MAKE) -C $(WHERE) M=$(CURDIR) RELEASE=$(shell uname -r) ASKED=$(shell make -s -C $(WHERE) kernelversion)
`
  const { asked } = await ask({ Makefile })
  t.deepEqual(asked?.calls[0]?.words, [`WHERE=${kernel.headers}`, 'RELEASE=6.1.99', 'ASKED=6.1.99'])
})

test('what is made before is made, what comes after is not, and cleaning is no build', async (t) => {
  const Makefile = `
all: clean config.h
	$(MAKE) -C $(KERNEL_SRC) M=$(CURDIR)
	touch after
config.h: ; echo made > $@
clean: ; $(MAKE) -C $(KERNEL_SRC) M=$(CURDIR) clean
`
  const { asked, dir } = await ask({ Makefile })
  t.is(asked?.calls.length, 1)
  t.is(await fs.readFile(path.join(dir, 'config.h'), 'utf8'), 'made\n')
  await t.throwsAsync(fs.stat(path.join(dir, 'after')))
})

test('a goal that builds is found where the first one only helps', async (t) => {
  const { asked } = await ask({
    Makefile: 'help: ; @echo say make modules\nmodules: ; $(MAKE) -C $(KSRC) M=$(CURDIR)\n',
  })
  t.is(asked?.calls.length, 1)
})

test('a command in place of make, as dkms.conf has it', async (t) => {
  const Makefile = 'driver: ; $(MAKE) -C $(KERNELDIR) M=$(CURDIR) WITH="$(WITH)" modules\n'
  const { asked } = await ask({ Makefile }, "'make' -j4 WITH='a b' driver")
  t.deepEqual(asked?.calls[0]?.words.toSorted(), [`KERNELDIR=${kernel.headers}`, 'WITH=a b'])
})

test('a makefile that stops tells why; one that calls no make is not asked', async (t) => {
  const { asked } = await ask({ Makefile: 'all: ; $(MAKE) x\n$(error install the headers)\n' })
  t.deepEqual(asked?.calls, [])
  t.regex(asked?.problem ?? '', /Makefile:2: \*\*\* install the headers\.$/)
  t.is((await ask({ Makefile: 'obj-m := a.o\n' })).asked, undefined)
  t.is((await ask({ 'x.c': '' })).asked, undefined)
})

test('recipe lines know their directory, and continue', (t) => {
  const printed = [
    "make: Entering directory '/a'",
    'cc -c \\',
    '   x.c',
    "make[1]: Entering directory '/a/b'",
    'make -C /k M=/a/b',
    "make[1]: Leaving directory '/a/b'",
    'make[1]: Nothing to be done',
    'cp x y',
  ].join('\n')
  t.deepEqual(recipeLines(printed, '/a'), [
    { cwd: '/a', text: 'cc -c x.c' },
    { cwd: '/a/b', text: 'make -C /k M=/a/b' },
    { cwd: '/a', text: 'cp x y' },
  ])
})
