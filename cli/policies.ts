/**
 * Policies as they are written on the command line and in configuration files: NAME.KEY=VALUE, NAME a driver or `*`.
 */
import { UsageError } from '../pipeline/errors.ts'
import { type Policies, type PolicyChange, RESOURCES } from '../machine/supervise/policy.ts'

/** Multipliers of a number's last letter. */
const SIZES: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }
const TIMES: Readonly<Record<string, number>> = { us: 1e3, ms: 1e6, s: 1e9 }

interface Key {
  /** For the message to somebody who got it wrong. */
  readonly takes: string
  /** undefined: not a value of this key. */
  read(text: string): PolicyChange | undefined
}

function sizeOf(text: string): number | undefined {
  const [, digits, unit] = /^(\d+)([kmg]?)$/i.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * (SIZES[unit!.toLowerCase()] ?? 1)
}

function nsOf(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(us|ms|s)$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * TIMES[unit!]!
}

const quota = (name: string): Key => ({
  takes: name === 'memory' || name === 'dma' || name === 'log' ? 'a size, as in 256k or 16m' : 'a number',
  read: (text) => {
    const value = sizeOf(text)
    return value === undefined ? undefined : { limits: { [name]: value } }
  },
})

const time = (into: (ns: number) => PolicyChange): Key => ({
  takes: 'a time, as in 250us, 10ms or 5s',
  read: (text) => {
    const ns = nsOf(text)
    return ns === undefined ? undefined : into(ns)
  },
})

const KEYS: ReadonlyMap<string, Key> = new Map<string, Key>([
  ...RESOURCES.map((name): [string, Key] => [name, quota(name)]),
  [
    'restarts',
    {
      takes: 'a number',
      read: (text) => (/^\d+$/.test(text) ? { restarts: { limit: Number(text) } } : undefined),
    },
  ],
  ['window', time((windowNs) => ({ restarts: { windowNs } }))],
  ['backoff', time((backoffNs) => ({ restarts: { backoffNs } }))],
  ['backoff-max', time((backoffMaxNs) => ({ restarts: { backoffMaxNs } }))],
  [
    'escalate',
    {
      takes: 'previous, group, or both with + between, or none',
      read: (text) => {
        const steps = text === 'none' ? [] : text.split('+')
        const known = steps.filter((step) => step === 'previous' || step === 'group')
        return known.length === steps.length ? { restarts: { escalate: known } } : undefined
      },
    },
  ],
  // 0s: none.
  ['heartbeat', time((periodNs) => ({ heartbeat: { periodNs } }))],
  ['answer-within', time((timeoutNs) => ({ heartbeat: { timeoutNs } }))],
  [
    'ports',
    {
      takes: 'legacy, or none',
      read: (text) => (text === 'legacy' || text === 'none' ? { legacyPorts: text === 'legacy' } : undefined),
    },
  ],
  ['needs', { takes: 'drivers, with + between', read: (text) => ({ needs: text.split('+') }) }],
])

/** `e1000.fibers=8`, `*.heartbeat=5s`, `8139too.needs=e1000`. Throws UsageError. */
export function parsePolicies(words: readonly string[]): Policies {
  const policies: Record<string, PolicyChange> = {}
  for (const word of words) {
    const [, name, key, value] = /^([^.=]+)\.([^.=]+)=(.+)$/.exec(word) ?? []
    if (name === undefined) throw refused(word, 'NAME.KEY=VALUE, as in e1000.fibers=8')
    const known = KEYS.get(key!)
    if (known === undefined) throw refused(word, `one of ${[...KEYS.keys()].join(', ')} after the name`)
    const change = known.read(value!)
    if (change === undefined) throw refused(word, `${key} to be ${known.takes}`)
    policies[name] = merged(policies[name] ?? {}, change)
  }
  return policies
}

const refused = (word: string, expected: string): UsageError =>
  new UsageError(`cannot read the policy ${word}`, {
    expected,
    todo: 'see Quotas and Supervision in docs/microkernel.md',
  })

const merged = (a: PolicyChange, b: PolicyChange): PolicyChange => ({
  ...a,
  ...b,
  limits: { ...a.limits, ...b.limits },
  restarts: { ...a.restarts, ...b.restarts },
  heartbeat: { ...a.heartbeat, ...b.heartbeat },
})
