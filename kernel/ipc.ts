/**
 * Communication between domains: endpoints with call, send, receive and reply; notifications.
 *
 * A message is a label and a few words, copied from one party's registers to the other's, and up to three capabilities,
 * which go into slots that the receiver opened for them, all or none. A caller gives its priority to whoever it waits
 * for, along the whole chain. Nobody waits for what cannot come: the end of a server, an endpoint or a deadline ends every
 * wait for it. Threads are known only as `Thread`; nothing here allocates while a message goes.
 */

import { type Capability, type CapabilityObject, type CNode, RIGHT } from './capability.ts'
import type { Contract } from './contract.ts'
import { held } from './cspace.ts'
import { GONE, IPC, Message } from './message.ts'
import type { Runnable, Scheduler } from './schedule.ts'
import { EXCLUSIVE, moveCapabilities } from './transfer.ts'

/** The thread must wait: what the call comes to it is told when it need not any more. */
export const BLOCK = -0x8000_0000

/** What IPC needs of a thread. */
export interface Thread extends Runnable {
  readonly name: string
  readonly base: number
  /** It waits no more: what it waits for came to `outcome`. */
  resume(outcome: number): void
}

type Wait = 'nothing' | 'send' | 'call' | 'reply' | 'receive' | 'signal'

/** A thread as IPC sees it. */
export class Party {
  readonly thread: Thread
  readonly capabilities: CNode
  readonly out = new Message()
  readonly in = new Message()
  /** First of the slots open for capabilities that arrive, and how many. */
  window = 0
  windowSize = 0
  wait: Wait = 'nothing'
  endpoint: Endpoint | undefined
  notification: Notification | undefined
  /** Who owes it a reply. */
  server: Party | undefined
  /** Badge of the capability it sends through, and that capability. */
  badge = 0
  through: Capability | undefined
  /** Whom it owes replies, the latest last. */
  readonly callers: Party[] = []
  /** Endpoints it has received from. */
  readonly serves: Endpoint[] = []
  /** For searches through who waits for whom. */
  mark = 0
  /** Told when a message or bits came into `in`, also while it waits: whoever runs the thread copies them on. */
  arrived: ((party: Party) => void) | undefined
  /** For `arrived`: where in the thread's own memory. */
  buffer = 0

  constructor(thread: Thread, capabilities: CNode) {
    this.thread = thread
    this.capabilities = capabilities
  }
}

/** A server without a thread: entered by its callers, with the registers of their message. Answers, or an error of IPC. */
export type Passive = (badge: number, label: number, a: number, b: number, c: number) => number

export class Endpoint implements CapabilityObject {
  readonly type = 'endpoint'
  readonly label: string
  readonly contract: Contract | undefined
  /** Who wants to hear, in place of a message, that the last capability of a client has ended. */
  watched = false
  /** Badges of clients that have gone, and nobody was told yet. */
  readonly gone: number[] = []
  /** Badge -> capabilities of clients: those that can send and not receive. */
  readonly #clients = new Map<number, number>()
  /** Set once somebody waits here. */
  ipc: Ipc | undefined
  /** Waiting to be received from, in order of arrival. */
  readonly senders: Party[] = []
  readonly receivers: Party[] = []
  /** Everybody who has received here: they inherit from those who wait. */
  readonly servers: Party[] = []
  /** Answers on the thread of whoever asks, without anybody waiting. */
  passive: Passive | undefined
  /** The passive server is at work. */
  entered = false
  closed = false

  constructor(label: string, contract?: Contract) {
    this.label = label
    this.contract = contract
  }

  gained(capability: Capability): void {
    if (isClients(capability)) this.#clients.set(capability.badge, (this.#clients.get(capability.badge) ?? 0) + 1)
  }

  /** What was sent through it and not received is taken back; with a client's last one, its session ends. */
  lost(capability: Capability): void {
    this.ipc?.withdraw(this, capability)
    if (!isClients(capability)) return
    const { badge } = capability
    const left = this.#clients.get(badge)! - 1
    if (left > 0) return void this.#clients.set(badge, left)
    this.#clients.delete(badge)
    this.contract?.restart(badge)
    if (!this.watched || this.closed) return
    this.gone.push(badge)
    this.ipc?.tellGone(this)
  }
}

