/**
 * A task, as IPC sees it, of a program that switches between its tasks itself.
 *
 * Its fiber does not suspend when it must wait: the program lets another task go on, and is told later, by an interrupt, which
 * task need not wait any more, and with what. Nobody but the program decides which of its tasks runs, so whoever lends one of them
 * his priority lends it to all.
 */
import type { Thread } from './ipc.ts'
import type { Partition } from './schedule.ts'

/** The fiber behind it, and its domain. */
export interface Spokesman {
  readonly id: number
  readonly name: string
  readonly base: number
  readonly partition: Partition
  readonly deadline: { disarm(): void }
  readonly domain: {
    /** This fiber waits no more. */
    told(id: number, outcome: number): void
    /** What somebody lends one of its tasks has changed. */
    lent(): void
  }
}

export class Talker implements Thread {
  readonly queuedAt = -1
  readonly queueNext = undefined
  readonly queuePrevious = undefined
  /** It must wait, and was not told to go on yet. */
  waits = false
  readonly #fiber: Spokesman
  #effective: number

  constructor(fiber: Spokesman) {
    this.#fiber = fiber
    this.#effective = fiber.base
  }

  get name(): string {
    return this.#fiber.name
  }

  get base(): number {
    return this.#fiber.base
  }

  get partition(): Partition {
    return this.#fiber.partition
  }

  get effective(): number {
    return this.#effective
  }

  set effective(effective: number) {
    this.#effective = effective
    this.#fiber.domain.lent()
  }

  resume(outcome: number): void {
    if (!this.waits) return
    this.waits = false
    this.#fiber.deadline.disarm()
    this.#fiber.domain.told(this.#fiber.id, outcome)
  }
}
