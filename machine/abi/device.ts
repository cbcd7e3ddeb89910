/**
 * Host side of the `pci`, `dma` and `irq` call groups: what a domain may do with the functions it was granted.
 */
import {
  bar as barLayout,
  DMA,
  type DmaCalls,
  E,
  type IrqCalls,
  type PciCalls,
  VECTOR,
} from '../../linux-api/generated/abi.ts'
import { Failure } from '../../kernel/fault.ts'
import { DEVICE_READS, DEVICE_WRITES, MAP_FAILED } from '../../hw/iommu.ts'
import { allOnes } from '../../hw/pci/function.ts'
import type { Host } from './host.ts'

export function pciCalls(host: Host): PciCalls {
  return {
    location: (fn) => host.function(fn)?.location ?? E.NODEV,
    config_read: (fn, offset, width) => {
      host.domain.spend(host.board.kernel.costs.configNs)
      return (host.function(fn)?.configRead(offset, width) ?? allOnes(width)) | 0
    },
    config_write: (fn, offset, width, value) => {
      host.domain.spend(host.board.kernel.costs.configNs)
      const target = host.function(fn)
      if (target === undefined) return E.NODEV
      return target.driverConfigWrite(offset, width, value) ? 0 : E.PERM
    },
    bar: (fn, index, out) => {
      const bar = host.function(fn)?.bar(index)
      if (bar === undefined) return E.NODEV
      const bytes = host.bytes('pci.bar', out, barLayout.size)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      view.setBigUint64(barLayout.start.offset, BigInt(bar.start), true)
      view.setBigUint64(barLayout.length.offset, BigInt(bar.bytes), true)
      view.setUint32(barLayout.flags.offset, bar.flags, true)
      return 0
    },
    vectors: (fn, kind, count) => {
      const target = host.function(fn)
      if (target === undefined) return E.NODEV
      if (kind === VECTOR.INTX) return count === 1 && target.line >= 0 ? target.line : E.NOSPC
      if (kind !== VECTOR.MSI && kind !== VECTOR.MSIX) return E.INVAL
      const first = host.vectors(fn, kind === VECTOR.MSI ? 'msi' : 'msix', count)
      return first < 0 ? E.NOSPC : first
    },
    vectors_free: (fn) => (host.vectorsFree(fn) ? 0 : E.INVAL),
    reset: (fn) => {
      const target = host.function(fn)
      if (target === undefined) return E.NODEV
      target.reset()
      host.domain.spend(host.board.kernel.costs.configNs)
      return 0
    },
  }
}

export function dmaCalls(host: Host): DmaCalls {
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
      if (!host.mayMap(length >>> 0)) return MAP_FAILED | 0
      return target.dma.map(host.bank, address >>> 0, length >>> 0, rights) | 0
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
      return target.dma.setMask(bits) ? 0 : E.IO
    },
  }
}

export function irqCalls(host: Host): IrqCalls {
  return {
    attach: (irq) => (host.attachInterrupt(irq) ? 0 : E.PERM),
    detach: (irq) => (host.domain.interrupts.remove(irq) ? 0 : E.INVAL),
    mask: (irq) => (host.domain.interrupts.mask(irq) ? 0 : E.INVAL),
    unmask: (irq) => (host.domain.interrupts.unmask(irq) ? 0 : E.INVAL),
    deliver: () => {
      host.domain.deliver()
      host.domain.spend(0)
    },
  }
}
