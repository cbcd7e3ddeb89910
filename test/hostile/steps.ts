/**
 * What single steps of the host take of the processor, beyond the virtual time that was charged for them. A step is what lies between
 * two marks: one call of the ABI, one event, what is asked of the machine until the first of these, or the program and the kernel's
 * loop between two of them. It is the time of the thread that carries it out, without the engine's collections in it, which are of
 * everybody's doing and come when they come. Nothing of the machine changes for being looked at.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Observer } from '../../machine/observe/observer.ts'

/** Nobody asks about a step of less wall time, which is more than its processor time. */
const SHORT_MS = 20
/** What was read of processor time is no older than this when a step begins: it is counted as the step's. */
const STALE_MS = 4

export interface Longest {
  readonly during: string
  /** Processor time beyond what was charged. */
  readonly beyondMs: number
}

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** What may be the longest step. */
interface Long extends Longest {
  readonly beganMs: number
  readonly endedMs: number
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
  #long: Long[] = []
  #collections: { readonly atMs: number; readonly tookMs: number }[] = []

  constructor() {
    const observer = new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries())
        this.#collections.push({ atMs: startTime, tookMs: duration })
    })
    observer.observe({ entryTypes: ['gc'] })
  }

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
      if (tookMs > SHORT_MS) this.#note(cpu - this.#cpuMs, nowMs)
      this.#cpuMs = cpu
      this.#readMs = nowMs
    }
    this.count++
    this.#during = during
    this.#beganMs = nowMs
    this.#beganNs = this.#kernel?.clock.now() ?? 0
  }

  #note(tookMs: number, endedMs: number): void {
    const beyondMs = tookMs - ((this.#kernel?.clock.now() ?? 0) - this.#beganNs) / 1e6
    this.#long.push({ during: this.#during, beyondMs, beganMs: this.#readMs, endedMs })
  }

  /** The longest since this was asked before. */
  async take(): Promise<Longest> {
    this.mark('')
    // The engine tells of its collections when its loop turns.
    await new Promise(setImmediate)
    let longest: Longest = { during: '', beyondMs: 0 }
    for (const { during, beyondMs, beganMs, endedMs } of this.#long) {
      const own = this.#collections
        .filter(({ atMs }) => atMs >= beganMs && atMs < endedMs)
        .reduce((rest, { tookMs }) => rest - tookMs, beyondMs)
      if (own > longest.beyondMs) longest = { during, beyondMs: own }
    }
    this.#long = []
    this.#collections = []
    return longest
  }
}
