/**
 * `.debug_info`: compile units, their functions, and what was inlined into them.
 *
 * Only what a backtrace needs is read: entries for types and variables are stepped over, at a known size wherever their
 * abbreviation has one. Source: DWARF 5, chapters 2, 3 and 7 (and DWARF 4).
 */
import { Cursor, WasmError } from '../bytes.ts'
import { FORM, formSize, readForm } from './forms.ts'
import { cursorAt, isTombstone, type DebugSections } from './sections.ts'

const TAG = { lexicalBlock: 0x0b, compileUnit: 0x11, inlined: 0x1d, subprogram: 0x2e }
const AT = {
  name: 0x03,
  stmtList: 0x10,
  lowPc: 0x11,
  highPc: 0x12,
  compDir: 0x1b,
  abstractOrigin: 0x31,
  specification: 0x47,
  ranges: 0x55,
  callFile: 0x58,
  callLine: 0x59,
  strOffsetsBase: 0x72,
  addrBase: 0x73,
  rnglistsBase: 0x74,
}

/** Half-open range of code addresses. */
export type Range = readonly [low: number, high: number]

/** A function with code, or a call inlined into one. */
export interface Scope {
  readonly name: string
  readonly ranges: readonly Range[]
  /** Nesting: 0 for the function itself. */
  readonly depth: number
  readonly parent: Scope | undefined
  /** Inlined calls: file index in the unit's line table, line. */
  readonly callFile: number
  readonly callLine: number
}

export interface Unit {
  readonly directory: string
  /** Offset of the unit's line program, if it has one. */
  readonly lines: number | undefined
  /** All functions with code and the calls inlined into them, parents before children. */
  readonly scopes: readonly Scope[]
}

interface Abbreviation {
  readonly tag: number
  readonly children: boolean
  /** attribute, form, implicit constant; flat triples */
  readonly attributes: readonly number[]
  /** Size of all attributes when it does not depend on the data. */
  readonly size: number | undefined
}

interface UnitContext {
  readonly debug: DebugSections
  readonly version: number
  readonly offset: number
  base: number
  strOffsets: number
  addr: number
  rnglists: number
}

/** Name of a subprogram entry, or where to look for it. */
type NameEntry = string | number

interface Attributes {
  name?: string
  low?: number
  high?: number
  highIsOffset: boolean
  ranges?: number
  rangesIsIndex: boolean
  origin?: number
  callFile: number
  callLine: number
  lines?: number
  directory: string
}

export interface DebugInfo {
  readonly units: readonly Unit[]
  /** Units that could not be read, and why. */
  readonly problems: readonly string[]
}

export function readDebugInfo(debug: DebugSections): DebugInfo {
  const section = debug.byName.get('info')
  const units: Unit[] = []
  const problems: string[] = []
  if (section === undefined) return { units, problems }
  const outer = cursorAt(debug.bytes, section, 0)
  const abbreviations = new Map<number, Abbreviation[]>()
  /** All subprograms by their offset in the section; origins may point into another unit. */
  const names = new Map<number, NameEntry>()
  const drafts: { unit: Unit; scopes: DraftScope[] }[] = []
  while (outer.left >= 11) {
    const offset = outer.pos - section.start
    const length = outer.u32le()
    if (length >= 0xfffffff0) throw new WasmError('64-bit DWARF is not supported', outer.pos)
    const cursor = new Cursor(debug.bytes, outer.pos, outer.pos + length)
    outer.skip(length)
    try {
      const draft = readUnit(debug, cursor, offset, abbreviations, names)
      if (draft) drafts.push(draft)
    } catch (error) {
      if (!(error instanceof WasmError)) throw error
      problems.push(`unit at 0x${offset.toString(16)}: ${error.message}`)
    }
  }
  for (const { unit, scopes } of drafts) units.push({ ...unit, scopes: scopes.map((s) => finish(s, names)) })
  return { units, problems }
}

interface DraftScope {
  name: NameEntry
  ranges: Range[]
  depth: number
  parent: DraftScope | undefined
  callFile: number
  callLine: number
  done?: Scope
}

function finish(draft: DraftScope, names: ReadonlyMap<number, NameEntry>): Scope {
  const scope: Scope = {
    name: resolveName(draft.name, names),
    ranges: draft.ranges,
    depth: draft.depth,
    parent: draft.parent?.done,
    callFile: draft.callFile,
    callLine: draft.callLine,
  }
  draft.done = scope
  return scope
}

function resolveName(entry: NameEntry, names: ReadonlyMap<number, NameEntry>): string {
  let name: NameEntry | undefined = entry
  for (let hops = 0; typeof name === 'number' && hops < 8; hops++) name = names.get(name)
  return typeof name === 'string' ? name : ''
}

