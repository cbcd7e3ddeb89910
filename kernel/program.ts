/**
 * What the kernel needs of a program, and the limits it runs under. Addresses are byte offsets in the program's memory.
 */
import type { Symbolizer } from './fault.ts'
import { DEFAULT_QUOTAS, type Quotas } from './quota.ts'

export interface Program {
  readonly memory: WebAssembly.Memory
  readonly stackPointer: WebAssembly.Global
  /** Present when the program checks its stack. */
  readonly stackLimit: WebAssembly.Global | undefined
  /** Present when the program counts its work. */
  readonly fuel: WebAssembly.Global | undefined
  /** Bytes of the engine's stack its calls may still take, counted by it; absent when it does not count. */
  readonly room?: WebAssembly.Global
  /** Word that is non-zero while the program holds interrupts off. */
  readonly irqsOff: number
  /** Word the kernel sets when it held a delivery back. */
  readonly pending: number
  /** Where the tick count (64 bits) is kept current; 0 for a program that has none. */
  readonly tick: number
  /** ns of one tick. */
  readonly tickNs: number
  /**
   * It looks for itself: `pending` is set, and it takes interrupts one by one. It is never called into, its tasks have
   * stacks of its own, and it switches between them. Such a program has none of the entries below.
   */
  readonly polls?: true
  interrupt(number: number): void
  timer(): void
  softirq(): void
  /** Whether the fiber that runs may be stopped here; without it, wherever interrupts are on. */
  preemptible?(): number
  /** Memory for a fiber's stack; 0 when there is none. */
  allocate(bytes: number): number
  release(address: number): void
  readonly symbolize?: Symbolizer
}

export interface DomainLimits extends Quotas {
  /** C stack of a fiber. */
  readonly stackBytes: number
  /** Longest uninterrupted run of one entry, in counted work: units. */
  readonly fuel: number
  /** and in virtual time: ns. */
  readonly busyNs: number
  /** Longest a process entry may take, waiting included: ns. Firmware time-outs of 60 s exist. */
  readonly entryNs: number
}

export const DEFAULT_LIMITS: DomainLimits = {
  ...DEFAULT_QUOTAS,
  stackBytes: 32768,
  fuel: 200_000_000,
  busyNs: 10e9,
  entryNs: 120e9,
}
