/** The registry, step by step: what is told, who is asked, and what comes of nodes and drivers that come and go meanwhile. */
import test from 'ava'
import { type Client, type Node, passiveScore, type Personality, Registry } from '../../kernel/registry.ts'

function world() {
  const registry = new Registry()
  const said: string[] = []
  registry.onEvent = (event, node, detail) =>
    void said.push(`${event} ${node.path}${detail === '' ? '' : `: ${detail}`}`)
  const client = (driver: string): Client => ({ driver, stop: async () => void said.push(`${driver} stops`) })
  /** One that takes what it is offered, unless `start` says otherwise. */
  const driver = (name: string, more: Partial<Personality> = {}): Personality => ({
    driver: name,
    class: '',
    any: [{ when: {}, score: 1 }],
    start: async (node) => void registry.attach(node, client(name)),
    ...more,
  })
  const node = (name: string, parent?: Node): Node => registry.publish({ name, class: 'card' }, parent)
  return { registry, said, client, driver, node }
}

const no = (reason: string) => async () => ({ reason })

test('everything that happens is told, as it happens', async (t) => {
  const { registry, said, driver, node } = world()
  const [bus, other] = [node('bus'), node('other')]
  const child = node('child', bus)
  t.deepEqual([bus.state, registry.busy], ['new', true])
  registry.add(driver('shy', { any: [{ when: {}, score: 2 }], start: no('not now') }))
  await registry.settle()
  t.deepEqual([bus.state, other.state, child.state, registry.busy], ['unmatched', 'unmatched', 'unmatched', false])
  registry.add(driver('bold'))
  await registry.settle()
  registry.release(other)
  registry.release(other)
  t.is(other.state, 'unmatched')
  registry.retract(bus)
  registry.retract(bus)
  registry.retract(child)
  t.deepEqual([bus.state, child.state], ['gone', 'gone'])
  await registry.settle()
  t.deepEqual(said, [
    'published /bus',
    'published /other',
    'published /bus/child',
    'refused /bus: shy: not now',
    'unmatched /bus: unmatched',
    'refused /other: shy: not now',
    'unmatched /other: unmatched',
    'refused /bus/child: shy: not now',
    'unmatched /bus/child: unmatched',
    'bound /bus: bold',
    'bound /bus/child: bold',
    'bound /other: bold',
    'released /other: bold',
    'bold stops',
    'released /bus/child: bold',
    'gone /bus/child',
    'bold stops',
    'released /bus: bold',
    'gone /bus',
  ])
  t.deepEqual([[...registry.nodes()], bus.state, bus.client], [[registry.root, other], 'gone', undefined])
})

test('a node is what it was published as, numbered, below its parent', (t) => {
  const { registry } = world()
  const object = {}
  const a = registry.publish({ name: 'a', class: 'bus', properties: { id: 5 }, object })
  const b = registry.publish({ name: 'b', class: 'card' }, a)
  t.deepEqual([a.id, b.id, a.path, b.path, registry.root.path, registry.root.class], [1, 2, '/a', '/a/b', '/', 'root'])
  t.deepEqual([a.object, a.properties, b.properties, a.children, b.parent], [object, { id: 5 }, {}, [b], a])
  t.deepEqual([registry.root.name, registry.root.id], ['', 0])
})

test('a list that has not the name, a range of what is no number, and the ends of one', (t) => {
  const fits = (when: Personality['any'][number]['when'], properties: Node['properties']): number =>
    passiveScore([{ when, score: 12 }], properties)
  t.is(fits({ name: 'other' }, { name: ['special', 'generic'] }), 0)
  t.is(fits({ id: { min: 2, max: 4 } }, { id: '3' }), 0)
  t.is(fits({ id: { value: 0, mask: 1 } }, { id: 'x' }), 0)
  t.is(fits({ id: { min: 2, max: 4 } }, {}), 0)
  t.deepEqual(
    [1, 2, 4, 5].map((id) => fits({ id: { min: 2, max: 4 } }, { id })),
    [0, 12, 12, 0],
  )
})

test('a node has one driver, whoever gives it one', async (t) => {
  const { registry, client, driver, node } = world()
  const a = node('a')
  registry.attach(a, client('first'))
  t.throws(() => registry.attach(a, client('second')), { message: '/a is driven by first already' })
  registry.add(driver('third'))
  await registry.settle()
  t.deepEqual([a.client?.driver, a.state, a.attempts], ['first', 'bound', []])
})

test('what goes before it is matched is offered to nobody, and stays gone', async (t) => {
  const { registry, said, driver, node } = world()
  const a = node('a')
  const b = node('b')
  registry.add(driver('d', { start: async (to) => void said.push(`start ${to.name}`) }))
  registry.retract(a)
  await registry.settle()
  t.deepEqual([a.state, said.filter((what) => what.startsWith('start'))], ['gone', ['start b']])
  t.is(b.state, 'matching', 'it said that it drives it, and attached nothing')
})

