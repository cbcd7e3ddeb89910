/** Domains whose tasks are written in the test itself: no code of a program's, only what the kernel sees of one. */
import type { Domain } from '../../kernel/domain.ts'
import type { Fiber } from '../../kernel/fiber.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { DomainLimits } from '../../kernel/program.ts'
import type { Partition } from '../../kernel/schedule.ts'
import { emptyProgram, limits } from './processor.ts'

export interface Hosted {
  readonly domain: Domain
  readonly words: Int32Array
  /** What is left of the work it may do before it looks again. */
  fuel: number
  /** Begin with this; `priority` is the domain's from then on. */
  start(body: () => Promise<unknown>, priority?: number): Fiber
}

export function hosted(
  kernel: Kernel,
  name: string,
  some: { readonly partition?: Partition; readonly limits?: Partial<DomainLimits> } = {},
): Hosted {
  const program = emptyProgram()
  const domain = kernel.createDomain(name, program, limits(some.limits), some.partition)
  return {
    domain,
    words: program.words,
    get fuel() {
      return program.fuel!.value
    },
    set fuel(units) {
      program.fuel!.value = units
    },
    start(body, priority = domain.priority) {
      domain.priority = priority
      const entry = async (): Promise<number> => {
        await body()
        return 0
      }
      return domain.start(name, entry)!
    },
  }
}
