/**
 * A processor that runs nobody: what is asked of it is written down, and time passes only as it is spent. For tests of one
 * part of the kernel without the others.
 */
import { DEFAULT_COSTS, type Costs } from '../../kernel/costs.ts'
import type { Fiber } from '../../kernel/fiber.ts'
import { EventLog } from '../../kernel/log.ts'
import type { Attended, Entered, Processor } from '../../kernel/processor.ts'
import type { DomainLimits, Program } from '../../kernel/program.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { createRandom } from '../../base/random.ts'
import { Partition } from '../../kernel/schedule.ts'
import { Clock } from '../../kernel/time.ts'

const KINDS = ['interrupt', 'timer', 'run', 'fault', 'start', 'end', 'message'] as const

export class IdleProcessor implements Processor {
  readonly clock = new Clock(createRandom(1))
  readonly costs: Costs
  readonly random = createRandom(2)
  readonly log = new EventLog(() => this.clock.now())
  readonly kinds = Object.fromEntries(KINDS.map((name) => [name, this.log.kind(name)])) as Processor['kinds']
  readonly partition = new Partition('all', 1)
  /** What was asked, in order: `ready worker`. */
  readonly asked: string[] = []
  /** Accidents, as said. */
  readonly accidents: string[] = []
  current: Fiber | undefined
  inner: Entered | undefined
  billed: Partition | undefined
  turnUntil = Infinity
  attentive = false
  /** What the questions are answered. */
  gives = { contended: false, lull: false, giveWay: false, lists: false }
  readonly ipc = {
    cancel: (): void => void this.asked.push('cancel'),
    leave: (): void => void this.asked.push('leave'),
  }

  constructor(costs: Partial<Costs> = {}) {
    this.costs = { ...DEFAULT_COSTS, ...costs }
  }

  ready(fiber: Fiber): void {
    this.asked.push(`ready ${fiber.name}`)
  }
  reprioritize(fiber: Fiber, effective: number): void {
    this.asked.push(`${fiber.name} at ${effective}`)
    fiber.effective = effective
  }
  withdraw(fiber: Fiber): void {
    this.asked.push(`withdraw ${fiber.name}`)
  }
  requeue(fiber: Fiber, gaveUp: boolean): void {
    this.asked.push(`requeue ${fiber.name}${gaveUp ? ', which gave up its turn' : ''}`)
  }
  giveWay(fiber: Fiber): boolean {
    this.asked.push(`let others go before ${fiber.name}`)
    return this.gives.giveWay
  }
  lull(fiber: Fiber): boolean {
    this.asked.push(`let time pass for ${fiber.name}`)
    return this.gives.lull
  }
  relay(fiber: Fiber): void {
    this.asked.push(`relay ${fiber.name}`)
  }
  switched(): void {
    this.asked.push('switched')
  }
  turnOver(now: number): void {
    this.asked.push(`turn over at ${now}`)
  }
  contended(): boolean {
    return this.gives.contended
  }
  attention(to: Attended): void {
    this.asked.push(`attention ${to.name}`)
  }
  /** Fires what is due, and attends nobody. */
  dispatch(): void {
    for (let event = this.clock.take(); event !== undefined; event = this.clock.take()) event.fire()
  }
  bill(partition: Partition | undefined): Partition | undefined {
    const before = this.billed
    this.billed = partition
    return before
  }
  post(task: () => void): void {
    task()
  }
  try(during: string, domain: Attended | undefined, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.accident(during, domain, error)
    }
  }
  accident(during: string, _domain: Attended | undefined, error: unknown): void {
    this.accidents.push(`${during}: ${(error as Error).message}`)
  }
  forget(domain: Attended): void {
    this.asked.push(`forget ${domain.name}`)
  }
  lists(): boolean {
    return this.gives.lists
  }

  /** Time passes to `ns`, and what was due on the way has fired. */
  reach(ns: number): void {
    while (this.clock.advance(ns)) this.dispatch()
    this.clock.reach(ns)
  }
}

/** Words of the programs below. */
export const IRQS_OFF = 16
export const PENDING = 20

const counter = (value: number): WebAssembly.Global => new WebAssembly.Global({ value: 'i32', mutable: true }, value)

/** A program without code, in a page of memory. */
export function emptyProgram(some: Partial<Program> = {}): Program & { readonly words: Int32Array } {
  const memory = new WebAssembly.Memory({ initial: 1 })
  return {
    memory,
    words: new Int32Array(memory.buffer),
    stackPointer: counter(65536),
    stackLimit: counter(0),
    fuel: counter(0),
    irqsOff: IRQS_OFF,
    pending: PENDING,
    ...some,
  }
}

export const limits = (some: Partial<DomainLimits> = {}): DomainLimits => ({ ...DEFAULT_LIMITS, ...some })
