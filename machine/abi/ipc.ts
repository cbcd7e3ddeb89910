/**
 * Host side of the `ipc` call group: conversations between domains.
 *
 * Messages are read from and written to the program's memory, word by word, with nothing in between; what blocks returns
 * what the kernel's fiber waits on. Refusals are numbers: being refused is no failure of the program.
 */
import { type IpcCalls, message as layout } from '../../linux-api/generated/abi.ts'
import { RIGHT } from '../../kernel/capability.ts'
import { Contract } from '../../kernel/contract.ts'
import { lookup } from '../../kernel/cspace.ts'
import { Endpoint, type Ipc, Notification, type Party } from '../../kernel/ipc.ts'
import { CAPS, IPC, type Message, WORDS } from '../../kernel/message.ts'
import { parseContract } from './contract-text.ts'
import type { AbiGroup, Exported } from './group.ts'
import type { Host } from './host.ts'
import { deadline, MESSAGE_NS, refusable } from './words.ts'

const word = (field: { readonly offset: number }): number => field.offset >> 2
const AT = {
  label: word(layout.label),
  badge: word(layout.badge),
  count: word(layout.count),
  capCount: word(layout.cap_count),
  moved: word(layout.moved),
  words: word(layout.words),
  caps: word(layout.caps),
} as const
const SIGNAL_NS = 50

/** Index of the message's first word. A failure of the program when it does not lie in its memory. */
function messageAt(host: Host, call: string, address: number): number {
  if ((address & 3) !== 0) host.bytes(call, 0xffffffff, layout.size)
  const at = address >>> 2
  if (at + (layout.size >> 2) > host.words.length) host.bytes(call, address, layout.size)
  return at
}

/** Take the message to be sent. False when its counts are out of range. */
function take(words: Int32Array, at: number, out: Message): boolean {
  const count = words[at + AT.count]! >>> 0
  const capCount = words[at + AT.capCount]! >>> 0
  if (count > WORDS || capCount > CAPS) return false
  out.label = words[at + AT.label]! & 0x7fff_ffff
  out.count = count
  out.capCount = capCount
  out.moved = words[at + AT.moved]!
  for (let i = 0; i < count; i++) out.words[i] = words[at + AT.words + i]!
  for (let i = 0; i < capCount; i++) out.caps[i] = words[at + AT.caps + i]!
  return true
}

function put(words: Int32Array, at: number, from: Message): void {
  words[at + AT.label] = from.label
  words[at + AT.badge] = from.badge
  words[at + AT.count] = from.count
  words[at + AT.capCount] = from.capCount
  words[at + AT.moved] = from.moved
  for (let i = 0; i < from.count; i++) words[at + AT.words + i] = from.words[i]!
  for (let i = 0; i < from.capCount; i++) words[at + AT.caps + i] = from.caps[i]!
}

