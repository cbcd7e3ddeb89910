/**
 * Globals of a program, for a machine that reads and writes them all the time: the engine's own way goes through its API, which
 * takes five times what a call of a function takes that does nothing else. Knows nothing of what is in them.
 */
import type { Word } from '../../kernel/program.ts'

/**
 * (module
 *   (import "e" "g" (global (mut i32)))
 *   (func (export "get") (result i32) (global.get 0))
 *   (func (export "set") (param i32) (global.set 0 (local.get 0))))
 */
const MODULE = `
  00 61 73 6d 01 00 00 00
  01 09 02 60 00 01 7f 60 01 7f 00
  02 08 01 01 65 01 67 03 7f 01
  03 03 02 00 01
  07 0d 02 03 67 65 74 00 00 03 73 65 74 00 01
  0a 0d 02 04 00 23 00 0b 06 00 20 00 24 00 0b`

let module: WebAssembly.Module | undefined

/** A mutable global of 32 bits. */
export function wordOf(global: WebAssembly.Global): Word {
  module ??= new WebAssembly.Module(Uint8Array.from(MODULE.trim().split(/\s+/), (byte) => Number.parseInt(byte, 16)))
  const { get, set } = new WebAssembly.Instance(module, { e: { g: global } }).exports
  return new GlobalWord(get as () => number, set as (value: number) => void)
}

class GlobalWord implements Word {
  readonly #get: () => number
  readonly #set: (value: number) => void

  constructor(get: () => number, set: (value: number) => void) {
    this.#get = get
    this.#set = set
  }

  get value(): number {
    return this.#get()
  }

  set value(value: number) {
    this.#set(value)
  }
}