function readUnit(
  debug: DebugSections,
  cursor: Cursor,
  offset: number,
  cache: Map<number, Abbreviation[]>,
  names: Map<number, NameEntry>,
): { unit: Unit; scopes: DraftScope[] } | undefined {
  const version = cursor.u16()
  if (version < 2 || version > 5) throw new WasmError(`DWARF version ${version}, 2 to 5 expected`, cursor.pos)
  let type = 1
  if (version >= 5) {
    type = cursor.u8()
    cursor.skip(1)
  }
  const abbreviationOffset = cursor.u32le()
  if (version < 5) cursor.skip(1)
  if (type !== 1) return undefined // type units and skeletons have no code
  let table = cache.get(abbreviationOffset)
  if (table === undefined) {
    table = readAbbreviations(debug, abbreviationOffset)
    cache.set(abbreviationOffset, table)
  }
  const context: UnitContext = { debug, version, offset, base: 0, strOffsets: 8, addr: 8, rnglists: 12 }
  return walk(context, cursor, table, names)
}

function readAbbreviations(debug: DebugSections, offset: number): Abbreviation[] {
  const section = debug.byName.get('abbrev')
  if (section === undefined) throw new WasmError('no .debug_abbrev section', 0)
  const cursor = cursorAt(debug.bytes, section, offset)
  const table: Abbreviation[] = []
  for (let code = cursor.uleb(); code !== 0; code = cursor.uleb()) {
    if (code > 1_000_000) throw new WasmError(`abbreviation code ${code} is not plausible`, cursor.pos)
    const tag = cursor.uleb()
    const children = cursor.u8() !== 0
    const attributes: number[] = []
    let size: number | undefined = 0
    for (;;) {
      const attribute = cursor.uleb()
      const form = cursor.uleb()
      const implicit = form === FORM.implicitConst ? cursor.sleb() : 0
      if (attribute === 0 && form === 0) break
      attributes.push(attribute, form, implicit)
      const bytes = formSize(form)
      size = size === undefined || bytes === undefined ? undefined : size + bytes
    }
    table[code] = { tag, children, attributes, size }
  }
  return table
}

/** Walk the unit's entries. `stack` holds, for every open entry with children, the scope its children belong to. */
function walk(
  context: UnitContext,
  cursor: Cursor,
  table: readonly Abbreviation[],
  names: Map<number, NameEntry>,
): { unit: Unit; scopes: DraftScope[] } {
  const section = context.debug.byName.get('info')?.start ?? 0
  const scopes: DraftScope[] = []
  const stack: (DraftScope | undefined)[] = []
  let unit: Unit = { directory: '', lines: undefined, scopes: [] }
  while (cursor.left > 0) {
    const at = cursor.pos - section
    const code = cursor.uleb()
    if (code === 0) {
      stack.pop()
      if (stack.length === 0) break
      continue
    }
    const abbreviation = table[code]
    if (abbreviation === undefined) throw new WasmError(`unknown abbreviation ${code}`, cursor.pos)
    const { tag } = abbreviation
    let scope = stack.at(-1)
    if (tag === TAG.subprogram || tag === TAG.inlined || tag === TAG.compileUnit) {
      const attributes = readAttributes(context, cursor, abbreviation)
      if (tag === TAG.compileUnit) unit = { directory: attributes.directory, lines: attributes.lines, scopes: [] }
      else {
        const name = attributes.name ?? attributes.origin ?? ''
        if (tag === TAG.subprogram) names.set(at, name)
        const parent = tag === TAG.inlined ? scope : undefined
        scope = newScope(name, rangesOf(context, attributes), parent, attributes)
        if (scope.ranges.length > 0) scopes.push(scope)
      }
    } else if (abbreviation.size !== undefined) cursor.skip(abbreviation.size)
    else {
      const list = abbreviation.attributes
      for (let i = 0; i < list.length; i += 3) readForm(cursor, list[i + 1] as number)
    }
    if (abbreviation.children) stack.push(scope)
    else if (stack.length === 0) break
  }
  return { unit, scopes }
}

function newScope(name: NameEntry, ranges: Range[], parent: DraftScope | undefined, a: Attributes): DraftScope {
  return { name, ranges, depth: parent ? parent.depth + 1 : 0, parent, callFile: a.callFile, callLine: a.callLine }
}

