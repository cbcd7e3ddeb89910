/**
 * From a linked module's DWARF to the compact line table that ships beside the instrumented module.
 *
 * Walks functions, inlined calls and line rows once, in address order, and writes one row wherever file, line or scope
 * changes, at the offset that address has in the rewritten module. lines.ts owns the format.
 */
import { encodeLines, type LineScope, type LineTableRow } from './lines.ts'
import { readModule, functionNamer, type Section, type WasmModule } from './module.ts'
import { toNew, type OffsetMap } from './offsets.ts'
import { readDebugInfo, type Scope } from './dwarf/info.ts'
import { readLineProgram, type LineProgram } from './dwarf/line.ts'
import { debugSections, type DebugSections } from './dwarf/sections.ts'

/** A source path that starts with `from` is shown with `to` in its place; the first that fits counts. */
export interface PathPrefix {
  readonly from: string
  readonly to: string
}

export interface ExtractedLines {
  /** The line table (NAME.lines). */
  readonly bytes: Uint8Array
  readonly rows: number
  /** Parts of the debug information that could not be read. */
  readonly problems: readonly string[]
}

/** Something starts at this address: a line row, or a change of scope. */
interface Event {
  readonly address: number
  readonly file?: number
  readonly line?: number
  readonly scope?: number
}

/** Unique values in order of first use. */
class Interner<T> {
  readonly values: T[] = []
  readonly #index = new Map<string, number>()

  add(key: string, value: T): number {
    let index = this.#index.get(key)
    if (index === undefined) {
      index = this.values.length
      this.values.push(value)
      this.#index.set(key, index)
    }
    return index
  }
}

interface Tables {
  readonly files: Interner<string>
  readonly scopes: Interner<LineScope>
}

/**
 * Make the line table of `linked` (with its debug sections) for the module that `offsets` describes.
 * Functions without debug information get their name from the name section.
 */
export function extractLines(
  linked: Uint8Array,
  offsets: OffsetMap,
  prefixes: readonly PathPrefix[] = [],
): ExtractedLines {
  const module = readModule(linked)
  const debug = debugSections(module)
  const tables: Tables = { files: new Interner(), scopes: new Interner() }
  // Index 0 of both means "unknown".
  tables.files.add('', '')
  tables.scopes.add('', { name: '', parent: 0, callFile: 0, callLine: 0 })

  const info = readDebugInfo(debug)
  const problems = [...info.problems]
  const programs = info.units.map((unit) => readLinesSafely(debug, unit.lines, unit.directory, problems))
  const intervals = bodyIntervals(module, tables)
  const owner = findOwners(programs, intervals)
  const lineEvents: Event[] = []
  info.units.forEach((unit, index) => {
    const program = programs[index] as LineProgram
    const files = program.files.map((path) => {
      const shown = shorten(path, prefixes)
      return tables.files.add(shown, shown)
    })
    for (const sequence of program.sequences) {
      if (owner.get(sequence.start) !== index) continue
      for (const row of sequence.rows)
        lineEvents.push({ address: row.address, file: files[row.file] ?? 0, line: row.line })
      lineEvents.push({ address: sequence.end, file: 0, line: 0 })
    }
    addIntervals(intervals, unit.scopes, files, tables, (start) => (owner.get(start) ?? index) === index)
  })
  lineEvents.sort((a, b) => a.address - b.address)
  const scopeEvents = sweep(intervals)
  const code = (module.code as Section | undefined)?.start ?? 0
  addLoopHeads(lineEvents, scopeEvents, loopHeads(linked.subarray(code), offsets))
  const rows = merge(lineEvents, scopeEvents, offsets)
  const bytes = encodeLines(
    { codeStart: offsets.codeStart, files: tables.files.values, scopes: tables.scopes.values },
    rows,
  )
  return { bytes, rows: rows.length, problems }
}

function readLinesSafely(
  debug: DebugSections,
  offset: number | undefined,
  directory: string,
  problems: string[],
): LineProgram {
  if (offset === undefined) return { files: [], sequences: [] }
  try {
    return readLineProgram(debug, offset, directory)
  } catch (error) {
    problems.push(`line program at 0x${offset.toString(16)}: ${(error as Error).message}`)
    return { files: [], sequences: [] }
  }
}

/** `a/./b/../c` becomes `a/c`; then the first prefix that fits is replaced. */
function shorten(path: string, prefixes: readonly PathPrefix[]): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..' && parts.at(-1) !== '') parts.pop()
    else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part)
  }
  const clean = parts.join('/')
  const prefix = prefixes.find((p) => clean.startsWith(p.from))
  return prefix ? prefix.to + clean.slice(prefix.from.length) : clean
}

interface Interval {
  readonly low: number
  readonly high: number
  readonly depth: number
  readonly scope: number
}

