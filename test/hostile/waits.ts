/**
 * How long one domain waits for the processor although it has something to do: what others take of its share. Nothing of the machine
 * changes for being looked at.
 */
import type { Domain } from '../../kernel/domain.ts'
import type { Fiber } from '../../kernel/fiber.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Runnable } from '../../kernel/schedule.ts'

export class Waits {
  readonly #kernel: Kernel
  readonly #domain: Domain
  /** Since when one of its fibers has been ready; -1 while none is. */
  #sinceNs = -1
  #longestNs = 0

  constructor(kernel: Kernel, domain: Domain) {
    this.#kernel = kernel
    this.#domain = domain
    const { scheduler } = kernel
    const [enqueue, enqueueFirst] = [scheduler.enqueue.bind(scheduler), scheduler.enqueueFirst.bind(scheduler)]
    const [remove, resume] = [scheduler.remove.bind(scheduler), domain.resume.bind(domain)]
    scheduler.enqueue = (thread) => (this.#ready(thread), enqueue(thread))
    scheduler.enqueueFirst = (thread) => (this.#ready(thread), enqueueFirst(thread))
    // One that idles goes on from its queue, and one that is to run next from none.
    scheduler.remove = (thread) => (this.#owns(thread) && this.#runs(), remove(thread))
    domain.resume = (fiber) => (this.#runs(), resume(fiber))
  }

  #owns(thread: Runnable): boolean {
    return (thread as Fiber).domain === this.#domain
  }

  #ready(thread: Runnable): void {
    if (this.#owns(thread) && this.#sinceNs < 0) this.#sinceNs = this.#kernel.clock.now()
  }

  #runs(): void {
    this.#longestNs = Math.max(this.#longestNs, this.#waitedNs)
    this.#sinceNs = -1
  }

  get #waitedNs(): number {
    return this.#sinceNs < 0 ? 0 : this.#kernel.clock.now() - this.#sinceNs
  }

  /** Since `forget`, ns. */
  get longestNs(): number {
    return Math.max(this.#longestNs, this.#waitedNs)
  }

  forget(): void {
    this.#longestNs = 0
  }
}
