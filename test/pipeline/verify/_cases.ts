/**
 * Cores that are accepted and cores that are refused, each of which is one that is accepted but for one thing. Also what mutants of the
 * verifier are shown (test/kernel/mutation).
 */
import { entries } from '../../../linux-api/capabilities.ts'
import { allowanceFor, verifyCore, type Allowance, type ProblemCode } from '../../../pipeline/verify/index.ts'
import { Cursor } from '../../../pipeline/wasm/bytes.ts'
import { I32, assemble, type Parts } from '../wasm/_build.ts'
import { claimsOf, core, coreParts } from './_core.ts'

/** Said of a module that is refused: nobody is asked anything. */
const ASKS = /\?/

export interface Refusal {
  code: ProblemCode
  where: RegExp | ((bytes: Uint8Array) => RegExp)
  message: RegExp
  bytes: () => Uint8Array
  claims?: Partial<ReturnType<typeof claimsOf>>
  policy?: Allowance
}

const change = (edit: (parts: ReturnType<typeof coreParts>) => void) => () => core(edit)

/** Not instrumented, but with everything the machine asks for: a module made by hand. */
function handMade(edit: (parts: ReturnType<typeof coreParts>) => void): () => Uint8Array {
  return () => {
    const parts = coreParts()
    const globals = parts.globals?.length ?? 0
    parts.imports?.push(['sched', 'preempt', 0], ['sched', 'stack_overflow', 0], ['sched', 'resched', 0])
    parts.exports = (parts.exports ?? []).map(([n, kind, i]) => [n, kind, kind === 0 ? i + 3 : i])
    parts.exports.push(
      ['drvport_fuel', 3, globals],
      ['drvport_stack_limit', 3, globals + 1],
      ['drvport_room', 3, globals + 2],
    )
    parts.globals?.push(0, 0, SHARE)
    parts.elements = [5]
    parts.functions = parts.functions.filter((f) => f.code.length === 2)
    parts.functions.push({ type: 0, code: exhausted })
    edit(parts)
    return assemble(parts)
  }
}
const FUEL = 3
const ROOM = FUEL + 2
/** Index of the function that follows the entries, and what it does: `preempt(); if (fuel < 0) resched()`. */
const EXHAUSTED = 6 + entries.length
const exhausted = [0x10, 2, 0x23, FUEL, 0x41, 0, 0x48, 0x04, 0x40, 0x10, 4, 0x0b, 0x0b]
const units3 = (units: number): number[] => [0x80 | (units & 0x7f), 0x80 | (units >> 7), 0]
// prettier-ignore
const counting = (units: number): number[] => [
  0x23, FUEL, 0x41, ...units3(units), 0x6b, 0x24, FUEL, 0x23, FUEL, 0x41, 0, 0x48, 0x04, 0x40, 0x10, EXHAUSTED, 0x0b,
]
const fuelCheck = counting(1)

/** What a counted call takes of the engine's stack: 16 KiB. */
const SHARE = 16_384
const share = [0x80, 0x80, 0x01]
const taken = [0x23, ROOM, 0x41, ...share, 0x6b, 0x24, ROOM, 0x23, ROOM, 0x41, 0, 0x48, 0x04, 0x40, 0x10, 3, 0x0b]
const given = [0x23, ROOM, 0x41, ...share, 0x6a, 0x24, ROOM]
/** A test for zero of 64 bits, taken for one of 32. */
const WRONG = [0x42, 0, 0x45, 0x1a]
/** Instructions that do nothing. */
const straight = (count: number): number[] => Array<number>(count).fill(0x01)
const indirect = [0x41, 0, 0x11, 0, 0]
const wrong = (code: number[], message: RegExp, codeOf: Refusal['code'] = 'tampering'): Refusal => ({
  code: codeOf,
  where: /^look at 0x/,
  message,
  bytes: handMade((p) => (p.functions[1]!.code = [...fuelCheck, ...code, 0x0b])),
})

