/**
 * The engine's own stack is watched: every way round a circle of calls passes one that takes its share of the room that is
 * left, and the longest way down between two of those is estimated to need no more than that share (wasm/descent.ts says what the estimate is
 * worth).
 *
 * The share is the same in every module. It is taken right before a call and given back right behind it, and nowhere else is the
 * counter written.
 */
import { ROOM_GLOBAL, ROOM_SHARE, hasPattern, roomGiven, roomTaken, roomWriteOffset } from '../wasm/checks.ts'
import type { CodeWalker } from '../wasm/code.ts'
import { type Descent, type DirectCall, descend, Frame } from '../wasm/descent.ts'
import type { Body, WasmModule } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import { directCall, type Foreign } from '../wasm/survey.ts'
import type { ProblemCode } from './problem.ts'

/** `function` is an index among those the module defines, `offset` one in the file. */
export type Report = (code: ProblemCode, index: number, offset: number, message: string) => void

export class Room {
  readonly #module: WasmModule
  readonly #report: Report
  readonly #foreign: Foreign
  readonly #global: number
  readonly #taken: Uint8Array
  readonly #given: Uint8Array
  readonly #write: number
  readonly #frames: number[]
  readonly #calls: DirectCall[][]
  #index = 0
  #body: Body | undefined
  #frame: Frame | undefined
  /** Where the last three instructions began, the latest first. */
  #last = -1
  #second = -1
  #third = -1
  /** Where the call must be that room was taken for; and where the write that gives it back. */
  #call = -1
  #back = -1

  /** `global` is the counter's, `overflow` the function that ends a program without room; -1 for one that is missing. */
  constructor(module: WasmModule, global: number, overflow: number, foreign: Foreign, report: Report) {
    this.#module = module
    this.#report = report
    this.#foreign = foreign
    this.#global = global
    const known = global >= 0 && overflow >= 0
    const nothing = new Uint8Array([0xff])
    this.#taken = known ? roomTaken(global, overflow) : nothing
    this.#given = known ? roomGiven(global) : nothing
    this.#write = known ? roomWriteOffset(global) : 0
    this.#frames = module.bodies.map(() => 0)
    this.#calls = module.bodies.map(() => [])
  }

  /** The next body, with so many locals of its own. */
  begin(index: number, body: Body, locals: number): void {
    this.#index = index
    this.#body = body
    this.#call = this.#back = this.#last = this.#second = this.#third = -1
    this.#frame = new Frame(this.#module, index, locals)
  }

  /** The next instruction of it. */
  see(walker: CodeWalker): void {
    const { opcode, start } = walker
    this.#frame!.see(walker)
    if (opcode === OP.call || opcode === OP.callIndirect) this.#calling(walker)
    else if (start === this.#call) this.#tampering(start, 'room is taken and nothing is called')
    if (opcode === OP.globalSet && walker.a === this.#global) this.#writing(start)
    this.#third = this.#second
    this.#second = this.#last
    this.#last = start
    this.#frames[this.#index] = this.#frame!.bytes
  }

  #calling(walker: CodeWalker): void {
    const { opcode, start, end } = walker
    const { bytes, importedFunctions } = this.#module
    const direct = opcode === OP.call ? directCall(importedFunctions.length, walker, this.#foreign) : undefined
    const ours = opcode === OP.callIndirect || direct !== undefined
    const counted = start === this.#call && ours && hasPattern(bytes, end, this.#body!.end, this.#given)
    if (counted) this.#back = end + this.#write
    else if (start === this.#call) this.#tampering(start, 'room is taken and not given back')
    else if (opcode === OP.callIndirect)
      this.#report('no-room-check', this.#index, start, 'an indirect call does not count the stack it may use')
    else if (direct !== undefined) this.#calls[this.#index]!.push(direct)
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

  /** All bodies have been seen. Returns what was found of the ways down. */
  end(): Descent {
    const descent = descend(this.#frames, this.#calls)
    const { bytes, back } = descent
    for (const { caller, at } of back)
      this.#report('no-room-check', caller, at, 'a call that leads back here does not count the stack it may use')
    if (back.length === 0 && bytes > ROOM_SHARE) {
      const message = `the longest way down needs ${bytes} bytes of the engine's stack; ${ROOM_SHARE} are counted`
      this.#report('no-room-check', descent.longest.indexOf(bytes), this.#module.code?.start ?? 0, message)
    }
    return descent
  }
}
