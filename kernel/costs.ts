/**
 * What things cost in virtual time, and how finely the processor is shared: one table.
 *
 * The figures are those of a PCI machine of about 3 GHz, rounded: what a driver can tell from a real one by its time-outs
 * and polling loops, not a model of a pipeline. Another table makes another machine; the same table, seed and inputs make
 * the same run. Knows nothing of who spends.
 */

export interface Costs {
  /** A unit of counted work: 64 instructions at most, of a turn of a loop or of a function. */
  readonly workNs: number
  /** Calling an atomic entry: saving and restoring what it interrupts. */
  readonly atomicEntryNs: number
  /** From an interrupt's assertion to its handler: at least this, */
  readonly interruptLatencyNs: number
  /** and less than this more, by chance. */
  readonly interruptJitterNs: number
  /** A call of the kernel that asks for no device: reading the clock. */
  readonly callNs: number
  /** One turn of a busy-wait loop that says that it is one. */
  readonly relaxNs: number
  /** Reading a device's register: there and back over the bus. */
  readonly registerReadNs: number
  /** Writing one: posted, nobody waits for it. */
  readonly registerWriteNs: number
  /** An access of a port: never posted. */
  readonly portNs: number
  /** An access of configuration space. */
  readonly configNs: number
  /** Resetting a function: the bus gives it up to 100 ms, and most are done long before. */
  readonly resetNs: number
  /** Opening or closing a DMA window. */
  readonly mapNs: number
  /** How long one of equal priority runs before the next has its turn. */
  readonly sliceNs: number
  /** Units of work between two looks at what time it is; with workNs, how late a loop that calls nothing is stopped. */
  readonly workBetweenLooks: number
}

export const DEFAULT_COSTS: Costs = {
  workNs: 5,
  atomicEntryNs: 100,
  interruptLatencyNs: 500,
  interruptJitterNs: 256,
  callNs: 20,
  relaxNs: 100,
  registerReadNs: 100,
  registerWriteNs: 50,
  portNs: 200,
  configNs: 300,
  resetNs: 100_000,
  mapNs: 100,
  sliceNs: 4e6,
  workBetweenLooks: 20_000,
}
