/** Host side of the `call` call group: what the machine asks of a program that takes requests. */
import { type CallCalls, E } from '../../linux-api/generated/abi.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'

function callCalls(host: Host): CallCalls {
  return {
    take: (out) => (host.requests.take(host, out) ? 1 : 0),
    data: (id, into) => (host.requests.data(host, id, into) ? 0 : E.INVAL),
    done: (id, result, data) => host.requests.done(host, id, result, data),
  }
}

export const call = { name: 'call', trace: 'sched', calls: callCalls } satisfies AbiGroup<'call'>