function readAttributes(context: UnitContext, cursor: Cursor, abbreviation: Abbreviation): Attributes {
  const out: Attributes = { highIsOffset: true, rangesIsIndex: false, callFile: 0, callLine: 0, directory: '' }
  const list = abbreviation.attributes
  // Bases first where the unit gives them after what needs them: remember raw values, resolve afterwards.
  let low: [form: number, value: number] | undefined
  let name: [number, number] | undefined
  let directory: [number, number] | undefined
  for (let i = 0; i < list.length; i += 3) {
    const form = list[i + 1] as number
    const value = readForm(cursor, form, list[i + 2])
    switch (list[i]) {
      case AT.name:
        name = [form, value]
        break
      case AT.compDir:
        directory = [form, value]
        break
      case AT.lowPc:
        low = [form, value]
        break
      case AT.highPc:
        out.high = value
        out.highIsOffset = form !== FORM.addr
        break
      case AT.ranges:
        out.ranges = value
        out.rangesIsIndex = form === FORM.rnglistx
        break
      case AT.abstractOrigin:
      case AT.specification:
        out.origin = form === FORM.refAddr ? value : value + context.offset
        break
      case AT.callFile:
        out.callFile = value
        break
      case AT.callLine:
        out.callLine = value
        break
      case AT.stmtList:
        out.lines = value
        break
      case AT.strOffsetsBase:
        context.strOffsets = value
        break
      case AT.addrBase:
        context.addr = value
        break
      case AT.rnglistsBase:
        context.rnglists = value
        break
    }
  }
  if (name) out.name = stringOf(context, ...name)
  if (directory) out.directory = stringOf(context, ...directory)
  if (low) out.low = addressOf(context, ...low)
  if (abbreviation.tag === TAG.compileUnit) context.base = out.low ?? 0
  return out
}

function stringOf(context: UnitContext, form: number, value: number): string {
  const { debug } = context
  if (form === FORM.strp) return debug.string('str', value)
  if (form === FORM.lineStrp) return debug.string('line_str', value)
  if (form === FORM.string) return new Cursor(debug.bytes, value).cstring()
  const table = debug.byName.get('str_offsets')
  if (table === undefined) return ''
  return debug.string('str', cursorAt(debug.bytes, table, context.strOffsets + 4 * value).u32le())
}

function addressOf(context: UnitContext, form: number, value: number): number {
  return form === FORM.addr ? value : indexedAddress(context, value)
}

function indexedAddress(context: UnitContext, index: number): number {
  const table = context.debug.byName.get('addr')
  return table === undefined ? 0 : cursorAt(context.debug.bytes, table, context.addr + 4 * index).u32le()
}

function rangesOf(context: UnitContext, a: Attributes): Range[] {
  if (a.ranges !== undefined)
    return context.version >= 5 ? rangeList5(context, a.ranges, a.rangesIsIndex) : rangeList4(context, a.ranges)
  if (a.low === undefined || a.high === undefined || isTombstone(a.low)) return []
  const high = a.highIsOffset ? a.low + a.high : a.high
  return high > a.low ? [[a.low, high]] : []
}

/** DWARF 4, section 2.17.3. */
function rangeList4(context: UnitContext, offset: number): Range[] {
  const section = context.debug.byName.get('ranges')
  const ranges: Range[] = []
  if (section === undefined) return ranges
  const cursor = cursorAt(context.debug.bytes, section, offset)
  let base = context.base
  for (;;) {
    const low = cursor.u32le()
    const high = cursor.u32le()
    if (low === 0 && high === 0) return ranges
    if (low === 0xffffffff) base = high
    else if (low < 0xfffffffe && high > low && !isTombstone(base + low)) ranges.push([base + low, base + high])
  }
}

/** DWARF 5, section 2.17.3. */
function rangeList5(context: UnitContext, value: number, isIndex: boolean): Range[] {
  const section = context.debug.byName.get('rnglists')
  const ranges: Range[] = []
  if (section === undefined) return ranges
  const { bytes } = context.debug
  const offset = isIndex ? context.rnglists + cursorAt(bytes, section, context.rnglists + 4 * value).u32le() : value
  const cursor = cursorAt(bytes, section, offset)
  let { base } = context
  const push = (low: number, high: number): void => {
    if (high > low && !isTombstone(low)) ranges.push([low, high])
  }
  for (;;) {
    const kind = cursor.u8()
    if (kind === 0) return ranges
    if (kind === 1) base = indexedAddress(context, cursor.uleb())
    else if (kind === 2) push(indexedAddress(context, cursor.uleb()), indexedAddress(context, cursor.uleb()))
    else if (kind === 3) {
      const low = indexedAddress(context, cursor.uleb())
      push(low, low + cursor.uleb())
    } else if (kind === 4) {
      const low = base + cursor.uleb()
      push(low, base + cursor.uleb())
    } else if (kind === 5) base = cursor.u32le()
    else if (kind === 6) push(cursor.u32le(), cursor.u32le())
    else if (kind === 7) {
      const low = cursor.u32le()
      push(low, low + cursor.uleb())
    } else throw new WasmError(`unknown range list entry ${kind}`, cursor.pos)
  }
}
