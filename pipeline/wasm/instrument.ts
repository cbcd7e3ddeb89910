/**
 * Rewrites a linked program, a core or a module bound to one so that the machine keeps control of it: work is counted, the C stack
 * and the engine's are watched.
 *
 * Added: the mutable globals `drvport_fuel`, `drvport_stack_limit` and `drvport_room`, which a program or a core has and
 * exports and a bound module imports from its core; the imports `sched.preempt`, `sched.resched` and
 * `sched.stack_overflow` (unless the module has them already); a last function that calls the first
 * two and one before it that charges for ranges of memory; a call of that before everything that works on a range; a fuel
 * check, which charges by the code behind it, at every loop head and at the entry of every function but short ones that call
 * nobody but the host; a stack check after every write of `__stack_pointer`; and around every indirect call, and every direct one
 * that closes a circle or has too long a way down behind it, the room that it may take of the engine's stack. Removed: debug sections. Numbers
 * the linker padded are written in their shortest form. The result depends on the input bytes, and on what they are bound to, only.
 *
 * Must not know: what the module does, or Linux.
 */
import { Cursor, WasmError, Writer } from './bytes.ts'
import {
  BULK_NAME,
  CHECK_MODULE,
  CORE_HANDLES,
  EXHAUSTED_NAME,
  FUEL_GLOBAL,
  LIMIT_GLOBAL,
  PREEMPT,
  RESCHED,
  ROOM_GLOBAL,
  ROOM_SHARE,
  STACK_GLOBAL,
  STACK_OVERFLOW,
  bulkBody,
  exhaustedBody,
  fuelCheck,
  handlesOf,
  isBulk,
  isFree,
  roomGiven,
  roomTaken,
  stackCheck,
  withUnits,
  type FuelCheck,
  type Handles,
} from './checks.ts'
import { CodeWalker, readLocals } from './code.ts'
import {
  SECTION,
  readModule,
  type Body,
  type FuncType,
  type Section,
  type ValueType,
  type WasmModule,
} from './module.ts'
import type { OffsetMap } from './offsets.ts'
import { OP } from './opcodes.ts'
import { survey, type Survey } from './survey.ts'

export interface Instrumented {
  readonly bytes: Uint8Array
  readonly offsets: OffsetMap
  /** Checks inserted. */
  readonly checks: Readonly<Checks>
}

interface Checks {
  functions: number
  loops: number
  stack: number
  bulk: number
  room: number
}

/** The core and the modules that a bound module belongs to, as far as its checks depend on them. */
export interface BoundTo {
  /**
   * The longest way down, in bytes of the engine's stack, from a function that it imports; undefined for a call of the host. What is not
   * known is as deep as may be: calls of it count the stack they may use.
   */
  depthOf(module: string, name: string): number | undefined
}

/** The longest way down between two counted calls: the checks are on it too, and an optimiser's frames. */
export const DEPTH_MAX = Math.floor((ROOM_SHARE - 1024) / 1.5)

/** Everything the section writers need to know about the rewrite. */
interface Plan {
  readonly module: WasmModule
  readonly isBound: boolean
  /** Function imports added; every index of a defined function grows by as many. */
  readonly added: readonly string[]
  readonly emptyType: number
  /** Of the function that charges for ranges: a length in, the same out. */
  readonly lengthType: number
  readonly addedTypes: readonly (readonly number[])[]
  readonly handles: Handles
  readonly survey: Survey
  /** The added function: what happens when the counter has run out. */
  readonly exhaustedBytes: Uint8Array
  readonly exhaustedFunction: number
  readonly bulkFunction: number
  readonly bulkBytes: Uint8Array
  readonly bulkCall: Uint8Array
  readonly fuel: FuelCheck
  readonly stackBytes: Uint8Array
  readonly takenBytes: Uint8Array
  readonly givenBytes: Uint8Array
  readonly shift: (functionIndex: number) => number
}

/**
 * Instrument a linked program or core, or a module bound to `core`. Throws WasmError when it is malformed, already
 * instrumented or lacks a stack pointer.
 */
