/**
 * The board's legacy bus (ISA, LPC) with nothing on it: ports below those that PCI functions get. Nobody drives its lines, so
 * they read as ones, and what is written goes nowhere. Drivers that look for a chip at ports of old find that it is not there.
 */

/** Ports below those of the PCI bus: see pci/bus.ts. */
const PORTS = 0x1000

/** A range of ports, as a program reaches it. */
export interface Ports {
  readonly name: string
  /** First port. */
  readonly start: number
  readonly bytes: number
  read(offset: number, width: number): number
  write(offset: number, width: number, value: number): void
}

export const emptyBus: Ports = {
  name: 'legacy bus',
  start: 0,
  bytes: PORTS,
  read: (_offset, width) => 2 ** (8 * width) - 1,
  write: () => {},
}
