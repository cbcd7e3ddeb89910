/**
 * Modules bound to a core, put together by hand: one that is accepted, and others that differ from it in one thing each, in their bytes,
 * in what is said of them, or in what they are bound to.
 */
import { createHash } from 'node:crypto'
import {
  allowanceFor,
  verifyBound,
  type Allowance,
  type BoundClaims,
  type BoundFacts,
  type CoreFacts,
  type ProblemCode,
} from '../../../pipeline/verify/index.ts'
import { Writer } from '../../../pipeline/wasm/bytes.ts'
import {
  FUEL_GLOBAL,
  LIMIT_GLOBAL,
  ROOM_GLOBAL,
  ROOM_SHARE,
  STACK_GLOBAL,
  exhaustedBody,
  bulkBody,
  stackCheck,
} from '../../../pipeline/wasm/checks.ts'

const I32 = 0x7f
const AREA = { start: 0x1000, end: 0x9000 }
const SLOT = 10
const VOID = { params: [], results: [] } as const
const WORD = { params: ['i32'], results: ['i32'] } as const

const facts: CoreFacts = {
  sha256: 'core',
  area: AREA,
  tableEnd: SLOT,
  functions: new Map([
    ['short', { type: WORD, slot: 4, depth: 100 }],
    ['deep', { type: VOID, slot: 5, depth: 16_000 }],
  ]),
}
const peer: BoundFacts = {
  name: 'peer',
  sha256: 'peer',
  core: 'core',
  memory: { start: 0x8000, end: 0x9000 },
  table: { start: 100, end: 101 },
  functions: new Map([['helper', { type: VOID, slot: 100, depth: 50 }]]),
}

type Item = readonly [module: string, name: string, bytes: readonly number[]]
const func = (module: string, name: string, type: number): Item => [module, name, [0, type]]
const global = (name: string, type = I32, mutable = 1): Item => ['env', name, [3, type, mutable]]

interface Shape {
  imports: Item[]
  memory: Item
  table: Item
  globals: boolean
  exports: boolean
  start: boolean
  more: Item[]
  ownMemory: boolean
  ownTable: boolean
  data: { flags: number; at: number; bytes: number }
  elements: { flags: number; at: number; functions: number[] }
  code: number[]
  locals: number
  /** Index of the counter, and what the function calls that is called when it has run out. */
  fuel: number
  exhausted: readonly [preempt: number, resched: number]
}

/** Types: () -> (), (i32) -> (i32), () -> (i32). Imported functions: 0 to 6. Globals: stack, fuel, limit, room. */
const shape = (): Shape => ({
  imports: [
    func('sched', 'preempt', 0),
    func('sched', 'resched', 0),
    func('sched', 'stack_overflow', 0),
    func('core', 'short', 1),
    func('core', 'deep', 0),
    func('module:peer', 'helper', 0),
    func('mmio', 'read8', 1),
    global(STACK_GLOBAL),
    global(FUEL_GLOBAL),
    global(LIMIT_GLOBAL),
    global(ROOM_GLOBAL),
  ],
  memory: ['env', 'memory', [2, 0, 4]],
  table: ['env', '__indirect_function_table', [1, 0x70, 0, 20]],
  globals: false,
  exports: false,
  start: false,
  more: [],
  ownMemory: false,
  ownTable: false,
  data: { flags: 0, at: 0x2000, bytes: 16 },
  elements: { flags: 0, at: SLOT, functions: [7, 8] },
  code: [0x41, 0, 0x0b],
  locals: 0,
  fuel: FUEL,
  exhausted: [0, 1],
})