export function instrument(bytes: Uint8Array, core?: BoundTo): Instrumented {
  const plan = makePlan(readModule(bytes), core)
  const code = rewriteCode(plan)
  const out = new Writer(bytes.length + 65536)
  out.range(bytes, 0, 8)
  const byId = new Map(plan.module.sections.filter((s) => s.id !== SECTION.custom).map((s) => [s.id, s]))
  let codeStart = 0
  for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]) {
    const section = byId.get(id)
    const payload = id === SECTION.code ? code.payload : rewriteSection(plan, id, section)
    if (payload === undefined) continue
    out.u8(id).u32(payload.length)
    if (id === SECTION.code) codeStart = out.length
    out.bytes(payload)
  }
  for (const section of plan.module.sections) if (section.id === SECTION.custom) writeCustom(plan, section, out)
  return {
    bytes: out.finish(),
    offsets: { codeStart, newStarts: code.newStarts, originalStarts: code.originalStarts },
    checks: code.checks,
  }
}

/** The handles as they will be: those that are there, and the added ones behind all other globals. */
function placeHandles(module: WasmModule, isBound: boolean): Handles {
  const found = handlesOf(module)
  if (found.fuel >= 0 || found.limit >= 0 || found.room >= 0)
    throw new WasmError(`already instrumented: ${FUEL_GLOBAL}, ${LIMIT_GLOBAL} or ${ROOM_GLOBAL} is there`, 0)
  // A bound module that never needs a frame in memory does not import it.
  if (found.stack < 0 && !isBound) throw new WasmError(`${STACK_GLOBAL} is not exported (link with --export)`, 0)
  if (isBound && module.globals.length > 0)
    throw new WasmError('a bound module has no globals of its own', module.globals[0]!.init.start)
  const fuel = module.importedGlobals.length + module.globals.length
  return { stack: found.stack, fuel, limit: fuel + 1, room: fuel + 2 }
}

function makePlan(module: WasmModule, core: BoundTo | undefined): Plan {
  const isBound = core !== undefined
  const handles = placeHandles(module, isBound)
  const imported = module.importedFunctions.length
  const find = (name: string): number =>
    module.importedFunctions.findIndex((f) => f.module === CHECK_MODULE && f.name === name)
  const added = [PREEMPT, STACK_OVERFLOW, RESCHED].filter((name) => find(name) < 0)
  const indexOf = (name: string): number => (find(name) < 0 ? imported + added.indexOf(name) : find(name))
  const { typeOf, addedTypes } = typesOf(module)
  for (const name of [PREEMPT, STACK_OVERFLOW, RESCHED]) {
    const item = module.importedFunctions[find(name)]
    const type = item?.typeIndex === undefined ? undefined : module.types[item.typeIndex]
    if (item && type && type.params.length + type.results.length > 0)
      throw new WasmError(`import ${CHECK_MODULE}.${name} has the wrong type`, item.offset)
  }
  const foreign = (index: number): number | undefined => {
    const { module: owner, name } = module.importedFunctions[index]!
    return core?.depthOf(owner, name)
  }
  const bulkFunction = imported + added.length + module.bodies.length
  const exhaustedFunction = bulkFunction + 1
  const { fuel, room, stack, limit } = handles
  return {
    module,
    isBound,
    added,
    emptyType: typeOf([], []),
    lengthType: typeOf(['i32'], ['i32']),
    addedTypes,
    handles,
    survey: survey(module, stack, foreign, DEPTH_MAX),
    takenBytes: roomTaken(room, indexOf(STACK_OVERFLOW)),
    givenBytes: roomGiven(room),
    exhaustedFunction,
    exhaustedBytes: exhaustedBody(fuel, indexOf(PREEMPT), indexOf(RESCHED)),
    bulkFunction,
    bulkBytes: bulkBody(fuel, exhaustedFunction),
    bulkCall: new Writer().u8(OP.call).u32(bulkFunction).finish(),
    fuel: fuelCheck(fuel, exhaustedFunction),
    stackBytes: stackCheck(stack, limit, indexOf(STACK_OVERFLOW)),
    shift: (index) => (index < imported ? index : index + added.length),
  }
}

/** Function types by what they are, those that the module lacks added behind its own. */
function typesOf(module: WasmModule): {
  typeOf: (params: ValueType[], results: ValueType[]) => number
  addedTypes: number[][]
} {
  const addedTypes: number[][] = []
  const typeOf = (params: ValueType[], results: ValueType[]): number => {
    const same = (t: FuncType): boolean => t.params.join() === params.join() && t.results.join() === results.join()
    const found = module.types.findIndex(same)
    if (found >= 0) return found
    const bytes = (types: ValueType[]): number[] => [types.length, ...types.map((t) => valueTypeBytes[t])]
    return module.types.length + addedTypes.push([0x60, ...bytes(params), ...bytes(results)]) - 1
  }
  return { typeOf, addedTypes }
}

