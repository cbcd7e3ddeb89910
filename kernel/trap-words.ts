/**
 * What this engine says when a module traps: learned at start by making tiny modules trap, because the messages differ
 * between engines and versions and none of them is specified.
 */
import type { FaultKind } from './fault.ts'

/** Everything here is so short that a length is one byte. */
const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes]

/** A module that exports `f` with this body; one page of memory; a table of two, the second being `f`. */
function trapModule(body: readonly number[]): WebAssembly.Module {
  return new WebAssembly.Module(
    new Uint8Array([
      0x00,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,

      ...section(1, [2, 0x60, 0, 0, 0x60, 0, 1, 0x7f]),
      ...section(3, [1, 0]),
      ...section(4, [1, 0x70, 0, 2]),
      ...section(5, [1, 0, 1]),
      ...section(7, [1, 1, 0x66, 0, 0]),
      ...section(9, [1, 0, 0x41, 1, 0x0b, 1, 0]),
      ...section(10, [1, body.length + 2, 0, ...body, 0x0b]),
    ]),
  )
}

const DROP = 0x1a
/** All but `unreachable`: that is what a trap is taken for which none of these makes. */
const PROBES: readonly (readonly [kind: FaultKind, body: readonly number[]])[] = [
  ['memory-access', [0x41, 0x7f, 0x28, 2, 0, DROP]],
  ['memory-access', [0x41, 0x7f, 0x41, 0, 0x41, 5, 0xfc, 11, 0]],
  ['divide-by-zero', [0x41, 1, 0x41, 0, 0x6d, DROP]],
  ['divide-by-zero', [0x41, 1, 0x41, 0, 0x6f, DROP]],
  ['divide-by-zero', [0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 0x7f, 0x6d, DROP]],
  ['bad-indirect-call', [0x41, 0, 0x11, 0, 0]],
  ['bad-indirect-call', [0x41, 1, 0x11, 1, 0, DROP]],
  ['bad-indirect-call', [0x41, 5, 0x11, 0, 0]],
]

function learn(): ReadonlyMap<string, FaultKind> {
  const known = new Map<string, FaultKind>()
  for (const [kind, body] of PROBES) {
    const f = new WebAssembly.Instance(trapModule(body)).exports['f'] as () => void
    try {
      f()
    } catch (error) {
      known.set((error as Error).message, kind)
    }
  }
  return known
}

let exhausted: string | undefined

/** What this engine says when its own stack is exhausted; other RangeErrors are somebody's mistake. */
export function exhaustion(): string {
  if (exhausted === undefined) {
    const deeper = (): number => deeper() + 1
    try {
      deeper()
    } catch (error) {
      exhausted = (error as Error).message
    }
  }
  return exhausted ?? ''
}

let learned: ReadonlyMap<string, FaultKind> | undefined

/** The kind of a trap by the engine's message; undefined for a message no probe produced. */
export function trapKind(message: string): FaultKind | undefined {
  learned ??= learn()
  return learned.get(message)
}
