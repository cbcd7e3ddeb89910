/**
 * An I2C bus as its devices see it: addressed, they take bytes and give bytes. A bus master's model asks in terms of the
 * protocol; electrical levels and arbitration are not modelled.
 */

/** A device on the bus. */
export interface I2cTarget {
  readonly model: string
  /** It was addressed; a repeated start too. */
  start(read: boolean): void
  /** A byte for it; false: it does not acknowledge. */
  write(byte: number): boolean
  /** The next byte from it. */
  read(): number
}

export interface I2cBus {
  /** 7-bit address -> device. */
  readonly targets: Map<number, I2cTarget>
  /** Address a device and send it bytes. Returns how many bytes were acknowledged, the address among them. */
  write(address: number, bytes: readonly number[]): number
  /** Address a device and take bytes from it, as long as `more` of those so far says so. Undefined when nobody answers. */
  read(address: number, more: (bytes: readonly number[]) => boolean): number[] | undefined
}

export function createI2cBus(): I2cBus {
  const targets = new Map<number, I2cTarget>()
  return {
    targets,
    write: (address, bytes) => {
      const target = targets.get(address)
      if (target === undefined) return 0
      target.start(false)
      let acknowledged = 1
      for (const byte of bytes) {
        if (!target.write(byte)) break
        acknowledged++
      }
      return acknowledged
    },
    read: (address, more) => {
      const target = targets.get(address)
      if (target === undefined) return undefined
      target.start(true)
      const bytes: number[] = []
      while (more(bytes)) bytes.push(target.read() & 0xff)
      return bytes
    },
  }
}
