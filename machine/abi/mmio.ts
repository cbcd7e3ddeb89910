/**
 * Host side of the `mmio` call group: registers in device memory.
 *
 * The good path is a look-up, the device model and the passing of time; nothing is allocated and nothing thrown. An
 * access that no capability covers ends the domain.
 */
import { E, type MmioCalls } from '../../linux-api/generated/abi.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'
import { checkedWidth, fetch, hex, store, two32 } from './words.ts'

function mmioCalls(host: Host): MmioCalls {
  const { pages } = host
  const { registerReadNs, registerWriteNs } = host.board.kernel.costs
  /** Registers that are kept in memory, as tests do: a kernel's accessors read any of its own. */
  const own = (call: string, address: number, width: number): number => {
    const at = address >>> 0
    if (at < host.dataStart || at + width > host.bank.bytes.length) host.refuse(call, hex(address))
    return at
  }
  const read = (call: string, address: number, width: number): number => {
    if (!pages.find(address, width)) return fetch(host.bank.bytes, own(call, address, width), width)
    const value = pages.bar.read(pages.offset, width)
    host.domain.spend(registerReadNs)
    return value | 0
  }
  const write = (call: string, address: number, width: number, value: number): void => {
    if (!pages.find(address, width)) return store(host.bank.bytes, own(call, address, width), width, value)
    pages.bar.write(pages.offset, width, value)
    host.domain.spend(registerWriteNs)
  }
  return {
    map: (low, high, length) => host.map((low >>> 0) + (high >>> 0) * two32, length >>> 0) | 0,
    unmap: (address) => (host.unmap(address >>> 0) ? 0 : E.INVAL),
    read8: (address) => read('mmio.read8', address, 1),
    read16: (address) => read('mmio.read16', address, 2),
    read32: (address) => read('mmio.read32', address, 4),
    write8: (address, value) => write('mmio.write8', address, 1, value),
    write16: (address, value) => write('mmio.write16', address, 2, value),
    write32: (address, value) => write('mmio.write32', address, 4, value),
    read_rep: (address, width, to, count) => {
      const into = host.bytes('mmio.read_rep', to, checkedWidth(width) * (count >>> 0))
      for (let at = 0; at < into.length; at += width) store(into, at, width, read('mmio.read_rep', address, width))
    },
    write_rep: (address, width, from, count) => {
      const bytes = host.bytes('mmio.write_rep', from, checkedWidth(width) * (count >>> 0))
      for (let at = 0; at < bytes.length; at += width) write('mmio.write_rep', address, width, fetch(bytes, at, width))
    },
  }
}

export const mmio = { name: 'mmio', trace: 'registers', calls: mmioCalls } satisfies AbiGroup<'mmio'>
