/** Conversations between driver domains over the driver ABI, with drivers made by hand. */
import test from 'ava'
import * as ABI from '../../../linux-api/generated/abi.ts'
import { GONE, IPC } from '../../../kernel/message.ts'
import { CNode, Revocation, RIGHT } from '../../../kernel/capability.ts'
import { DriverEnded } from '../../../machine/driver.ts'
import { createMachine } from '../../../machine/machine.ts'
import { type Function, line, op } from '../../kernel/support.ts'
import { modulePackage, WORDS } from '../small/module.ts'
import { irq, probe, REGISTERS, remove, TestDevice, testPackage, TURN, turn } from '../support.ts'

/** Where the test drivers keep a name, rules, a message and what they noted. */
const NAME = WORDS
const MESSAGE = WORDS + 0x100
const NOTED = WORDS + 0x200
const FOREVER = [op.value(-1), op.value(-1)]

/** Write text into memory, a word at a time. */
function text(at: number, value: string): Function['body'] {
  const bytes = Buffer.alloc(Math.ceil(value.length / 4) * 4)
  bytes.write(value)
  return Array.from({ length: bytes.length / 4 }, (_, i) =>
    line(op.value(at + i * 4), op.value(bytes.readInt32LE(i * 4)), op.store),
  ).flat()
}

const store = (at: number, ...value: Function['body']): Function['body'] => [op.value(at), ...value, op.store]
const fetch = (at: number): Function['body'] => [op.value(at), op.load]
/** label and words of the message in memory */
const say = (label: number, ...words: Function['body'][]): Function['body'] => [
  ...store(MESSAGE, op.value(label)),
  ...store(MESSAGE + 8, op.value(words.length)),
  ...words.flatMap((word, i) => store(MESSAGE + 20 + 4 * i, ...word)),
]
const note = (which: number, ...value: Function['body']): Function['body'] => store(NOTED + 4 * which, ...value)

/** init: offer a service and start a fiber that answers for ever: the first word plus one. */
const server = (rules = '') =>
  testPackage('server', [
    {
      name: 'init',
      result: true,
      body: [
        ...text(NAME, 'adder'),
        ...(rules === '' ? [] : text(NAME + 16, rules)),
        ...note(0, op.value(NAME), op.value(5), op.value(NAME + 16), op.value(rules.length), op.call('ipc.offer')),
        ...line(op.value(0), op.call('spawn'), op.drop, op.value(0)),
      ],
    },
    {
      name: 'fiber',
      params: 1,
      body: [
        ...line(...fetch(NOTED), op.value(MESSAGE), ...FOREVER, op.call('ipc.receive'), op.drop, op.loop),
        ...store(MESSAGE + 20, ...fetch(MESSAGE + 20), op.value(1), op.add),
        ...line(
          ...fetch(NOTED),
          op.value(MESSAGE),
          ...FOREVER,
          op.call('ipc.reply_receive'),
          op.drop,
          op.again,
          op.end,
        ),
      ],
    },
  ])

/** When asked: find the service and do `body`. */
const client = (name: string, body: Function['body']) =>
  testPackage(name, [
    turn([...text(NAME, 'plus'), ...note(0, op.value(NAME), op.value(4), op.call('ipc.find')), ...body]),
  ])

const ask = (label: number, word: number, into: number): Function['body'] => [
  ...say(label, [op.value(word)]),
  ...note(into, ...fetch(NOTED), op.value(MESSAGE), ...FOREVER, op.call('ipc.call')),
]

test('a driver calls another through an endpoint that the machine linked to it', async (t) => {
  const machine = createMachine()
  machine.board.exchange.link({ client: 'client', name: 'plus', server: 'server', service: 'adder' })
  const serving = await machine.load(server())
  const calling = await machine.load(client('client', [...ask(7, 41, 1), ...note(2, ...fetch(MESSAGE + 20))]))
  await calling.call(TURN)
  const noted = [...calling.host.words.subarray(NOTED >> 2, (NOTED >> 2) + 3)]
  t.true(noted[0]! >= 0, 'found')
  t.deepEqual(noted.slice(1), [7, 42])
  t.deepEqual(machine.board.exchange.offers(), [{ driver: 'server', service: 'adder' }])
  t.is(serving.host.words[(MESSAGE >> 2) + 1], 1, 'the server sees the badge of the link')
})

