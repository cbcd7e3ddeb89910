/** Prints what frames take of this engine's stack, and what the estimate is: JSON, one object a function. Run by frames.test.ts. */
import { Writer } from '../../../pipeline/wasm/bytes.ts'
import { CodeWalker, readLocals } from '../../../pipeline/wasm/code.ts'
import { Frame } from '../../../pipeline/wasm/descent.ts'
import { readModule } from '../../../pipeline/wasm/module.ts'
import { OP } from '../../../pipeline/wasm/opcodes.ts'
import { assemble, I32 } from './_build.ts'

const LOAD = 0x28
const STORE = 0x36
const MULTIPLY = 0x6c

/** What a function keeps over a call of itself: values in locals, on the operand stack, or computed before and once more behind. */
type Kept = 'locals' | 'operands' | 'recomputed'

/** `f(n)` counts its calls in the first word of memory, and calls itself without end. */
function recursive(kept: Kept, count: number): Uint8Array {
  const out = new Writer()
  const constant = (value: number) => out.u8(OP.i32Const).s32(value)
  const load = (address: number) => constant(0).u8(LOAD).u8(2).u32(address)
  const every = (each: (i: number) => void) => Array.from({ length: count }, (_, i) => each(i))
  const product = (i: number) => (out.u8(OP.localGet).u32(0), constant(i + 3).u8(MULTIPLY))
  constant(0)
  load(0)
  constant(1).u8(OP.i32Add).u8(STORE).u8(2).u32(0)
  every((i) => {
    if (kept === 'recomputed') {
      constant(16)
      product(i)
      out.u8(STORE).u8(2).u32(0)
    } else load(8 + 4 * i)
    if (kept === 'locals') out.u8(OP.localSet).u32(1 + i)
  })
  out.u8(OP.localGet).u32(0).u8(OP.call).u32(0)
  every((i) => {
    if (kept === 'recomputed') product(i)
    if (kept === 'locals') out.u8(OP.localGet).u32(1 + i)
    out.u8(OP.i32Add)
  })
  const code = [...out.u8(OP.end).finish()]
  return assemble({
    types: [[[I32], [I32]]],
    functions: [{ type: 0, locals: kept === 'locals' ? [[count, I32]] : [], code }],
    memory: [0, 2],
    exports: [
      ['f', 0, 0],
      ['memory', 2, 0],
    ],
  })
}

function estimate(bytes: Uint8Array): number {
  const module = readModule(bytes)
  const { start, end } = module.bodies[0]!
  const { codeStart, count } = readLocals(bytes, start, end)
  const frame = new Frame(module, 0, count)
  const walker = new CodeWalker(bytes, codeStart, end)
  while (walker.next()) frame.see(walker)
  return frame.bytes
}

/** Calls until the stack is full; the engine may have compiled it better after the first time. */
function depth(bytes: Uint8Array): number {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const { f, memory } = new WebAssembly.Instance(module).exports as {
    f(n: number): number
    memory: WebAssembly.Memory
  }
  const calls = new Int32Array(memory.buffer)
  let least = Infinity
  for (let round = 0; round < 5; round++) {
    calls[0] = 0
    try {
      f(7)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
    least = Math.min(least, calls[0]!)
  }
  return least
}

const STACK_BYTES = Number(process.argv[2])
const rows = (['locals', 'operands', 'recomputed'] as const).flatMap((kept) =>
  [0, 1, 4, 16, 64, 300].map((count) => {
    const bytes = recursive(kept, count)
    return { kept, count, measured: STACK_BYTES / depth(bytes), estimate: estimate(bytes) }
  }),
)
console.log(JSON.stringify(rows))
