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

test('a failure counts for as long as the window is, to the nanosecond', (t) => {
  const attempts = (second: number): unknown => {
    const supervisor = new Supervisor({ ...policy, windowNs: 100 })
    supervisor.failed(0)
    const decision = supervisor.failed(second)
    return decision.restart && [decision.attempt, decision.afterNs, decision.escalation]
  }
  t.deepEqual(
    [attempts(99), attempts(100)],
    [
      [2, 2e6, undefined],
      [1, 1e6, undefined],
    ],
  )
})

test('what is started afresh by an escalation waits longest, and has its restarts still before it', (t) => {
  const supervisor = new Supervisor({
    ...policy,
    limit: 2,
    windowNs: 1000,
    escalate: ['previous', 'group', 'previous'],
  })
  const said = (at: number, ...possible: ('previous' | 'group')[]): unknown => {
    const decision = supervisor.failed(at, possible)
    return decision.restart ? [decision.attempt, decision.afterNs, decision.escalation ?? 'again'] : decision.reason
  }
  t.deepEqual(
    [
      said(0),
      said(1),
      said(2, 'group'),
      said(3),
      said(4, 'group'),
      said(5),
      said(1500),
      said(1501),
      said(1502, 'previous'),
    ],
    [
      [1, 1e6, 'again'],
      [2, 2e6, 'again'],
      // Of the build before there is none: that step is passed over.
      [3, 3e6, 'group'],
      [2, 2e6, 'again'],
      // The third step is not possible either, and there is no fourth.
      'failed 3 times within 0.000001 s',
      'failed 4 times within 0.000001 s',
      [1, 1e6, 'again'],
      [2, 2e6, 'again'],
      [3, 3e6, 'previous'],
    ],
  )
  t.is(new Supervisor().policy, DEFAULT_RESTARTS)
  const never = new Supervisor({ limit: 0, windowNs: 60e9, backoffNs: 1, backoffMaxNs: 1 }).failed(0, [
    'previous',
    'group',
  ])
  t.false(never.restart, 'without steps there are none')
})

test('those that are named only as needed are in no order; a group begins at one and has all that it is tied to', (t) => {
  const loose = new Map([
    ['a', ['missing']],
    ['b', ['a']],
  ])
  t.deepEqual(groupOf(loose, 'b'), ['missing', 'a', 'b'])
  t.deepEqual(groupOf(loose, 'unknown'), ['unknown'])
  t.deepEqual([dependents(loose, 'missing'), dependents(loose, 'unknown')], [['a', 'b'], []])
  const far = new Map([
    ['z', ['y']],
    ['y', ['x']],
    ['x', []],
    ['w', ['x']],
    ['apart', []],
  ])
  t.deepEqual(groupOf(far, 'z'), ['x', 'y', 'z', 'w'])
  t.deepEqual(dependents(far, 'x'), ['y', 'z', 'w'])
})