test('a driver that was linked to nothing finds nothing', async (t) => {
  const machine = createMachine()
  await machine.load(server())
  const calling = await machine.load(client('client', ask(7, 41, 1)))
  await calling.call(TURN)
  t.deepEqual([...calling.host.words.subarray(NOTED >> 2, (NOTED >> 2) + 2)], [-3, -3])
})

test('a message out of order is refused by the name of state and message', async (t) => {
  const machine = createMachine()
  machine.board.exchange.link({ client: 'client', name: 'plus', server: 'server', service: 'adder' })
  const said: string[] = []
  machine.board.kernel.ipc.onRefusal = (_party, why) => said.push(why)
  await machine.load(server('open=1 write=2; closed: open > opened; opened: write > opened'))
  const calling = await machine.load(client('client', [...ask(2, 1, 1), ...ask(1, 1, 2), ...ask(2, 1, 3)]))
  await calling.call(TURN)
  t.deepEqual([...calling.host.words.subarray((NOTED >> 2) + 1, (NOTED >> 2) + 4)], [-7, 1, 2])
  t.deepEqual(said, ['adder: write in state closed, where open is expected'])
})

test('L4: a passive server answers on the thread of its caller', async (t) => {
  const machine = createMachine()
  machine.board.exchange.link({ client: 'client', name: 'plus', server: 'server', service: 'adder' })
  await machine.load(
    testPackage('server', [
      {
        name: 'init',
        result: true,
        body: [
          ...text(NAME, 'adder'),
          ...note(0, op.value(NAME), op.value(5), op.value(0), op.value(0), op.call('ipc.offer')),
          ...line(...fetch(NOTED), op.slot('answer'), op.call('ipc.serve')),
        ],
      },
      // Badge and label, and the three words.
      { name: 'answer', params: 5, result: true, body: [op.local(2), op.local(4), op.add, op.value(5), op.add] },
    ]),
  )
  const invoke = [...fetch(NOTED), op.value(1), op.value(30), op.value(10), op.value(7), op.call('ipc.invoke')]
  const { scheduler } = machine.board.kernel
  const calling = await machine.load(client('client', note(1, ...invoke)))
  const enqueue = scheduler.enqueue.bind(scheduler)
  let queued = 0
  scheduler.enqueue = (thread) => (queued++, enqueue(thread))
  await calling.call(TURN)
  t.is(queued, 1, 'the client was woken by its request, and nobody else')
  t.is(calling.host.words[(NOTED >> 2) + 1], 42)
})

test('drivers and the kernel call refusals and rights by the same numbers', (t) => {
  const { GONE: gone, ...refusals } = ABI.IPC
  const { OK: _ok, ...own } = IPC
  t.deepEqual<Record<string, number>, Record<string, number>>(refusals, own)
  t.is(gone, GONE)
  t.deepEqual<Record<string, number>, Record<string, number>>(ABI.RIGHT, RIGHT)
})

test('DriverKit: a call of a group that the domain was not granted ends it by name', async (t) => {
  const machine = createMachine()
  const body = [op.value(NAME), op.value(4), op.call('ipc.find'), op.drop]
  const [driver, other] = [
    await machine.load(modulePackage('greedy', [turn(body)], { capabilities: [] })),
    await machine.load(modulePackage('granted', [turn(body)], { capabilities: ['ipc'] })),
  ]
  const error = await t.throwsAsync(driver.call(TURN), { instanceOf: DriverEnded })
  t.is(error.fault?.kind, 'no-capability')
  t.regex(error.message, /ipc\.find: the domain was not granted ipc/)
  t.is(await other.call(TURN), 0)
})