/** New payload of a section; undefined when there is to be none. */
function rewriteSection(plan: Plan, id: number, section: Section | undefined): Uint8Array | undefined {
  switch (id) {
    case SECTION.type:
      return append(
        plan,
        section,
        plan.addedTypes.map((bytes) => (w) => w.bytes(Uint8Array.from(bytes))),
      )
    case SECTION.import:
      return append(plan, section, [
        ...plan.added.map((name) => (w: Writer) => w.name(CHECK_MODULE).name(name).u8(0).u32(plan.emptyType)),
        ...(plan.isBound ? HANDLES : []).map(
          (name) => (w: Writer) => w.name(CORE_HANDLES).name(name).u8(3).u8(valueTypeBytes.i32).u8(1),
        ),
      ])
    case SECTION.function:
      return append(plan, section, [(w) => w.u32(plan.lengthType), (w) => w.u32(plan.emptyType)])
    case SECTION.global:
      return plan.isBound ? copied(plan, section) : rewriteGlobals(plan)
    case SECTION.export:
      return plan.isBound ? copied(plan, section) : rewriteExports(plan)
    case SECTION.start:
      return section && new Writer().u32(plan.shift(plan.module.start as number)).finish()
    case SECTION.element:
      return section && rewriteElements(plan, section)
    default:
      return copied(plan, section)
  }
}

const copied = (plan: Plan, section: Section | undefined): Uint8Array | undefined =>
  section && plan.module.bytes.subarray(section.start, section.end)

/** What is added to the globals, in this order. */
const HANDLES = [FUEL_GLOBAL, LIMIT_GLOBAL, ROOM_GLOBAL]

/** A vector section with items added at its end. */
function append(plan: Plan, section: Section | undefined, items: ((w: Writer) => void)[]): Uint8Array | undefined {
  if (section === undefined && items.length === 0) return undefined
  const out = new Writer()
  if (section === undefined) out.u32(items.length)
  else {
    const cursor = new Cursor(plan.module.bytes, section.start, section.end)
    out.u32(cursor.u32() + items.length).range(plan.module.bytes, cursor.pos, section.end)
  }
  for (const item of items) item(out)
  return out.finish()
}

const valueTypeBytes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, funcref: 0x70, externref: 0x6f }

function rewriteGlobals(plan: Plan): Uint8Array {
  const { globals } = plan.module
  const out = new Writer()
  out.u32(globals.length + 3)
  for (const global of globals) {
    out.u8(valueTypeBytes[global.type]).u8(global.mutable ? 1 : 0)
    copyConstant(plan, global.init.start, global.init.end, out)
  }
  // Fuel starts empty: a machine that forgets to fill it is asked at once. The limit starts at 0: no limit.
  for (const value of [0, 0, ROOM_SHARE]) out.u8(valueTypeBytes.i32).u8(1).u8(OP.i32Const).s32(value).u8(OP.end)
  return out.finish()
}

function rewriteExports(plan: Plan): Uint8Array {
  const kinds = ['func', 'table', 'memory', 'global', 'tag']
  const out = new Writer()
  out.u32(plan.module.exports.length + 3)
  for (const e of plan.module.exports)
    out
      .name(e.name)
      .u8(kinds.indexOf(e.kind))
      .u32(e.kind === 'func' ? plan.shift(e.index) : e.index)
  HANDLES.forEach((name, i) =>
    out
      .name(name)
      .u8(3)
      .u32(plan.handles.fuel + i),
  )
  return out.finish()
}

/** Copy a constant expression; function references move with the imports added. */
function copyConstant(plan: Plan, start: number, end: number, out: Writer): void {
  const walker = new CodeWalker(plan.module.bytes, start, end)
  while (walker.next()) {
    if (walker.opcode === OP.refFunc) out.u8(OP.refFunc).u32(plan.shift(walker.a))
    else out.range(plan.module.bytes, walker.start, walker.end)
  }
}

