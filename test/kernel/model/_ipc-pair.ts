/** The kernel's IPC and the model of it, given the same random operations. */
import fc from 'fast-check'
import { CNode } from '../../../kernel/capability.ts'
import { Endpoint, Ipc, Notification, Party, type Thread } from '../../../kernel/ipc.ts'
import { Partition, Scheduler } from '../../../kernel/schedule.ts'
import { BLOCKED, IpcModel, type Letter, type Wake } from './_ipc.ts'

const PARTIES = 6
const ENDPOINTS = 3
const NOTIFICATIONS = 2

const KINDS = [
  'call',
  'send',
  'receive',
  'reply',
  'replyReceive',
  'signal',
  'await',
  'cancel',
  'leave',
  'close',
] as const

export interface Operation {
  readonly do: (typeof KINDS)[number]
  readonly party: number
  readonly at: number
  readonly value: number
}

const often = (kind: Operation['do'], weight: number) => ({
  weight,
  arbitrary: fc.record({
    do: fc.constant(kind),
    party: fc.nat(PARTIES - 1),
    at: fc.nat(ENDPOINTS - 1),
    value: fc.nat(15),
  }),
})

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  often('call', 20),
  often('send', 8),
  often('receive', 16),
  often('reply', 10),
  often('replyReceive', 10),
  often('signal', 6),
  often('await', 6),
  often('cancel', 3),
  fc.oneof(often('leave', 1), often('close', 1)),
)

/** A thread that only notes what happens to it. */
export class Noted implements Thread {
  readonly name: string
  readonly base: number
  readonly partition: Partition
  effective: number
  queuedAt = -1
  queueNext = undefined
  queuePrevious = undefined
  readonly #note: (outcome: number) => void

  constructor(name: string, base: number, partition: Partition, note: (outcome: number) => void) {
    this.name = name
    this.base = base
    this.effective = base
    this.partition = partition
    this.#note = note
  }

  resume(outcome: number): void {
    this.#note(outcome)
  }

  handOver(outcome: number): void {
    this.#note(outcome)
  }
}

class Pair {
  readonly model: IpcModel
  readonly ipc: Ipc
  readonly parties: Party[]
  readonly endpoints = Array.from({ length: ENDPOINTS }, (_, i) => new Endpoint(`endpoint ${i}`))
  readonly notifications = Array.from({ length: NOTIFICATIONS }, (_, i) => new Notification(`notification ${i}`))
  wakes: Wake[] = []

  constructor(bases: readonly number[]) {
    const scheduler = new Scheduler()
    const partition = scheduler.add(new Partition('all', 1))
    this.ipc = new Ipc(scheduler)
    this.model = new IpcModel(bases, NOTIFICATIONS)
    this.parties = bases.map((base, party) => {
      const space = new CNode(`party ${party}`, 16)
      this.endpoints.forEach((endpoint, slot) => space.create(endpoint, { slot }))
      this.notifications.forEach((notification, i) => space.create(notification, { slot: ENDPOINTS + i }))
      const thread = new Noted(`party ${party}`, base, partition, (outcome) => this.wakes.push({ party, outcome }))
      return new Party(thread, space)
    })
  }

  run(op: Operation): void {
    this.wakes = []
    this.model.wakes = []
    if (op.do === 'close') this.#close(op)
    else if (op.do === 'cancel' || op.do === 'leave') this.#end(op)
    else if (this.model.free(op.party)) this.#act(op)
    this.#same(op)
  }

  #close({ at, value }: Operation): void {
    // Seldom, or nothing is left to try.
    if (value > 0) return
    this.model.close('e', at)
    this.ipc.close(this.endpoints[at]!)
  }

  #end(op: Operation): void {
    if (this.model.parties[op.party]!.gone || (op.do === 'leave' && op.value > 0)) return
    this.model[op.do === 'leave' ? 'leave' : 'cancel'](op.party)
    this.ipc[op.do === 'leave' ? 'leave' : 'cancel'](this.parties[op.party]!)
  }

  #act(op: Operation): void {
    const { ipc, model } = this
    const party = this.parties[op.party]!
    const letter: Letter = { label: op.value, words: [op.value, op.party, op.at, 7] }
    party.out.set(letter.label, ...letter.words)
    const notification = op.at % NOTIFICATIONS
    const results: Record<string, () => [number, number]> = {
      call: () => [model.send(op.party, op.at, letter, true), ipc.call(party, op.at)],
      send: () => [model.send(op.party, op.at, letter, false), ipc.send(party, op.at)],
      receive: () => [model.receive(op.party, op.at), ipc.receive(party, op.at)],
      reply: () => [model.reply(op.party, letter), ipc.reply(party)],
      replyReceive: () => [model.replyReceive(op.party, letter, op.at), ipc.replyReceive(party, op.at)],
      signal: () => [
        model.signal(notification, op.value),
        ipc.signal(party.capabilities, ENDPOINTS + notification, op.value),
      ],
      await: () => [model.await(op.party, notification), ipc.await(party, ENDPOINTS + notification)],
    }
    const [expected, found] = results[op.do]!()
    if (expected !== found) throw new Error(`${op.do}: the model says ${expected}, the kernel ${found}`)
  }

  #same(op: Operation): void {
    const sorted = (wakes: readonly Wake[]): string => JSON.stringify(wakes.toSorted((a, b) => a.party - b.party))
    if (sorted(this.wakes) !== sorted(this.model.wakes))
      throw new Error(`${op.do} woke ${sorted(this.wakes)}, the model ${sorted(this.model.wakes)}`)
    this.model.parties.forEach((expected, i) => {
      const party = this.parties[i]!
      if (expected.gone) return
      const waits = expected.waiting.for !== 'nothing'
      if (waits !== (party.wait !== 'nothing')) throw new Error(`party ${i} waits for ${party.wait}`)
      if (party.thread.effective !== this.model.effective(i))
        throw new Error(`party ${i} has priority ${party.thread.effective}, not ${this.model.effective(i)}`)
      if (waits || expected.received === undefined) return
      const words = expected.received.words
      if (party.in.label !== expected.received.label || words.some((word, at) => party.in.words[at] !== word))
        throw new Error(`party ${i} read another message`)
    })
  }
}

/** Hold the kernel to the model over `runs` sequences of `length` operations each. Throws with the shortest that differs. */
export function holdIpcToModel(runs: number, length: number, seed: number): void {
  const bases = fc.array(fc.nat(9), { minLength: PARTIES, maxLength: PARTIES })
  fc.assert(
    fc.property(bases, fc.array(operation, { minLength: length, maxLength: length }), (priorities, operations) => {
      const pair = new Pair(priorities)
      for (const op of operations) pair.run(op)
    }),
    { numRuns: runs, seed },
  )
}

export { BLOCKED }
