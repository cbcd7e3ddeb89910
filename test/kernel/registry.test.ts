import test from 'ava'
import { type Client, covers, type Node, passiveScore, type Personality, Registry } from '../../kernel/registry.ts'

interface Behaviour {
  readonly class?: string
  readonly score?: number
  readonly when?: Personality['any'][number]['when']
  readonly probe?: Personality['probe']
  /** Why it refuses; it takes the node when there is none. */
  readonly refuses?: () => string | undefined
  readonly later?: true
}

/** A registry, and drivers that write down what is asked of them. */
function world() {
  const registry = new Registry()
  const said: string[] = []
  const driver = (name: string, behaviour: Behaviour = {}): Personality => ({
    driver: name,
    class: behaviour.class ?? 'card',
    any: [{ when: behaviour.when ?? {}, score: behaviour.score ?? 1 }],
    ...(behaviour.probe && { probe: behaviour.probe }),
    start: async (node) => {
      said.push(`${name} starts ${node.name}`)
      await Promise.resolve()
      const reason = behaviour.refuses?.()
      if (reason !== undefined) return { reason, ...(behaviour.later && { later: true }) }
      const client: Client = {
        driver: name,
        stop: async () => void said.push(`${name} stops ${node.name}`),
      }
      registry.attach(node, client)
      return undefined
    },
  })
  return { registry, said, driver }
}

const card = (registry: Registry, name = 'a', properties = {}, parent?: Node): Node =>
  registry.publish({ name, class: 'card', properties }, parent)

test('a condition asks for a value, some bits, a range or one of several names', (t) => {
  const fits = (when: Personality['any'][number]['when'], properties: Node['properties']): number =>
    passiveScore([{ when, score: 12 }], properties)
  t.is(fits({ id: 5 }, { id: 5 }), 12)
  t.is(fits({ id: 5 }, { id: 6 }), 0)
  t.is(fits({ id: 5 }, {}), 0)
  t.is(fits({ id: { value: 0x020000, mask: 0xffff00 } }, { id: 0x0200ff }), 12)
  t.is(fits({ id: { value: 0x020000, mask: 0xffff00 } }, { id: 0x0300ff }), 0)
  t.is(fits({ id: { value: 0x80000000, mask: 0xffffffff } }, { id: 0x80000000 }), 12)
  t.is(fits({ id: { min: 2, max: 4 } }, { id: 4 }), 12)
  t.is(fits({ id: { min: 2, max: 4 } }, { id: 5 }), 0)
  t.is(fits({ name: 'generic' }, { name: ['special', 'generic'] }), 6)
  t.is(fits({ name: 'special' }, { name: ['special', 'generic'] }), 12)
  t.is(fits({}, {}), 12)
  t.is(fits({ constructor: 'x' }, {}), 0)
})

test('a class covers the classes below it, and no other', (t) => {
  t.true(covers('usb', 'usb.interface'))
  t.true(covers('usb', 'usb'))
  t.true(covers('', 'usb'))
  t.false(covers('usb', 'usbx'))
  t.false(covers('usb.interface', 'usb'))
})

test('the best score wins, and nobody else is asked', async (t) => {
  const { registry, said, driver } = world()
  registry.add(driver('general', { score: 1 }))
  registry.add(driver('special', { score: 9 }))
  const node = card(registry)
  await registry.settle()
  t.is(node.client?.driver, 'special')
  t.is(node.state, 'bound')
  t.deepEqual(said, ['special starts a'])
})

test('the runner-up takes over when the winner refuses', async (t) => {
  const { registry, said, driver } = world()
  registry.add(driver('general', { score: 1 }))
  registry.add(driver('special', { score: 9, refuses: () => 'wrong revision' }))
  const node = card(registry)
  await registry.settle()
  t.is(node.client?.driver, 'general')
  t.deepEqual(said, ['special starts a', 'general starts a'])
  t.deepEqual(node.attempts, [
    { driver: 'special', score: 9, refusal: 'wrong revision' },
    { driver: 'general', score: 1 },
  ])
})

test('of equal scores the driver that was there first is asked first', async (t) => {
  const { registry, said, driver } = world()
  for (const name of ['one', 'two', 'three']) registry.add(driver(name, { refuses: () => 'no' }))
  card(registry)
  await registry.settle()
  t.deepEqual(said, ['one starts a', 'two starts a', 'three starts a'])
})

