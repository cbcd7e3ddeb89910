/** Host side of the `log` call group: records, and self-reported failure. */
import { FAULT, type LogCalls } from '../../linux-api/generated/abi.ts'
import { Failure, type FaultKind } from '../../kernel/fault.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'

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

function logCalls(host: Host): LogCalls {
  return {
    write: (level, address, length) => {
      host.board.write(host.domain, level, host.text('log.write', address, length))
    },
    seed: (out, length) => {
      const bytes = host.bytes('log.seed', out, length)
      for (let i = 0; i < bytes.length; i++) bytes[i] = host.board.kernel.random.below(256)
    },
    fault: (kind, address, length) => {
      throw new Failure(KINDS.get(kind) ?? 'bug', host.text('log.fault', address, length))
    },
  }
}

export const log = { name: 'log', authority: 'log', calls: logCalls } satisfies AbiGroup<'log'>
