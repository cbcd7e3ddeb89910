/** The table that says which names of the kernel take which call group. */
import test from 'ava'
import { parseAuthority, readAuthority } from '../../pipeline/build/authority.ts'

test('names of the kernel take the groups that they lead to', async (t) => {
  const { groupsOf } = await readAuthority()
  for (const [name, groups] of [
    ['pci_enable_device', ['pci']],
    ['__pci_register_driver', ['pci']],
    ['pcim_iomap_regions', ['pci', 'mmio', 'pio']],
    ['devm_ioremap_resource', ['mmio']],
    ['ioremap', ['mmio']],
    ['writel_relaxed', ['mmio']],
    ['outb', ['pio']],
    ['insw', ['pio']],
    ['dma_map_page_attrs', ['dma']],
    ['dmam_alloc_attrs', ['dma']],
    ['request_threaded_irq', ['irq']],
    ['devm_request_any_context_irq', ['irq']],
    ['register_netdevice', ['net']],
    ['pci_enable_msix_range', ['pci', 'mmio', 'irq']],
    ['request_firmware_nowait', ['wasi']],
    ['drvport_service_offer', ['ipc']],
    ['kmalloc', []],
    ['dma_fence_signal', []],
    ['dma_buf_export', []],
    ['index', []],
    ['firmware_kobj', []],
  ] as const)
    t.deepEqual(groupsOf(name), groups, name)
})

test('a row that cannot be meant is refused, with its line', (t) => {
  const table = (row: string): string => `group\tnames\twhy\npci\tpci_*\tfunctions\n${row}\n`
  t.deepEqual(parseAuthority(table('dma\tdma_*\twindows')).groupsOf('dma_fence'), ['dma'])
  t.throws(() => parseAuthority(table('pcmcia\tpcmcia_*\tcards')), { message: /:3: no call group pcmcia/ })
  t.throws(() => parseAuthority(table('dma\tdma_*')), { message: /:3: group, names and why expected/ })
  t.throws(() => parseAuthority(table('dma\tdma_(map|x)\twindows')), { message: /:3: names expected/ })
  t.throws(() => parseAuthority('group names why\n'), { message: /the first line must be/ })
})
