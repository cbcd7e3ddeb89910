/** Host side of the `call` call group: what the machine asks of a program that takes requests. */
import { type CallCalls, E } from '../../linux-api/generated/abi.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'

function callCalls(host: Host): CallCalls {
  return {
    take: (out) => (host.requests.take(host, out) ? 1 : 0),
    data: (id, into) => (host.requests.data(host, id, into) ? 0 : E.INVAL),
    done: (id, result, data) => host.requests.done(host, id, result, data),
    wanted: (name, length) => {
      const next = host.modules?.next(host.text('call.wanted', name, length))
      if (next === undefined) return E.NODEV
      return next === 'there' ? 0 : next.bytes
    },
    module: (name, length, into, bytes) => {
      const next = host.modules?.next(host.text('call.module', name, length))
      if (next === undefined || next === 'there' || next.bytes !== bytes) return E.INVAL
      host.bytes('call.module', into, bytes).set(next.load())
      return 0
    },
  }
}

export const call = { name: 'call', trace: 'sched', calls: callCalls } satisfies AbiGroup<'call'>