function ipcCalls(host: Host, exported: Exported): IpcCalls {
  const ipc = (): Ipc => host.board.kernel.ipc
  const arrived = (party: Party): void => put(host.words, party.buffer, party.in)
  /** The fiber's side of the conversation, its message taken from memory when it says something. */
  const speak = (
    call: string,
    address: number,
    says: boolean,
    low: number,
    high: number,
    work: (party: Party) => number,
  ): number | Promise<number> => {
    const at = messageAt(host, call, address)
    const party = host.domain.party(`ipc.${call}`)
    host.domain.spend(MESSAGE_NS)
    party.arrived = arrived
    party.buffer = at
    if (says && !take(host.words, at, party.out)) return IPC.RANGE
    return host.domain.converse(work(party), host.machineNs(deadline(low, high)))
  }
  return {
    find: (name, length) => {
      const capability = host.named.get(host.text('ipc.find', name, length))
      return capability?.alive === true && capability.space === host.domain.capabilities ? capability.slot : IPC.EMPTY
    },
    offer: (name, length, rules, rulesLength) => {
      const service = host.text('ipc.offer', name, length)
      const text = host.text('ipc.offer', rules, rulesLength)
      const contract = text === '' ? undefined : contractOf(host, service, text)
      if (contract === null) return IPC.PROTOCOL
      return refusable(() => {
        const endpoint = new Endpoint(service, contract)
        const ended = (): void => {
          ipc().close(endpoint)
          host.board.exchange.ended(made)
        }
        const made = host.domain.capabilities.create(endpoint, { ended })
        host.board.exchange.offered(host, service, made)
        return made.slot
      })
    },
    notification: () => {
      return refusable(() => {
        const made = new Notification(`notification of ${host.name}`)
        return host.domain.capabilities.create(made, { ended: () => ipc().close(made) }).slot
      })
    },
    close: (pointer) => {
      return refusable(() => {
        const capability = lookup(host.domain.capabilities, pointer >>> 0)
        const { object } = capability
        if (!(object instanceof Endpoint || object instanceof Notification)) return IPC.EMPTY
        if ((capability.rights & RIGHT.READ) === 0) return IPC.NO_RIGHT
        ipc().close(object)
        host.board.revoke(capability)
        return IPC.OK
      })
    },
    call: (pointer, at, low, high) => speak('call', at, true, low, high, (party) => ipc().call(party, pointer >>> 0)),
    send: (pointer, at, low, high) => speak('send', at, true, low, high, (party) => ipc().send(party, pointer >>> 0)),
    receive: (pointer, at, low, high) =>
      speak('receive', at, false, low, high, (party) => ipc().receive(party, pointer >>> 0)),
    reply: (address) => {
      const at = messageAt(host, 'ipc.reply', address)
      const party = host.domain.party('ipc.reply')
      host.domain.spend(MESSAGE_NS)
      return take(host.words, at, party.out) ? ipc().reply(party) : IPC.RANGE
    },
    reply_receive: (pointer, at, low, high) =>
      speak('reply_receive', at, true, low, high, (party) => ipc().replyReceive(party, pointer >>> 0)),
    watch: (pointer) => {
      return refusable(() => {
        const { object, rights } = lookup(host.domain.capabilities, pointer >>> 0)
        if (!(object instanceof Endpoint)) return IPC.EMPTY
        if ((rights & RIGHT.READ) === 0) return IPC.NO_RIGHT
        object.watched = true
        return IPC.OK
      })
    },
    window: (first, count) => {
      const party = host.domain.party('ipc.window')
      if (count >>> 0 > CAPS || (first >>> 0) + (count >>> 0) > host.domain.capabilities.size) return IPC.RANGE
      party.window = first >>> 0
      party.windowSize = count >>> 0
      return IPC.OK
    },
    serve: (pointer, cookie) => {
      const entry = exported.atomic('serve')
      return refusable(() => {
        const { object, rights } = lookup(host.domain.capabilities, pointer >>> 0)
        if (!(object instanceof Endpoint)) return IPC.EMPTY
        if ((rights & RIGHT.READ) === 0) return IPC.NO_RIGHT
        const { domain, words } = host
        const irqsOff = exported.address('drvport_irqs_off')
        object.passive = (badge, label, a, b, c) => {
          // What holds interrupts off, on the stack below, expects nobody to come in, unless it waits for just that.
          if (words[irqsOff >> 2] !== 0 && !domain.idles) return IPC.DEADLOCK
          const answer = domain.enter(entry, cookie, badge, label, a, b, c)
          // It has made a task ready, for whose sake nobody runs yet.
          if (answer < 0) domain.rouse()
          return answer & 0x7fff_ffff
        }
        return IPC.OK
      })
    },
    invoke: (pointer, label, a, b, c) => {
      const answer = ipc().invoke(host.domain.capabilities, pointer >>> 0, label & 0x7fff_ffff, a, b, c)
      // While the server ran, this domain may have ended, or something may have become due.
      host.domain.spend(0)
      return answer
    },
    signal: (pointer, bits) => {
      const result = ipc().signal(host.domain.capabilities, pointer >>> 0, bits)
      host.domain.spend(SIGNAL_NS)
      return result
    },
    wait: (pointer, at, low, high) => speak('wait', at, false, low, high, (party) => ipc().await(party, pointer >>> 0)),
    poll: (pointer) => {
      host.domain.spend(SIGNAL_NS)
      return ipc().poll(host.domain.capabilities, pointer >>> 0)
    },
    next: (out) => {
      host.within('ipc.next', out >>> 0, 4)
      const told = host.domain.answer()
      if (told === undefined) return 0
      new DataView(host.bank.bytes.buffer).setInt32(out >>> 0, told.outcome, true)
      return told.id
    },
  }
}

/** Null for rules that make no sense, which the machine notes. */
function contractOf(host: Host, service: string, text: string): Contract | null {
  try {
    return new Contract(parseContract(service, text))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    host.board.note(host.domain, `ipc.offer of ${service}: ${error.message}`)
    return null
  }
}

export const ipc = { name: 'ipc', authority: 'ipc', trace: 'ipc', calls: ipcCalls } satisfies AbiGroup<'ipc'>