/** Element segments hold function indexes, plain or as constant expressions (Core Specification 5.5.12). */
function rewriteElements(plan: Plan, section: Section): Uint8Array {
  const { bytes } = plan.module
  const cursor = new Cursor(bytes, section.start, section.end)
  const out = new Writer(section.end - section.start)
  const constant = (): void => {
    const walker = new CodeWalker(bytes, cursor.pos, cursor.end)
    while (walker.depth > 0) walker.next()
    copyConstant(plan, cursor.pos, walker.end, out)
    cursor.pos = walker.end
  }
  const segments = cursor.count()
  out.u32(segments)
  for (let i = 0; i < segments; i++) {
    const flags = cursor.u32()
    out.u32(flags)
    const active = (flags & 1) === 0
    if (active && flags & 2) out.u32(cursor.u32())
    if (active) constant()
    if (flags & 3) out.u8(cursor.u8())
    const items = cursor.count()
    out.u32(items)
    for (let j = 0; j < items; j++) {
      if (flags & 4) constant()
      else out.u32(plan.shift(cursor.u32()))
    }
  }
  return out.finish()
}

/** Debug information goes to the line table beside the module; linker leftovers and tool versions go nowhere. */
function writeCustom(plan: Plan, section: Section, out: Writer): void {
  if (/^(\.debug_|reloc\.|linking$|producers$)/.test(section.name)) return
  const body = new Writer(section.end - section.start + 64).name(section.name)
  if (section.name === 'name') rewriteNames(plan, section, body)
  else body.range(plan.module.bytes, section.start, section.end)
  out.u8(SECTION.custom).u32(body.length).bytes(body.view())
}

/** Keep function, global, data and module names; functions and globals gain ours. Local and label names go. */
function rewriteNames(plan: Plan, section: Section, out: Writer): void {
  const { bytes } = plan.module
  const cursor = new Cursor(bytes, section.start, section.end)
  const imported = plan.module.importedFunctions.length
  while (cursor.left > 0) {
    const id = cursor.u8()
    const sub = new Cursor(cursor.bytes, cursor.pos + 0, cursor.end)
    const size = sub.u32()
    const start = sub.pos
    sub.skip(size)
    cursor.pos = start + size
    if (id === 1 || id === 7) {
      const names = readNameMap(new Cursor(bytes, start, start + size))
      const moved: [number, string][] = names.map(([i, name]) => [id === 1 ? plan.shift(i) : i, name])
      if (id === 1) {
        plan.added.forEach((name, i) => moved.push([imported + i, `drvport_sched_${name}`]))
        moved.push([plan.bulkFunction, BULK_NAME], [plan.exhaustedFunction, EXHAUSTED_NAME])
      } else HANDLES.forEach((name, i) => moved.push([plan.handles.fuel + i, name]))
      moved.sort((x, y) => x[0] - y[0])
      const map = new Writer().u32(moved.length)
      for (const [i, name] of moved) map.u32(i).name(name)
      out.u8(id).u32(map.length).bytes(map.view())
    } else if (id === 0 || id === 9)
      out
        .u8(id)
        .u32(size)
        .range(bytes, start, start + size)
  }
}

function readNameMap(cursor: Cursor): [number, string][] {
  const names: [number, string][] = []
  for (let n = cursor.count(2); n > 0; n--) names.push([cursor.u32(), cursor.name()])
  return names
}

interface RewrittenCode {
  readonly payload: Uint8Array
  readonly newStarts: Uint32Array
  readonly originalStarts: Uint32Array
  readonly checks: Checks
}

/** State of the code rewrite: output of the current body, and the runs of the offset map so far. */
interface Rewrite {
  readonly plan: Plan
  readonly body: Writer
  readonly newStarts: number[]
  readonly originalStarts: number[]
  readonly checks: Checks
}

