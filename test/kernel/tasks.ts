/**
 * Tasks of a test program, and the switch between them: what a kernel does for its tasks in C, in a page of JavaScript. The microkernel
 * knows one of a program's tasks as running; which one goes on where that one waits is the program's to say.
 *
 * Only the tests' programs stand on it: those that a machine loads bring their own (test/machine/small/core.ts).
 */
import type { Domain } from '../../kernel/domain.ts'
import type { Fiber, ProcessEntry, StackRegion } from '../../kernel/fiber.ts'
import { IPC } from '../../kernel/message.ts'

/** What the program takes: its timer is due; a task need not wait in a conversation any more; every task is to go on. */
export const TIMER = 1000
const MESSAGE = 1001
export const WAKE = 1002
/** There is one more. */
const STARTED = 1003

/** What a wait comes to when its time is over; one that was woken, or waits in a conversation, hears something else. */
const EXPIRED = 1

interface Task {
  ready: boolean
  outcome: number
  /** When it goes on by itself, ns. */
  dueNs: number
}

export class Tasks {
  readonly #domain: Domain
  readonly #now: () => number
  readonly #tasks = new Map<number, Task>()
  /** Fibers that have nothing more to do, and cannot end while they are what the program runs on. */
  readonly #left: number[] = []

  constructor(domain: Domain, now: () => number) {
    this.#domain = domain
    this.#now = now
    domain.onAnswer = () => domain.raise(MESSAGE)
  }

  /** A task, on this C stack; undefined when the quota is used up. */
  start(name: string, entry: ProcessEntry, args: readonly number[], stack: StackRegion): Fiber | undefined {
    const domain = this.#domain
    const body: ProcessEntry = (...words) => this.#body(entry, words)
    const first = this.#tasks.size === 0
    const fiber = first
      ? domain.start(name, body, args, stack)
      : domain.fibers.get(domain.create(name, body, args, stack))
    if (fiber === undefined) return undefined
    this.#tasks.set(fiber.id, { ready: true, outcome: 0, dueNs: Infinity })
    if (!first) domain.raise(STARTED)
    return fiber
  }

  async #body(entry: ProcessEntry, args: readonly number[]): Promise<number | undefined> {
    this.#bury()
    const result = await entry(...args)
    const { id } = this.#domain.current!
    this.#tasks.delete(id)
    if (this.#tasks.size === 0) return result
    this.#left.push(id)
    return this.#schedule(undefined)
  }

  #bury(): void {
    for (let id = this.#left.pop(); id !== undefined; id = this.#left.pop()) this.#domain.release(id)
  }

  /** The current task waits, for ever or until `dueNs`. */
  wait(dueNs: number): number | Promise<number> {
    // In an atomic entry that is refused as any wait is.
    if (this.#domain.depth > 0) return this.#domain.idle()
    const task = this.#tasks.get(this.#domain.current!.id)!
    task.ready = false
    task.dueNs = dueNs
    return this.#schedule(task)
  }

  /** What `domain.converse` gave, or what it comes to later. */
  later(result: number): number | Promise<number> {
    return result === IPC.LATER ? this.wait(Infinity) : result
  }

  /** Somebody who is ready goes on: the others in turn, and `task` after them. Without one it never comes back. */
  async #schedule(task: Task | undefined): Promise<number> {
    const domain = this.#domain
    const self = domain.current!.id
    for (;;) {
      this.#look()
      const others = [...this.#tasks].filter(([id, { ready }]) => ready && id !== self)
      const next = others.find(([id]) => id > self) ?? others[0]
      if (next === undefined && task?.ready === true) return task.outcome
      if (next === undefined) await domain.idle()
      else {
        await domain.switchTo(next[0])
        this.#bury()
        return task!.outcome
      }
    }
  }

  /** Take what there is, and say when to look again. */
  #look(): void {
    const domain = this.#domain
    for (let taken = domain.take(TIMER); taken >= 0; taken = domain.take(TIMER)) {
      if (taken === MESSAGE)
        for (let told = domain.answer(); told !== undefined; told = domain.answer())
          this.#goOn(this.#tasks.get(told.id)!, told.outcome)
      if (taken === WAKE) for (const task of this.#tasks.values()) if (task.dueNs < Infinity) this.#goOn(task, 0)
    }
    const tasks = [...this.#tasks.values()]
    for (const task of tasks) if (task.dueNs <= this.#now()) this.#goOn(task, EXPIRED)
    domain.setTimer(Math.min(...tasks.map(({ dueNs }) => dueNs)))
  }

  #goOn(task: Task, outcome: number): void {
    task.ready = true
    task.outcome = outcome
    task.dueNs = Infinity
  }
}
