/**
 * A domain's interrupts: notifications that become calls of its interrupt entry at the next point where it may take
 * them. Knows numbers only; what raises and masks them is the machine's interrupt controller, seen as a source.
 */

/** One hold on an interrupt. The controller notifies once; `begin` before and `end` after the handler. */
export interface InterruptSource {
  mask(): void
  unmask(): boolean
  /** False: nothing to handle any more. */
  begin(): boolean
  end(): void
  detach(): void
}

interface Line {
  readonly number: number
  readonly source: InterruptSource
  /** The controller has told us. */
  notified: boolean
  /** The interrupt latency has passed as well. */
  pending: boolean
  /** Deliveries in a row after which it was still asserted. */
  stuck: number
}

export class InterruptSet {
  /** Attached lines in order of number, so that the lowest pending one goes first. */
  #lines: readonly Line[] = []

  /** Attached lines. */
  get count(): number {
    return this.#lines.length
  }

  #find(number: number): Line | undefined {
    return this.#lines.find((line) => line.number === number)
  }

  has(number: number): boolean {
    return this.#find(number) !== undefined
  }

  /** Deliver `number` from now on. */
  add(number: number, source: InterruptSource): void {
    const line: Line = { number, source, notified: false, pending: false, stuck: 0 }
    this.#lines = [...this.#lines, line].toSorted((a, b) => a.number - b.number)
  }

  /** False when it was not attached. */
  remove(number: number): boolean {
    const line = this.#find(number)
    if (line === undefined) return false
    this.#lines = this.#lines.filter((other) => other !== line)
    line.source.detach()
    return true
  }

  mask(number: number): boolean {
    const line = this.#find(number)
    line?.source.mask()
    return line !== undefined
  }

  unmask(number: number): boolean {
    return this.#find(number)?.source.unmask() ?? false
  }

  /** The controller has one for us. False when nobody listens. */
  notify(number: number): boolean {
    for (let i = 0; i < this.#lines.length; i++) {
      const line = this.#lines[i]!
      if (line.number !== number) continue
      line.notified = true
      return true
    }
    return false
  }

  /** The interrupt latency has passed: what was notified is pending. */
  arrive(): void {
    for (let i = 0; i < this.#lines.length; i++) {
      const line = this.#lines[i]!
      if (line.notified) line.pending = true
      line.notified = false
    }
  }

  /** Begin the next delivery: its number, or -1 when nothing is to be handled. */
  begin(): number {
    for (let i = 0; i < this.#lines.length; i++) {
      const line = this.#lines[i]!
      if (!line.pending) continue
      line.pending = false
      if (line.source.begin()) return line.number
    }
    return -1
  }

  /**
   * The handler has returned. What is still asserted is notified again, so it costs the latency again. Returns how often
   * in a row that was so: nobody handles it when the number keeps growing.
   */
  end(number: number): number {
    const line = this.#find(number)
    if (line === undefined) return 0
    line.source.end()
    line.stuck = line.notified ? line.stuck + 1 : 0
    return line.stuck
  }

  get pending(): boolean {
    for (let i = 0; i < this.#lines.length; i++) if (this.#lines[i]!.pending) return true
    return false
  }

  clear(): void {
    const lines = this.#lines
    this.#lines = []
    for (const line of lines) line.source.detach()
  }
}
