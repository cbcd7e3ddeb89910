/** Host side of the `pci` call group: configuration space and vectors of the functions a domain was granted. */
import { E, type PciCalls, VECTOR } from '../../linux-api/generated/abi.ts'
import { allOnes } from '../../hw/pci/function.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'

function pciCalls(host: Host): PciCalls {
  return {
    location: (fn) => host.function(fn)?.location ?? E.NODEV,
    config_read: (fn, offset, width) => {
      host.domain.spend(host.board.kernel.costs.configNs)
      return (host.function(fn)?.configRead(offset, width) ?? allOnes(width)) | 0
    },
    config_write: (fn, offset, width, value) => {
      const { configNs, resetNs } = host.board.kernel.costs
      const target = host.function(fn)
      host.domain.spend(target?.resets(offset, width, value) === true ? resetNs : configNs)
      if (target === undefined) return E.NODEV
      return target.driverConfigWrite(offset, width, value) ? 0 : E.PERM
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
  }
}

export const pci = { name: 'pci', trace: 'pci', calls: pciCalls } satisfies AbiGroup<'pci'>
