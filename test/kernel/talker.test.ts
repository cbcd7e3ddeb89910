/** Conversations of a program that switches between its tasks itself. */
import test from 'ava'
import { CNode } from '../../kernel/capability.ts'
import { BLOCK, Endpoint, Ipc, Party } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import { Partition, Scheduler } from '../../kernel/schedule.ts'
import { Talker } from '../../kernel/talker.ts'

function scene() {
  const ipc = new Ipc(new Scheduler())
  const partition = new Partition('all', 0)
  const heard: unknown[] = []
  const talker = (id: number, base: number): Talker => {
    const domain = {
      told: (fiber: number, outcome: number) => void heard.push([fiber, outcome]),
      lent: () => void heard.push(`lent ${id}`),
    }
    const deadline = { disarm: () => void heard.push(`no deadline ${id}`) }
    return new Talker({ id, name: `task ${id}`, base, partition, deadline, domain })
  }
  const party = (id: number, base: number): Party & { thread: Talker } =>
    new Party(talker(id, base), new CNode(`party ${id}`, 8)) as Party & { thread: Talker }
  const endpoint = new Endpoint('door')
  const [client, server] = [party(1, 20), party(2, 10)]
  const own = server.capabilities.create(endpoint, { slot: 1 })
  client.capabilities.derive(own, endpoint, { slot: 1 })
  return { ipc, heard, client, server }
}

test('a task is named, placed and as urgent as its fiber, and is told nothing before it waits', (t) => {
  const { heard, client } = scene()
  const { name, base, effective, partition, queuedAt } = client.thread
  t.deepEqual([name, base, effective, partition.name, queuedAt < 0], ['task 1', 20, 20, 'all', true])
  client.thread.resume(5)
  t.deepEqual(heard, [])
})

test('who must wait is told later, once, and its deadline is no more', (t) => {
  const { ipc, heard, client, server } = scene()
  t.is(ipc.receive(server, 1), BLOCK)
  server.thread.waits = true
  client.out.label = 7
  t.is(ipc.call(client, 1), BLOCK)
  client.thread.waits = true
  t.deepEqual(heard, ['lent 2', 'no deadline 2', [2, 7]], 'the message, and the urgency of who sent it')
  server.out.label = 8
  t.is(ipc.reply(server), IPC.OK)
  t.deepEqual(heard.slice(3), ['lent 2', 'no deadline 1', [1, 8]])
  client.thread.resume(9)
  t.is(heard.length, 6, 'nobody waits any more')
})

test('what is lent is as much as the most urgent of those who wait', (t) => {
  const { ipc, client, server } = scene()
  ipc.call(client, 1)
  client.thread.waits = true
  t.is(server.thread.effective, 10, 'it has not received here yet')
  ipc.receive(server, 1)
  t.is(server.thread.effective, 20)
  ipc.cancel(client)
  t.is(server.thread.effective, 10)
})
