/**
 * Watching over one generation of a driver: does it answer its heartbeats, do its units take what they are offered?
 *
 * One that does not is not dead, only useless. `condemn` asks each of its fibers where it waits, puts the blame on a place
 * in the driver's own source when there is one, and fails it.
 */
import { Failure } from '../../kernel/fault.ts'
import { Heartbeat, type HeartbeatPolicy } from '../../kernel/heartbeat.ts'
import type { Trace } from '../../kernel/domain.ts'
import type { Driver } from '../driver.ts'

/** For fibers to find that they must wait again, virtual ns. */
const INTERROGATION_NS = 1e6

export class Watch {
  /** Why it is to be ended; undefined while it serves. */
  complaint: string | undefined
  readonly heartbeat: Heartbeat | undefined
  readonly #driver: Driver

  private constructor(driver: Driver, policy: HeartbeatPolicy) {
    this.#driver = driver
    const entry = driver.program.process('heartbeat')
    if (entry === undefined) return
    this.heartbeat = new Heartbeat(driver.domain, entry, policy, (reason) => {
      this.complaint = reason ?? `no answer to a heartbeat for ${policy.timeoutNs / 1e9} s`
    })
    this.heartbeat.serving = () => this.#stalled(policy)
    driver.heartbeat = this.heartbeat
  }

  /** Begin. A program without the entry is not watched. */
  static over(driver: Driver, policy: HeartbeatPolicy): Watch {
    return new Watch(driver, policy)
  }

  /** A unit that has work for the driver, which says that it can take it, and does not. */
  #stalled({ timeoutNs }: HeartbeatPolicy): string | undefined {
    const now = this.#driver.domain.processor.clock.now()
    for (const unit of this.#driver.units) {
      const complaint = unit.stalled(now, timeoutNs)
      if (complaint !== undefined) return complaint
    }
    return undefined
  }

  stop(): void {
    this.heartbeat?.stop()
    this.complaint = undefined
  }

  /** Stop, and let the last heartbeat come back: for a driver that is about to be unloaded. */
  async settle(): Promise<void> {
    this.stop()
    const fiber = this.heartbeat?.pending
    if (fiber === undefined) return
    const { kernel } = this.#driver.host.board
    await kernel.run(() => fiber.done, kernel.clock.now() + this.heartbeat!.policy.timeoutNs)
  }

  /** End a driver that does not serve. */
  async condemn(): Promise<void> {
    const { domain } = this.#driver
    const verdict = new Failure('hang', this.complaint ?? 'does not serve')
    const traces = await this.#driver.host.board.kernel.interrogate(domain, verdict, INTERROGATION_NS)
    const culprit = this.#culprit(traces)
    if (culprit !== undefined) {
      const at = this.#own(culprit)
      if (at !== undefined) verdict.message += `; ${culprit.fiber} waits in ${at.function} (${at.file}:${at.line})`
      verdict.stack = (culprit.error as Error).stack ?? ''
    }
    domain.fail(verdict)
  }

  /** A thread that waits in the driver's own code; else the heartbeat itself, which waits for what is stuck. */
  #culprit(traces: readonly Trace[]): Trace | undefined {
    return traces.find((trace) => this.#own(trace) !== undefined) ?? traces.find(({ fiber }) => fiber === 'heartbeat')
  }

  #own({ frames }: Trace): Trace['frames'][number] | undefined {
    const own = new Set(this.#driver.pack.manifest.sources.map(({ path }) => path))
    return frames.find(({ file }) => own.has(file))
  }
}
