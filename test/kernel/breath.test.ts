/** Finding 20: the loop breathes on hosts that have no setImmediate, as browsers have not. */
import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import { breath } from '../../kernel/breath.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { load, op } from './support.ts'

test('finding 20: a breath lets the host turn its own loop, with setImmediate or with messages', async (t) => {
  for (const host of [globalThis, { MessageChannel: MessageChannel as unknown as typeof globalThis.MessageChannel }]) {
    const turns: number[] = []
    setImmediate(() => turns.push(1))
    for (let i = 0; i < 100; i++) await breath(host)
    t.deepEqual(turns, [1])
  }
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
