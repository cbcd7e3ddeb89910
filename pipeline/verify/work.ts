/**
 * The work of one function is counted: a check stands at each head of a region of its code (wasm/work.ts), and charges for all that
 * is in it.
 */
import { unitsAt, type FuelCheck } from '../wasm/checks.ts'
import type { CodeWalker } from '../wasm/code.ts'
import type { Body } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import { LEAF, Regions, unitsFor } from '../wasm/work.ts'

/** `offset` is one in the file. */
export type Report = (offset: number, message: string) => void

export class CountedWork {
  /** Where the check seen last writes the counter: the one place where that may happen. */
  write = -1
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #check: FuelCheck | undefined
  readonly #report: Report
  readonly #regions = new Regions()
  /** By region: units that its check charges, and where it stands. */
  readonly #heads: { readonly units: number; readonly at: number }[] = []

  constructor(bytes: Uint8Array, body: Body, codeStart: number, check: FuelCheck | undefined, report: Report) {
    this.#bytes = bytes
    this.#end = body.end
    this.#check = check
    this.#report = report
    this.#head(codeStart)
  }

  #head(at: number): void {
    const units = unitsAt(this.#check, this.#bytes, at, this.#end)
    if (units > 0) this.write = at + this.#check!.writeAt
    this.#heads.push({ units, at })
  }

  /** The next instruction, of this weight. */
  see(walker: CodeWalker, weight: number): void {
    this.#regions.see(walker, weight)
    if (walker.opcode === OP.loop) this.#head(walker.end)
  }

  /** The body has been seen; `isCaller`: it calls others than the host. */
  end(isCaller: boolean): void {
    this.#heads.forEach(({ units, at }, region) => {
      const weight = this.#regions.weights[region]!
      const what = region > 0 ? 'a loop' : isCaller ? 'a function that calls others' : 'a function this long'
      if (units === 0) {
        if (region > 0 || isCaller || weight > LEAF) this.#report(at, `${what} does not count its work`)
      } else if (units < unitsFor(weight))
        this.#report(at, `${what} counts ${units} units of work; there are ${unitsFor(weight)} behind the check`)
    })
  }
}
