import test from 'ava'
import { analyzeSources, type Analysis } from '../../../pipeline/source/index.ts'
import { tree } from './_tree.ts'

const analyze = (text: string, path = 'drivers/acme/acme.c'): Promise<Analysis> =>
  analyzeSources([{ path, text }], tree)

const at = (a: Analysis, name: string): string[] =>
  a.uses.find((u) => u.name === name)?.places.map((p) => `${p.file}:${p.line}`) ?? []

test('device tables: every way of writing an entry', async (t) => {
  const a = await analyze(`
#include <linux/pci.h>
#define BOARD(dev) { PCI_DEVICE(PCI_VENDOR_ID_ACME, dev) }
#define OWN_ID 0x77
enum boards { FAST, SLOW };
static const struct pci_device_id acme_ids[] = {
	{ 0x10ec, 0x8139, PCI_ANY_ID, PCI_ANY_ID, 0, 0, FAST },
	{ PCI_VDEVICE(ACME, 0x22), SLOW },
	{ PCI_DEVICE(PCI_VENDOR_ID_ACME, PCI_DEVICE_ID_ACME_ONE), .driver_data = SLOW, },
	BOARD(OWN_ID + 1),
	{ PCI_DEVICE_CLASS(PCI_CLASS_NETWORK_ETHERNET << 8, 0xffff00) },
#ifdef CONFIG_SPARC
	{ 1, 2, 3, 4 },
#endif
	{ .vendor = PCI_VENDOR_ID_UNKNOWN, .device = 1 },
	{ 0, }
};
MODULE_DEVICE_TABLE(pci, acme_ids);
`)
  const [table] = a.tables
  t.like(table, { bus: 'pci', name: 'acme_ids', line: 18 })
  const any = 0xffffffff
  const id = (vendor: number, device: number, rest = {}): object => ({
    bus: 'pci',
    vendor,
    device,
    subvendor: any,
    subdevice: any,
    class: 0,
    classMask: 0,
    ...rest,
  })
  t.deepEqual(
    table?.entries.map((e) => [e.line, e.id]),
    [
      [7, id(0x10ec, 0x8139)],
      [8, id(0x1abc, 0x22)],
      [9, id(0x1abc, 1)],
      [10, id(0x1abc, 0x78)],
      [11, id(any, any, { class: 0x20000, classMask: 0xffff00 })],
      [15, undefined],
    ],
  )
  t.is(table?.entries[0]?.fields['driver_data'], 'FAST')
  t.is(table?.entries[5]?.fields['vendor'], 'PCI_VENDOR_ID_UNKNOWN')
})

test('device tables of other buses', async (t) => {
  const a = await analyze(`
static const struct of_device_id acme_of[] = {
	{ .compatible = "acme,one", .data = &one },
	{ }
};
MODULE_DEVICE_TABLE(of, acme_of);
static const struct usb_device_id acme_usb[] = { { USB_DEVICE(0x1234, 0x5678) }, {} };
MODULE_DEVICE_TABLE(usb, acme_usb);
static const struct i2c_device_id acme_i2c[] = { { "acme1", 3 }, { "acme2", 4 }, { } };
MODULE_DEVICE_TABLE(i2c, acme_i2c);
`)
  t.deepEqual(
    a.tables.flatMap((table) => table.entries.map((e) => e.id)),
    [
      { bus: 'of', name: 'acme,one' },
      { bus: 'usb', vendor: 0x1234, product: 0x5678 },
      { bus: 'i2c', name: 'acme1' },
      { bus: 'i2c', name: 'acme2' },
    ],
  )
  t.deepEqual(a.buses, ['i2c', 'of', 'usb'])
})

test('metadata and parameters, macros included', async (t) => {
  const a = await analyze(`// SPDX-License-Identifier: GPL-2.0-or-later
#include "acme.h"
#define FW_NAME ACME_NAME "/fw.bin"
#define PARAM(X, desc) static int X; module_param(X, int, 0444); MODULE_PARM_DESC(X, desc);
MODULE_LICENSE("GPL v2");
MODULE_AUTHOR("A. Person <a@example.org>, " "B. Person");
MODULE_DESCRIPTION("Driver of " ACME_NAME);
MODULE_VERSION(ACME_VERSION);
MODULE_FIRMWARE(FW_NAME);
static bool debug;
module_param(debug, bool, 0);
MODULE_PARM_DESC(debug, "say more");
static int media[4];
module_param_array(media, int, NULL, 0);
module_param_named(outer, inner, uint, 0644);
PARAM(speed, "how fast (default=" __MODULE_STRING(3) ")")
`)
  t.deepEqual(a.metadata, {
    licenses: ['GPL v2'],
    authors: ['A. Person <a@example.org>, B. Person'],
    descriptions: ['Driver of acme'],
    versions: ['1.7'],
    firmware: ['acme/fw.bin'],
    aliases: [],
    imports: [],
  })
  const file = 'drivers/acme/acme.c'
  t.deepEqual(a.params, [
    { file, line: 11, name: 'debug', type: 'bool', array: false, description: 'say more' },
    { file, line: 14, name: 'media', type: 'int', array: true },
    { file, line: 15, name: 'outer', type: 'uint', array: false },
    { file, line: 16, name: 'speed', type: 'int', array: false, description: 'how fast (default=3)' },
  ])
  t.deepEqual(
    a.files.map((f) => [f.path, f.spdx, f.header]),
    [
      ['drivers/acme/acme.h', 'MIT', true],
      ['drivers/acme/acme.c', 'GPL-2.0-or-later', false],
    ],
  )
})

