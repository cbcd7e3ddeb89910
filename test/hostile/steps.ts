/**
 * What single steps of the host take of the processor, beyond the virtual time that was charged for them. A step is what lies between
 * two marks: one call of the ABI, one event, what is asked of the machine until the first of these, or the program and the kernel's
 * loop between two of them. Nothing of the machine changes for being looked at.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Observer } from '../../machine/observe/observer.ts'

/** A step of less wall time takes no 100 ms of the processor, with as many threads as an engine has. */
const SHORT_MS = 20
/** What was read of processor time is no older than this when a step begins: it is counted as the step's. */
const STALE_MS = 4

export interface Longest {
  readonly during: string
  /** Processor time beyond what was charged. */
  readonly beyondMs: number
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export class Steps {
  /** Counted since the start. */
  count = 0
  #kernel: Kernel | undefined
  #during = ''
  #beganMs = performance.now()
  #beganNs = 0
  #readMs = this.#beganMs
  #cpuMs = cpuMs()
  #longest: Longest = { during: '', beyondMs: 0 }

  /** For the machine's options. */
  readonly observer: Observer = {
    call: (_host, group, name, _blocking, call) => {
      const during = `${group}.${name}`
      return (...args) => {
        this.mark(during)
        try {
          return call(...args)
        } finally {
          this.mark('the program')
        }
      }
    },
  }

  /** From here on this machine's events are steps. */
  watch(kernel: Kernel): void {
    this.#kernel = kernel
    const { clock } = kernel
    const event = clock.event.bind(clock)
    clock.event = (name, fire) =>
      event(name, () => {
        this.mark(name)
        fire()
        this.mark('the program')
      })
    this.mark('')
  }

  /** A step ends, and another begins. */
  mark(during: string): void {
    const nowMs = performance.now()
    const tookMs = nowMs - this.#beganMs
    if (nowMs - this.#readMs > STALE_MS) {
      const cpu = cpuMs()
      if (tookMs > SHORT_MS) this.#note(cpu - this.#cpuMs)
      this.#cpuMs = cpu
      this.#readMs = nowMs
    }
    this.count++
    this.#during = during
    this.#beganMs = nowMs
    this.#beganNs = this.#kernel?.clock.now() ?? 0
  }

  #note(tookMs: number): void {
    const beyondMs = tookMs - ((this.#kernel?.clock.now() ?? 0) - this.#beganNs) / 1e6
    if (beyondMs > this.#longest.beyondMs) this.#longest = { during: this.#during, beyondMs }
  }

  /** The longest since this was asked before. */
  take(): Longest {
    this.mark('')
    const longest = this.#longest
    this.#longest = { during: '', beyondMs: 0 }
    return longest
  }
}
