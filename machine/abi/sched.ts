/** Host side of the `sched` call group: fibers, blocking and waking, checks that the pipeline put into the code. */
import type { SchedCalls } from '../../linux-api/generated/abi.ts'
import { KILLED } from '../../kernel/fault.ts'
import type { AbiGroup, Exported } from './group.ts'
import type { Host } from './host.ts'
import { deadline } from './words.ts'

function schedCalls(host: Host, exported: Exported): SchedCalls {
  return {
    self: () => {
      return host.domain.current?.id ?? 0
    },
    spawn: (argument) => {
      const fiber = host.domain.start('fiber', exported.process('fiber')!, [argument])
      // Allocating its stack is the program's own code, which may have failed.
      if (host.domain.dead) throw KILLED
      return fiber?.id ?? 0
    },
    block: (low, high) => {
      return host.domain.block(deadline(low, high))
    },
    wake: (fiber) => {
      host.domain.wake(fiber)
    },
    yield: () => {
      return host.domain.yield() as unknown as Promise<void>
    },
    kick: () => {
      host.domain.kick()
    },
    relax: () => {
      host.domain.spend(host.board.kernel.costs.relaxNs)
    },
    exit: () => {
      return host.domain.exit()
    },
    create: (argument, base, top) => {
      const region = { base: base >>> 0, top: top >>> 0 }
      host.bytes('sched.create', region.base, region.top - region.base)
      return host.domain.create('task', exported.process('task')!, [argument], region)
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