export const refusals: Record<string, Refusal> = {
  'an indirect call that does not count the stack it may use': wrong(indirect, /an indirect call/, 'no-room-check'),
  'a recursion that does not count the stack it may use': wrong([0x10, 6], /leads back/, 'no-room-check'),
  'a call that is counted before the wrong instruction': wrong([...taken, ...indirect, ...given], /nothing is called/),
  'a call whose room is not given back': wrong([0x41, 0, ...taken, 0x11, 0, 0], /not given back/),
  'room that is given back twice': wrong(
    [0x41, 0, ...taken, 0x11, 0, 0, ...given, ...given],
    /only the checks may write/,
  ),
  'room that is given for a call of the host': wrong([...taken, 0x10, 2, ...given], /not given back/),
  'room that is set': wrong([0x41, 9, 0x24, ROOM], /only the checks may write drvport_room/),
  'frames larger than what calls count': {
    code: 'no-room-check',
    where: /./,
    message: /the longest way down needs \d+ bytes/,
    bytes: handMade((p) => (p.functions[1]!.locals = [[1100, I32]])),
  },
  'a function behind the counter that does not ask whether to go': {
    code: 'no-fuel-check',
    where: /./,
    message: /does not count its work/,
    bytes: handMade((p) => {
      p.functions[1]!.code = [0x03, 0x40, ...fuelCheck, 0x0c, 0, 0x0b, 0x0b]
      p.functions.at(-1)!.code = [0x10, 2, 0x0b]
    }),
  },
  'an import nobody knows': {
    code: 'unknown-import',
    where: /^import env\.kmalloc at 0x/,
    message: /no such call/,
    bytes: change((p) => (p.imports![0] = ['env', 'kmalloc', 0])),
  },
  'an ABI call with the wrong type': {
    code: 'import-type',
    where: /^import log\.write at 0x/,
    message: /\(i32, i32, i32\) -> nothing expected, \(\) -> nothing found/,
    bytes: change((p) => (p.imports![0] = ['log', 'write', 0])),
  },
  'a WASI call that would let chance in': {
    code: 'unknown-import',
    where: /^import wasi\.random_get/,
    message: /no such call/,
    bytes: change((p) => (p.imports![0] = ['wasi_snapshot_preview1', 'random_get', 0])),
  },
  'a core of other bytes': {
    code: 'hash',
    where: /file/,
    message: /describes abc/,
    bytes: change(() => {}),
    claims: { sha256: 'abc' },
  },
  'a memory of its own': {
    code: 'memory',
    where: /memory/,
    message: /one memory is expected, imported as env.memory/,
    bytes: change((p) => (p.memory = [1, 2, 2])),
  },
  'a memory that is shared between threads': {
    code: 'memory',
    where: /memory/,
    message: /not shared is expected/,
    bytes: change((p) => (p.shared.memory = [3, 2, 2])),
  },
  'a memory beyond policy': {
    code: 'memory',
    where: /memory/,
    message: /policy allows 1$/,
    bytes: change(() => {}),
    policy: allowanceFor(['pci'], { memoryPagesMax: 1 }),
  },
  'a table of its own': {
    code: 'table',
    where: /table/,
    message: /one table is expected, imported/,
    bytes: change((p) => (p.table = 2)),
  },
  'a function put into a slot that is no core’s': {
    code: 'range',
    where: /element segment 0 at 0x/,
    message: /0x0 to 0x2 of the table; its own range is 0x1 to 0x3/,
    bytes: change((p) => (p.elementBase = 0)),
  },
  'data where modules go': {
    code: 'range',
    where: /data segment 0 at 0x/,
    message: /0x400 to 0x404 of memory/,
    bytes: change((p) => (p.data = new Uint8Array(4))),
  },
  'a table beyond policy': {
    code: 'table',
    where: /table/,
    message: /3 entries; policy allows 1/,
    bytes: change(() => {}),
    policy: allowanceFor(['pci'], { tableEntriesMax: 1 }),
  },
  'a start function': {
    code: 'start-function',
    where: (bytes) => new RegExp(`^start section at 0x${sectionAt(bytes, 8)}$`),
    message: /before the machine is ready/,
    bytes: change((p) => (p.start = 3)),
  },
  'a missing entry': {
    code: 'missing-entry',
    where: /export task/,
    message: /\(i32\) -> nothing expected/,
    bytes: change((p) => (p.exports = p.exports!.filter(([name]) => name !== 'task'))),
  },
  'an entry of the wrong type': {
    code: 'entry-type',
    where: /export task at 0x/,
    message: /expected, \(\) -> i32 found/,
    bytes: change((p) => (p.exports!.find(([name]) => name === 'task')![2] = 2)),
  },
  'a function that is no entry and is exported': {
    code: 'entry-type',
    where: /export helper/,
    message: /neither an entry nor a handle/,
    bytes: change((p) => p.exports!.push(['helper', 0, 2])),
  },
  'a missing shared word': {
    code: 'missing-shared',
    where: /export drvport_pending/,
    message: /address in memory/,
    bytes: change((p) => (p.exports = p.exports!.filter(([name]) => name !== 'drvport_pending'))),
  },
  'a shared word outside memory': {
    code: 'missing-shared',
    where: /export drvport_pending/,
    message: /found 131072/,
    bytes: change((p) => (p.globals![2] = 2 * 65_536)),
  },
  'no fuel counter': {
    code: 'missing-global',
    where: /export drvport_fuel/,
    message: /mutable i32/,
    bytes: handMade((p) => (p.exports = p.exports!.filter(([name]) => name !== 'drvport_fuel'))),
  },
  'a loop that is not counted': {
    code: 'no-fuel-check',
    where: /^function \d+ at 0x/,
    message: /a loop/,
    bytes: handMade((p) => p.functions.push({ type: 0, code: [0x03, 0x40, 0x0c, 0, 0x0b, 0x0b] })),
  },
  'a recursion that is not counted': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /calls others/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x10, 5, 0x0b])),
  },
  'a call of a function that counts, by one that does not': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /calls others/,
    bytes: handMade((p) => {
      p.functions[1]!.code = [0x10, 7, 0x0b]
      p.functions[2]!.code = [...fuelCheck, 0x00, 0x0b]
    }),
  },
  'an indirect call that is not counted': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /calls others/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x11, 0, 0, 0x0b])),
  },
  'a fill that is not counted': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /memory.fill does not count/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x41, 0, 0x23, 0, 0xfc, 11, 0, 0x0b])),
  },
  'a copy of a constant length that is not counted': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /memory.copy does not count/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x41, 0, 0x41, 0x81, 2, 0xfc, 10, 0, 0, 0x0b])),
  },
  'a fill of a negative constant length': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /memory.fill does not count/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x41, 0, 0x41, 0x7f, 0xfc, 11, 0, 0x0b])),
  },
  'a fill whose length was counted for another': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /memory.fill does not count/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x41, 0, 0x41, 1, 0x23, 0, 0x6a, 0xfc, 11, 0, 0x0b])),
  },
  'growing the memory, by nothing': {
    code: 'feature',
    where: /^look at 0x/,
    message: /memory.grow is not allowed/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x40, 0, 0x1a, 0x0b])),
  },
  'growing the table': {
    code: 'feature',
    where: /^look at 0x/,
    message: /table.grow is not allowed/,
    bytes: handMade((p) => (p.functions[1]!.code = [0xd0, 0x70, 0x41, 0, 0xfc, 15, 0, 0x1a, 0x0b])),
  },
  'a function put into the table': {
    code: 'feature',
    where: /^look at 0x/,
    message: /table.set is not allowed/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0xd0, 0x70, 0x26, 0, 0x0b])),
  },
  'a local that is a vector': {
    code: 'feature',
    where: /^look at 0x/,
    message: /a local of value type v128/,
    bytes: handMade((p) => (p.functions[1]!.locals = [[1, 0x7b]])),
  },
  'a local that is a reference': {
    code: 'feature',
    where: /^look at 0x/,
    message: /a local of value type externref/,
    bytes: handMade((p) => (p.functions[1]!.locals = [[1, 0x6f]])),
  },
  'a block that leaves a vector': {
    code: 'feature',
    where: /^look at 0x/,
    message: /a block of value type v128/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x02, 0x7b, 0x00, 0x0b, 0x1a, 0x0b])),
  },
  'a select between references': {
    code: 'feature',
    where: /^look at 0x/,
    message: /a select of value type funcref/,
    bytes: handMade((p) => (p.functions[1]!.code = [0xd0, 0x70, 0xd0, 0x70, 0x41, 0, 0x1c, 1, 0x70, 0x1a, 0x0b])),
  },
  'a parameter that is a reference to a function': {
    code: 'feature',
    where: /^type \d+$/,
    message: /funcref/,
    bytes: change((p) => p.types.push([[0x70], []])),
  },
  'a stack pointer write that is not checked': {
    code: 'no-stack-check',
    where: /^look at 0x/,
    message: /not checked/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x24, 0, 0x0b])),
  },
  'code that refills its own fuel': {
    code: 'tampering',
    where: /^look at 0x/,
    message: /drvport_fuel/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x03, 0x40, ...fuelCheck, 0x41, 9, 0x24, FUEL, 0x0b, 0x0b])),
  },
  'straight code that counts less work than it has': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /counts 2 units of work; there are 3 behind the check/,
    bytes: handMade((p) => (p.functions[1]!.code = [...counting(2), ...straight(64 * 2 - 11), 0x0b])),
  },
  'a loop that counts less work than it has': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /a loop counts 1 units of work; there are 2 behind the check/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x03, 0x40, ...fuelCheck, ...straight(64 - 11), 0x0b, 0x0b])),
  },
  'straight code that counts nothing': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /a function this long does not count/,
    bytes: handMade((p) => (p.functions[1]!.code = [...straight(32), 0x0b])),
  },
  'calls of many short functions that count as calls only': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /counts 2 units of work; there are 3 behind the check/,
    bytes: handMade(
      (p) => (p.functions[1]!.code = [...counting(2), ...[5, 5, 5, 5].flatMap((f) => [0x10, f, 0x1a]), 0x0b]),
    ),
  },
  'a count that is negative': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /a function this long does not count/,
    bytes: handMade(
      (p) => (p.functions[1]!.code = [...fuelCheck.with(5, 0x7f).with(3, 0xff).with(4, 0xff), ...straight(32), 0x0b]),
    ),
  },
  'code that lowers its own stack limit': {
    code: 'tampering',
    where: /^look at 0x/,
    message: /drvport_stack_limit/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x41, 0, 0x24, FUEL + 1, 0x0b])),
  },
  'a tail call': {
    code: 'feature',
    where: /^look at 0x/,
    message: /tail calls/,
    bytes: handMade((p) => (p.functions[1]!.code = [0x12, 5, 0x0b])),
  },
  ...Object.fromEntries(
    Object.entries({
      'table.init': [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 12, 0, 0],
      'table.copy': [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 14, 0, 0],
      'table.fill': [0x41, 0, 0xd0, 0x70, 0x41, 0, 0xfc, 17, 0],
    }).map(([name, code]): [string, Refusal] => [name, wrong(code, new RegExp(`^${name} is not allowed`), 'feature')]),
  ),
  'a fill that comes first of all': {
    code: 'no-fuel-check',
    where: /^look at 0x/,
    message: /memory.fill does not count/,
    bytes: handMade((p) => (p.functions[1]!.code = [0xfc, 11, 0, 0x0b])),
  },
  'room that begins with more than a call takes': {
    code: 'missing-global',
    where: /export drvport_room/,
    message: /it must begin with what a counted call takes: 16384; found 16385/,
    bytes: handMade((p) => (p.globals![ROOM] = SHARE + 1)),
  },
  'data that is said to lie below the core’s': {
    code: 'symbols',
    where: /^symbol d$/,
    message: /^0x17fff is not in the core's data/,
    bytes: change(() => {}),
    claims: { data: new Map([['d', { address: 0x17fff }]]) },
  },
  'data that is said to lie beyond memory': {
    code: 'symbols',
    where: /^symbol d$/,
    message: /^0x20000 is not in the core's data/,
    bytes: change(() => {}),
    claims: { data: new Map([['d', { address: 0x20000 }]]) },
  },
  'a function that is said to be of another type': {
    code: 'symbols',
    where: /^symbol f$/,
    message: /^> expected in slot 1, found >i/,
    bytes: change(() => {}),
    claims: { functions: new Map([['f', { slot: 1, type: '>' }]]) },
  },
  'a shared word that the program may move': {
    code: 'missing-shared',
    where: /export drvport_pending/,
    message: /memory is expected$/,
    bytes: change((p) => (p.constants = p.constants!.filter((at) => at !== 2))),
  },
  'a shared word at no address': {
    code: 'missing-shared',
    where: /export drvport_pending/,
    message: /found 0$/,
    bytes: change((p) => (p.globals![2] = 0)),
  },
  'a shared word across the end of memory': {
    code: 'missing-shared',
    where: /export drvport_pending/,
    message: /found 131070/,
    bytes: change((p) => (p.globals![2] = 2 * 65_536 - 2)),
  },
  'a shared word at an odd address': {
    code: 'missing-shared',
    where: /export drvport_pending/,
    message: /found 1025/,
    bytes: change((p) => (p.globals![2] = 1025)),
  },
  'an atomic instruction': {
    code: 'feature',
    where: /^look at 0x/,
    message: /threads/,
    bytes: handMade((p) => (p.functions[1]!.code = [0xfe, 3, 0, 0x0b])),
  },
  SIMD: {
    code: 'feature',
    where: /^look at 0x/,
    message: /SIMD/,
    bytes: handMade((p) => (p.functions[1]!.code = [0xfd, 12, 0x0b])),
  },
  'an instruction nobody knows': {
    code: 'malformed',
    where: /^look at 0x/,
    message: /unknown instruction opcode 0xf0/,
    bytes: handMade((p) => (p.functions[1]!.code = [0xf0, 0x0b])),
  },
  'a vector parameter': {
    code: 'feature',
    where: /^type \d+$/,
    message: /v128/,
    bytes: change((p) => p.types.push([[0x7b], []])),
  },
  'a function whose locals cannot be read': {
    code: 'malformed',
    where: /^look at 0x/,
    message: /more than \d+ locals/,
    bytes: handMade((p) => (p.functions[1]!.locals = [[0xffff_ffff, I32]])),
  },
  'no functions at all': {
    code: 'missing-entry',
    where: /export start/,
    message: /expected/,
    bytes: handMade((p) => {
      p.functions = []
      p.elements = undefined as never
      p.exports = p.exports!.filter(([, kind]) => kind !== 0)
    }),
  },
  'a loop that leaves a vector': wrong(
    [0x03, 0x7b, 0x00, 0x0b, 0x1a],
    /a loop of value type v128|a block of value type v128/,
    'feature',
  ),
  'a condition that leaves a vector': wrong(
    [0x41, 0, 0x04, 0x7b, 0x00, 0x05, 0x00, 0x0b, 0x1a],
    /a block of value type v128/,
    'feature',
  ),
  'a global that anybody may write and the machine knows nothing of': {
    code: 'entry-type',
    where: /^export mine$/,
    message: /a global that is neither an entry nor a handle/,
    bytes: handMade((p) => {
      p.globals!.push(0)
      p.exports!.push(['mine', 3, p.globals!.length - 1])
    }),
  },
  'its memory, exported': {
    code: 'entry-type',
    where: /^export mine$/,
    message: /a memory that is neither an entry nor a handle/,
    bytes: handMade((p) => p.exports!.push(['mine', 2, 0])),
  },
  'a global that is a vector': {
    code: 'feature',
    where: /^global 6$/,
    message: /value type v128/,
    bytes: handMade((p) => {
      p.globals!.push(0)
      p.globalTypes = { [p.globals!.length - 1]: 0x7b }
    }),
  },
  'a word that it need not have, which it may move': {
    code: 'missing-shared',
    where: /export drvport_pending/,
    message: /memory is expected$/,
    bytes: change((p) => (p.constants = p.constants!.filter((at) => at !== 2))),
    claims: { words: [] },
  },
  exceptions: {
    code: 'feature',
    where: /^offset 0x8$/,
    message: /exceptions are not allowed/,
    bytes: () => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 13, 3, 1, 0, 0]),
  },
  'bytes behind the first section that are none': {
    code: 'malformed',
    where: /^offset 0x1a$/,
    message: /unknown section/,
    bytes: () =>
      Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 16, 1, 0x78, ...Array<number>(14).fill(0), 99, 0]),
  },
  'code of the wrong type': {
    code: 'invalid',
    where: (bytes) => new RegExp(`^look at offset 0x${Buffer.from(bytes).indexOf(Buffer.from(WRONG)).toString(16)}$`),
    message: /expected type i32/,
    bytes: handMade((p) => (p.functions[1]!.code = [...WRONG, 0x0b])),
  },
  'a file beyond policy': {
    code: 'too-large',
    where: /file/,
    message: /policy allows 100/,
    bytes: change(() => {}),
    policy: allowanceFor(['pci'], { bytesMax: 100 }),
  },
  'too many functions': {
    code: 'too-large',
    where: /function section/,
    message: /policy allows 3/,
    bytes: change(() => {}),
    policy: allowanceFor(['pci'], { functionsMax: 3 }),
  },
  'half a file': {
    code: 'malformed',
    where: /^offset 0x[0-9a-f]+$/,
    message: /unexpected end/,
    bytes: () => core().subarray(0, 200),
  },
  'an empty file': { code: 'malformed', where: /offset 0x0/, message: /bad magic/, bytes: () => new Uint8Array(0) },
  'an ELF file': {
    code: 'malformed',
    where: /offset 0x0/,
    message: /not a wasm file/,
    bytes: () => Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0]),
  },
  'a component': {
    code: 'malformed',
    where: /offset 0x4/,
    message: /version 65549/,
    bytes: () => Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]),
  },
}

