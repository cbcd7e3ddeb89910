/**
 * Ways a domain can fail, and how a failure becomes a record.
 *
 * A `Failure` is thrown by the host side of a call when the domain may not go on; an engine trap is classified by what
 * this engine was seen to say. Both carry a JavaScript stack, from which the domain's own frames are taken: the ones
 * between the call that failed and the entry the machine made.
 */
import { CapabilityError } from './capability.ts'
import { exhaustion, trapKind } from './trap-words.ts'

/**
 * Every way a domain can fail, once: how it is noticed, what the record says, what follows. The kinds, the policies and
 * the table in docs/faults.md all come from here.
 *
 * `restart`: again by the supervisor's policy, with backoff, limit and escalation. `never`: what was started again would
 * be no better, or the fault is not the domain's.
 */
export const FAULTS = {
  'null-dereference': {
    noticed:
      "a check the compiler puts before each access through a pointer, and the engine's for addresses beyond memory",
    reported: 'the line that dereferences',
    follows: 'restart',
  },
  'memory-access': {
    noticed:
      'the engine: an address outside of linear memory, a device mapping among them; the host: a buffer given to a call',
    reported: 'the line of the access, or of the call and its bounds',
    follows: 'restart',
  },
  'heap-corruption': {
    noticed: "the tree's own allocator, where its lists cannot be right, as when an object is freed twice in a row",
    reported: 'the line that frees or allocates, and that of the check',
    follows: 'restart',
  },
  'bad-indirect-call': {
    noticed: 'the engine: a function pointer that is none, or of another type than the call',
    reported: 'the line of the call',
    follows: 'restart',
  },
  'divide-by-zero': { noticed: 'the engine', reported: 'the line of the division', follows: 'restart' },
  unreachable: {
    noticed: 'the engine: code the compiler says cannot be reached',
    reported: 'its line',
    follows: 'restart',
  },
  'undefined-behaviour': {
    noticed: 'a check the compiler puts in',
    reported: 'the line of the check',
    follows: 'restart',
  },
  'stack-overflow': {
    noticed:
      "code the pipeline puts after each write of the C stack pointer and around calls that could nest without end; the engine's own limit; nested entries counted",
    reported: 'the function that was entered and its callers',
    follows: 'restart',
  },
  'endless-loop': {
    noticed:
      'work counted at loop heads and function entries; virtual time in one entry; deliveries of one interrupt in a row',
    reported: 'the line that runs, the work counted',
    follows: 'restart',
  },
  hang: {
    noticed:
      'an operation that does not return within its limit; a heartbeat that stays out; a task that waits uninterruptibly for longer than an operation may take',
    reported: 'the line that waits: each task is asked where it is',
    follows: 'restart',
  },
  deadlock: {
    noticed:
      "the tree's own lock checker, in a kernel that is configured with it (`--lockdep`); a thread that waits for ever without it is a `hang`",
    reported:
      "the line that takes the lock or waits, the checker's headline and the locks by name; its whole report is in the log",
    follows: 'restart',
  },
  'sleep-in-atomic': {
    noticed: "the tree's own checks (might_sleep(), and the scheduler's own), whose report ends the domain",
    reported: 'the line that may sleep, and the report',
    follows: 'restart',
  },
  bug: {
    noticed:
      "BUG() and its kin; what the tree's kernel reports as a bug and goes on from: a reference count that is misused, a timer, softirq or work item that returns with a lock held or released; an interrupt handler that does",
    reported: 'the line, or the handler that returned so; the report',
    follows: 'restart',
  },
  panic: { noticed: 'panic()', reported: 'its text and line', follows: 'restart' },
  'out-of-memory': {
    noticed: "the tree's own reclaim, when an allocation that may wait finds nothing left to take back",
    reported: 'the line that allocates',
    follows: 'restart',
  },
  quota: {
    noticed: 'a table of the kernel that is full of what this domain holds',
    reported: 'the call, the quota',
    follows: 'restart',
  },
  'no-capability': {
    noticed:
      "look-up tables behind every call: no capability, one that was revoked, or one whose device is another's now",
    reported: 'the line of the call, call and address',
    follows: 'restart',
  },
  'dma-stray': {
    noticed: 'the IOMMU: its device reached outside of every window, or against its direction',
    reported: 'device, address, length and reason; the line that runs, if any of the domain does',
    follows: 'restart',
  },
  'double-unmap': {
    noticed: 'the IOMMU: a window that is not open is closed (a wrong length closes nothing, and is noted)',
    reported: 'the line that unmaps, address and length',
    follows: 'restart',
  },
  leak: {
    noticed: 'the count of what is held of the machine after remove and exit: windows, mappings, vectors, interfaces',
    reported: 'what and how many; the device is cut off and reset all the same',
    follows: 'never',
  },
  'missing-symbol': {
    noticed: 'a trap in the place of a kernel function nobody provides',
    reported: 'its name and the line that calls it',
    follows: 'never',
  },
  internal: {
    noticed: 'anything else that comes out of the host: a mistake on this side of the boundary',
    reported: "the host's own stack",
    follows: 'never',
  },
} as const satisfies Record<string, FaultClass>

/** What follows when supervision has a say: see the table. */
export type FaultPolicy = 'restart' | 'never'

interface FaultClass {
  readonly noticed: string
  readonly reported: string
  readonly follows: FaultPolicy
}

export type FaultKind = keyof typeof FAULTS

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
export type Symbolizer = (offset: number, functionIndex: number, module?: string) => readonly Frame[]

/** The domain may not go on. Thrown through its frames to the entry that was made. */
export class Failure extends Error {
  readonly kind: FaultKind
  constructor(kind: FaultKind, message: string) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
  }

  /** One that is told by somebody else than the domain's own code: whoever is on the engine's stack was only interrupted. */
  static apart(kind: FaultKind, message: string): Failure {
    const failure = new Failure(kind, message)
    failure.stack = `${failure.name}: ${message}`
    return failure
  }
}

/** Thrown through the frames of a domain that is already dead: unwinding, not a failure of its own. */
export const KILLED: Error = Object.assign(new Error('domain ended'), { name: 'Killed' })

/** Stack frames the engine must keep for a trace to reach the entry. */
export const TRACE_DEPTH = 64

/** Engines name a module by the name in it, and something of its content: `wasm://wasm/e1000-1234abcd`. */
const WASM_FRAME = /(?:wasm:\/\/wasm\/(?:([^:\s]+)-)?[0-9a-f]+:)?wasm-function\[(\d+)\]:0x([0-9a-f]+)/

interface RawFrame {
  readonly index: number
  readonly offset: number
  /** Name of the module, when it has one. */
  readonly module: string | undefined
}

/** Offsets of the innermost run of wasm frames of an error, innermost first. */
export function wasmFrames(error: Error): RawFrame[] {
  const frames: RawFrame[] = []
  for (const line of (error.stack ?? '').split('\n')) {
    const found = WASM_FRAME.exec(line)
    if (found !== null)
      frames.push({ module: found[1], index: Number(found[2]), offset: Number.parseInt(found[3]!, 16) })
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
  if (error instanceof RangeError && error.message === exhaustion())
    return { kind: 'stack-overflow', message: 'the call stack is exhausted' }
  if (error instanceof CapabilityError)
    return { kind: error.refusal === 'quota' ? 'quota' : 'no-capability', message: error.message }
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
  return {
    domain,
    kind,
    message,
    frames: raw.flatMap(({ offset, index, module }) => symbolize(offset, index, module)),
    atNs,
  }
}
