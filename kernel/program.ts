/**
 * What the kernel needs of a program, and the limits it runs under. Addresses are byte offsets in the program's memory.
 */
import type { Symbolizer } from './fault.ts'
import { DEFAULT_QUOTAS, type Quotas } from './quota.ts'

/** A global of a program's: the engine's own, or whatever is quicker to read and write. */
export interface Word {
  value: number
}

export interface Program {
  readonly memory: WebAssembly.Memory
  readonly stackPointer: Word
  /** Present when the program checks its stack. */
  readonly stackLimit: Word | undefined
  /** Present when the program counts its work. */
  readonly fuel: Word | undefined
  /** Bytes of the engine's stack its calls may still take, counted by it; absent when it does not count. */
  readonly room?: Word
  /** Word that is non-zero while the program holds interrupts off. */
  readonly irqsOff: number
  /** Word the kernel sets when there is something to take. */
  readonly pending: number
  readonly symbolize?: Symbolizer
}

export interface DomainLimits extends Quotas {
  /** Longest uninterrupted run of one entry, in counted work: units. */
  readonly fuel: number
  /** and in virtual time: ns. */
  readonly busyNs: number
  /** Longest a process entry may take, waiting included: ns. Firmware time-outs of 60 s exist. */
  readonly entryNs: number
}

export const DEFAULT_LIMITS: DomainLimits = {
  ...DEFAULT_QUOTAS,
  fuel: 200_000_000,
  busyNs: 10e9,
  entryNs: 120e9,
}
