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

/** Longest record, bytes: what is longer is cut, or one call could keep the host busy with megabytes. */
const RECORD_BYTES = 4096

function logCalls(host: Host): LogCalls {
  const grip = host.grip('log')
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

export const log = { name: 'log', authority: 'log', calls: logCalls } satisfies AbiGroup<'log'>
