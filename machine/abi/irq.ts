/** Host side of the `irq` call group: interrupts granted to a domain, and when it wants them. */
import { E, IRQ, type IrqCalls } from '../../linux-api/generated/abi.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'

function irqCalls(host: Host): IrqCalls {
  return {
    attach: (irq) => (host.attachInterrupt(irq) ? 0 : E.PERM),
    detach: (irq) => (host.domain.interrupts.remove(irq) ? 0 : E.INVAL),
    mask: (irq) => (host.domain.interrupts.mask(irq) ? 0 : E.INVAL),
    unmask: (irq) => (host.domain.interrupts.unmask(irq) ? 0 : E.INVAL),
    take: () => {
      host.domain.account()
      return host.domain.take(IRQ.TIMER)
    },
    done: (irq) => host.domain.taken(irq),
  }
}

export const irq = { name: 'irq', trace: 'irq', calls: irqCalls } satisfies AbiGroup<'irq'>