const isClients = ({ rights }: Capability): boolean => (rights & (RIGHT.READ | RIGHT.WRITE)) === RIGHT.WRITE

/** Bits that are set from anywhere and waited for by one at a time. */
export class Notification implements CapabilityObject {
  readonly type = 'notification'
  readonly label: string
  bits = 0
  readonly waiters: Party[] = []
  closed = false

  constructor(label: string) {
    this.label = label
  }
}

function drop<T>(list: T[], item: T): void {
  const at = list.indexOf(item)
  if (at < 0) return
  for (let i = at; i < list.length - 1; i++) list[i] = list[i + 1]!
  list.pop()
}

export class Ipc {
  readonly #scheduler: Scheduler
  #mark = 0
  /** Why the last capability was refused: find() has no other way to say it without allocating. */
  refused = 0
  /** Told of every refusal by contract: `contract: message in state`. */
  onRefusal: ((party: Party, text: string) => void) | undefined

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  // ---- endpoints ----

  /** Send `party.out` and wait for the reply in `party.in`. Returns the reply's label, an error, or BLOCK. */
  call(party: Party, pointer: number): number {
    return this.#send(party, pointer, 'call')
  }

  /** Send `party.out`; done when it is received. Returns OK, an error, or BLOCK. */
  send(party: Party, pointer: number): number {
    return this.#send(party, pointer, 'send')
  }

  #send(party: Party, pointer: number, wait: 'call' | 'send'): number {
    const capability = this.find(party.capabilities, pointer, 'endpoint', RIGHT.WRITE)
    if (capability === undefined) return this.refused
    if (party.out.capCount > 0 && (capability.rights & RIGHT.GRANT) === 0) return IPC.NO_RIGHT
    const endpoint = capability.object as Endpoint
    if (endpoint.closed) return IPC.ENDED
    if (!this.#allowed(party, endpoint, capability.badge)) return IPC.PROTOCOL
    party.badge = capability.badge
    party.through = capability
    const receiver = endpoint.receivers[0]
    if (receiver === undefined) return this.#queue(party, endpoint, wait)
    const refused = this.#transfer(party, receiver, capability.badge)
    if (refused < 0) return refused
    this.#advance(party, endpoint)
    drop(endpoint.receivers, receiver)
    this.#settled(receiver)
    if (wait === 'call') this.#expect(party, receiver)
    receiver.thread.resume(receiver.in.label)
    return wait === 'call' ? BLOCK : IPC.OK
  }

  #queue(party: Party, endpoint: Endpoint, wait: 'call' | 'send'): number {
    if (this.#circular(party, endpoint)) return IPC.DEADLOCK
    party.wait = wait
    party.endpoint = endpoint
    endpoint.ipc = this
    endpoint.senders.push(party)
    for (let i = 0; i < endpoint.servers.length; i++) this.#inherit(endpoint.servers[i]!)
    return BLOCK
  }

  /**
   * Ask a passive server: its entry runs here and now, on the caller's thread and at its priority, so there is no queue,
   * no switch and nobody to inherit. Returns its answer or an error: NOBODY when nobody serves, DEADLOCK when
   * the server is in the midst of asking for this, CANCELLED when it ends of it.
   */
  invoke(space: CNode, pointer: number, label: number, a: number, b: number, c: number): number {
    const capability = this.find(space, pointer, 'endpoint', RIGHT.WRITE)
    if (capability === undefined) return this.refused
    const endpoint = capability.object as Endpoint
    const { passive } = endpoint
    if (endpoint.closed) return IPC.ENDED
    if (passive === undefined) return IPC.NOBODY
    if (endpoint.entered) return IPC.DEADLOCK
    endpoint.entered = true
    const answer = passive(capability.badge, label, a, b, c)
    endpoint.entered = false
    return endpoint.closed ? IPC.CANCELLED : answer
  }

