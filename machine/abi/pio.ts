/**
 * Host side of the `pio` call group: registers behind ports.
 *
 * The good path is a look-up, the device model and the passing of time; nothing is allocated and nothing thrown. An
 * access that no capability covers ends the domain.
 */
import type { PioCalls } from '../../linux-api/generated/abi.ts'
import type { Ports } from '../../hw/legacy.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'
import { checkedWidth, fetch, hex, store } from './words.ts'

function pioCalls(host: Host): PioCalls {
  const { portNs } = host.board.kernel.costs
  const range = (call: string, port: number, width: number): Ports =>
    host.ports.find(port, width) ?? host.refuse(call, `port ${hex(port)}`)
  const input = (call: string, port: number, width: number): number => {
    const at = range(call, port, width)
    const value = at.read(port - at.start, width)
    host.domain.spend(portNs)
    return value | 0
  }
  const output = (call: string, port: number, width: number, value: number): void => {
    const at = range(call, port, width)
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

export const pio = { name: 'pio', trace: 'registers', calls: pioCalls } satisfies AbiGroup<'pio'>
