/** Finding 20: the loop breathes on hosts that have no setImmediate, as browsers have not. */
import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import { breath } from '../../kernel/breath.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { hosted } from './hosted.ts'
import { load, op } from './support.ts'

test('finding 20: a breath lets the host turn its own loop, with setImmediate or with messages', async (t) => {
  for (const host of [globalThis, { MessageChannel: MessageChannel as unknown as typeof globalThis.MessageChannel }]) {
    const turns: number[] = []
    setImmediate(() => turns.push(1))
    for (let i = 0; i < 100; i++) await breath(host)
    t.deepEqual(turns, [1])
  }
})

test('a host with nothing but immediates has its turn by one', async (t) => {
  let asked = 0
  await breath({ setImmediate: (done) => void (asked++, setImmediate(done)) })
  t.is(asked, 1)
})

test.serial('finding 20: a run of more turns than one breath takes ends on a host without setImmediate', async (t) => {
  const kernel = new Kernel(1)
  const turns = [op.value(70_000), op.setLocal(0), op.loop, op.call('yield')]
  const counted = [op.local(0), op.value(1), op.sub, [0x22, 0], op.againIf, op.end]
  const program = load(kernel, 'busy', [{ name: 'f', locals: 1, body: [...turns, ...counted] }])
  const fiber = program.start('f')
  const other = load(kernel, 'other', [{ name: 'f', locals: 1, body: [...turns, ...counted] }]).start('f')
  const { setImmediate } = globalThis
  Reflect.deleteProperty(globalThis, 'setImmediate')
  try {
    await kernel.run(() => fiber.done && other.done)
  } finally {
    globalThis.setImmediate = setImmediate
  }
  t.true(fiber.done && other.done)
})

test('a breath leaves nothing open behind it', async (t) => {
  const said: string[] = []
  class Channel {
    readonly port1 = {
      addEventListener: (_: string, told: () => void) => void (this.#told = told),
      start: () => void said.push('start'),
      close: () => void said.push('close'),
    }
    readonly port2 = { postMessage: () => queueMicrotask(() => this.#told()) }
    #told = (): void => {}
  }
  await breath({ MessageChannel: Channel as unknown as typeof globalThis.MessageChannel })
  t.deepEqual(said, ['start', 'close'])
})

/** How often the host’s own loop comes round while a machine makes so many turns. */
async function rounds(kernel: Kernel, turns: number): Promise<number> {
  kernel.vitals = new Float64Array(6)
  let [count, runs] = [0, true]
  const round = (): void => {
    count++
    if (runs) setImmediate(round)
  }
  setImmediate(round)
  await kernel.run(() => kernel.vitals![0]! >= turns)
  runs = false
  return count
}

test('the host’s own loop comes round every 65,536 turns, whoever makes them', async (t) => {
  const TURNS = 65_536
  const idle = (kernel: Kernel): void => {
    const event = kernel.clock.event('tick', () => event.armIn(100))
    event.armIn(100)
  }
  const ways: Record<string, (kernel: Kernel) => void> = {
    'nobody runs': idle,
    'one waits': (kernel) => {
      idle(kernel)
      const { domain, start } = hosted(kernel, 'waits')
      start(async () => void (await domain.idle()))
    },
    'one waits again and again': (kernel) => {
      const { domain, start } = hosted(kernel, 'ticks')
      start(async () => {
        for (;;) {
          domain.setTimer(kernel.clock.now() + 5000)
          await domain.idle()
          domain.take(1)
        }
      })
    },
    'two take turns': (kernel) => {
      for (const name of ['a', 'b']) {
        const { domain, start } = hosted(kernel, name)
        start(async () => {
          for (;;) await domain.yield()
        })
      }
    },
    'one gives way': (kernel) => {
      const { domain, start } = hosted(kernel, 'gives way')
      start(async () => {
        for (;;) {
          kernel.post(() => {})
          await domain.resched()
        }
      })
    },
  }
  for (const [who, set] of Object.entries(ways)) {
    const kernel = new Kernel(1)
    set(kernel)
    t.is(await rounds(kernel, TURNS - 10), 0, who)
    t.is(await rounds(kernel, TURNS + 10), 1, who)
    t.is(await rounds(kernel, 2 * TURNS + 10), 1, who)
  }
})
