import test from 'ava'
import { parsePolicies } from '../../cli/policies.ts'
import { driverPolicy } from '../../machine/supervise/policy.ts'
import { UsageError } from '../../pipeline/errors.ts'

test('a policy names quotas, restarts, heartbeats and dependencies of a driver or of all', (t) => {
  const policies = parsePolicies([
    '*.memory=16m',
    'e1000.memory=8m',
    'e1000.fibers=8',
    'e1000.restarts=2',
    'e1000.backoff=10ms',
    'e1000.escalate=group+previous',
    '*.heartbeat=2s',
    '8139too.needs=e1000+mii',
  ])
  const e1000 = driverPolicy({ name: 'e1000' }, policies)
  t.is(e1000.limits.memory, 8 << 20)
  t.is(e1000.limits.fibers, 8)
  t.like(e1000.restarts, { limit: 2, backoffNs: 10e6, escalate: ['group', 'previous'] })
  t.is(e1000.heartbeat.periodNs, 2e9)
  const other = driverPolicy({ name: '8139too', quotas: { fibers: 4, memory: 32 << 20 } }, policies)
  t.deepEqual(other.needs, ['e1000', 'mii'])
  t.is(other.limits.memory, 16 << 20, 'a package cannot have more than the machine allows')
  t.is(other.limits.fibers, 4, 'but may ask for less')
})

for (const [word, message] of [
  ['e1000', /NAME\.KEY=VALUE/],
  ['e1000.fibre=8', /one of memory, fibers, .* after the name/],
  ['e1000.fibers=many', /fibers to be a number/],
  ['e1000.memory=8x', /memory to be a size, as in 256k or 16m/],
  ['e1000.heartbeat=5', /heartbeat to be a time, as in 250us, 10ms or 5s/],
  ['e1000.escalate=later', /previous, group/],
] as const) {
  test(`${word} is refused, with what was expected`, (t) => {
    const error = t.throws(() => parsePolicies([word]), { instanceOf: UsageError })
    t.regex(error.expected ?? '', message)
  })
}
