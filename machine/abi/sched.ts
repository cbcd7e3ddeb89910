/** Host side of the `sched` call group: tasks as fibers, the switch between them, checks that the pipeline put into the code. */
import type { SchedCalls } from '../../linux-api/generated/abi.ts'
import type { AbiGroup, Exported } from './group.ts'
import type { Host } from './host.ts'

function schedCalls(host: Host, exported: Exported): SchedCalls {
  return {
    self: () => host.domain.current?.id ?? 0,
    relax: () => {
      host.domain.spend(host.board.kernel.costs.relaxNs)
    },
    create: (argument, base, top) => {
      const region = { base: base >>> 0, top: top >>> 0 }
      host.bytes('sched.create', region.base, region.top - region.base)
      return host.domain.create('task', exported.process('task'), [argument], region)
    },
    switch: (fiber) => host.domain.switchTo(fiber),
    release: (fiber) => host.domain.release(fiber),
    idle: () => host.domain.idle() as unknown as Promise<void>,
    ready: () => {
      host.requests.open()
      return host.domain.yield() as unknown as Promise<void>
    },
    preempt: () => host.domain.preempt(),
    resched: () => host.domain.resched() as unknown as Promise<void>,
    stack_overflow: () => host.domain.overflow(),
  }
}

export const sched = {
  name: 'sched',
  authority: 'sched',
  trace: 'sched',
  calls: schedCalls,
} satisfies AbiGroup<'sched'>
