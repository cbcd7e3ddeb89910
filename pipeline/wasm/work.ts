/**
 * How much work lies behind each check that counts it: instructions that may run before the next check does.
 *
 * The code of a function is cut into regions: one of each loop, without the loops in it, and one of the rest. An instruction runs
 * at most once for each time its region's head does, and there is a check at every loop's head and at the entry of every function
 * but the shortest; so a check that charges for its region's instructions charges for all that run. What a short function without a check may do is
 * the caller's: any call that may go to one is charged as it.
 *
 * Weights are of finished code, checks included. Must not know how the checks look.
 */
import type { CodeWalker } from './code.ts'
import { OP } from './opcodes.ts'

/** Instructions that a unit of work pays for. */
const UNIT = 64
/** Weight that a function may have without a check at its entry, if it calls nobody but the host. */
export const LEAF = 32

/** What the function that charges for ranges weighs beyond its call: it counts no work of its own. */
export const CHARGING = 15
/** An instruction that works on a range, with what nobody counts of it: 256 bytes at most. */
const RANGE = 8

/** What the instruction itself weighs: an indirect call may go to a short function that does not count its work. */
export function weightOf(opcode: number): number {
  if (opcode === OP.callIndirect) return 1 + LEAF
  return opcode === OP.memoryCopy || opcode === OP.memoryFill || opcode === OP.memoryInit ? RANGE : 1
}

/** Units that a check charges for a region of this weight. */
export const unitsFor = (weight: number): number => 1 + Math.floor(weight / UNIT)

/** The regions of one body, while it is walked. */
export class Regions {
  /** By region: the function's first, then those of loops in the order of their heads. */
  readonly weights: number[] = [0]
  /** Region of each open block. */
  readonly #open: number[] = [0]

  /** The region that the next instruction is of. */
  get current(): number {
    return this.#open.at(-1) ?? 0
  }

  /** The next instruction, of this weight. */
  see({ opcode }: CodeWalker, weight: number): void {
    this.add(this.current, weight)
    if (opcode === OP.loop) this.#open.push(this.weights.push(0) - 1)
    else if (opcode === OP.block || opcode === OP.if) this.#open.push(this.current)
    else if (opcode === OP.end) this.#open.pop()
  }

  add(region: number, weight: number): void {
    this.weights[region] = this.weights[region]! + weight
  }
}