const IMPORTED = 7
const FUEL = 1
const ROOM = 3
/** Bulk and exhausted functions come last. */
const BULK = IMPORTED + 2
const EXHAUSTED = IMPORTED + 3
// prettier-ignore
const counting = (units: number, fuel = FUEL, exhausted = EXHAUSTED): number[] => [
  0x23, fuel, 0x41, 0x80 | (units & 0x7f), 0x80 | (units >> 7), 0, 0x6b, 0x24, fuel,
  0x23, fuel, 0x41, 0, 0x48, 0x04, 0x40, 0x10, exhausted, 0x0b,
]
const share = [0x80, 0x80, 0x01]
// prettier-ignore
const takenOf = (room: number, overflow: number): number[] => [
  0x23, room, 0x41, ...share, 0x6b, 0x24, room, 0x23, room, 0x41, 0, 0x48, 0x04, 0x40, 0x10, overflow, 0x0b,
]
const givenOf = (room: number): number[] => [0x23, room, 0x41, ...share, 0x6a, 0x24, room]
const [taken, given] = [takenOf(ROOM, 2), givenOf(ROOM)]
/** A write of the stack pointer, with its check. */
// prettier-ignore
const lowered = (stack: number, limit: number, overflow: number): number[] => [
  0x23, stack, 0x41, 16, 0x6b, 0x24, stack,
  ...stackCheck(stack, limit, overflow),
]
/** A fill of the length that is given, counted. */
const fill = (length: readonly number[]): number[] => [0x41, 0, 0x41, 0, ...length, 0xfc, 11, 0]
const counted = [0x23, 0, 0x10, BULK]

/** What a function with two values at most on its operand stack takes of the engine's, by the estimate of wasm/descent.ts. */
const OWN_FRAME = 192

const FILLS = Array.from({ length: 8 }, () => fill(counted)).flat()
/** Units that these count, each with the function that charges for it. */
const FILLS_UNITS = 4

function assemble(parts: Shape): Uint8Array {
  const out = new Writer().u32le(0x6d736100).u32le(1)
  const section = (id: number, fillIn: (w: Writer) => void): void => {
    const body = new Writer()
    fillIn(body)
    out.u8(id).u32(body.length).bytes(body.view())
  }
  const raw = (w: Writer, bytes: readonly number[]): Writer => w.bytes(Uint8Array.from(bytes))
  section(1, (w) => raw(w, [3, 0x60, 0, 0, 0x60, 1, I32, 1, I32, 0x60, 0, 1, I32]))
  section(2, (w) => {
    const all = [...parts.imports, parts.memory, parts.table, ...parts.more]
    w.u32(all.length)
    for (const [module, name, bytes] of all) raw(w.name(module).name(name), bytes)
  })
  section(3, (w) => raw(w, [4, 2, 0, 1, 0]))
  if (parts.ownTable) section(4, (w) => raw(w, [1, 0x70, 0, 1]))
  if (parts.ownMemory) section(5, (w) => raw(w, [1, 0, 1]))
  if (parts.globals) section(6, (w) => raw(w, [1, I32, 0, 0x41, 0, 0x0b]))
  if (parts.exports) section(7, (w) => raw(w.u32(1).name('f'), [0, IMPORTED]))
  if (parts.start) section(8, (w) => w.u32(IMPORTED + 1))
  section(9, (w) => {
    const { flags, at, functions } = parts.elements
    w.u32(1).u32(Math.max(flags, 0))
    if (flags < 0) w.u8(0x23).u32(0).u8(0x0b)
    else if (flags === 0) w.u8(0x41).s32(at).u8(0x0b)
    else w.u8(0)
    w.u32(functions.length)
    for (const one of functions) w.u32(one)
  })
  section(10, (w) => {
    w.u32(4)
    const body = (bytes: Uint8Array): void => void w.u32(bytes.length).bytes(bytes)
    const first = new Writer()
    if (parts.locals > 0) first.u32(1).u32(parts.locals).u8(I32)
    else first.u32(0)
    body(first.bytes(Uint8Array.from(parts.code)).finish())
    body(Uint8Array.from([0, 0x0b]))
    body(bulkBody(parts.fuel, EXHAUSTED))
    body(exhaustedBody(parts.fuel, ...parts.exhausted))
  })
  section(11, (w) => {
    const { flags, at, bytes } = parts.data
    w.u32(1).u32(Math.max(flags, 0))
    if (flags < 0) w.u8(0x23).u32(0).u8(0x0b)
    else if (flags === 0) w.u8(0x41).s32(at).u8(0x0b)
    w.u32(bytes).bytes(new Uint8Array(bytes))
  })
  return out.finish()
}

export interface BoundCase {
  /** What it must be refused for; accepted without. */
  readonly code?: ProblemCode
  readonly message?: RegExp
  readonly where?: RegExp
  readonly parts?: (parts: Shape) => void
  readonly claims?: (claims: BoundClaims) => Partial<BoundClaims>
  readonly core?: Partial<CoreFacts>
  readonly peers?: readonly BoundFacts[]
  readonly policy?: Allowance
}

