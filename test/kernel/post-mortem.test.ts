/** What is kept of a domain that failed. */
import test from 'ava'
import { RIGHT } from '../../kernel/capability.ts'
import { Failure } from '../../kernel/fault.ts'
import { Endpoint } from '../../kernel/ipc.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { type DomainRecord, examine } from '../../kernel/post-mortem.ts'
import { DEFAULT_QUOTAS } from '../../kernel/quota.ts'
import { hosted } from './hosted.ts'

async function failed(noise: { own: number; others: number }): Promise<{ record: DomainRecord; kernel: Kernel }> {
  const kernel = new Kernel(1)
  const { domain, start } = hosted(kernel, 'one', { limits: { files: 1 } })
  const kind = kernel.log.kind('noise')
  let record: DomainRecord | undefined
  domain.onFail = (_, fault) => (record = examine(domain, fault))
  const door = domain.capabilities.create(new Endpoint('door'), { slot: 3 })
  domain.capabilities.derive(door, door.object, { slot: 5, rights: RIGHT.READ, badge: 7 })
  domain.ledger.allows('files', 1, 1)
  const second = domain.create(
    'second',
    async () => {
      kernel.ipc.receive(domain.party('receive'), 3)
      await domain.switchTo(2)
    },
    [],
    { base: 0, top: 4096 },
  )
  start(async () => {
    await domain.switchTo(second)
    for (let i = 0; i < noise.own; i++) kernel.log.note(kind, domain.id, i)
    for (let i = 0; i < noise.others; i++) kernel.log.note(kind, 99, i)
    throw new Failure('bug', 'it was I')
  }, 20)
  await kernel.run(() => domain.dead)
  return { record: record!, kernel }
}

test('a post-mortem tells what a domain was and held when it failed', async (t) => {
  const { record, kernel } = await failed({ own: 0, others: 0 })
  const { fault, fibers, capabilities, quotas, refused, event, eventHash, ...rest } = record
  t.deepEqual([rest.id, rest.name, rest.waiting, fault.kind, fault.message], [1, 'one', [], 'bug', 'it was I'])
  t.deepEqual(fibers, [{ id: 1, name: 'second', state: 'parked', wait: 'receive', priority: 16 }])
  t.deepEqual(capabilities, [
    { slot: 3, type: 'endpoint', label: 'door', rights: RIGHT.ALL, badge: 0 },
    { slot: 5, type: 'endpoint', label: 'door', rights: RIGHT.READ, badge: 7 },
  ])
  t.deepEqual([rest.held.capabilities, rest.held.waits, rest.held.endpoints], [2, 1, 1])
  t.deepEqual([quotas, refused.files, refused.dma], [{ ...DEFAULT_QUOTAS, files: 1 }, 1, 0])
  t.true(event > 0 && event < kernel.log.count, 'the end is not part of it')
  t.is(eventHash.length, 16)
  t.is(rest.events.at(-1)!.text, 'bug: it was I')
})

test('of one that hung it says where its tasks waited, and of those in no conversation no more than their state', async (t) => {
  const kernel = new Kernel(1)
  const { domain, start } = hosted(kernel, 'one')
  let record: DomainRecord | undefined
  domain.onFail = (_, fault) => (record = examine(domain, fault))
  const first = start(async () => {
    t.is(domain.party('looking').wait, 'nothing')
    for (;;) await domain.yield()
  })
  t.is(await kernel.run(() => first.done, 1e4), 'limit')
  await kernel.interrogate(domain, new Failure('hang', 'serves nobody'), 1e6)
  domain.start('other', async () => 0)
  domain.fail(new Failure('hang', 'x'))
  t.deepEqual(record!.waiting, [{ fiber: 'one', frames: [] }])
  t.deepEqual(record!.fibers, [{ id: 2, name: 'other', state: 'ready', priority: 16 }])
})

test('of the events it keeps the last of the machine’s, and the last of the domain’s among the latest of all', async (t) => {
  const last = async (own: number, others: number): Promise<unknown[]> => {
    const { events, around } = (await failed({ own, others })).record
    const noise = events.filter(({ kind }) => kind === 'noise')
    return [events.length, noise.at(0)?.a, noise.length, around.length, around.at(-1)!.kind, around.at(-2)!.a]
  }
  t.deepEqual(await last(100, 0), [64, 37, 63, 32, 'fault', 99])
  // The fault’s own event is the latest.
  t.deepEqual(await last(2, 1021), [3, 0, 2, 32, 'fault', 1020])
  t.deepEqual(await last(2, 1022), [2, 1, 1, 32, 'fault', 1021])
})
