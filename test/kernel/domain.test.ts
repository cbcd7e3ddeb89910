/** A domain, alone: on a processor that runs nobody. */
import test from 'ava'
import { Domain, NOTHING } from '../../kernel/domain.ts'
import { Failure } from '../../kernel/fault.ts'
import { Ipc, Notification } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import type { Program } from '../../kernel/program.ts'
import { Scheduler } from '../../kernel/schedule.ts'
import { emptyProgram, IdleProcessor, IRQS_OFF, limits } from './processor.ts'

function scene(more: Partial<Program> = {}, some: Parameters<typeof limits>[0] = {}) {
  const processor = new IdleProcessor({ atomicEntryNs: 10 })
  const program = emptyProgram(more)
  const domain = new Domain(processor, 1, 'one', program, processor.partition, limits(some))
  return { processor, program, domain }
}

test('an atomic entry takes its time, is billed to its partition and leaves nothing on the stack', (t) => {
  const { processor, domain } = scene()
  let within: unknown
  const result = domain.enter((a) => {
    within = [domain.depth, processor.inner === domain, processor.billed === processor.partition]
    return a! + 1
  }, 41)
  t.is(result, 42)
  t.deepEqual(within, [1, true, true])
  t.deepEqual([domain.depth, processor.inner, processor.billed, processor.clock.now()], [0, undefined, undefined, 10])
})

test('whatever an entry throws ends the domain, and nobody else hears of it', (t) => {
  const { processor, domain } = scene()
  const told: string[] = []
  domain.onFail = (_, fault) => void told.push(fault.kind)
  domain.onEnd = () => void told.push('end')
  t.is(
    domain.enter(() => {
      throw new Failure('bug', 'it was I')
    }),
    0,
  )
  t.true(domain.dead)
  t.deepEqual([domain.fault?.kind, domain.fault?.message, told], ['bug', 'it was I', ['bug', 'end']])
  t.is(
    domain.enter(() => 1),
    0,
    'nothing of it runs any more',
  )
  t.deepEqual(domain.remains(), NOTHING)
  t.deepEqual(processor.accidents, [])
})

test('a listener that throws is an accident: the domain ends all the same', (t) => {
  const { processor, domain } = scene()
  domain.onFail = () => {
    throw new Error('the listener')
  }
  domain.fail(new Failure('bug', 'x'))
  t.true(domain.dead)
  t.deepEqual(processor.accidents, ['told of a failure: the listener'])
})

test('blocking is for fibers: in an atomic entry it is a failure', (t) => {
  const { domain } = scene()
  domain.enter(() => void domain.idle())
  t.is(domain.fault?.kind, 'sleep-in-atomic')
})

test('a program is told later which of its tasks need not wait any more, and that one says nothing meanwhile', async (t) => {
  const { processor, domain } = scene()
  const bell = new Notification('bell')
  const ipc = new Ipc(new Scheduler())
  const answers: unknown[] = []
  domain.onAnswer = () => void answers.push('told')
  const fiber = domain.start('worker', async () => {
    answers.push(domain.converse(ipc.pause(domain.party('wait'), bell), 500))
    t.throws(() => domain.party('wait'), { message: 'wait by a fiber that waits in a conversation' })
    return 0
  })!
  domain.resume(fiber)
  t.deepEqual(answers, [IPC.LATER])
  t.is(domain.answer(), undefined)
  ipc.raise(bell, 4)
  t.deepEqual(answers, [IPC.LATER, 'told'])
  t.deepEqual([domain.answer(), domain.answer()], [{ id: fiber.id, outcome: IPC.OK }, undefined])
  t.false(fiber.deadline.armed)
  t.is(fiber.party.in.label, 4)
  t.deepEqual(
    processor.asked.filter((what) => what.startsWith('ready')),
    ['ready worker'],
    'only as it began',
  )
})

test('a fiber starts on the stack of its own, within the quota, and ends when it returns', async (t) => {
  const { processor, program, domain } = scene({}, { fibers: 1 })
  const pointers: number[] = []
  const fiber = domain.start('worker', () => {
    pointers.push(program.stackPointer.value as number)
    return Promise.resolve(5)
  })!
  t.is(
    domain.start('another', () => Promise.resolve(0)),
    undefined,
  )
  t.deepEqual(processor.asked, ['ready worker'])
  domain.resume(fiber)
  t.is(domain.current, fiber)
  await new Promise((resolve) => void setImmediate(resolve))
  t.deepEqual([fiber.result, domain.fibers.size, pointers], [5, 0, [65536]])
  t.is(processor.asked.at(-1), 'switched')
})

test('a fiber that must go goes only where its program may be stopped', (t) => {
  const { processor, program, domain } = scene()
  const fiber = domain.start('worker', () => new Promise(() => {}))!
  processor.current = fiber
  domain.resume(fiber)
  processor.gives.contended = true
  program.words[IRQS_OFF >> 2] = 1
  domain.preempt()
  t.true((program.fuel!.value as number) > 0, 'interrupts are off: it is asked again soon')
  program.words[IRQS_OFF >> 2] = 0
  domain.preempt()
  t.is(program.fuel!.value, -1, 'the program calls resched for that')
})

test('asked where they wait, tasks of a domain that hangs go on and are condemned, but for the one that idles', async (t) => {
  const { processor, domain } = scene()
  const traces: unknown[] = []
  const stack = { base: 0, top: 4096 }
  const second = domain.create('second', () => new Promise(() => {}), [], stack)
  const never = domain.create('never', () => new Promise(() => {}), [], stack)
  const first = domain.start('first', async () => {
    traces.push(await domain.switchTo(second))
    return 0
  })!
  domain.resume(first)
  await new Promise((resolve) => void setImmediate(resolve))
  void domain.idle()
  processor.asked.length = 0
  t.deepEqual(domain.question(new Failure('hang', 'does not serve')), [first])
  t.deepEqual([first.state, first.condemned, processor.asked], ['ready', 'does not serve', ['ready first']])
  t.deepEqual(
    [second, never].map((id) => domain.fibers.get(id)!.condemned),
    [undefined, undefined],
    'one idles, one has no frames',
  )
  domain.resume(first)
  await new Promise((resolve) => void setImmediate(resolve))
  t.deepEqual(traces, [1])
})
