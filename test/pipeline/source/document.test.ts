import test from 'ava'
import { parseAuthority } from '../../../pipeline/build/authority.ts'
import { describeUse } from '../../../pipeline/source/analyze.ts'
import { analyzeSources } from '../../../pipeline/source/index.ts'
import { tree } from './_tree.ts'

const exports = new Map([
  ['pci_enable_device', { gplOnly: false, source: 'drivers/pci/pci.c', modules: [] }],
  ['mii_link_ok', { gplOnly: false, source: 'drivers/net/mii.c', modules: ['mii'] }],
  ['exotic', { gplOnly: true, source: 'kernel/exotic.c', modules: [] }],
  ['kmalloc_trace', { gplOnly: false, source: 'mm/slab.c', modules: [] }],
])

test('every symbol gets its provider and places; headers are told apart', async (t) => {
  const text = `MODULE_LICENSE("GPL");
int f(void)
{
	pci_enable_device(0);
	mii_link_ok(0);
	kfree(0);
	exotic();
	return panic_on(readl(0));
}
`
  const path = 'drivers/acme/acme.c'
  const analysis = await analyzeSources([{ path, text }], tree)
  const input = {
    tree: { name: 'linux-6.1', version: '6.1.192' },
    module: { name: 'acme', path: 'drivers/acme/acme.ko' },
    analysis,
    hashes: new Map([[path, 'abc']]),
    authority: parseAuthority(
      `group\tnames\twhy\npci\tpci_*\tfunctions\nmmio\tread[bwl]\tregisters\nlog\tkmalloc_*\ta header\n`,
    ),
    exports,
    needed: ['kmalloc_trace', 'kfree'],
  }
  const document = describeUse(input)
  t.is(document.schema, 'drvport.analyze/1')
  t.deepEqual(
    document.symbols.map((s) => [s.symbol, s.status, s.provider, s.via, s.places[0]?.line]),
    [
      ['kfree', 'missing', '', 'source', 6],
      ['exotic', 'full', 'kernel:kernel/exotic.c', 'source', 7],
      ['kmalloc_trace', 'full', 'kernel:mm/slab.c', 'header', undefined],
      ['mii_link_ok', 'full', 'module:mii', 'source', 5],
      ['pci_enable_device', 'full', 'kernel:drivers/pci/pci.c', 'source', 4],
    ],
  )
  t.deepEqual(document.summary, { full: 4, missing: 1 })
  t.deepEqual(document.capabilities, ['log', 'mmio', 'pci'])
  t.deepEqual(
    document.authority.map(({ capability, asked }) => [
      capability,
      asked.map((one) => [one.name, one.places[0]?.line]),
    ]),
    [
      ['log', [['kmalloc_trace', undefined]]],
      ['mmio', [['readl', 8]]],
      ['pci', [['pci_enable_device', 4]]],
    ],
  )
  t.deepEqual(document.modules, ['mii'])
  t.deepEqual(
    document.headerUses.map((u) => u.name),
    ['panic_on', 'readl'],
  )
  t.deepEqual(document.sources, [{ path, sha256: 'abc', spdx: null }])
  t.true(document.symbols.find((s) => s.symbol === 'exotic')?.gplOnly)
})
