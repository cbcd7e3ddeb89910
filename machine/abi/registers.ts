/**
 * Host side of the `mmio` and `pio` call groups: register accesses.
 *
 * The good path is a look-up, the device model and the passing of time; nothing is allocated and nothing thrown. An
 * access that no capability covers ends the domain.
 */
import { E, type MmioCalls, type PioCalls } from '../../linux-api/generated/abi.ts'
import type { PciBar } from '../../hw/pci/function.ts'
import type { Host } from './host.ts'

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`
const two32 = 0x1_0000_0000

export function mmioCalls(host: Host): MmioCalls {
  const { pages } = host
  const { registerReadNs, registerWriteNs } = host.board.kernel.costs
  const read = (call: string, address: number, width: number): number => {
    if (!pages.find(address, width)) host.refuse(call, hex(address))
    const value = pages.bar.read(pages.offset, width)
    host.domain.spend(registerReadNs)
    return value | 0
  }
  const write = (call: string, address: number, width: number, value: number): void => {
    if (!pages.find(address, width)) host.refuse(call, hex(address))
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

export function pioCalls(host: Host): PioCalls {
  const { portNs } = host.board.kernel.costs
  const bar = (call: string, port: number, width: number): PciBar =>
    host.ports.find(port, width) ?? host.refuse(call, `port ${hex(port)}`)
  const input = (call: string, port: number, width: number): number => {
    const at = bar(call, port, width)
    const value = at.read(port - at.start, width)
    host.domain.spend(portNs)
    return value | 0
  }
  const output = (call: string, port: number, width: number, value: number): void => {
    const at = bar(call, port, width)
    at.write(port - at.start, width, value)
    host.domain.spend(portNs)
  }
  return {
    in8: (port) => input('pio.in8', port, 1),
    in16: (port) => input('pio.in16', port, 2),
    in32: (port) => input('pio.in32', port, 4),
    out8: (port, value) => output('pio.out8', port, 1, value),
    out16: (port, value) => output('pio.out16', port, 2, value),
    out32: (port, value) => output('pio.out32', port, 4, value),
    in_rep: (port, width, to, count) => {
      const into = host.bytes('pio.in_rep', to, checkedWidth(width) * (count >>> 0))
      for (let at = 0; at < into.length; at += width) store(into, at, width, input('pio.in_rep', port, width))
    },
    out_rep: (port, width, from, count) => {
      const bytes = host.bytes('pio.out_rep', from, checkedWidth(width) * (count >>> 0))
      for (let at = 0; at < bytes.length; at += width) output('pio.out_rep', port, width, fetch(bytes, at, width))
    },
  }
}

/** 1, 2 or 4; anything else moves nothing. */
const checkedWidth = (width: number): number => (width === 1 || width === 2 || width === 4 ? width : 0)

const store = (into: Uint8Array, at: number, width: number, value: number): void => {
  for (let i = 0; i < width; i++) into[at + i] = value >>> (8 * i)
}

const fetch = (bytes: Uint8Array, at: number, width: number): number => {
  let value = 0
  for (let i = 0; i < width; i++) value |= bytes[at + i]! << (8 * i)
  return value
}