test('uses: what is called or mentioned and not defined, with its place', async (t) => {
  const a = await analyze(`#include "acme.h"
#define READ(r) readl(base + (r))
static DEFINE_MUTEX(lock);
int acme_other(void) { return 1; }
static irqreturn_t __init acme_irq(int irq, void __iomem *base)
{
	struct acme *p = container_of(base, struct acme, napi);
	int (*callback)(int) = NULL;
	list_for_each_entry(p, &list, node) {
		kfree(p);
		kfree(p->next);
	}
	mutex_lock(&lock);
	callback(acme_helper(acme_other()));
	schedule_work(&p->work);
#if 0
	dead_code();
#endif
	return READ(jiffies) ? IRQ_HANDLED : IRQ_NONE;
}
static const struct net_device_ops ops = { .ndo_validate_addr = eth_validate_addr, .ndo_open = acme_open };
`)
  const file = 'drivers/acme/acme.c'
  t.deepEqual(at(a, 'kfree'), [`${file}:10`, `${file}:11`])
  t.deepEqual(at(a, 'readl'), [`${file}:2`])
  t.deepEqual(at(a, 'list_for_each_entry'), [`${file}:9`])
  t.like(
    a.uses.find((u) => u.name === 'eth_validate_addr'),
    { called: false, count: 1 },
  )
  t.like(
    a.uses.find((u) => u.name === 'jiffies'),
    { called: false },
  )
  for (const name of [
    'lock',
    'acme_helper',
    'acme_other',
    'callback',
    'READ',
    'dead_code',
    'acme_irq',
    'base',
    'struct',
  ])
    t.deepEqual(at(a, name), [], name)
  t.deepEqual(a.parseErrors, [])
})

test('exports and their licence marks', async (t) => {
  const a = await analyze(`
int one(void) { return 1; }
EXPORT_SYMBOL(one);
int two(void) { return 2; }
EXPORT_SYMBOL_GPL(two);
EXPORT_SYMBOL_NS_GPL(three, ACME);
`)
  t.deepEqual(
    a.exports.map((e) => [e.symbol, e.gplOnly, e.line]),
    [
      ['one', false, 3],
      ['two', true, 5],
      ['three', true, 6],
    ],
  )
})

test('what cannot go to wasm, with its line', async (t) => {
  const a = await analyze(`
static int f(int x)
{
	static const void *targets[] = { &&one, &&two };
	asm volatile("cli");
	asm volatile("" : : : "memory");
	/* asm("not here"); */
	if (x && one_more)
		goto *targets[x];
one:
	return 1;
two:
	return 2;
}
#ifdef CONFIG_X86
static void g(void) { asm("hlt"); }
#endif
`)
  t.deepEqual(
    a.untranslatable.map((u) => [u.construct, u.line]),
    [
      ['inline-assembler', 5],
      ['computed-goto', 9],
      ['label-address', 4],
      ['label-address', 4],
    ],
  )
})

test('a syntax error is reported at its place, and the rest is still read', async (t) => {
  const a = await analyze(`MODULE_LICENSE("GPL");
static int broken(void)
{
	int x = ;
	return kmalloc(1, 2);
}
`)
  t.like(a.parseErrors[0], { file: 'drivers/acme/acme.c', line: 4 })
  t.true((a.parseErrors[0]?.column ?? 0) >= 2)
  t.deepEqual(a.metadata.licenses, ['GPL'])
  t.deepEqual(at(a, 'kmalloc'), ['drivers/acme/acme.c:5'])
})

for (const [title, text] of Object.entries({
  'an empty file': '',
  'no C at all': '\u0000\u0001 <html> }}}} ((((',
  'an open comment': 'int a; /* never closed',
  'an open string': 'char *s = "never closed\nint b;',
  'an open #if': '#if X\nint c;\n',
  'a macro that calls itself': '#define A A B\n#define B A B\nMODULE_VERSION(A);',
  'a macro bomb': `${Array.from({ length: 40 }, (_, i) => `#define M${i} M${i + 1} M${i + 1}`).join('\n')}\nMODULE_VERSION(M0);`,
  'deep nesting': `int a = ${'('.repeat(3000)}1${')'.repeat(3000)};`,
}))
  test(`survives ${title}`, async (t) => {
    const a = await analyze(text)
    t.is(a.schema, 'drvport.source/1')
    t.notThrows(() => JSON.stringify(a))
  })

test('bus and class from what is called, else from the path', async (t) => {
  const a = await analyze('int f(void) { alloc_etherdev(1); return pci_register_driver(0); }')
  t.deepEqual([a.buses, a.classes], [['pci'], ['net']])
  const b = await analyze('int x;', 'drivers/watchdog/acme_wdt.c')
  t.deepEqual([b.buses, b.classes], [[], ['watchdog']])
})
