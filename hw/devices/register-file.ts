/**
 * A device's registers as a table: which register an offset belongs to, and how an access narrower or wider than a
 * register, or across two, reaches each register once.
 */

import type { RegisterValue } from '../types.ts'

export interface Register {
  readonly name: string
  readonly offset: number
  /** 1, 2 or 4 bytes. */
  readonly width: number
  read(): number
  /** What reading would say, where reading changes something. */
  peek?(): number
  /** `lanes` has ones where the access carries bytes: narrower than the register when not all of its bits are set. */
  write(value: number, lanes: number): void
}

export interface RegisterFile {
  /** Unsigned; bytes of no register read 0. */
  read(offset: number, width: number): number
  write(offset: number, width: number, value: number): void
  readonly registers: readonly Register[]
  /** The register a byte belongs to. */
  at(offset: number): Register | undefined
}

/** Lanes of a full access. */
export const BYTE = 0xff
export const WORD = 0xffff
export const DWORD = 0xffffffff

const lanesOf = (width: number): number => (width === 4 ? DWORD : width === 2 ? WORD : BYTE)

/** Old value with the bytes of a narrower write put in. */
export const merge = (old: number, value: number, lanes: number): number => ((old & ~lanes) | (value & lanes)) >>> 0

/** A register; without `write` it is read-only. */
export const register = (
  offset: number,
  width: number,
  name: string,
  read: () => number,
  write: (value: number, lanes: number) => void = () => {},
  peek: () => number = read,
): Register => ({ name, offset, width, read, write, peek })

/** What every register would say. */
export const valuesOf = (registers: readonly Register[]): RegisterValue[] =>
  registers.map(({ name, read, peek = read }) => ({ name, value: peek() >>> 0 }))

/** Builds the look-up for registers within `bytes`. Throws RangeError when two overlap. */
export const createRegisterFile = (bytes: number, registers: readonly Register[]): RegisterFile => {
  const owner = new Int16Array(bytes).fill(-1)
  registers.forEach((entry, number) => {
    for (let at = entry.offset; at < entry.offset + entry.width; at++) {
      if (owner[at] !== -1) throw new RangeError(`${entry.name} overlaps ${registers[owner[at]!]!.name} at ${at}`)
      owner[at] = number
    }
  })

  const readPieces = (offset: number, width: number): number => {
    let value = 0
    for (let at = offset; at < offset + width;) {
      const entry = owner[at]! < 0 ? undefined : registers[owner[at]!]!
      if (!entry) {
        at++
        continue
      }
      const piece = entry.read() >>> (8 * (at - entry.offset))
      value |= piece << (8 * (at - offset))
      at = entry.offset + entry.width
    }
    return (value & lanesOf(width)) >>> 0
  }

  const writePieces = (offset: number, width: number, value: number): void => {
    for (let at = offset; at < offset + width;) {
      const entry = owner[at]! < 0 ? undefined : registers[owner[at]!]!
      if (!entry) {
        at++
        continue
      }
      const end = Math.min(offset + width, entry.offset + entry.width)
      const shift = 8 * (at - entry.offset)
      const lanes = lanesOf(4) >>> (8 * (4 - (end - at)))
      entry.write((((value >>> (8 * (at - offset))) & lanes) << shift) >>> 0, (lanes << shift) >>> 0)
      at = end
    }
  }

  return {
    registers,
    at: (offset) => (owner[offset] === undefined || owner[offset]! < 0 ? undefined : registers[owner[offset]!]),
    read: (offset, width) => {
      const number = owner[offset]!
      if (number >= 0) {
        const entry = registers[number]!
        if (entry.offset === offset && entry.width === width) return entry.read() >>> 0
      }
      return readPieces(offset, width)
    },
    write: (offset, width, value) => {
      const number = owner[offset]!
      if (number >= 0) {
        const entry = registers[number]!
        if (entry.offset === offset && entry.width === width) {
          entry.write(value >>> 0, lanesOf(width))
          return
        }
      }
      writePieces(offset, width, value)
    },
  }
}
