/** Findings 11, 13, 14, 15: conversations among domains, of which one is hostile. */
import test from 'ava'
import type { Driver } from '../../../machine/driver.ts'
import type { Machine } from '../../../machine/machine.ts'
import { IPC } from '../../../kernel/message.ts'
import { op, type Function, type Instruction } from '../../kernel/support.ts'
import { TURN, turn } from '../../machine/support.ts'
import { keep, LAYERED, machineOf, say, script, times, witness, word, WORDS } from '../script.ts'

const [SLOT, RESULT, COUNT, NAME, MESSAGE, FOUND] = [WORDS, WORDS + 4, WORDS + 8, WORDS + 32, WORDS + 64, WORDS + 16]
const texts = { [NAME]: 'box' }
const init = (body: readonly Instruction[]): Function[] => [
  { name: 'init', params: 0, result: true, locals: 4, body: [...body, op.value(0)] },
]
const layered = (name: string, functions: readonly Function[], more = {}) =>
  script(name, functions, { policy: LAYERED, texts: { ...texts, ...more } })
const at = (driver: Driver, address: number): number => driver.host.words[address >> 2]!
const offer = say('ipc.offer', [NAME, 3, 0, 0], SLOT)

/** A message with one capability, moved. */
const carrying = (slot: number): Instruction[] => [
  ...keep(MESSAGE, 1),
  ...keep(MESSAGE + 8, 0),
  ...keep(MESSAGE + 12, 1),
  ...keep(MESSAGE + 16, 1),
  op.value(MESSAGE + 52),
  ...word(slot),
  op.store,
]

/** Takes what comes into its slot 100 and on, for ever. */
const taker: Function[] = [
  ...init([...offer, ...say('spawn', [0])]),
  {
    name: 'fiber',
    params: 1,
    body: [
      ...say('ipc.window', [100, 1]),
      ...say('ipc.receive', [word(SLOT), MESSAGE, -1, -1], RESULT),
      ...say('block', []),
    ],
  },
]

function linked(machine: Machine): void {
  machine.board.exchange.link({ client: 'client', name: 'box', server: 'server', service: 'box' })
}

test('finding 11: a name or a contract of megabytes is refused by its length, and none is kept that was taken back', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  const body = [
    ...say('ipc.find', [0, 200_000], RESULT),
    ...say('ipc.offer', [0, 200_000, 0, 0], SLOT),
    ...say('ipc.offer', [NAME, 3, 0, 200_000], FOUND),
    // The same offered and closed again and again: as many names as one may have, and no trace of those before.
    ...times(300, 0, [...say('ipc.offer', [NAME, 3, 0, 0], COUNT), ...say('ipc.close', [word(COUNT)])]),
  ]
  const records = machine.board.log.length
  const driver = await machine.load(layered('namer', init(body)))
  t.deepEqual([at(driver, RESULT), at(driver, SLOT), at(driver, FOUND)], [IPC.EMPTY, IPC.RANGE, IPC.RANGE])
  t.true(at(driver, COUNT) >= 0)
  t.is(machine.board.exchange.offeredBy(driver.host), 0)
  t.is(machine.board.log.length, records)
  t.is(await other.ask(), undefined)
})

test('finding 11: a domain offers so many services and no more', async (t) => {
  const machine = machineOf()
  // Each offer has another name: its first letter is what counts down.
  const next = [op.value(NAME), op.local(0), op.store]
  const driver = await machine.load(
    layered('host', init(times(100, 0, [...next, ...say('ipc.offer', [NAME, 3, 0, 0], SLOT)]))),
  )
  t.is(at(driver, SLOT), IPC.QUOTA)
  t.is(machine.board.exchange.offeredBy(driver.host), 64)
})

test('finding 13: memory that is given away counts with whoever gets it, by its bytes', async (t) => {
  const machine = machineOf({ policies: { server: { limits: { memory: 1 << 20 } } } })
  const other = await witness(machine)
  linked(machine)
  const server = await machine.load(layered('server', taker))
  const client = await machine.load(
    layered('client', [
      ...init(say('spawn', [0])),
      {
        name: 'fiber',
        params: 1,
        body: [
          ...say('mem.create', [4 << 20], SLOT),
          ...carrying(SLOT),
          ...say('ipc.find', [NAME, 3], FOUND),
          ...say('ipc.send', [word(FOUND), MESSAGE, -1, -1], RESULT),
        ],
      },
    ]),
  )
  await machine.sleep(1e6)
  t.is(at(client, RESULT), IPC.QUOTA)
  t.is(server.domain.capabilities.ofType('memory').length, 0)
  t.is(client.host.owned, 4 << 20, 'it has it still')
  t.is(await other.ask(), undefined)
})

test('finding 14: a client without room for a capability is no failure of the server', async (t) => {
  const machine = machineOf()
  linked(machine)
  const full = times(5000, 0, say('ipc.notification', []))
  const client = await machine.load(layered('client', init(full)))
  t.is(client.domain.capabilities.count, 4096)
  const server = await machine.load(layered('server', init(offer)))
  t.true(at(server, SLOT) >= 0)
  t.is(machine.board.exchange.offeredBy(server.host), 1)
  t.is(client.domain.capabilities.count, 4096)
})

test('finding 15: what a message moves out of a CNode needs the right to write to it, as cap.move does', async (t) => {
  const { CNode, RIGHT } = await import('../../../kernel/capability.ts')
  const machine = machineOf()
  linked(machine)
  const server = await machine.load(layered('server', taker))
  const client = await machine.load(
    layered('client', [
      ...init([]),
      turn([
        ...carrying(SLOT),
        ...say('ipc.find', [NAME, 3], FOUND),
        ...say('ipc.send', [word(FOUND), MESSAGE, -1, -1], RESULT),
        ...say('cap.move', [word(SLOT), 200], COUNT),
      ]),
    ]),
  )
  // A box that the client may look into, and no more, with something in it.
  const box = new CNode('box', 8)
  const inside = box.create({ type: 'memory', label: 'inside' })
  const root = new CNode('root', 8).create(box)
  const held = client.domain.capabilities.derive(root, box, { rights: RIGHT.READ })
  client.host.words[SLOT >> 2] = held.slot + (inside.slot + 1) * 0x10000
  await client.call(TURN)
  t.is(at(client, COUNT), IPC.NO_RIGHT)
  t.is(at(client, RESULT), IPC.NO_RIGHT)
  t.is(inside.space, box)
  t.is(server.domain.capabilities.at(100), undefined)
})
