import test from 'ava'
import fc from 'fast-check'
import { DEFAULT_RESTARTS, dependents, groupOf, Supervisor } from '../../kernel/supervisor.ts'

const policy = { limit: 3, windowNs: 60e9, backoffNs: 1e6, backoffMaxNs: 3e6 }

test('backoff doubles from failure to failure, up to its limit, and starts anew after a quiet window', (t) => {
  const supervisor = new Supervisor(policy)
  const after = (at: number): number => {
    const decision = supervisor.failed(at)
    return decision.restart ? decision.afterNs : -1
  }
  t.deepEqual([after(0), after(1e9), after(2e9), after(3e9)], [1e6, 2e6, 3e6, -1])
  t.is(after(70e9), 1e6)
})

test('what keeps failing escalates once to each step that is possible, then is given up', (t) => {
  const supervisor = new Supervisor({ ...policy, limit: 1, escalate: ['previous', 'group'] })
  const steps = [0, 1, 2, 3, 4, 5].map((second) => {
    const decision = supervisor.failed(second * 1e9, ['previous', 'group'])
    return decision.restart ? (decision.escalation ?? 'again') : decision.reason
  })
  t.deepEqual(steps, [
    'again',
    'previous',
    'group',
    'failed 2 times within 60 s',
    'failed 3 times within 60 s',
    'failed 4 times within 60 s',
  ])
  const alone = new Supervisor({ ...policy, limit: 0, escalate: ['previous', 'group'] })
  t.false(alone.failed(0, []).restart)
})

test('a policy says by default to try the build before, and then all that is tied to it', (t) => {
  t.deepEqual(DEFAULT_RESTARTS.escalate, ['previous', 'group'])
})

const needs = new Map([
  ['app', ['fs', 'net']],
  ['fs', ['disk']],
  ['disk', ['bus']],
  ['net', ['bus']],
  ['bus', []],
  ['clock', []],
])

test('those that need one are started after it, each after all that it needs itself', (t) => {
  t.deepEqual(dependents(needs, 'disk'), ['fs', 'app'])
  t.deepEqual(dependents(needs, 'clock'), [])
  t.deepEqual(groupOf(needs, 'clock'), ['clock'])
  t.deepEqual(groupOf(needs, 'fs').toSorted(), ['app', 'bus', 'disk', 'fs', 'net'])
})

test('the order holds for any graph without a circle', (t) => {
  const graphs = fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(graphs, fc.nat(9), fc.integer(), (edges, which, shuffle) => {
      // Each needs some of those before it; the map's own order is another.
      const list = edges.map((these, i): [string, string[]] => [
        `d${i}`,
        these.filter((at) => at < i).map((at) => `d${at}`),
      ])
      const turned = list.map((_, i) => list[(i + (Math.abs(shuffle) % 10)) % 10]!)
      const graph = new Map(turned)
      for (const order of [dependents(graph, `d${which}`), groupOf(graph, `d${which}`)]) {
        t.is(new Set(order).size, order.length)
        for (const [at, name] of order.entries())
          for (const needed of graph.get(name)!) if (order.includes(needed)) t.true(order.indexOf(needed) < at)
      }
    }),
  )
})
