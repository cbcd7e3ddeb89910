/**
 * The board's legacy bus (ISA, LPC) with nothing on it: all ports. Nobody drives its lines, so they read as ones, and what is written
 * goes nowhere. Drivers that look for a chip at ports of old find that it is not there. Ports of a PCI function are that function's for
 * who holds it, and as empty as all others for who does not.
 */

/** As many as a processor of a PC has. */
const PORTS = 0x10000

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