/** Every function body, named by the name section, below all that DWARF says. */
function bodyIntervals(module: WasmModule, tables: Tables): Interval[] {
  const name = functionNamer(module)
  const base = (module.code as Section | undefined)?.start ?? 0
  return module.bodies.map((body, i) => {
    const title = name(module.importedFunctions.length + i)
    const scope = tables.scopes.add(`body ${title}`, { name: title, parent: 0, callFile: 0, callLine: 0 })
    return { low: body.start - base, high: body.end - base, depth: -1, scope }
  })
}

/**
 * Which unit describes the code at each sequence's start. Where two objects define a function, the linker keeps one and
 * points the debug information of both at it: the one whose length fits the body is the real one.
 */
function findOwners(programs: readonly LineProgram[], bodies: readonly Interval[]): Map<number, number> {
  const bodyEnd = new Map(bodies.map((body) => [body.low, body.high]))
  const owner = new Map<number, number>()
  const fits = new Set<number>()
  programs.forEach((program, unit) => {
    for (const { start, end } of program.sequences) {
      if (fits.has(start)) continue
      const exact = bodyEnd.get(start) === end
      if (exact) fits.add(start)
      if (exact || !owner.has(start)) owner.set(start, unit)
    }
  })
  return owner
}

function addIntervals(
  out: Interval[],
  scopes: readonly Scope[],
  files: readonly number[],
  tables: Tables,
  owns: (start: number) => boolean,
): void {
  const ids = new Map<Scope, number>()
  for (const scope of scopes) {
    // A function's ranges have one start each unless it is foreign; what was inlined into a foreign one goes with it.
    const foreign = scope.parent ? !ids.has(scope.parent) : !owns(scope.ranges[0]?.[0] ?? 0)
    if (foreign) continue
    const parent = scope.parent === undefined ? 0 : (ids.get(scope.parent) ?? 0)
    const callFile = scope.parent === undefined ? 0 : (files[scope.callFile] ?? 0)
    const item: LineScope = { name: scope.name, parent, callFile, callLine: scope.callLine }
    const id = tables.scopes.add(`${scope.name} ${parent} ${callFile} ${scope.callLine}`, item)
    ids.set(scope, id)
    for (const [low, high] of scope.ranges) out.push({ low, high, depth: scope.depth, scope: id })
  }
}

/** Nested intervals to changes of the innermost scope, in address order. */
function sweep(intervals: Interval[]): Event[] {
  intervals.sort((a, b) => a.low - b.low || a.depth - b.depth || b.high - a.high)
  const events: Event[] = []
  const open: Interval[] = []
  const closeUpTo = (address: number): void => {
    for (let top = open.at(-1); top && top.high <= address; top = open.at(-1)) {
      open.pop()
      events.push({ address: top.high, scope: open.at(-1)?.scope ?? 0 })
    }
  }
  for (const interval of intervals) {
    closeUpTo(interval.low)
    open.push(interval)
    events.push({ address: interval.low, scope: interval.scope })
  }
  closeUpTo(Infinity)
  return events
}

const LOOP = 0x03
/** Bytes of operands that a compiler may put between the head of a loop and the first instruction with a line. */
const HEAD_REACH = 12

/** Code offsets just after a `loop` and its block type, where the instrumenter put a check. */
function loopHeads(code: Uint8Array, offsets: OffsetMap): number[] {
  return [...offsets.originalStarts].filter((at) => at >= 2 && code[at - 2] === LOOP)
}

/**
 * The check at the head of a loop belongs to the loop's first line, not to what stands before the loop: a driver that
 * never leaves it is named by that line. The line is set one byte early, on the loop itself, unless another function was
 * inlined in between.
 */
function addLoopHeads(lines: Event[], scopes: readonly Event[], heads: readonly number[]): void {
  const extra: Event[] = []
  let i = 0
  let j = 0
  for (const head of heads) {
    while ((lines[i]?.address ?? Infinity) < head) i++
    while ((scopes[j]?.address ?? Infinity) < head) j++
    const first = lines[i]
    if (first === undefined || first.address > head + HEAD_REACH || first.line === 0) continue
    if ((scopes[j]?.address ?? Infinity) <= first.address) continue
    extra.push({ ...first, address: head - 1 })
  }
  lines.push(...extra)
  lines.sort((a, b) => a.address - b.address)
}

/** Both event lists, merged; the last event at an address counts. */
function merge(lines: readonly Event[], scopes: readonly Event[], offsets: OffsetMap): LineTableRow[] {
  const rows: LineTableRow[] = []
  const now = { file: 0, line: 0, scope: 0 }
  let i = 0
  let j = 0
  while (i < lines.length || j < scopes.length) {
    const address = Math.min(lines[i]?.address ?? Infinity, scopes[j]?.address ?? Infinity)
    for (let e = scopes[j]; e?.address === address; e = scopes[++j]) now.scope = e.scope as number
    for (let e = lines[i]; e?.address === address; e = lines[++i]) {
      now.file = e.file as number
      now.line = e.line as number
    }
    const last = rows.at(-1)
    if (last && last.file === now.file && last.line === now.line && last.scope === now.scope) continue
    rows.push({ offset: toNew(offsets, address), ...now })
  }
  return rows
}