  /** Take the next message into `party.in`. Returns its label, an error, or BLOCK. */
  receive(party: Party, pointer: number): number {
    const capability = this.find(party.capabilities, pointer, 'endpoint', RIGHT.READ)
    if (capability === undefined) return this.refused
    const endpoint = capability.object as Endpoint
    if (endpoint.closed) return IPC.ENDED
    if (!endpoint.servers.includes(party)) {
      endpoint.servers.push(party)
      party.serves.push(endpoint)
    }
    if (endpoint.gone.length > 0) {
      // Who waits to be received from waits for this one, too, from now on.
      this.#inherit(party)
      return tellGone(endpoint, party)
    }
    for (let sender = first(endpoint); sender !== undefined; sender = first(endpoint)) {
      const { wait } = sender
      const refused = this.#admit(sender, party, endpoint)
      drop(endpoint.senders, sender)
      this.#settled(sender)
      if (refused < 0) sender.thread.resume(refused)
      else if (wait === 'call') this.#expect(sender, party)
      else sender.thread.resume(IPC.OK)
      for (let i = 0; i < endpoint.servers.length; i++) this.#inherit(endpoint.servers[i]!)
      if (refused >= 0) return party.in.label
    }
    party.wait = 'receive'
    party.endpoint = endpoint
    endpoint.ipc = this
    endpoint.receivers.push(party)
    return BLOCK
  }

  /** A sender's turn has come: the contract may have moved on while it waited. */
  #admit(sender: Party, receiver: Party, endpoint: Endpoint): number {
    if (!this.#allowed(sender, endpoint, sender.badge)) return IPC.PROTOCOL
    const refused = this.#transfer(sender, receiver, sender.badge)
    if (refused >= 0) this.#advance(sender, endpoint)
    return refused
  }

  /** Answer the latest caller with `party.out`. Returns OK or an error; on an error the caller still waits. */
  reply(party: Party): number {
    const caller = party.callers[party.callers.length - 1]
    const refused = this.#answer(party, caller)
    if (refused < 0) return refused
    caller!.thread.resume(caller!.in.label)
    return IPC.OK
  }

  /** Answer, then take the next message: what a server's loop does. */
  replyReceive(party: Party, pointer: number): number {
    const caller = party.callers[party.callers.length - 1]
    const refused = this.#answer(party, caller)
    if (refused < 0) return refused
    const next = this.receive(party, pointer)
    caller!.thread.resume(caller!.in.label)
    return next
  }

