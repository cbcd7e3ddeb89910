/** A very small assembler for relocatable objects, so that tests can say exactly which bytes they mean. */
import { Writer } from '../../../pipeline/wasm/bytes.ts'

export const I32 = 0x7f

/** Type, offset in the code or data section's payload, symbol (or type), and what is to be added. */
export type Relocation = readonly [type: number, offset: number, index: number, addend?: number]

export interface Symbol {
  readonly kind: 'function' | 'data' | 'global' | 'table'
  readonly name: string
  readonly flags?: number
  /** Functions and globals. */
  readonly index?: number
  /** Defined data: segment, offset, size. */
  readonly data?: readonly [segment: number, offset: number, size: number]
}

export interface ObjectParts {
  readonly types: readonly (readonly [params: readonly number[], results: readonly number[]])[]
  readonly imports?: readonly (readonly [module: string, name: string, type: number])[]
  /** `__stack_pointer` is imported. */
  readonly stack?: boolean
  readonly functions?: readonly { readonly type: number; readonly code: readonly number[] }[]
  readonly data?: readonly {
    readonly name: string
    readonly align?: number
    readonly flags?: number
    readonly bytes: readonly number[]
  }[]
  readonly symbols: readonly Symbol[]
  readonly code?: readonly Relocation[]
  readonly dataRelocations?: readonly Relocation[]
  readonly linkingVersion?: number
  /** Leave the last segment out of the names. */
  readonly unnamed?: boolean
}

export const UNDEFINED = 0x10
const EXPLICIT_NAME = 0x40
const WITH_ADDEND = new Set([3, 4, 5, 8, 9])

export function assembleObject(parts: ObjectParts): Uint8Array {
  const out = new Writer().u32le(0x6d736100).u32le(1)
  let sections = 0
  const section = (id: number, fill: (w: Writer) => void): number => {
    const body = new Writer()
    fill(body)
    out.u8(id).u32(body.length).bytes(body.view())
    return sections++
  }
  const { imports = [], functions = [], data = [] } = parts
  section(1, (w) => {
    w.u32(parts.types.length)
    for (const [params, results] of parts.types)
      w.u8(0x60).u32(params.length).bytes(Uint8Array.from(params)).u32(results.length).bytes(Uint8Array.from(results))
  })
  section(2, (w) => {
    w.u32(imports.length + 2 + Number(parts.stack ?? false))
    w.name('env').name('__linear_memory').u8(2).u8(0).u32(1)
    for (const [module, name, type] of imports) w.name(module).name(name).u8(0).u32(type)
    if (parts.stack) w.name('env').name('__stack_pointer').u8(3).u8(I32).u8(1)
    w.name('env').name('__indirect_function_table').u8(1).u8(0x70).u8(0).u32(0)
  })
  section(3, (w) => (w.u32(functions.length), functions.forEach(({ type }) => w.u32(type))))
  const code = section(10, (w) => {
    w.u32(functions.length)
    for (const { code } of functions)
      w.u32(code.length + 2)
        .u8(0)
        .bytes(Uint8Array.from(code))
        .u8(0x0b)
  })
  const dataSection = section(11, (w) => {
    w.u32(data.length)
    data.forEach(({ bytes }) => w.u32(0).u8(0x41).s32(0).u8(0x0b).u32(bytes.length).bytes(Uint8Array.from(bytes)))
  })
  section(0, (w) => linking(w.name('linking'), parts))
  for (const [name, target, list] of [
    ['reloc.CODE', code, parts.code],
    ['reloc.DATA', dataSection, parts.dataRelocations],
  ] as const)
    if (list !== undefined)
      section(0, (w) => {
        w.name(name).u32(target).u32(list.length)
        for (const [type, offset, index, addend = 0] of list) {
          w.u8(type).u32(offset).u32(index)
          if (WITH_ADDEND.has(type)) w.s32(addend)
        }
      })
  return out.finish()
}

function linking(w: Writer, parts: ObjectParts): void {
  const sub = (id: number, fill: (s: Writer) => void): void => {
    const body = new Writer()
    fill(body)
    w.u8(id).u32(body.length).bytes(body.view())
  }
  w.u32(parts.linkingVersion ?? 2)
  const named = (parts.data ?? []).slice(0, parts.unnamed ? -1 : undefined)
  sub(5, (s) => {
    s.u32(named.length)
    for (const { name, align = 0, flags = 0 } of named) s.name(name).u32(align).u32(flags)
  })
  sub(8, (s) => {
    s.u32(parts.symbols.length)
    for (const { kind, name, flags = 0, index = 0, data } of parts.symbols) {
      s.u8(['function', 'data', 'global', 'section', 'tag', 'table'].indexOf(kind)).u32(flags)
      if (kind === 'data') {
        s.name(name)
        for (const word of data ?? []) s.u32(word)
      } else {
        s.u32(index)
        if ((flags & UNDEFINED) === 0 || (flags & EXPLICIT_NAME) !== 0) s.name(name)
      }
    }
  })
}

/** A number in five bytes, to be filled in. */
export const HOLE = [0x80, 0x80, 0x80, 0x80, 0x00]
