/**
 * A machine whose driver is asked for no capability where it touches its device: registers and DMA windows, which is
 * what traffic is made of. What looking them up costs is the difference.
 *
 * Only an observer set by a benchmark can do this; the calls that have no device behind them keep their checks (two loads
 * and a comparison each). A driver that maps more than one region, or runs wild, would read nonsense.
 */
import { DEVICE_READS, DEVICE_WRITES } from '../hw/iommu.ts'
import type { Host } from '../machine/abi/host.ts'
import type { Window } from '../machine/reach/page-table.ts'
import type { Call, Observer } from '../machine/observe/observer.ts'
import type { PciFunction } from '../hw/pci/function.ts'
import { DMA } from '../linux-api/generated/abi.ts'

const READS: Readonly<Record<string, number>> = { read8: 1, read16: 2, read32: 4 }
const WRITES: Readonly<Record<string, number>> = { write8: 1, write16: 2, write32: 4 }

/** Counts the calls it replaced, so that nobody compares a machine with itself. */
export function unchecked(): Observer & { replaced: number } {
  const observer = {
    replaced: 0,
    call: (host: Host, group: string, name: string, _blocking: boolean, call: Call): Call => {
      const other = group === 'mmio' ? register(host, name) : group === 'dma' ? dma(host, name) : undefined
      if (other !== undefined) observer.replaced++
      return other ?? call
    },
  }
  return observer
}

function register(host: Host, name: string): Call | undefined {
  const { registerReadNs, registerWriteNs } = host.board.kernel.costs
  let bar: Window | undefined
  let base = 0
  /** The only region there is: looked up by its first access. */
  const find = (address: number): Window => {
    host.pages.find(address, 1)
    base = address - host.pages.offset
    return (bar = host.pages.bar)
  }
  const reads = READS[name]
  if (reads !== undefined)
    return (address: number) => {
      const value = (bar ?? find(address)).read(address - base, reads)
      host.domain.spend(registerReadNs)
      return value | 0
    }
  const writes = WRITES[name]
  if (writes !== undefined)
    return (address: number, value: number) => {
      ;(bar ?? find(address)).write(address - base, writes, value)
      host.domain.spend(registerWriteNs)
    }
  return undefined
}

/** The good path of machine/abi/device.ts. */
function dma(host: Host, name: string): Call | undefined {
  const { mapNs } = host.board.kernel.costs
  const target = (handle: number): PciFunction['dma'] => host.functions[handle]!.object.function.dma
  if (name === 'map')
    return (fn: number, address: number, length: number, direction: number) => {
      const rights =
        direction === DMA.TO_DEVICE
          ? DEVICE_READS
          : direction === DMA.FROM_DEVICE
            ? DEVICE_WRITES
            : DEVICE_READS | DEVICE_WRITES
      host.domain.spend(mapNs)
      if (!host.may('windows', 1) || !host.may('dma', length >>> 0)) throw new Error('the benchmark has no quota')
      return target(fn).map(host.bank, address >>> 0, length >>> 0, rights) | 0
    }
  if (name === 'unmap')
    return (fn: number, iova: number, length: number) => {
      host.domain.spend(mapNs)
      if (target(fn).unmap(iova >>> 0, length >>> 0) !== 'unmapped') throw new Error('a window was not open')
      return 0
    }
  return undefined
}
