/** Host side of the `time` call group: virtual time, a timer, busy waits. */
import type { TimeCalls } from '../../linux-api/generated/abi.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'
import { deadline, two32 } from './words.ts'

function timeCalls(host: Host): TimeCalls {
  const put = (call: string, out: number, ns: number): void => {
    const at = out >>> 2
    if ((out & 3) !== 0 || at + 1 >= host.words.length) host.bytes(call, 0xffffffff, 8)
    // The lower 32 bits of its whole part.
    host.words[at] = ns | 0
    host.words[at + 1] = Math.floor(ns / two32)
  }
  return {
    now: (out) => {
      host.domain.account()
      host.domain.spend(host.board.kernel.costs.callNs)
      put('time.now', out, host.nowNs())
    },
    wall: (out) => {
      put('time.wall', out, host.board.wallStartNs + host.board.kernel.clock.now())
    },
    set_timer: (low, high) => {
      host.domain.setTimer(host.machineNs(deadline(low, high)))
    },
    pass: (ns) => {
      host.domain.account()
      return host.domain.pass(ns >>> 0)
    },
  }
}

export const time = { name: 'time', authority: 'timer', trace: 'time', calls: timeCalls } satisfies AbiGroup<'time'>