function claimsOf(bytes: Uint8Array): BoundClaims {
  return {
    name: 'module',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    core: 'core',
    memory: { start: 0x2000, end: 0x3000 },
    table: { start: SLOT, end: SLOT + 2 },
    functions: new Map([['own', { slot: SLOT + 1, type: '>' }]]),
    imports: ['sched.preempt', 'sched.resched', 'sched.stack_overflow', 'mmio.read8'],
    capabilities: ['sched', 'mmio'],
    entries: [{ name: 'init', slot: SLOT, type: '>i' }],
  }
}

/** How it was judged other than it should be; undefined when it was judged as it should be. */
export function boundMisjudged(some: BoundCase): string | undefined {
  const parts = shape()
  some.parts?.(parts)
  const bytes = assemble(parts)
  const claims = claimsOf(bytes)
  const all = { ...claims, ...some.claims?.(claims) }
  const verdict = verifyBound(bytes, all, { ...facts, ...some.core }, some.peers ?? [peer], some.policy)
  if (verdict.ok) {
    if (some.code !== undefined) return 'it is accepted'
    const { name, core, memory, table, functions } = verdict.facts
    const same = name === 'module' && core === 'core' && memory === all.memory && table === all.table
    const own = functions.get('own')
    return same &&
      functions.size === 1 &&
      own?.slot === all.functions.get('own')!.slot &&
      own.depth > 0 &&
      own.depth < 1000
      ? undefined
      : JSON.stringify({ ...verdict.facts, own })
  }
  if (verdict.problems.some((one) => /\?/.test(one.code + one.where + one.message))) return 'it asks'
  const found = verdict.problems.find(({ code, message }) => code === some.code && (some.message ?? /./).test(message))
  return found !== undefined && (some.where ?? /./).test(found.where)
    ? undefined
    : JSON.stringify(verdict.problems, null, 1)
}

const code =
  (...bytes: readonly number[]) =>
  (parts: Shape) =>
    void (parts.code = [...bytes, 0x41, 0, 0x0b])
const imports = (change: (items: Item[]) => Item[]) => (parts: Shape) => void (parts.imports = change(parts.imports))
/** The imports of these names change places. */
const swapped = (a: string, b: string) => (parts: Shape) => {
  const at = (name: string): number => parts.imports.findIndex((one) => one[1] === name)
  const [i, j] = [at(a), at(b)]
  ;[parts.imports[i], parts.imports[j]] = [parts.imports[j]!, parts.imports[i]!]
}
const all =
  (...changes: readonly ((parts: Shape) => void)[]) =>
  (parts: Shape) =>
    changes.forEach((change) => change(parts))
const instead = (name: string, item: Item) => imports((items) => items.map((one) => (one[1] === name ? item : one)))

