/**
 * The seeded random source: the only chance there is in a machine.
 *
 * sfc32 (Chris Doty-Humphrey), chosen because it is small, fast in 32-bit integers and passes PractRand. It must never
 * be fed from the wall clock or from Math.random.
 */
/** Somebody's share of chance. */
export interface Random {
  /** Integer in [0, bound). */
  below(bound: number): number
}

export interface SeededRandom extends Random {
  /** 32 random bits, unsigned. */
  next(): number
  /** An independent stream: what one consumer draws does not move another's. */
  fork(): SeededRandom
}

/** Random source whose whole future follows from `seed` (any safe integer). */
export function createRandom(seed: number): SeededRandom {
  let a = seed | 0
  let b = Math.trunc(seed / 0x1_0000_0000) | 0
  let c = 0x9e3779b9 | 0
  let counter = 1
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return t >>> 0
  }
  // Near seeds start out alike: the author's warm-up spreads them.
  for (let round = 0; round < 15; round++) next()
  return {
    next,
    // Scaling, not a remainder: the remainder of a 32-bit unsigned number is slow in an engine of signed ones.
    below: (bound) => (bound <= 1 ? 0 : Math.floor((next() / 0x1_0000_0000) * bound)),
    fork: () => createRandom(next() * 0x20_0000 + (next() >>> 11)),
  }
}
