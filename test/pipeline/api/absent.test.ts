import test from 'ava'
import { absenceOf, lackingIn, type Lacking } from '../../../pipeline/api/absent.ts'
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

test('a header that is nowhere is missing; a name that is nowhere is a mistake', async (t) => {
  t.like(await absenceOf(tree, header('linux/nope.h')), {
    reason: 'missing-header',
    why: 'linux-6.1 has no linux/nope.h',
  })
  t.is(await absenceOf(tree, name('read1')), undefined)
})