/** Offset of a section's header, as it is said. */
function sectionAt(bytes: Uint8Array, wanted: number): string {
  const cursor = new Cursor(bytes, 8)
  for (;;) {
    const at = cursor.pos
    const id = cursor.u8()
    if (id === wanted) return at.toString(16)
    cursor.skip(cursor.u32())
  }
}

/** Where `task` and others have their words. */
const numbers: [number[], number[]] = [[0x7e, 0x7d, 0x7c], [0x7e]]

/** Cores with this code in a function, which are as they should be. */
const codes: Record<string, readonly number[]> = {
  'a loop that is counted': [0x03, 0x40, ...fuelCheck, 0x0c, 0, 0x0b],
  'code too short to be counted': straight(31),
  'a select between numbers': [0x41, 0, 0x41, 0, 0x41, 0, 0x1c, 1, 0x7f, 0x1a],
  'a block of a type by number': [0x02, 0x00, 0x0b],
  'straight code that counts what it has': [...counting(3), ...straight(64 * 2 - 11)],
  'a loop that counts what it has': [0x03, 0x40, ...counting(2), ...straight(64 - 11), 0x0b],
  'calls that count what they have': [...counting(3), ...[5, 5, 5, 5].flatMap((f) => [0x10, f, 0x1a])],
  // prettier-ignore
  'calls that count the stack they may use': [
    ...counting(2), 0x41, 0, ...taken, 0x11, 0, 0, ...given, ...taken, 0x10, 6, ...given,
  ],
}