function rewriteCode(plan: Plan): RewrittenCode {
  const { module } = plan
  const out = new Writer((module.code ? module.code.end - module.code.start : 0) * 2 + 64)
  const state: Rewrite = {
    plan,
    body: new Writer(4096),
    newStarts: [],
    originalStarts: [],
    checks: { functions: 0, loops: 0, stack: 0, bulk: 0, room: 0 },
  }
  out.u32(module.bodies.length + 2)
  for (const [index, body] of module.bodies.entries()) {
    const firstRun = state.newStarts.length
    state.body.clear()
    rewriteBody(state, index, body)
    out.u32(state.body.length)
    for (let i = firstRun; i < state.newStarts.length; i++) (state.newStarts[i] as number) += out.length
    out.bytes(state.body.view())
  }
  // Of no source: it maps beyond all of it.
  state.newStarts.push(out.length)
  state.originalStarts.push((module.code ? module.code.end - module.code.start : 0) + 2)
  out.u32(plan.bulkBytes.length).bytes(plan.bulkBytes)
  out.u32(plan.exhaustedBytes.length).bytes(plan.exhaustedBytes)
  return {
    payload: out.finish(),
    newStarts: new Uint32Array(state.newStarts),
    originalStarts: new Uint32Array(state.originalStarts),
    checks: state.checks,
  }
}

function rewriteBody(state: Rewrite, index: number, body: Body): void {
  const { plan, body: out, checks } = state
  const { bytes } = plan.module
  const codeBase = (plan.module.code as Section).start
  const startRun = (original: number): void => {
    state.newStarts.push(out.length)
    state.originalStarts.push(original - codeBase)
  }
  const { codeStart } = readLocals(bytes, body.start, body.end)
  startRun(body.start)
  /** Everything before this offset has been written. */
  let copied = body.start
  const insert = (check: Uint8Array, at: number): void => {
    out.range(bytes, copied, at).bytes(check)
    copied = at
    startRun(at)
  }
  const [entry = 0, ...loops] = plan.survey.units[index]!
  if (entry > 0) {
    insert(withUnits(plan.fuel, entry), codeStart)
    checks.functions++
  }
  const walker = new CodeWalker(bytes, codeStart, body.end)
  let loop = 0
  /** The length that was pushed just before is one that nobody counts. */
  let free = false
  while (walker.next()) {
    const counted = walker.opcode === OP.callIndirect || plan.survey.countedCalls.has(walker.start)
    if (counted) {
      out.range(bytes, copied, walker.start)
      copied = walker.start
      startRun(walker.start)
      insert(plan.takenBytes, walker.start)
      checks.room++
    }
    const before = out.length + (walker.start - copied)
    if (isRewritten(walker)) {
      out.range(bytes, copied, walker.start)
      emit(plan, walker, out)
      copied = walker.end
      // A stack check behind it starts the run, so that the check belongs to the write it checks.
      const isChecked = walker.opcode === OP.globalSet && walker.a === plan.handles.stack
      if (!isChecked && out.length - before !== walker.end - walker.start) startRun(walker.end)
    }
    if (walker.opcode === OP.loop) {
      // Work counted at a loop's head is the loop's, not of the statement before it.
      out.range(bytes, copied, walker.end)
      copied = walker.end
      startRun(walker.end)
      insert(withUnits(plan.fuel, loops[loop++]!), walker.end)
      checks.loops++
    } else if (walker.opcode === OP.globalSet && walker.a === plan.handles.stack) {
      insert(plan.stackBytes, walker.end)
      checks.stack++
    } else if (isBulk(walker.opcode) && !free) {
      out.range(bytes, copied, walker.start)
      copied = walker.start
      startRun(walker.start)
      insert(plan.bulkCall, walker.start)
      checks.bulk++
    }
    if (counted) insert(plan.givenBytes, walker.end)
    free = isFree(walker.opcode, walker.a)
  }
  out.range(bytes, copied, body.end)
}

/** Instructions whose numbers the linker pads, or which name a function. */
function isRewritten(walker: CodeWalker): boolean {
  const op = walker.opcode
  if (op >= 0x28 && op <= 0x3e) return walker.end - walker.start > 3
  if (op === OP.call || op === OP.refFunc) return true
  return (
    (op === OP.i32Const || op === OP.globalGet || op === OP.globalSet || op === OP.callIndirect) &&
    walker.end - walker.start > 2
  )
}

function emit(plan: Plan, walker: CodeWalker, out: Writer): void {
  const op = walker.opcode
  out.u8(op)
  if (op === OP.i32Const) out.s32(walker.a)
  else if (op === OP.call || op === OP.refFunc) out.u32(plan.shift(walker.a))
  else if (op === OP.globalGet || op === OP.globalSet) out.u32(walker.a)
  else out.u32(walker.a).u32(walker.b)
}
