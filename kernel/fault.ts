/**
 * Ways a domain can fail, and how a failure becomes a record.
 *
 * A `Failure` is thrown by the host side of a call when the domain may not go on; an engine trap is classified by what
 * this engine was seen to say. Both carry a JavaScript stack, from which the domain's own frames are taken: the ones
 * between the call that failed and the entry the machine made.
 */
import { trapKind } from './probes.ts'

export type FaultKind =
  | 'null-dereference'
  | 'memory-access'
  | 'endless-loop'
  | 'stack-overflow'
  | 'bug'
  | 'out-of-memory'
  | 'sleep-in-atomic'
  | 'no-capability'
  | 'unreachable'
  | 'bad-indirect-call'
  | 'divide-by-zero'
  | 'panic'
  | 'missing-symbol'
  | 'heap-corruption'
  | 'dma-stray'
  | 'deadlock'
  | 'leak'
  | 'undefined-behaviour'
  | 'hang'
  | 'internal'

export interface Frame {
  readonly function: string
  readonly file: string
  readonly line: number
  /** Offset in the module file, bytes. */
  readonly offset: number
}

export interface DriverFault {
  readonly domain: string
  readonly kind: FaultKind
  readonly message: string
  readonly frames: readonly Frame[]
  readonly atNs: number
}

/** Where a module offset lies in its source; several frames when functions were inlined, innermost first. */
export type Symbolizer = (offset: number, functionIndex: number) => readonly Frame[]

/** The domain may not go on. Thrown through its frames to the entry that was made. */
export class Failure extends Error {
  readonly kind: FaultKind
  constructor(kind: FaultKind, message: string) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
  }
}

/** Thrown through the frames of a domain that is already dead: unwinding, not a failure of its own. */
export const KILLED: Error = Object.assign(new Error('domain ended'), { name: 'Killed' })

/** Stack frames the engine must keep for a trace to reach the entry. */
export const TRACE_DEPTH = 64

const WASM_FRAME = /wasm-function\[(\d+)\]:0x([0-9a-f]+)/

/** Offsets of the innermost run of wasm frames of an error, innermost first. */
export function wasmFrames(error: Error): { index: number; offset: number }[] {
  const frames: { index: number; offset: number }[] = []
  for (const line of (error.stack ?? '').split('\n')) {
    const found = WASM_FRAME.exec(line)
    if (found !== null) frames.push({ index: Number(found[1]), offset: Number.parseInt(found[2]!, 16) })
    // A JavaScript frame after wasm frames is the host's entry: what lies below was interrupted, not calling.
    else if (frames.length > 0 && /^\s+at /.test(line)) break
  }
  return frames
}

const unknown: Symbolizer = (offset, index) => [{ function: `function[${index}]`, file: '', line: 0, offset }]

/** Said in our own words: engines word their traps differently, and the event log is the same on all of them. */
const TRAPS: Partial<Record<FaultKind, string>> = {
  unreachable: 'an instruction that must not be reached',
  'memory-access': 'an access outside of the memory of the domain',
  'divide-by-zero': 'a division by zero, or one whose quotient does not fit',
  'bad-indirect-call': 'a call through a pointer to no function or to one of another type',
  'sleep-in-atomic': 'blocking where the domain must return',
}

/** What an error thrown out of a domain's code means. */
export function classify(error: unknown): { kind: FaultKind; message: string } {
  if (error instanceof Failure) return { kind: error.kind, message: error.message }
  if (error instanceof RangeError) return { kind: 'stack-overflow', message: 'the call stack is exhausted' }
  if (error instanceof WebAssembly.RuntimeError) {
    const kind = trapKind(error.message) ?? 'unreachable'
    return { kind, message: TRAPS[kind] ?? kind }
  }
  const suspend = (WebAssembly as unknown as { SuspendError?: new () => Error }).SuspendError
  if (suspend !== undefined && error instanceof suspend) {
    return { kind: 'sleep-in-atomic', message: TRAPS['sleep-in-atomic']! }
  }
  // Not the domain's doing: a bug on this side of the boundary. It must not look like a driver's.
  return { kind: 'internal', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

/** Turn an error that left a domain's code into its record. */
export function describeFault(
  domain: string,
  error: unknown,
  atNs: number,
  symbolize: Symbolizer = unknown,
): DriverFault {
  const { kind, message } = classify(error)
  const raw = error instanceof Error ? wasmFrames(error) : []
  return { domain, kind, message, frames: raw.flatMap(({ offset, index }) => symbolize(offset, index)), atNs }
}
