/**
 * DWARF attribute forms: their size, and their value where the reader wants it.
 * Source: DWARF 5, section 7.5.6; 32-bit format.
 */
import { WasmError, type Cursor } from '../bytes.ts'

export const FORM = {
  addr: 0x01,
  strp: 0x0e,
  string: 0x08,
  secOffset: 0x17,
  implicitConst: 0x21,
  strx: 0x1a,
  addrx: 0x1b,
  lineStrp: 0x1f,
  rnglistx: 0x23,
  strx1: 0x25,
  strx2: 0x26,
  strx3: 0x27,
  strx4: 0x28,
  addrx1: 0x29,
  addrx2: 0x2a,
  addrx3: 0x2b,
  addrx4: 0x2c,
  refAddr: 0x10,
} as const

/** Bytes of the forms that have one size. */
const fixed = new Map<number, number>([
  [0x01, 4], // addr
  [0x05, 2], // data2
  [0x06, 4], // data4
  [0x07, 8], // data8
  [0x0b, 1], // data1
  [0x0c, 1], // flag
  [0x0e, 4], // strp
  [0x10, 4], // ref_addr
  [0x11, 1], // ref1
  [0x12, 2], // ref2
  [0x13, 4], // ref4
  [0x14, 8], // ref8
  [0x17, 4], // sec_offset
  [0x19, 0], // flag_present
  [0x1c, 4], // ref_sup4
  [0x1d, 4], // strp_sup
  [0x1e, 16], // data16
  [0x1f, 4], // line_strp
  [0x20, 8], // ref_sig8
  [0x21, 0], // implicit_const
  [0x24, 8], // ref_sup8
  [0x25, 1],
  [0x26, 2],
  [0x27, 3],
  [0x28, 4], // strx1 to strx4
  [0x29, 1],
  [0x2a, 2],
  [0x2b, 3],
  [0x2c, 4], // addrx1 to addrx4
])

/** Size of a form in bytes, undefined when it depends on the data. */
export function formSize(form: number): number | undefined {
  return fixed.get(form)
}

/** Numeric value of a form (an offset, index or constant); blocks give 0. Leaves the cursor after it. */
export function readForm(cursor: Cursor, form: number, implicit = 0): number {
  const size = fixed.get(form)
  if (size !== undefined) return form === FORM.implicitConst ? implicit : readFixed(cursor, size)
  switch (form) {
    case 0x08: // string: its offset in the file
      return readInline(cursor)
    case 0x0d: // sdata
      return cursor.sleb()
    case 0x0f: // udata
    case 0x15: // ref_udata
    case FORM.strx:
    case FORM.addrx:
    case 0x22: // loclistx
    case FORM.rnglistx:
      return cursor.uleb()
    case 0x03: // block2
      return skipBlock(cursor, cursor.u16())
    case 0x04: // block4
      return skipBlock(cursor, cursor.u32le())
    case 0x09: // block
    case 0x18: // exprloc
      return skipBlock(cursor, cursor.uleb())
    case 0x0a: // block1
      return skipBlock(cursor, cursor.u8())
    case 0x16: // indirect
      return readForm(cursor, cursor.uleb())
    default:
      throw new WasmError(`unknown DWARF form 0x${form.toString(16)}`, cursor.pos)
  }
}

function readInline(cursor: Cursor): number {
  const at = cursor.pos
  cursor.cstring()
  return at
}

function skipBlock(cursor: Cursor, size: number): number {
  cursor.skip(size)
  return 0
}

function readFixed(cursor: Cursor, size: number): number {
  switch (size) {
    case 0:
      return 1
    case 1:
      return cursor.u8()
    case 2:
      return cursor.u16()
    case 3:
      return cursor.u16() | (cursor.u8() << 16)
    case 4:
      return cursor.u32le()
    case 8:
      return Number(cursor.u64le())
    default:
      cursor.skip(size)
      return 0
  }
}