  /** Give a caller its reply; it waits no more, but does not run yet. */
  #answer(party: Party, caller: Party | undefined): number {
    if (caller === undefined) return IPC.NOBODY
    const refused = this.#transfer(party, caller, 0)
    if (refused < 0) return refused
    party.callers.pop()
    this.#settled(caller)
    this.#inherit(party)
    return IPC.OK
  }

  // ---- notifications ----

  /** Set bits: those of the badge, or `bits` where there is none. Never blocks. */
  signal(space: CNode, pointer: number, bits: number): number {
    const capability = this.find(space, pointer, 'notification', RIGHT.WRITE)
    if (capability === undefined) return this.refused
    return this.raise(capability.object as Notification, capability.badge === 0 ? bits : capability.badge)
  }

  /** Take the bits that are set, without waiting: 31 of them, 0 when there are none, or an error. */
  poll(space: CNode, pointer: number): number {
    const capability = this.find(space, pointer, 'notification', RIGHT.READ)
    if (capability === undefined) return this.refused
    const notification = capability.object as Notification
    if (notification.closed) return IPC.ENDED
    const bits = notification.bits & 0x7fff_ffff
    notification.bits &= ~bits
    return bits
  }

  /** The same from the kernel's side: interrupts, timers. */
  raise(notification: Notification, bits: number): number {
    if (notification.closed) return IPC.ENDED
    notification.bits |= bits
    const waiter = notification.waiters[0]
    if (waiter === undefined || notification.bits === 0) return IPC.OK
    drop(notification.waiters, waiter)
    hand(notification, waiter)
    this.#settled(waiter)
    waiter.thread.resume(IPC.OK)
    return IPC.OK
  }

  /** Wait for bits; they are in `party.in.label`, and cleared. Returns OK, an error, or BLOCK. */
  await(party: Party, pointer: number): number {
    const capability = this.find(party.capabilities, pointer, 'notification', RIGHT.READ)
    if (capability === undefined) return this.refused
    return this.pause(party, capability.object as Notification)
  }

  /** The same for whoever has the notification itself. */
  pause(party: Party, notification: Notification): number {
    if (notification.closed) return IPC.ENDED
    if (notification.bits !== 0) {
      hand(notification, party)
      return IPC.OK
    }
    party.wait = 'signal'
    party.notification = notification
    notification.waiters.push(party)
    return BLOCK
  }

  // ---- ends ----

  /** A wait is over before its time (deadline, end of the thread): nobody counts on the party any more. */
  cancel(party: Party): void {
    const { endpoint, notification, server } = party
    if (endpoint !== undefined) {
      drop(endpoint.senders, party)
      drop(endpoint.receivers, party)
    }
    if (notification !== undefined) drop(notification.waiters, party)
    if (server !== undefined) drop(server.callers, party)
    this.#settled(party)
    if (server !== undefined) this.#inherit(server)
    if (endpoint !== undefined) for (let i = 0; i < endpoint.servers.length; i++) this.#inherit(endpoint.servers[i]!)
  }

  /** A thread has ended: everybody who waits for its reply is told. */
  leave(party: Party): void {
    this.cancel(party)
    for (const endpoint of party.serves.splice(0)) drop(endpoint.servers, party)
    for (const caller of party.callers.splice(0)) {
      this.#settled(caller)
      caller.thread.resume(IPC.CANCELLED)
    }
  }

  /** An endpoint or notification has ended: everybody who waits at it is told. Calls being served go on. */
  close(object: Endpoint | Notification): void {
    object.closed = true
    const waiting = object instanceof Endpoint ? [...object.senders, ...object.receivers] : [...object.waiters]
    for (const party of waiting) {
      this.cancel(party)
      party.thread.resume(IPC.ENDED)
    }
  }

  /** A capability has ended: what was sent through it and waits to be received is nobody's any more. */
  withdraw(endpoint: Endpoint, capability: Capability): void {
    for (let i = endpoint.senders.length - 1; i >= 0; i--) {
      const sender = endpoint.senders[i]!
      if (sender.through !== capability) continue
      this.cancel(sender)
      sender.thread.resume(IPC.ENDED)
    }
  }

  /** A client has gone: whoever receives hears of it, if somebody does now. */
  tellGone(endpoint: Endpoint): void {
    const [receiver] = endpoint.receivers
    if (receiver === undefined) return
    const label = tellGone(endpoint, receiver)
    drop(endpoint.receivers, receiver)
    this.#settled(receiver)
    receiver.thread.resume(label)
  }

  // ---- parts ----

  /** The capability behind a pointer, if it is of this type and has these rights; else `refused` says why not. */
  find(space: CNode, pointer: number, type: string, right: number): Capability | undefined {
    const capability = pointer < 0x1_0000 ? space.at(pointer) : inner(space, pointer)
    this.refused =
      capability === undefined || capability.object.type !== type
        ? IPC.EMPTY
        : !capability.alive
          ? IPC.ENDED
          : (capability.rights & right) !== right
            ? IPC.NO_RIGHT
            : IPC.OK
    if (this.refused === IPC.OK) return capability
    space.onRefusal?.()
    return undefined
  }

  /** The party waits no more. */
  #settled(party: Party): void {
    party.wait = 'nothing'
    party.endpoint = undefined
    party.notification = undefined
    party.server = undefined
  }

  #expect(caller: Party, server: Party): void {
    caller.wait = 'reply'
    caller.endpoint = undefined
    caller.server = server
    server.callers.push(caller)
    this.#inherit(server)
  }

  #allowed(party: Party, endpoint: Endpoint, badge: number): boolean {
    const { contract } = endpoint
    if (contract === undefined) return true
    const { out } = party
    if (contract.allows(badge, out.label) && contract.fits(out, party.capabilities)) return true
    this.onRefusal?.(party, contract.refusal(badge, out, party.capabilities))
    return false
  }

  #advance(party: Party, endpoint: Endpoint): void {
    endpoint.contract?.advance(party.badge, party.out.label)
  }

  /** Copy a message over. Capabilities go all or not at all; nothing has happened when an error is returned. */
  #transfer(from: Party, to: Party, badge: number): number {
    const { out } = from
    const target = to.in
    if (out.capCount > 0) {
      const refused = moveCapabilities(from, to)
      if (refused < 0) return refused
    }
    target.label = out.label
    target.badge = badge
    target.count = out.count
    target.capCount = out.capCount
    target.moved = out.capCount > 0 ? out.moved >> EXCLUSIVE : 0
    for (let i = 0; i < out.count; i++) target.words[i] = out.words[i]!
    to.arrived?.(to)
    return IPC.OK
  }

  // ---- who waits for whom ----

  /** Give a server the highest base priority of all who wait for it, directly or through others. */
  #inherit(server: Party): void {
    const effective = this.#urgency(server, ++this.#mark)
    if (effective === server.thread.effective) return
    this.#scheduler.reprioritize(server.thread, effective)
    if (server.server !== undefined) this.#inherit(server.server)
    const { endpoint } = server
    if (endpoint === undefined || server.wait === 'receive') return
    for (let i = 0; i < endpoint.servers.length; i++) this.#inherit(endpoint.servers[i]!)
  }

  #urgency(party: Party, mark: number): number {
    if (party.mark === mark) return 0
    party.mark = mark
    let highest = party.thread.base
    for (let i = 0; i < party.callers.length; i++) highest = Math.max(highest, this.#urgency(party.callers[i]!, mark))
    for (let i = 0; i < party.serves.length; i++) {
      const { senders } = party.serves[i]!
      for (let j = 0; j < senders.length; j++) highest = Math.max(highest, this.#urgency(senders[j]!, mark))
    }
    return highest
  }

  /** Whether everybody who receives from an endpoint waits, directly or through others, for `party`. */
  #circular(party: Party, endpoint: Endpoint): boolean {
    const { servers } = endpoint
    if (servers.length === 0) return false
    for (let i = 0; i < servers.length; i++) if (!this.#waitsFor(servers[i]!, party, 0)) return false
    return true
  }

  #waitsFor(waiter: Party, party: Party, depth: number): boolean {
    if (waiter === party) return true
    // Longer than any chain without a circle in it that does not lead here.
    if (depth > CHAIN_MAX) return false
    if (waiter.server !== undefined) return this.#waitsFor(waiter.server, party, depth + 1)
    if ((waiter.wait !== 'call' && waiter.wait !== 'send') || waiter.endpoint === undefined) return false
    const { servers } = waiter.endpoint
    if (servers.length === 0) return false
    for (let i = 0; i < servers.length; i++) if (!this.#waitsFor(servers[i]!, party, depth + 1)) return false
    return true
  }
}

/** The message, in place of one from a client, that it has gone. Returns its label. */
function tellGone(endpoint: Endpoint, to: Party): number {
  const message = to.in
  message.label = GONE
  message.badge = endpoint.gone.shift()!
  message.count = 0
  message.capCount = 0
  to.arrived?.(to)
  return GONE
}

/** Give a party the bits that are set, and clear them. */
function hand(notification: Notification, to: Party): void {
  to.in.label = notification.bits
  to.in.count = 0
  to.in.capCount = 0
  notification.bits = 0
  to.arrived?.(to)
}

function inner(space: CNode, pointer: number): Capability | undefined {
  try {
    return held(space, pointer)
  } catch {
    return undefined
  }
}

const CHAIN_MAX = 1000

/** The sender to be received from next: the most urgent, the earliest of equals. */
function first(endpoint: Endpoint): Party | undefined {
  const { senders } = endpoint
  let best = senders[0]
  for (let i = 1; i < senders.length; i++) if (senders[i]!.thread.effective > best!.thread.effective) best = senders[i]
  return best
}