test('an active probe may raise its score above a better one, or decline', async (t) => {
  const { registry, said, driver } = world()
  registry.add(driver('modest', { score: 1, probe: async (_, score) => score + 10 }))
  registry.add(driver('proud', { score: 9 }))
  registry.add(driver('blind', { score: 99, probe: () => 0 }))
  const node = card(registry)
  await registry.settle()
  t.is(node.client?.driver, 'modest')
  t.deepEqual(said, ['modest starts a'])
  t.deepEqual(
    node.attempts.map(({ driver: name, score }) => [name, score]),
    [
      ['blind', 99],
      ['modest', 11],
    ],
  )
})

test('a driver may come after its device, and a device after its driver', async (t) => {
  const { registry, driver } = world()
  const early = card(registry, 'early')
  await registry.settle()
  t.is(early.state, 'unmatched')
  registry.add(driver('late'))
  t.true(registry.busy)
  await registry.settle()
  t.is(early.client?.driver, 'late')
  const late = card(registry, 'late')
  await registry.settle()
  t.is(late.client?.driver, 'late')
})

test('who refused a node is not asked again, until it is offered anew', async (t) => {
  const { registry, said, driver } = world()
  registry.add(driver('picky', { refuses: () => 'no' }))
  const node = card(registry)
  await registry.settle()
  registry.add(driver('other', { refuses: () => 'no' }))
  await registry.settle()
  t.deepEqual(said.splice(0), ['picky starts a', 'other starts a'])
  registry.offer(node, true)
  await registry.settle()
  t.deepEqual(said, ['picky starts a', 'other starts a'])
  t.is(node.attempts.length, 2)
})

test('a driver that waits for another is asked again when something was bound', async (t) => {
  const { registry, said, driver } = world()
  let there = false
  registry.add(
    driver('needy', { when: { id: 1 }, later: true, refuses: () => (there ? undefined : 'no supplier yet') }),
  )
  const node = card(registry, 'a', { id: 1 })
  await registry.settle()
  t.is(node.state, 'deferred')
  there = true
  registry.add(driver('supplier', { when: { id: 2 } }))
  card(registry, 'b', { id: 2 })
  await registry.settle()
  t.is(node.client?.driver, 'needy')
  t.deepEqual(said, ['needy starts a', 'supplier starts b', 'needy starts a'])
})

test('a device that goes: nobody gets it any more at once, drivers are stopped from the leaves up', async (t) => {
  const { registry, said, driver } = world()
  registry.add(driver('bus', { class: 'bus' }))
  registry.add(driver('leaf'))
  const bus = registry.publish({ name: 'bus', class: 'bus' })
  await registry.settle()
  const child = card(registry, 'a', {}, bus)
  card(registry, 'b', {}, child)
  await registry.settle()
  said.length = 0
  registry.retract(bus)
  t.true(child.gone)
  t.throws(() => card(registry, 'c', {}, child), { message: '/bus/a is gone: nothing can be below it' })
  await registry.settle()
  t.deepEqual(said, ['leaf stops b', 'leaf stops a', 'bus stops bus'])
  t.deepEqual([...registry.nodes()], [registry.root])
  t.is(child.client, undefined)
})

test('a device may go while its driver starts: the driver is stopped', async (t) => {
  const { registry, said, driver } = world()
  let node: Node | undefined
  registry.add(
    driver('slow', {
      refuses: () => {
        registry.retract(node!)
        return undefined
      },
    }),
  )
  registry.add(driver('next', { score: 0.5 }))
  node = card(registry)
  await registry.settle()
  t.deepEqual(said, ['slow starts a', 'slow stops a'])
  t.is(registry.root.children.length, 0)
})

test('nodes that are published while others are matched are matched too', async (t) => {
  const { registry, driver } = world()
  registry.add(driver('leaf', { class: 'leaf' }))
  registry.onEvent = (event, node) => {
    if (event === 'bound' && node.class === 'card') registry.publish({ name: 'nub', class: 'leaf' }, node)
  }
  registry.add(driver('card'))
  const node = card(registry)
  await registry.settle()
  t.is(node.children[0]?.client?.driver, 'leaf')
  t.is(node.children[0]?.path, '/a/nub')
})

test('the driver of a node may end: it is offered to the next only when somebody says so', async (t) => {
  const { registry, driver } = world()
  const first = driver('first', { score: 2 })
  registry.add(first)
  registry.add(driver('second'))
  const node = card(registry)
  await registry.settle()
  registry.release(node)
  await registry.settle()
  t.is(node.client, undefined)
  registry.remove(first)
  registry.offer(node)
  await registry.settle()
  t.is(node.client?.driver, 'second')
})
