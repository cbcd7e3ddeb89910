/** Host side of the `dma` call group: windows of a domain's memory that its devices may reach. */
import { DMA, type DmaCalls, E } from '../../linux-api/generated/abi.ts'
import { Failure } from '../../kernel/fault.ts'
import { DEVICE_READS, DEVICE_WRITES, MAP_FAILED } from '../../hw/iommu.ts'
import type { AbiGroup } from './group.ts'
import { type Host, SEARCH_SHIFT } from './host.ts'

function dmaCalls(host: Host): DmaCalls {
  return {
    map: (fn, address, length, direction) => {
      const target = host.dma('dma.map', fn)
      if (target === undefined) return MAP_FAILED | 0
      const rights =
        direction === DMA.TO_DEVICE
          ? DEVICE_READS
          : direction === DMA.FROM_DEVICE
            ? DEVICE_WRITES
            : DEVICE_READS | DEVICE_WRITES
      host.domain.spend(host.board.kernel.costs.mapNs)
      const iova = target.dma.map(host.bank, address >>> 0, length >>> 0, rights) | 0
      host.worked(target.dma.searched >>> SEARCH_SHIFT)
      return iova
    },
    unmap: (fn, iova, length) => {
      const target = host.dma('dma.unmap', fn)
      if (target === undefined) return E.NODEV
      host.domain.spend(host.board.kernel.costs.mapNs)
      const result = target.dma.unmap(iova >>> 0, length >>> 0)
      if (result === 'unmapped') return 0
      const what = `dma.unmap of 0x${(iova >>> 0).toString(16)} + ${length >>> 0}`
      // Whoever closes a window twice may close a successor's the next time. A wrong length closes nothing.
      if (result === 'not-mapped') throw new Failure('double-unmap', `${what}: no window is open there`)
      host.board.note(host.domain, `${what}: ${result}`)
      return E.INVAL
    },
    set_mask: (fn, bits) => {
      const target = host.dma('dma.set_mask', fn)
      if (target === undefined) return E.NODEV
      const reached = target.dma.setMask(bits)
      host.worked(target.dma.searched >>> SEARCH_SHIFT)
      return reached ? 0 : E.IO
    },
  }
}

export const dma = { name: 'dma', trace: 'dma', calls: dmaCalls } satisfies AbiGroup<'dma'>