const USES: Readonly<Record<string, Function['body']>> = {
  log: [op.value(6), op.value(NAME), op.value(4), op.call('log.write')],
  time: [op.value(NAME), op.call('time.now')],
  sched: [op.call('sched.self'), op.drop],
}

for (const [group, use] of Object.entries(USES)) {
  test(`seL4: with its ${group} capability revoked, the next ${group} call ends the driver, and no other`, async (t) => {
    const machine = createMachine()
    const [driver, other] = [await machine.load(client('one', use)), await machine.load(client('two', use))]
    await driver.call(TURN)
    machine.board.authority.revoke(driver.host.grips, group)
    const error = await t.throwsAsync(driver.call(TURN), { instanceOf: DriverEnded })
    t.is(error.fault?.kind, 'no-capability')
    t.regex(error.message, new RegExp(`${group}\\.\\w+: the domain holds no`))
    t.is(await other.call(TURN), 0)
  })
}

/** Where a driver holds its capability of this type. */
const slotOf = (
  driver: { host: { domain: { capabilities: { ofType(type: string): { slot: number }[] } } } },
  type: string,
) => driver.host.domain.capabilities.ofType(type)[0]!.slot

test('seL4: a driver that drops its function keeps nothing of it, and another may have it', async (t) => {
  const machine = createMachine()
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const drop = turn([
    ...line(op.local(1), op.call('cap.remove'), op.drop),
    ...line(...fetch(REGISTERS), op.call('mmio.read32'), op.drop),
  ])
  const dropper = await machine.load(testPackage('dropper', [probe, drop, irq]))
  t.is(await dropper.bind(fn), 0)
  const types = ['pci', 'mmio', 'port', 'irq', 'dma', 'mapping']
  for (const type of types) t.true(dropper.domain.capabilities.ofType(type).length > 0, `holds ${type}`)
  const error = await t.throwsAsync(dropper.call(TURN, slotOf(dropper, 'pci')), { instanceOf: DriverEnded })
  t.is(error.fault?.kind, 'no-capability')
  t.regex(error.message, /mmio\.read32/)
  t.is(machine.board.hardware.count, 0)
})

test('seL4: a driver may not pass its hardware on', async (t) => {
  const machine = createMachine()
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const driver = await machine.load(testPackage('holder', [probe, remove, irq]))
  await driver.bind(fn)
  const other = new CNode('other')
  for (const type of ['pci', 'mmio', 'port', 'irq', 'dma', 'mapping', 'log', 'timer', 'sched']) {
    const [capability] = driver.domain.capabilities.ofType(type)
    t.throws(() => other.derive(capability!, capability!.object), { message: /lacks the right to be granted on/ }, type)
    t.throws(() => other.move(capability!), { message: /lacks the right to be granted on/ }, type)
  }
})

const HARDWARE: Readonly<Record<string, Function['body']>> = {
  mmio: [...fetch(REGISTERS), op.call('mmio.read32'), op.drop],
  port: [op.value(0x1000), op.call('pio.in8'), op.drop],
  dma: [op.value(0), op.value(4096), op.value(64), op.value(0), op.call('dma.map'), op.drop],
}

for (const [type, use] of Object.entries(HARDWARE)) {
  test(`seL4: from the instant the revocation of ${type} begins, though in steps, its use is refused`, async (t) => {
    const machine = createMachine()
    const fn = machine.board.pci.plug((context) => new TestDevice(context))
    const port = fn.bars.find(({ flags }) => (flags & 1) !== 0)!.start
    const body = type === 'port' ? [op.value(port), op.call('pio.in8'), op.drop] : use
    const driver = await machine.load(testPackage('user', [probe, remove, irq, turn(body)]))
    await driver.bind(fn)
    await driver.call(TURN)
    const root = driver.domain.capabilities.ofType('pci')[0]!
    t.false(Revocation.of(root).step(0), 'begun, and nothing has ended yet')
    const error = await t.throwsAsync(driver.call(TURN), { instanceOf: DriverEnded })
    t.is(error.fault?.kind, 'no-capability')
  })
}
