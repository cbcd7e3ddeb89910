/** Notifications, case by case; at random: ipc-model.test.ts. */
import test from 'ava'
import { CNode, RIGHT } from '../../kernel/capability.ts'
import { BLOCK, Ipc, Notification, Party } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { Partition, Scheduler } from '../../kernel/schedule.ts'
import { Noted } from './model/_ipc-pair.ts'

function scene() {
  const ipc = new Ipc(new Scheduler())
  const bell = new Notification('bell')
  const told: unknown[] = []
  const party = (name: string, rights: number = RIGHT.ALL, badge = 0): Party => {
    const made = new Party(
      new Noted(name, 1, new Partition('all', 1), (outcome) => told.push([name, outcome, made.in.label])),
      new CNode(name, 4),
    )
    made.capabilities.derive(root, bell, { slot: 0, rights, badge })
    return made
  }
  const root = new CNode('owner', 4).create(bell)
  return { ipc, bell, told, party }
}

test('bits are gathered until somebody takes them; who polls takes 31, and waits for none', (t) => {
  const { ipc, party } = scene()
  const one = party('one')
  const poll = (): number => ipc.poll(one.capabilities, 0)
  t.is(poll(), 0)
  for (const bits of [4, 1, 4, -0x8000_0000]) t.is(ipc.signal(one.capabilities, 0, bits), IPC.OK)
  t.is(poll(), 5)
  t.is(poll(), 0)
  one.in.count = one.in.capCount = 2
  t.is(ipc.await(one, 0), IPC.OK)
  t.deepEqual(
    [one.in.label, one.in.count, one.in.capCount, one.wait],
    [-0x8000_0000, 0, 0, 'nothing'],
    'the last one is left',
  )
  t.is(ipc.await(one, 0), BLOCK)
})

test('a badge is what its holder sets, whatever it says', (t) => {
  const { ipc, bell, party } = scene()
  t.is(ipc.signal(party('one', RIGHT.WRITE, 8).capabilities, 0, 3), IPC.OK)
  t.is(bell.bits, 8)
})

test('those who wait are told one at a time, in order, with all bits that are set', (t) => {
  const { ipc, bell, told, party } = scene()
  const [one, two, three] = ['one', 'two', 'three'].map((name) => party(name)) as [Party, Party, Party]
  for (const each of [one, two, three]) t.is(ipc.pause(each, bell), BLOCK)
  t.deepEqual([one.wait, bell.waiters], ['signal', [one, two, three]])
  t.is(ipc.raise(bell, 0), IPC.OK)
  t.deepEqual(told, [], 'no bit is set')
  ipc.raise(bell, 6)
  t.deepEqual([told, bell.bits, one.wait, bell.waiters], [[['one', IPC.OK, 6]], 0, 'nothing', [two, three]])
  ipc.cancel(two)
  ipc.raise(bell, 1)
  t.deepEqual(told.slice(1), [['three', IPC.OK, 1]], 'who was told to stop waiting hears nothing')
  ipc.raise(bell, 2)
  t.deepEqual([told.length, bell.bits], [2, 2])
})

test('one that has ended says so to everybody who waits, asks or sets', (t) => {
  const { ipc, bell, told, party } = scene()
  const [one, two] = [party('one'), party('two')]
  ipc.await(one, 0)
  ipc.close(bell)
  t.deepEqual([told, one.wait, bell.waiters], [[['one', IPC.ENDED, 0]], 'nothing', []])
  t.deepEqual(
    [ipc.await(two, 0), ipc.pause(two, bell), ipc.poll(two.capabilities, 0), ipc.signal(two.capabilities, 0, 1)],
    [IPC.ENDED, IPC.ENDED, IPC.ENDED, IPC.ENDED],
  )
  t.is(ipc.raise(bell, 1), IPC.ENDED)
  t.deepEqual([bell.bits, two.wait], [0, 'nothing'])
})

test('to set takes the right to write, to take that to read', (t) => {
  const { ipc, party } = scene()
  const [writer, reader] = [party('writer', RIGHT.WRITE), party('reader', RIGHT.READ)]
  t.deepEqual([ipc.poll(writer.capabilities, 0), ipc.await(writer, 0)], [IPC.NO_RIGHT, IPC.NO_RIGHT])
  t.is(ipc.signal(reader.capabilities, 0, 1), IPC.NO_RIGHT)
  t.is(ipc.poll(reader.capabilities, 3), IPC.EMPTY)
})
