/**
 * Address decoding: which claimed range of a space an address lies in, by one table look-up, and the refusal of ranges
 * that overlap.
 *
 * A space is cut into grains. A range either covers whole grains or lies inside one (both are powers of two, aligned to
 * their size), so a grain holds one big range or a chain of small ones.
 */

export interface Claim {
  readonly start: number
  readonly bytes: number
  /** Who claimed it, for messages. */
  readonly name: string
}

export interface AddressDecoder<T extends Claim> {
  /** Claim a range; false when it lies outside of the space or overlaps one that is claimed already. */
  claim(range: T): boolean
  release(range: T): void
  /** The range an address lies in. */
  find(address: number): T | undefined
  /** First free, naturally aligned place for `bytes`; -1 when there is none. */
  place(bytes: number): number
  readonly claims: readonly T[]
}

class Decoder<T extends Claim> implements AddressDecoder<T> {
  readonly #start: number
  readonly #end: number
  readonly #shift: number
  readonly #grain: number
  /** Grain -> claim number + 1. */
  readonly #table: Uint16Array
  readonly #slots: (T | undefined)[] = []
  /** Claim number -> next claim number + 1 in the same grain. */
  readonly #next: number[] = []

  constructor(start: number, bytes: number, grain: number) {
    this.#start = start
    this.#end = start + bytes
    this.#grain = grain
    this.#shift = Math.log2(grain)
    this.#table = new Uint16Array(bytes / grain)
  }

  get claims(): readonly T[] {
    return this.#slots.filter((slot) => slot !== undefined)
  }

  claim(range: T): boolean {
    const { start, bytes } = range
    if (start < this.#start || start + bytes > this.#end || start % bytes !== 0) return false
    for (const other of this.#slots)
      if (other && start < other.start + other.bytes && other.start < start + bytes) return false
    let slot = this.#slots.indexOf(undefined)
    if (slot < 0) slot = this.#slots.length
    this.#slots[slot] = range
    const first = (start - this.#start) >>> this.#shift
    this.#next[slot] = bytes < this.#grain ? this.#table[first]! : 0
    this.#table.fill(slot + 1, first, first + Math.max(1, bytes >>> this.#shift))
    return true
  }

  release(range: T): void {
    const slot = this.#slots.indexOf(range)
    if (slot < 0) return
    this.#slots[slot] = undefined
    const first = (range.start - this.#start) >>> this.#shift
    if (range.bytes >= this.#grain) {
      this.#table.fill(0, first, first + (range.bytes >>> this.#shift))
      return
    }
    let at = this.#table[first]!
    if (at === slot + 1) {
      this.#table[first] = this.#next[slot]!
      return
    }
    while (this.#next[at - 1] !== slot + 1) at = this.#next[at - 1]!
    this.#next[at - 1] = this.#next[slot]!
  }

  find(address: number): T | undefined {
    if (address < this.#start || address >= this.#end) return undefined
    let at = this.#table[(address - this.#start) >>> this.#shift]!
    while (at !== 0) {
      const range = this.#slots[at - 1]!
      if (address >= range.start && address < range.start + range.bytes) return range
      at = this.#next[at - 1]!
    }
    return undefined
  }

  place(bytes: number): number {
    // Placing is rare and the claims are few: walk them in order of address.
    const claims = [...this.claims].toSorted((a, b) => a.start - b.start)
    let at = Math.ceil(this.#start / bytes) * bytes
    for (const claim of claims) {
      if (at + bytes <= claim.start) break
      at = Math.max(at, Math.ceil((claim.start + claim.bytes) / bytes) * bytes)
    }
    return at + bytes <= this.#end ? at : -1
  }
}

/** Decoder for [start, start + bytes), in grains of `grain` bytes (a power of two). */
export const createDecoder = <T extends Claim>(start: number, bytes: number, grain: number): AddressDecoder<T> =>
  new Decoder<T>(start, bytes, grain)
