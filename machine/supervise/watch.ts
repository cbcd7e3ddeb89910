/**
 * Watching over one generation of a driver: does it answer its heartbeats, do none of its tasks wait for what never comes, do
 * its units take what they are offered? One that does not is not dead, only useless.
 */
import { Heartbeat, type HeartbeatPolicy } from '../../kernel/heartbeat.ts'
import type { Driver } from '../driver.ts'
import { condemn } from './inquest.ts'

export class Watch {
  /** Why it is to be ended; undefined while it serves. */
  complaint: string | undefined
  readonly heartbeat: Heartbeat
  readonly #driver: Driver

  private constructor(driver: Driver, policy: HeartbeatPolicy, told: () => void) {
    this.#driver = driver
    this.heartbeat = new Heartbeat(
      driver.domain,
      () => driver.pulse(),
      policy,
      (reason) => {
        this.complaint = reason ?? `no answer to a heartbeat for ${policy.timeoutNs / 1e9} s`
        told()
      },
    )
    this.heartbeat.serving = () => this.#stalled(policy) ?? driver.stuck()
    driver.heartbeat = this.heartbeat
  }

  /** Begin. `told` is called when there is a complaint. */
  static over(driver: Driver, policy: HeartbeatPolicy, told: () => void): Watch {
    return new Watch(driver, policy, told)
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
    this.heartbeat.stop()
    this.complaint = undefined
  }

  /** Stop, and let the last heartbeat come back: for a driver that is about to be unloaded. */
  async settle(): Promise<void> {
    this.stop()
    const beat = this.heartbeat.pending
    if (beat === undefined) return
    const { kernel } = this.#driver.host.board
    await kernel.run(() => beat.done || this.#driver.dead, kernel.clock.now() + this.heartbeat.policy.timeoutNs)
  }

  /** End a driver that does not serve. */
  async condemn(): Promise<void> {
    await condemn(this.#driver, this.complaint ?? 'does not serve')
  }
}
