/**
 * The engine's own stack is bounded: every way round a circle of calls passes one that takes its share of the room that is
 * left, and the longest way down between two of those needs no more than that share.
 *
 * The share is what the counter holds when the module is loaded. It is taken right before a call and given back right
 * behind it, and nowhere else is the counter written.
 */
import { ROOM_GLOBAL, hasPattern, roomGiven, roomTaken, roomWriteOffset } from '../wasm/checks.ts'
import type { CodeWalker } from '../wasm/code.ts'
import { type DirectCall, descend, frameBytes } from '../wasm/descent.ts'
import { exportedGlobal, type Body, type WasmModule } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import type { ProblemCode } from './problem.ts'

/** The largest share a module may ask for: an entry is not called where less is left. */
const SHARE_MAX = 128 << 10

/** `function` is an index among those the module defines, `offset` one in the file. */
export type Report = (code: ProblemCode, index: number, offset: number, message: string) => void

export class Room {
  readonly #module: WasmModule
  readonly #report: Report
  readonly #global: number
  readonly #share: number
  readonly #taken: Uint8Array
  readonly #given: Uint8Array
  readonly #write: number
  readonly #frames: number[]
  readonly #calls: DirectCall[][]
  #index = 0
  #body: Body | undefined
  /** Where the last three instructions began, the latest first. */
  #last = -1
  #second = -1
  #third = -1
  /** Where the call must be that room was taken for; and where the write that gives it back. */
  #call = -1
  #back = -1

  constructor(module: WasmModule, overflow: number, report: Report) {
    this.#module = module
    this.#report = report
    const global = exportedGlobal(module, ROOM_GLOBAL)
    this.#global = global?.index ?? -1
    this.#share = global?.init.i32 ?? 0
    const known = this.#global >= 0 && overflow >= 0
    const nothing = new Uint8Array([0xff])
    this.#taken = known ? roomTaken(this.#global, this.#share, overflow) : nothing
    this.#given = known ? roomGiven(this.#global, this.#share) : nothing
    this.#write = known ? roomWriteOffset(this.#global, this.#share) : 0
    this.#frames = module.bodies.map(() => 0)
    this.#calls = module.bodies.map(() => [])
  }

  /** The next body. Throws WasmError when it is malformed. */
  begin(index: number, body: Body): void {
    this.#index = index
    this.#body = body
    this.#call = this.#back = this.#last = this.#second = this.#third = -1
    this.#frames[index] = frameBytes(this.#module, index)
  }

  /** The next instruction of it. */
  see(walker: CodeWalker): void {
    const { opcode, start } = walker
    if (opcode === OP.call || opcode === OP.callIndirect) this.#calling(walker)
    else if (start === this.#call) this.#tampering(start, 'room is taken and nothing is called')
    if (opcode === OP.globalSet && walker.a === this.#global) this.#writing(start)
    this.#third = this.#second
    this.#second = this.#last
    this.#last = start
  }

  #calling({ opcode, a, start, end }: CodeWalker): void {
    const { bytes, importedFunctions, bodies } = this.#module
    const imported = importedFunctions.length
    const own = opcode === OP.callIndirect || (a >= imported && a < imported + bodies.length)
    const counted = start === this.#call && own && hasPattern(bytes, end, this.#body!.end, this.#given)
    if (counted) this.#back = end + this.#write
    else if (start === this.#call) this.#tampering(start, 'room is taken and not given back')
    else if (opcode === OP.callIndirect)
      this.#report('no-room-check', this.#index, start, 'an indirect call does not count the stack it may use')
    else if (own) this.#calls[this.#index]!.push({ callee: a - imported, at: start })
  }

  /** Bytes in step with the instructions before them: patterns are only looked for where an instruction begins. */
  #writing(start: number): void {
    const from = start - this.#write
    if (start === this.#back) return
    if (from === this.#third && hasPattern(this.#module.bytes, from, this.#body!.end, this.#taken))
      this.#call = from + this.#taken.length
    else this.#tampering(start, `only the checks may write ${ROOM_GLOBAL}`)
  }

  #tampering(offset: number, message: string): void {
    this.#report('tampering', this.#index, offset, message)
  }

  /** All bodies have been seen. */
  end(): void {
    const { bytes, back } = descend(this.#frames, this.#calls)
    for (const { caller, at } of back)
      this.#report('no-room-check', caller, at, 'a call that leads back here does not count the stack it may use')
    const needs = `the longest way down needs ${bytes} bytes of the engine's stack`
    if (back.length === 0 && this.#global >= 0 && bytes > this.#share)
      this.#report('no-room-check', 0, this.#module.code?.start ?? 0, `${needs}; ${this.#share} are counted`)
    else if (this.#share > SHARE_MAX)
      this.#report('too-large', 0, this.#module.code?.start ?? 0, `${needs}; ${SHARE_MAX} are allowed`)
  }
}