test('candidates are ranked by score; a score of its own helps who fits, and keeps out who is at zero or below', (t) => {
  const { registry, driver, node } = world()
  const own = (name: string, score: number, when = {}): Personality =>
    driver(name, { score, any: [{ when, score: 3 }] })
  const all = [own('a', 0), own('b', 2), own('misfit', 50, { id: 1 }), own('zero', -3), own('below', -4), own('c', -2)]
  for (const one of all) registry.add(one)
  const ranked = registry.candidates(node('n')).map(({ personality, score }) => [personality.driver, score])
  t.deepEqual(ranked, [
    ['b', 5],
    ['a', 3],
    ['c', 1],
  ])
  t.deepEqual(registry.personalities, all)
  t.deepEqual(registry.candidates(registry.publish({ name: 'm', class: 'x' })).length, 3)
})

test('only what nobody drives and is there is offered, once', async (t) => {
  const { registry, client, driver, node } = world()
  const asked: string[] = []
  const refuses = driver('d', { start: async (to) => (asked.push(to.name), { reason: 'no' }) })
  const [a, b, c] = [node('a'), node('b'), node('c')]
  await registry.settle()
  registry.attach(b, client('x'))
  registry.retract(c)
  await registry.settle()
  for (const one of [registry.root, b, c]) registry.offer(one)
  t.false(registry.busy)
  for (const one of [a, a]) registry.offer(one)
  registry.add(refuses)
  await registry.settle()
  t.deepEqual([asked, a.attempts.length], [['a'], 1])
  registry.offer(a)
  await registry.settle()
  t.deepEqual([asked, a.attempts.length], [['a'], 1], 'it has refused')
  registry.offer(a, true)
  t.deepEqual(a.attempts, [])
  await registry.settle()
  t.deepEqual(asked, ['a', 'a'])
})

test('with a driver what it said is forgotten; one that is not there is none', async (t) => {
  const { registry, driver, node } = world()
  const asked: string[] = []
  const says = (name: string): Personality => driver(name, { start: async () => (asked.push(name), { reason: 'no' }) })
  const [one, two] = [says('one'), says('two')]
  registry.add(one)
  registry.add(two)
  const a = node('a')
  await registry.settle()
  registry.remove(says('one'))
  t.deepEqual(
    a.attempts.map(({ driver: name }) => name),
    ['one', 'two'],
  )
  registry.remove(one)
  t.deepEqual([a.attempts.map(({ driver: name }) => name), registry.personalities], [['two'], [two]])
  registry.add(one)
  await registry.settle()
  t.deepEqual(asked, ['one', 'two', 'one'])
})

test('the same refusal is kept once, at its latest; another of the same driver’s as well', async (t) => {
  const { registry, driver, node } = world()
  const reasons = ['busy', 'busy', 'broken', 'busy']
  registry.add(driver('d', { start: async () => ({ reason: reasons.shift()!, later: true }) }))
  registry.add(driver('e', { start: no('busy') }))
  const a = node('a')
  for (let i = 0; i < 4; i++) {
    await registry.settle()
    registry.offer(a)
  }
  t.deepEqual(
    a.attempts.map(({ driver: name, refusal }) => `${name}: ${refusal}`),
    ['e: busy', 'd: broken', 'd: busy'],
  )
})

test('one call at a time does something; another meanwhile finds nothing to do', async (t) => {
  const { registry, driver, node } = world()
  registry.add(driver('d'))
  const [a, b] = [node('a'), node('b')]
  const first = registry.step()
  t.deepEqual([registry.busy, await registry.step()], [false, undefined])
  t.deepEqual([await first, registry.busy, await registry.step(), await registry.step()], [a, true, b, undefined])
})

test('who is given to somebody else while its drivers are asked keeps that one', async (t) => {
  const { registry, said, client, driver, node } = world()
  const start = async (to: Node): Promise<{ reason: string }> => {
    registry.attach(to, client('from outside'))
    return { reason: 'it is taken' }
  }
  registry.add(driver('d', { start }))
  const a = node('a')
  await registry.settle()
  t.deepEqual(
    [a.state, a.client?.driver, said.some((what) => what.startsWith('unmatched'))],
    ['bound', 'from outside', false],
  )
})

test('what goes while it is looked at is started by nobody; who goes is not started', async (t) => {
  const { registry, driver, node } = world()
  const started: string[] = []
  const start =
    (name: string, act = (): void => {}) =>
    async () => (started.push(name), act(), { reason: 'no' })
  registry.add(
    driver('looks', { probe: (at) => (at.name === 'a' ? (registry.retract(at), 1) : 1), start: start('looks') }),
  )
  node('a')
  await registry.settle()
  t.deepEqual(started, [])
  const second: Personality = driver('second', { start: start('second') })
  registry.add(driver('first', { any: [{ when: {}, score: 5 }], start: start('first', () => registry.remove(second)) }))
  registry.add(second)
  const b = node('b')
  await registry.settle()
  t.deepEqual([started, b.state], [['first', 'looks'], 'unmatched'])
})

test('who looks and does not want it says so; of two nodes that go only that one leaves its siblings', async (t) => {
  const { registry, driver, node } = world()
  registry.add(driver('d', { probe: () => 0 }))
  const [a, b, c] = [node('a'), node('b'), node('c')]
  await registry.settle()
  t.deepEqual(a.attempts, [{ driver: 'd', score: 1, refusal: 'looked, and does not want it' }])
  registry.retract(b)
  await registry.settle()
  t.deepEqual(registry.root.children, [a, c])
})
