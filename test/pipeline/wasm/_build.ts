/** A very small assembler for wasm modules, so that tests can say exactly which bytes they mean. */
import { Writer } from '../../../pipeline/wasm/bytes.ts'

export const I32 = 0x7f

export interface Parts {
  types?: [params: number[], results: number[]][]
  /** Function imports. */
  imports?: [module: string, name: string, type: number][]
  functions?: { type: number; locals?: [count: number, type: number][]; code: number[] }[]
  table?: number
  memory?: number[]
  /** Memory (its limits) and table (its size) that are imported, as a core has them. */
  shared?: { memory: number[]; table: number }
  /** Mutable i32 globals, initial values. */
  globals?: number[]
  /** Which of them are constants instead. */
  constants?: number[]
  /** What they are instead, by index; their initial values stay as they are. */
  globalTypes?: Readonly<Record<number, number>>
  exports?: [name: string, kind: number, index: number][]
  start?: number
  /** Functions of one active element segment, at 0 unless told otherwise. */
  elements?: number[]
  elementBase?: number
  data?: Uint8Array
  custom?: [name: string, payload: Uint8Array][]
}

export function assemble(parts: Parts): Uint8Array {
  const out = new Writer()
  out.u32le(0x6d736100).u32le(1)
  const section = (id: number, fill: (w: Writer) => void): void => {
    const body = new Writer()
    fill(body)
    out.u8(id).u32(body.length).bytes(body.view())
  }
  const vector = <T>(id: number, items: readonly T[] | undefined, each: (w: Writer, item: T) => void): void => {
    if (items) section(id, (w) => (w.u32(items.length), items.forEach((item) => each(w, item))))
  }
  const list = (w: Writer, types: number[]): void => void w.u32(types.length).bytes(Uint8Array.from(types))
  vector(1, parts.types, (w, [p, r]) => (w.u8(0x60), list(w, p), list(w, r)))
  const { imports = [], shared } = parts
  if (imports.length > 0 || shared !== undefined)
    section(2, (w) => {
      w.u32(imports.length + (shared === undefined ? 0 : 2))
      for (const [m, n, t] of imports) w.name(m).name(n).u8(0).u32(t)
      if (shared === undefined) return
      w.name('env').name('memory').u8(2).bytes(Uint8Array.from(shared.memory))
      w.name('env').name('__indirect_function_table').u8(1).u8(0x70).u8(0).u32(shared.table)
    })
  vector(3, parts.functions, (w, f) => w.u32(f.type))
  if (parts.table !== undefined) vector(4, [parts.table], (w, n) => w.u8(0x70).u8(1).u32(n).u32(n))
  if (parts.memory) vector(5, [parts.memory], (w, limits) => w.bytes(Uint8Array.from(limits)))
  vector(6, parts.globals?.entries().toArray(), (w, [i, value]) =>
    w
      .u8(parts.globalTypes?.[i] ?? I32)
      .u8(parts.constants?.includes(i) ? 0 : 1)
      .u8(0x41)
      .s32(value)
      .u8(0x0b),
  )
  vector(7, parts.exports, (w, [name, kind, index]) => w.name(name).u8(kind).u32(index))
  if (parts.start !== undefined) section(8, (w) => w.u32(parts.start as number))
  if (parts.elements)
    section(9, (w) => {
      w.u32(1)
        .u32(0)
        .u8(0x41)
        .s32(parts.elementBase ?? 0)
        .u8(0x0b)
        .u32((parts.elements as number[]).length)
      for (const f of parts.elements as number[]) w.u32(f)
    })
  vector(10, parts.functions, (w, f) => {
    const body = new Writer()
    body.u32(f.locals?.length ?? 0)
    for (const [n, t] of f.locals ?? []) body.u32(n).u8(t)
    body.bytes(Uint8Array.from(f.code))
    w.u32(body.length).bytes(body.view())
  })
  if (parts.data) vector(11, [parts.data], (w, d) => w.u32(0).u8(0x41).s32(1024).u8(0x0b).u32(d.length).bytes(d))
  for (const [name, payload] of parts.custom ?? []) section(0, (w) => w.name(name).bytes(payload))
  return out.finish()
}

/** A linked module in miniature: recursion, a loop, an indirect call, padded numbers, one import. */
export function sample(change: Partial<Parts> = {}): Uint8Array {
  return assemble({
    types: [
      [[], []],
      [[I32], [I32]],
    ],
    imports: [['log', 'note', 0]],
    table: 3,
    memory: [1, 2, 2],
    globals: [0x8000],
    exports: [
      ['memory', 2, 0],
      ['__stack_pointer', 3, 0],
      ['fib', 0, 1],
      ['sum', 0, 2],
      ['push', 0, 3],
      ['via', 0, 4],
    ],
    elements: [1, 2, 3],
    functions: [
      // fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2), calls with padded indexes
      {
        type: 1,
        code: [
          0x20, 0, 0x41, 2, 0x48, 0x04, 0x7f, 0x20, 0, 0x05, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0x81, 0x80, 0x80, 0x80, 0,
          0x20, 0, 0x41, 2, 0x6b, 0x10, 0x81, 0x80, 0x80, 0x80, 0, 0x6a, 0x0b, 0x0b,
        ],
      },
      // sum(n): a loop that leaves a result, with br_if to its head
      {
        type: 1,
        locals: [[1, I32]],
        code: [
          0x03, 0x7f, 0x20, 1, 0x20, 0, 0x6a, 0x21, 1, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x20, 1, 0x0b, 0x0b,
        ],
      },
      // push(n): stack pointer -= n, padded; returns it; notes it through the import
      {
        type: 1,
        code: [0x23, 0x80, 0x80, 0x80, 0x80, 0, 0x20, 0, 0x6b, 0x24, 0x80, 0x80, 0x80, 0x80, 0, 0x10, 0, 0x23, 0, 0x0b],
      },
      // via(n) = table[n](n)
      { type: 1, code: [0x20, 0, 0x20, 0, 0x11, 0x81, 0x80, 0x80, 0x80, 0, 0, 0x0b] },
    ],
    ...change,
  })
}