export const boundAccepted: Record<string, BoundCase> = {
  'that is as it should be': {},
  'in other slots': {
    parts: (p) => (p.elements.at = 98),
    claims: () => ({
      table: { start: 98, end: 100 },
      functions: new Map([['own', { slot: 99, type: '>' }]]),
      entries: [{ name: 'init', slot: 98, type: '>i' }],
    }),
  },
  'with data and functions that fill its ranges': {
    parts: (p) => (p.data = { flags: 0, at: 0x1000, bytes: 0x7000 }),
    claims: () => ({ memory: { start: 0x1000, end: 0x8000 } }),
  },
  'whose slots end where policy has them end': { policy: allowanceFor(['pci'], { tableEntriesMax: 20 }) },
  'whose memory is all that policy allows': { policy: allowanceFor(['pci'], { memoryPagesMax: 4 }) },
  'as large as policy allows': {
    get policy() {
      return allowanceFor(['pci'], { bytesMax: assemble(shape()).length, functionsMax: 4 })
    },
  },
  'that takes no memory, in the middle of its peer’s': {
    parts: (p) => (p.data.bytes = 0),
    claims: () => ({ memory: { start: 0x2000, end: 0x2000 } }),
    peers: [{ ...peer, memory: { start: 0x1000, end: 0x9000 } }],
  },
  'whose range ends where the area does': {
    claims: () => ({ memory: { start: 0x2000, end: 0x9000 } }),
    peers: [{ ...peer, memory: { start: 0x1000, end: 0x2000 } }],
  },
  'whose fills count what charging for them takes': { parts: code(...counting(FILLS_UNITS), ...FILLS) },
  'between its peers': {
    peers: [
      { ...peer, memory: { start: 0x3000, end: 0x9000 }, table: { start: SLOT + 2, end: 101 } },
      { ...peer, name: 'other', memory: { start: 0x1000, end: 0x2000 }, table: { start: 101, end: 102 } },
    ],
  },
  'that calls a deep function of its core, with room for it': {
    parts: code(...counting(1), ...taken, 0x10, 4, ...given),
  },
  'that calls functions that need little': {
    parts: code(...counting(2), 0x41, 0, 0x10, 3, 0x1a, 0x10, 5, 0x41, 0, 0x10, 6, 0x1a),
  },
  'whose fill is counted': { parts: code(...counting(1), ...fill(counted)) },
  'with all the memory that anybody may have': { parts: (p) => (p.memory = ['env', 'memory', [2, 0, 0x80, 8]]) },
  'that reads files': {
    parts: instead('read8', func('wasi_snapshot_preview1', 'fd_close', 1)),
    claims: ({ imports: all }) => ({ imports: [...all.slice(0, 3), 'wasi.fd_close'], capabilities: ['sched', 'wasi'] }),
  },
  'whose fill is short': { parts: code(...fill([0x41, 0x80, 2])) },
  // Each of what the checks name is the first of its kind once.
  'whose first global is the stack’s limit': {
    parts: all(swapped(STACK_GLOBAL, LIMIT_GLOBAL), code(...lowered(2, 0, 2))),
  },
  'whose first global is the counter': {
    parts: all(
      swapped(STACK_GLOBAL, FUEL_GLOBAL),
      (p) => void (p.fuel = 0),
      code(0x03, 0x40, ...counting(1, 0), 0x0c, 0, 0x0b),
    ),
  },
  'whose first global is the room': {
    parts: all(swapped(STACK_GLOBAL, ROOM_GLOBAL), code(...counting(1), ...takenOf(0, 2), 0x10, 4, ...givenOf(0))),
  },
  'whose first function is the one that suspends': {
    parts: all(
      swapped('preempt', 'resched'),
      (p) => void (p.exhausted = [1, 0]),
      code(0x03, 0x40, ...counting(1), 0x0c, 0, 0x0b),
    ),
  },
  'whose first function is the one that ends it for its stack': {
    parts: all(
      swapped('preempt', 'stack_overflow'),
      (p) => void (p.exhausted = [2, 1]),
      code(...counting(2), ...lowered(0, 2, 0), ...takenOf(ROOM, 0), 0x10, 4, ...givenOf(ROOM)),
    ),
  },
  'whose way down needs just what is counted': {
    parts: code(...counting(1), 0x10, 4),
    get core() {
      return {
        functions: new Map([...facts.functions, ['deep', { type: VOID, slot: 5, depth: ROOM_SHARE - OWN_FRAME }]]),
      }
    },
  },
}