/** What is said of one that is accepted, and what was found. */
export const claimed = {
  functions: new Map([['f', { slot: 1, type: '>i' }]]),
  data: new Map([0x18000, 0x1ffff].map((address) => [`at ${address}`, { address }])),
}

export const accepted: Record<string, () => Uint8Array> = {
  'what the machine needs': () => core(),
  'functions of all kinds of numbers': change((p) => p.types.push(numbers)),
  'a shared word at the end of memory': change((p) => (p.globals![2] = 2 * 65_536 - 4)),
  'calls of a function that counts for itself': handMade((p) => {
    p.functions[0]!.code = [...fuelCheck, 0x41, 0, 0x0b]
    p.functions[1]!.code = [...counting(1), ...[5, 5, 5, 5].flatMap((f) => [0x10, f, 0x1a]), 0x0b]
  }),
  ...Object.fromEntries(
    Object.entries(codes).map(([title, code]) => [
      title,
      handMade((p: Parts) => (p.functions![1]!.code = [...code, 0x0b])),
    ]),
  ),
}

/** One that offers an import, and a function of all kinds of numbers, and lacks a word that it need not have. */
export const offering = {
  make: change((p) => {
    const type = p.types.push([
      [0x7e, 0x7d, 0x7c, I32],
      [I32, 0x7e],
    ])
    const index = p.imports!.length + p.functions.push({ type: type - 1, code: [0x00, 0x0b] }) - 1
    p.elements = [1, index]
    p.exports = p.exports!.filter(([name]) => name !== 'drvport_pending')
  }),
  claims: {
    functions: new Map([
      ['imported', { slot: 1, type: 'i>i' }],
      ['numbers', { slot: 2, type: 'IfFi>iI' }],
    ]),
    words: ['drvport_irqs_off'],
  },
}

/** What a refusal is refused for, other than it should be; undefined when it is as it should be. */
export function misjudged({ bytes: make, claims, policy, code, message, where }: Refusal): string | undefined {
  const bytes = make()
  const verdict = verifyCore(bytes, { ...claimsOf(bytes), ...claims }, policy)
  if (verdict.ok) return 'it is accepted'
  if (verdict.problems.some((one) => ASKS.test(one.code + one.where + one.message))) return 'it asks'
  const found = verdict.problems.find((one) => one.code === code && message.test(one.message))
  const place = typeof where === 'function' ? where(bytes) : where
  return found !== undefined && place.test(found.where) ? undefined : JSON.stringify(verdict.problems, null, 1)
}
