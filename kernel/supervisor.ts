/**
 * When to restart what has failed, and when to give up: a policy over the times of its failures. Knows no domain.
 */

export interface RestartPolicy {
  /** Restarts within the window before giving up. */
  readonly limit: number
  readonly windowNs: number
  /** Wait before the first restart; doubled for each further one in the window, up to `backoffMaxNs`. */
  readonly backoffNs: number
  readonly backoffMaxNs: number
}

export const DEFAULT_RESTARTS: RestartPolicy = { limit: 5, windowNs: 60e9, backoffNs: 1e6, backoffMaxNs: 1e9 }

export type Decision =
  | { readonly restart: true; readonly afterNs: number; readonly attempt: number }
  | { readonly restart: false; readonly reason: string }

export class Supervisor {
  readonly policy: RestartPolicy
  #failures: number[] = []

  constructor(policy: RestartPolicy = DEFAULT_RESTARTS) {
    this.policy = policy
  }

  /** It failed at `nowNs`: what now? */
  failed(nowNs: number): Decision {
    const { limit, windowNs, backoffNs, backoffMaxNs } = this.policy
    this.#failures = [...this.#failures.filter((at) => nowNs - at < windowNs), nowNs]
    const attempt = this.#failures.length
    if (attempt > limit) return { restart: false, reason: `failed ${attempt} times within ${windowNs / 1e9} s` }
    return { restart: true, attempt, afterNs: Math.min(backoffMaxNs, backoffNs * 2 ** (attempt - 1)) }
  }
}