export const boundRefusals: Record<string, BoundCase> = {
  'with two memories and one of its own': {
    code: 'memory',
    message: /one memory is expected/,
    parts: (p) => {
      p.more = [['env', 'other', [2, 0, 4]]]
      p.ownMemory = true
    },
  },
  'with two tables and one of its own': {
    code: 'table',
    message: /one table is expected/,
    parts: (p) => {
      p.more = [['env', 'other', [1, 0x70, 0, 20]]]
      p.ownTable = true
    },
  },
  'with more memory than anybody may have': {
    code: 'memory',
    message: /1025 pages; policy allows 1024/,
    parts: (p) => (p.memory = ['env', 'memory', [2, 0, 0x81, 8]]),
  },
  'with data at an address that is not known': {
    code: 'range',
    message: /a segment for memory 0/,
    parts: (p) => (p.data.flags = -1),
  },
  'with functions at a slot that is not known': {
    code: 'range',
    message: /a segment for table 0/,
    parts: (p) => (p.elements.flags = -1),
  },
  'whose manifest lists a file call that there is not': {
    code: 'manifest',
    message: /no such call/,
    claims: ({ imports: all }) => ({ imports: [...all, 'wasi.fd_write'] }),
  },
  'of other bytes': { code: 'hash', where: /file/, claims: () => ({ sha256: 'abc' }) },
  'of another core': {
    code: 'binding',
    message: /bound to core other; this one is core/,
    claims: () => ({ core: 'other' }),
  },
  'over a peer of another core': {
    code: 'binding',
    message: /peer is bound to core other/,
    peers: [{ ...peer, core: 'other' }],
  },
  'over a peer that is not there': { code: 'unknown-import', message: /no such call/, peers: [] },
  'over a peer that offers less': {
    code: 'unknown-import',
    message: /module:peer does not offer it/,
    where: /^import module:peer.helper at 0x/,
    peers: [{ ...peer, functions: new Map() }],
  },
  'that takes what its core does not offer': {
    code: 'unknown-import',
    message: /core does not offer it/,
    core: { functions: new Map() },
  },
  'that takes a function of another type': {
    code: 'import-type',
    message: /\(i32\) -> i32 expected, \(\) -> nothing found/,
    parts: instead('short', func('core', 'short', 0)),
  },
  'that takes a global of its core’s name': {
    code: 'unknown-import',
    message: /core does not offer it/,
    parts: imports((items) => [...items, ['core', 'short', [3, I32, 0]]]),
  },
  'that takes a global that is no handle': {
    code: 'unknown-import',
    message: /only the machine’s handles/,
    where: /^import env\.other at 0x/,
    parts: imports((items) => [...items, global('other')]),
  },
  'with a handle that is a constant': {
    code: 'unknown-import',
    message: /only the machine’s handles/,
    parts: imports((items) => [...items, global(STACK_GLOBAL, I32, 0)]),
  },
  'with a handle of 64 bits': {
    code: 'unknown-import',
    message: /only the machine’s handles/,
    parts: imports((items) => [...items, global(STACK_GLOBAL, 0x7e)]),
  },
  'with a global of the ABI': {
    code: 'unknown-import',
    message: /a global; only calls/,
    parts: imports((items) => [...items, ['mmio', 'read8', [3, I32, 0]]]),
  },
  'with a function of its core’s environment': {
    code: 'unknown-import',
    message: /no such call/,
    parts: imports((items) => [...items, func('env', STACK_GLOBAL, 0)]),
    claims: () => ({}),
  },
  'with a global of its own': {
    code: 'binding',
    message: /has none; found 1/,
    where: /global section/,
    parts: (p) => (p.globals = true),
  },
  'with an export': {
    code: 'binding',
    message: /has none; found 1/,
    where: /export section/,
    parts: (p) => (p.exports = true),
  },
  'with a start function': {
    code: 'start-function',
    where: /start section at 0x[1-9a-f]..$/,
    parts: (p) => (p.start = true),
  },
  'with a memory of its own besides': {
    code: 'memory',
    message: /one memory is expected/,
    parts: (p) => (p.ownMemory = true),
  },
  'with a table of its own besides': {
    code: 'table',
    message: /one table is expected/,
    parts: (p) => (p.ownTable = true),
  },
  'with a memory of another name': {
    code: 'memory',
    message: /one memory/,
    parts: (p) => (p.memory = ['env', 'other', [2, 0, 4]]),
  },
  'with a memory of another module': {
    code: 'memory',
    message: /one memory/,
    parts: (p) => (p.memory = ['core', 'memory', [2, 0, 4]]),
  },
  'with a memory of 64 bits': {
    code: 'memory',
    message: /32-bit/,
    parts: (p) => (p.memory = ['env', 'memory', [2, 4, 4]]),
  },
  'with a memory beyond policy': {
    code: 'memory',
    message: /4 pages; policy allows 3/,
    policy: allowanceFor(['pci'], { memoryPagesMax: 3 }),
  },
  'with a table of references': {
    code: 'table',
    message: /found externref/,
    parts: (p) => (p.table = ['env', '__indirect_function_table', [1, 0x6f, 0, 20]]),
  },
  'with a table beyond policy': {
    code: 'table',
    message: /20 entries; policy allows 19/,
    policy: allowanceFor(['pci'], { tableEntriesMax: 19 }),
  },
  'beyond policy in bytes': {
    code: 'too-large',
    get policy() {
      return allowanceFor(['pci'], { bytesMax: assemble(shape()).length - 1 })
    },
  },
  'beyond policy in functions': {
    code: 'too-large',
    message: /4 functions; policy allows 3/,
    policy: allowanceFor(['pci'], { functionsMax: 3 }),
  },
  'whose range is below the area': {
    code: 'range',
    message: /4095 to 12288 of memory/,
    where: /module module/,
    claims: () => ({ memory: { start: 0xfff, end: 0x3000 } }),
  },
  'whose range ends beyond the area': {
    code: 'range',
    message: /8192 to 36865 of memory/,
    peers: [],
    claims: () => ({ memory: { start: 0x2000, end: 0x9001 } }),
  },
  'whose range ends before it begins': {
    code: 'range',
    message: /12288 to 8192 of memory/,
    claims: () => ({ memory: { start: 0x3000, end: 0x2000 } }),
  },
  'whose slots are the core’s': {
    code: 'range',
    message: /9 to 12 of the table/,
    claims: () => ({ table: { start: SLOT - 1, end: SLOT + 2 } }),
  },
  'whose slots are beyond policy': {
    code: 'range',
    message: /10 to 12 of the table expected between 10 and 11/,
    policy: allowanceFor(['pci'], { tableEntriesMax: 11 }),
  },
  'that shares memory with its peer': {
    code: 'range',
    message: /peer and module share memory at 12287/,
    peers: [{ ...peer, memory: { start: 0x2fff, end: 0x9000 } }],
  },
  'that shares slots with its peer': {
    code: 'range',
    message: /peer and module share table at 11/,
    peers: [{ ...peer, table: { start: 11, end: 101 } }],
  },
  'over peers that share memory': {
    code: 'range',
    message: /share memory at 32768/,
    peers: [peer, { ...peer, name: 'other', table: { start: 101, end: 102 } }],
  },
  'whose data begins before its range': {
    code: 'range',
    message: /0x1fff to 0x200f of memory/,
    where: /^data segment 0 at 0x/,
    parts: (p) => (p.data.at = 0x1fff),
  },
  'whose data ends beyond its range': {
    code: 'range',
    message: /0x2ff1 to 0x3001 of memory; its own range is 0x2000 to 0x3000/,
    parts: (p) => (p.data.at = 0x2ff1),
  },
  'with data that waits to be written': {
    code: 'range',
    message: /a segment for memory 0/,
    parts: (p) => (p.data.flags = 1),
  },
  'whose functions begin before its slots': {
    code: 'range',
    message: /0x9 to 0xb of the table/,
    parts: (p) => (p.elements.at = 9),
  },
  'whose functions end beyond its slots': {
    code: 'range',
    message: /0xa to 0xd of the table/,
    where: /^element segment 0 at 0x/,
    parts: (p) => p.elements.functions.push(7),
  },
  'with functions that wait to be put somewhere': {
    code: 'range',
    message: /a segment for table 0/,
    parts: (p) => (p.elements.flags = 1),
  },
  'that offers a function that is not in its slot': {
    code: 'symbols',
    message: /found nothing of it in slot 12/,
    where: /symbol own/,
    claims: () => ({ functions: new Map([['own', { slot: SLOT + 2, type: '>' }]]) }),
  },
  'that offers a function of another type': {
    code: 'symbols',
    message: />i expected in slot 11, found >/,
    claims: () => ({ functions: new Map([['own', { slot: SLOT + 1, type: '>i' }]]) }),
  },
  'whose init is something else': {
    code: 'symbols',
    message: />i expected/,
    where: /symbol init/,
    claims: () => ({ entries: [{ name: 'init', slot: SLOT + 1, type: '>i' }] }),
  },
  'that calls what its manifest does not list': {
    code: 'not-in-manifest',
    message: /does not list it/,
    where: /^import mmio.read8 at 0x/,
    claims: ({ imports: all }) => ({ imports: all.slice(0, 3) }),
  },
  'that calls a group it does not ask for': {
    code: 'not-in-manifest',
    message: /does not ask for group mmio/,
    claims: () => ({ capabilities: ['sched'] }),
  },
  'whose manifest lists what there is not': {
    code: 'manifest',
    message: /no such call/,
    where: /manifest import mmio.nothing/,
    claims: ({ imports: all }) => ({ imports: [...all, 'mmio.nothing'] }),
  },
  'whose manifest asks for a group that there is not': {
    code: 'manifest',
    message: /no such group/,
    where: /manifest capability nothing/,
    claims: () => ({ capabilities: ['sched', 'mmio', 'nothing'] }),
  },
  'that asks for more than policy grants': {
    code: 'policy',
    message: /not mmio/,
    where: /manifest capability mmio/,
    policy: allowanceFor([]),
  },
  'that lists a call of a group that policy does not grant': {
    code: 'policy',
    message: /not mmio/,
    claims: () => ({ capabilities: ['sched'] }),
    policy: allowanceFor([]),
  },
  'that calls a deep function of its core without room for it': {
    code: 'no-room-check',
    message: /the longest way down needs/,
    parts: code(...counting(1), 0x10, 4, 0x10, 4),
    core: { functions: new Map([...facts.functions, ['deep', { type: VOID, slot: 5, depth: 16_384 }]]) },
  },
  'that calls core functions without counting': {
    code: 'no-fuel-check',
    message: /a function that calls others/,
    parts: code(0x10, 5),
  },
  'whose fills count less than charging for them takes': {
    code: 'no-fuel-check',
    message: /units of work; there are/,
    parts: code(...counting(FILLS_UNITS - 1), ...FILLS),
  },
  'whose fill is not counted': {
    code: 'no-fuel-check',
    message: /memory.fill does not count/,
    parts: code(...counting(1), ...fill([0x23, 0])),
  },
  'whose fill is of one byte more than nobody counts': {
    code: 'no-fuel-check',
    message: /memory.fill does not count/,
    parts: code(...fill([0x41, 0x81, 2])),
  },
  'that calls on its way down a byte more than is counted': {
    code: 'no-room-check',
    message: /the longest way down needs 16385 bytes/,
    parts: code(...counting(1), 0x10, 4),
    get core() {
      return {
        functions: new Map([...facts.functions, ['deep', { type: VOID, slot: 5, depth: ROOM_SHARE - OWN_FRAME + 1 }]]),
      }
    },
  },
  'whose operands take more of the engine’s stack than is counted': {
    code: 'no-room-check',
    message: /the longest way down needs \d+ bytes/,
    parts: code(
      ...counting(70),
      ...Array.from({ length: 2100 }, () => [0x41, 0]).flat(),
      ...Array<number>(2100).fill(0x1a),
    ),
  },
  'that has no limit of its stack, and writes it': {
    code: 'no-stack-check',
    message: /not checked/,
    // An instruction of one byte, that no check is: the byte 0.
    parts: all(
      imports((items) => items.filter(([, name]) => name !== LIMIT_GLOBAL)),
      code(0x41, 0, 0x24, 0, 0x00),
    ),
  },
  'whose checks call something else of the right length': {
    code: 'no-fuel-check',
    message: /a loop does not count/,
    parts: all((p) => void (p.exhausted = [1, 0]), code(0x03, 0x40, ...counting(1), 0x0c, 0, 0x0b)),
  },
  'whose checks call the first function of all': {
    code: 'no-fuel-check',
    message: /a loop does not count/,
    parts: all((p) => void (p.exhausted = [1, 0]), code(0x03, 0x40, ...counting(1, FUEL, 0), 0x0c, 0, 0x0b)),
  },
  'that writes the stack’s limit': { code: 'tampering', message: /drvport_stack_limit/, parts: code(0x41, 0, 0x24, 2) },
  'that writes its counter': { code: 'tampering', message: /drvport_fuel/, parts: code(0x41, 0, 0x24, FUEL) },
  'that takes room for a call of the host': {
    code: 'tampering',
    message: /taken and not given back/,
    parts: code(0x41, 0, ...taken, 0x10, 6, ...given, 0x1a),
  },
  'with a WASI call by the manifest’s name for it': {
    code: 'unknown-import',
    message: /no such call/,
    parts: imports((items) => [...items, func('wasi', 'fd_close', 1)]),
  },
}
