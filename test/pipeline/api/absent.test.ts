import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { absenceOf, exportAbsence, lackingIn, type Lacking } from '../../../pipeline/api/absent.ts'
import { openApiTree } from '../../../pipeline/api/tree.ts'
import { smallApiTree } from './_trees.ts'

const { tree, remove } = await smallApiTree('6.1.1', {
  'include/linux/io.h': '#ifdef CONFIG_64BIT\nu64 readq(const void *addr);\n#endif\nu32 readl(const void *addr);\n',
  'include/linux/io-64-nonatomic-lo-hi.h': '#ifndef readq\n#define readq lo_hi_readq\n#endif\n',
  'include/misc/private.h': '',
  'arch/x86/include/asm/msr.h': 'void wrmsr(unsigned msr, u32 low, u32 high);\n',
  'arch/um/include/asm/msr.h': '',
  'arch/arm/include/asm/mach/irq.h': 'void do_level(void);\n',
  'arch/mips/include/uapi/asm/break.h': '',
  'arch/sparc/include/uapi/asm/break.h': '',
  'include/acpi/bus.h':
    '#ifdef CONFIG_ACPI\nstruct acpi_node { int handle; };\nvoid acpi_walk(void);\n#endif\n' +
    '#ifdef CONFIG_PCI\nvoid acpi_pci(void);\n#endif\nextern int acpi_root, acpi_local, acpi_x86;\n',
  'include/linux/acpi.h': 'struct acpi_node;\n',
  'drivers/Makefile': 'obj-y += base/\nobj-$(CONFIG_ACPI) += acpi/\n',
  'drivers/acpi/Makefile': 'acpi-y += bus.o \\\n  scan.o\n',
  'drivers/acpi/bus.c': 'int acpi_root;\nEXPORT_SYMBOL(acpi_root);\nint acpi_local;\n',
  'arch/x86/kernel/acpi.c': 'int acpi_x86;\nEXPORT_SYMBOL_GPL(acpi_x86);\n',
})
test.after.always(remove)

const header = (name: string): Lacking => ({ kind: 'header', name })
const name = (text: string): Lacking => ({ kind: 'name', name: text })

test('messages that say that something is not there', (t) => {
  t.deepEqual(lackingIn("'asm/msr.h' file not found"), header('asm/msr.h'))
  t.deepEqual(lackingIn("call to undeclared function 'readq'; ISO C99 and later do not support"), name('readq'))
  t.deepEqual(lackingIn("use of undeclared identifier 'boot_cpu_data'"), name('boot_cpu_data'))
  t.deepEqual(lackingIn("unknown type name 'pt_regs_t'"), name('pt_regs_t'))
  t.is(lackingIn("expected ';' after expression"), undefined)
})

test("another architecture's headers and functions are called so", async (t) => {
  t.deepEqual(await absenceOf(tree, header('asm/msr.h')), { reason: 'needs-x86', why: 'only arch/x86 has asm/msr.h' })
  t.deepEqual(await absenceOf(tree, name('wrmsr')), { reason: 'needs-x86', why: 'only arch/x86 has wrmsr' })
  t.deepEqual(await absenceOf(tree, header('asm/mach/irq.h')), {
    reason: 'needs-architecture',
    why: 'only arch/arm has asm/mach/irq.h',
  })
  t.like(await absenceOf(tree, header('asm/break.h')), { why: 'only arch/{mips, sparc} has asm/break.h' })
})

test('what a 32-bit kernel has not is said to need 64 bits, substitutes or not', async (t) => {
  t.like(await absenceOf(tree, name('readq')), { reason: 'needs-64-bit' })
  t.is(await absenceOf(tree, name('readl')), undefined)
})

const configured = openApiTree({ ...tree, config: (option) => (option === 'PCI' ? 'y' : undefined) })

test('what stands under an option that is off needs that option', async (t) => {
  const type: Lacking = { kind: 'type', name: 'acpi_node' }
  t.deepEqual(lackingIn("incomplete definition of type 'struct acpi_node'"), type)
  const why = 'include/acpi/bus.h:2 has acpi_node with CONFIG_ACPI, which is off'
  t.deepEqual(await absenceOf(configured, type), { reason: 'needs-option', why })
  t.like(await absenceOf(configured, name('acpi_walk')), { reason: 'needs-option' })
  t.is(await absenceOf(configured, name('acpi_pci')), undefined)
  t.is(await absenceOf(tree, type), undefined)
})

test('what nothing of this configuration exports, another one may', async (t) => {
  const why = 'drivers/acpi/bus.c:2 exports it, with CONFIG_ACPI, which is off'
  t.deepEqual(await exportAbsence(configured, 'acpi_root'), { reason: 'needs-option', why })
  t.deepEqual(await exportAbsence(configured, 'acpi_x86'), { reason: 'needs-x86', why: 'only arch/x86 has acpi_x86' })
  t.is(await exportAbsence(configured, 'acpi_local'), undefined)
})

test('a view of a tree has its architectures too', async (t) => {
  const view = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-view-'))
  await fs.mkdir(path.join(view, 'arch'))
  await fs.symlink(path.join(tree.dir, 'arch', 'x86'), path.join(view, 'arch', 'x86'))
  const linked = openApiTree({ name: tree.name, version: tree.version, dir: view })
  t.like(await absenceOf(linked, header('asm/msr.h')), { reason: 'needs-x86' })
  await fs.rm(view, { recursive: true, force: true })
})

test('a header that is nowhere is missing; a name that is nowhere is a mistake', async (t) => {
  t.like(await absenceOf(tree, header('linux/nope.h')), {
    reason: 'missing-header',
    why: 'linux-6.1 has no linux/nope.h',
  })
  t.is(await absenceOf(tree, name('read1')), undefined)
})
