/**
 * Host side of the `log`, `time` and `sched` call groups: what every domain is granted, unless it is denied.
 */
import { FAULT, type LogCalls, type SchedCalls, type TimeCalls } from '../../linux-api/generated/abi.ts'
import { Failure, type FaultKind, KILLED } from '../../kernel/fault.ts'
import type { ProcessEntry } from '../../kernel/fiber.ts'
import type { Host } from './host.ts'

const two32 = 0x1_0000_0000

const KINDS: ReadonlyMap<number, FaultKind> = new Map<number, FaultKind>([
  [FAULT.BUG, 'bug'],
  [FAULT.NULL_DEREFERENCE, 'null-dereference'],
  [FAULT.SLEEP_IN_ATOMIC, 'sleep-in-atomic'],
  [FAULT.OUT_OF_MEMORY, 'out-of-memory'],
  [FAULT.PANIC, 'panic'],
  [FAULT.TRAP_SYMBOL, 'missing-symbol'],
  [FAULT.HEAP_CORRUPTION, 'heap-corruption'],
  [FAULT.DEADLOCK, 'deadlock'],
  [FAULT.LEAK, 'leak'],
  [FAULT.UNDEFINED, 'undefined-behaviour'],
])

/** Longest record, bytes: what is longer is cut, or one call could keep the host busy with megabytes. */
const RECORD_BYTES = 4096

export function logCalls(host: Host): LogCalls {
  const grip = host.grips.log
  /** The whole of the text must be the domain's, whatever is taken of it. */
  const text = (call: string, address: number, length: number): string => {
    host.bytes(call, address, length)
    return host.text(call, address, Math.min(length >>> 0, RECORD_BYTES))
  }
  return {
    write: (level, address, length) => {
      grip.need('write')
      const record = text('log.write', address, length)
      host.domain.charge(record.length)
      host.board.write(host.domain, level, record)
    },
    fault: (kind, address, length) => {
      grip.need('fault')
      throw new Failure(KINDS.get(kind) ?? 'bug', text('log.fault', address, length))
    },
  }
}

/** Two words as ns; all ones mean never. */
export const deadline = (low: number, high: number): number =>
  low === -1 && high === -1 ? Infinity : (low >>> 0) + (high >>> 0) * two32

export function timeCalls(host: Host): TimeCalls {
  const grip = host.grips.time
  const put = (call: string, out: number, ns: number): void => {
    const at = out >>> 2
    if ((out & 3) !== 0 || at + 1 >= host.words.length) host.bytes(call, 0xffffffff, 8)
    host.words[at] = (ns % two32) | 0
    host.words[at + 1] = Math.floor(ns / two32)
  }
  return {
    now: (out) => {
      grip.need('now')
      host.domain.account()
      host.domain.spend(host.board.kernel.costs.callNs)
      put('time.now', out, host.board.kernel.clock.now())
    },
    wall: (out) => {
      grip.need('wall')
      put('time.wall', out, host.board.wallStartNs + host.board.kernel.clock.now())
    },
    set_timer: (low, high) => {
      grip.need('set_timer')
      host.domain.setTimer(deadline(low, high))
    },
    delay: (ns) => {
      grip.need('delay')
      host.domain.account()
      delay(host, ns >>> 0)
    },
  }
}

/** Devices work during a delay, so it ends event by event. */
function delay(host: Host, ns: number): void {
  const { clock } = host.board.kernel
  const end = clock.now() + ns
  for (let now = clock.now(); now < end; now = clock.now()) {
    host.domain.spend(Math.max(0, Math.min(end, clock.next()) - now))
  }
}

export function schedCalls(host: Host, fiberEntry: () => ProcessEntry): SchedCalls {
  const grip = host.grips.sched
  return {
    self: () => {
      grip.need('self')
      return host.domain.current?.id ?? 0
    },
    spawn: (argument) => {
      grip.need('spawn')
      const fiber = host.domain.start('fiber', fiberEntry(), [argument])
      // Allocating its stack is the program's own code, which may have failed.
      if (host.domain.dead) throw KILLED
      return fiber?.id ?? 0
    },
    block: (low, high) => {
      grip.need('block')
      return host.domain.block(deadline(low, high))
    },
    wake: (fiber) => {
      grip.need('wake')
      host.domain.wake(fiber)
    },
    yield: () => {
      grip.need('yield')
      return host.domain.yield() as unknown as Promise<void>
    },
    kick: () => {
      grip.need('kick')
      host.domain.kick()
    },
    relax: () => {
      grip.need('relax')
      host.domain.spend(host.board.kernel.costs.relaxNs)
    },
    exit: () => {
      grip.need('exit')
      return host.domain.exit()
    },
    // These take time or the domain away from whoever calls them: no authority is needed for that.
    preempt: () => host.domain.preempt(),
    resched: () => host.domain.resched() as unknown as Promise<void>,
    stack_overflow: () => host.domain.overflow(),
  }
}
