/**
 * When to restart what has failed, what to do when that does not help, and in which order those that depend on each other
 * stop and start. Policy over times and names; knows no domain.
 */

/** What is tried after the last restart of a window: the build before the present one; it and all it is tied to, afresh. */
export type Escalation = 'previous' | 'group'

export interface RestartPolicy {
  /** Restarts within the window before escalating. */
  readonly limit: number
  readonly windowNs: number
  /** Wait before the first restart; doubled for each further one in the window, up to `backoffMaxNs`. */
  readonly backoffNs: number
  readonly backoffMaxNs: number
  /** Steps taken one after the other, each once a window, before giving up. */
  readonly escalate?: readonly Escalation[]
}

export const DEFAULT_RESTARTS: RestartPolicy = {
  limit: 5,
  windowNs: 60e9,
  backoffNs: 1e6,
  backoffMaxNs: 1e9,
  escalate: ['previous', 'group'],
}

export type Decision =
  | {
      readonly restart: true
      readonly afterNs: number
      readonly attempt: number
      readonly escalation: Escalation | undefined
    }
  | { readonly restart: false; readonly reason: string }

export class Supervisor {
  readonly policy: RestartPolicy
  #failures: number[] = []
  /** Steps of the escalation taken. */
  #steps = 0

  constructor(policy: RestartPolicy = DEFAULT_RESTARTS) {
    this.policy = policy
  }

  /** It failed at `nowNs`, and these escalations are possible: what now? */
  failed(nowNs: number, possible: readonly Escalation[] = []): Decision {
    const { limit, windowNs, backoffNs, backoffMaxNs } = this.policy
    const recent = this.#failures.filter((at) => nowNs - at < windowNs)
    if (recent.length === 0) this.#steps = 0
    this.#failures = [...recent, nowNs]
    const attempt = this.#failures.length
    if (attempt <= limit) {
      const afterNs = Math.min(backoffMaxNs, backoffNs * 2 ** (attempt - 1))
      return { restart: true, attempt, afterNs, escalation: undefined }
    }
    const escalation = this.#escalate(possible)
    if (escalation === undefined)
      return { restart: false, reason: `failed ${attempt} times within ${windowNs / 1e9} s` }
    // What starts now is another thing than what kept failing: it has its restarts still before it.
    this.#failures = [nowNs]
    return { restart: true, attempt, afterNs: backoffMaxNs, escalation }
  }

  #escalate(possible: readonly Escalation[]): Escalation | undefined {
    const steps = this.policy.escalate ?? []
    while (this.#steps < steps.length) {
      const step = steps[this.#steps++]!
      if (possible.includes(step)) return step
    }
    return undefined
  }
}

/** Who needs whom, by name: a name that is needed comes before all that need it. */
export type Needs = ReadonlyMap<string, readonly string[]>

/**
 * All that need `name`, directly or through others, each after everything it needs itself: the order to start them in. They
 * stop in the reverse order.
 */
export function dependents(needs: Needs, name: string): string[] {
  const found = new Set([name])
  for (let grew = true; grew;) {
    grew = false
    for (const [other, these] of needs) {
      if (found.has(other) || !these.some((one) => found.has(one))) continue
      found.add(other)
      grew = true
    }
  }
  found.delete(name)
  return startOrder(needs, found)
}

/** All that `name` is tied to, in either direction, itself included, in the order to start them in. */
export function groupOf(needs: Needs, name: string): string[] {
  const found = new Set([name])
  for (let grew = true; grew;) {
    const before = found.size
    for (const [other, these] of needs) {
      if (found.has(other)) for (const one of these) found.add(one)
      else if (these.some((one) => found.has(one))) found.add(other)
    }
    grew = found.size > before
  }
  return startOrder(needs, found)
}

/** Names such that each comes after those of them that it needs. */
function startOrder(needs: Needs, names: ReadonlySet<string>): string[] {
  const order: string[] = []
  const visit = (name: string): void => {
    if (!names.has(name) || order.includes(name)) return
    for (const needed of needs.get(name) ?? []) visit(needed)
    order.push(name)
  }
  for (const name of needs.keys()) visit(name)
  for (const name of names) visit(name)
  return order
}
