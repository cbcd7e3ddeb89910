/** A core and modules bound to it, instrumented, proved as a pair, and run: what checks promise holds across both. */
import test from 'ava'
import { createHash } from 'node:crypto'
import { boundClaims, coreClaims, keptCoreFacts } from '../../pipeline/bind/claims.ts'
import {
  boundTo,
  decodeSymbols,
  encodeSymbols,
  withDepths,
  type BoundModule,
  type CoreSymbols,
} from '../../pipeline/bind/index.ts'
import {
  overlaps,
  allowanceFor,
  verifyBound,
  verifyCore,
  type BoundClaims,
  type BoundFacts,
  type CoreFacts,
  type Allowance,
  type ProblemCode,
} from '../../pipeline/verify/index.ts'
import { countCalls, COUNTER } from '../../pipeline/rewrite/count.ts'
import { inlineHot } from '../../pipeline/rewrite/inline.ts'
import { ROOM_SHARE } from '../../pipeline/wasm/checks.ts'
import { finish, type Finished } from '../../pipeline/wasm/finish.ts'
import { instrument } from '../../pipeline/wasm/instrument.ts'
import { parseStack, readLines, symbolize } from '../../pipeline/wasm/lines.ts'
import { readModule } from '../../pipeline/wasm/module.ts'
import { Loaded, CORE_DATA, MODULE_BASE, bind, makeCore, version, type Core } from './_bound.ts'

const real = version === undefined ? test.skip : test
const AREA = { start: MODULE_BASE, end: CORE_DATA }
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

interface Proved {
  readonly core: Core
  readonly symbols: CoreSymbols
  readonly facts: CoreFacts
}

function provedCore(): Proved {
  const linked = makeCore()
  const wasm = instrument(linked.wasm).bytes
  const claims = coreClaims(linked.symbols, sha256(wasm), AREA, { entries: [], words: [] })
  const verdict = verifyCore(wasm, claims)
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems))
  const symbols = withDepths(linked.symbols, verdict.facts.functions)
  return { core: { ...linked, wasm, symbols }, symbols, facts: verdict.facts }
}

const proved = version === undefined ? undefined! : provedCore()

interface Module {
  readonly bound: BoundModule
  readonly finished: Finished
  readonly claims: BoundClaims
}

function module(
  name: string,
  files: readonly string[],
  peers: readonly BoundModule[],
  exports: readonly string[],
): Module {
  const named = exports.map((symbol) => ({ symbol, gplOnly: false }))
  const bound = bind(name, files, proved.symbols, peers, { exports: named })
  const finished = finish(bound.wasm, [], boundTo(proved.symbols, peers))
  return { bound, finished, claims: boundClaims(bound, finished.wasm, sha256(finished.wasm), proved.facts.sha256) }
}

const makeLow = () => module('low', ['low.c'], [], ['low_total', 'low_step', 'low_debug'])

function factsOf({ finished, claims }: Module, peers: readonly BoundFacts[] = []): BoundFacts {
  const verdict = verifyBound(finished.wasm, claims, proved.facts, peers)
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems))
  return verdict.facts
}

/** low, with what the verifier found of its functions, and high over it. */
function pair() {
  const low = makeLow()
  const facts = factsOf(low)
  const bound = withDepths(low.bound, facts.functions)
  return { low, facts, high: module('high', ['high.c', 'helper.c'], [bound], ['high_answers']) }
}

real('core and modules are accepted as they are made', (t) => {
  const { facts, high } = pair()
  t.is(factsOf(high, [facts]).functions.get('high_answers')!.slot, high.bound.functions.get('high_answers')!.slot)
  t.true(proved.facts.functions.get('deep')!.depth > proved.facts.functions.get('twice')!.depth)
})

real('what was found comes back from where it was kept', (t) => {
  const symbols = decodeSymbols(encodeSymbols(proved.symbols))
  const sorted = ({ functions, ...rest }: CoreFacts) => ({ ...rest, functions: [...functions].toSorted() })
  t.deepEqual(sorted(keptCoreFacts(symbols, proved.facts.sha256, AREA)), sorted(proved.facts))
  t.throws(() => keptCoreFacts(makeCore().symbols, 'any', AREA), { message: /has no depth/ })
})

real('a way down that is too long is cut: no two counted calls are further apart than the share', (t) => {
  const depths = [...proved.facts.functions.values()].map(({ depth }) => depth)
  t.true(Math.max(...depths) <= ROOM_SHARE)
  // 50 frames of at least 160 bytes and their values.
  t.true(proved.facts.functions.get('deep')!.depth < 50 * 220)
})

const HOST = { mmio: { read32: (what: number) => what * 10, read16: () => -1 } }

/** Both loaded; the core's globals are the modules'. */
function run(preempt: () => void = () => {}) {
  const { low, high } = pair()
  const sched = {
    preempt,
    resched() {},
    stack_overflow() {
      throw new Error('stack overflow')
    },
  }
  const machine = new Loaded(proved.core, { ...HOST, sched })
  const global = (name: string) => machine.core[name] as WebAssembly.Global
  global('drvport_fuel').value = 1_000_000
  global('drvport_room').value = 1 << 30
  for (const { bound, finished } of [low, high]) {
    machine.load(bound, finished.wasm)
    machine.function(bound.init!)()
  }
  const answer = machine.function(high.bound.functions.get('high_answers')!.slot)
  return { machine, global, high, answer }
}

real('work done in a module and in its core is counted on one counter, and room is given back', (t) => {
  const { global, answer } = run()
  const before = global('drvport_fuel').value as number
  t.is(answer(0), 44)
  t.true((global('drvport_fuel').value as number) < before)
  t.is(global('drvport_room').value, 1 << 30)
})

real('a module whose work runs out asks, whoever has done it', (t) => {
  const machine = run(() => {
    throw new Error('enough')
  })
  machine.global('drvport_fuel').value = 0
  t.throws(() => machine.answer(1), { message: 'enough' })
})

real('a module that goes below the limit of the C stack ends there', (t) => {
  const { global, answer } = run()
  global('drvport_stack_limit').value = global('__stack_pointer').value
  t.throws(() => answer(13), { message: 'stack overflow' })
})

real('a call from the core into a module finds the room that is left', (t) => {
  const { machine, global } = run()
  const handlers = machine.function(proved.symbols.functions.get('run_handlers')!.slot)
  global('drvport_room').value = ROOM_SHARE
  t.is(handlers(2), 1)
  global('drvport_room').value = ROOM_SHARE - 1
  t.throws(() => handlers(2), { message: 'stack overflow' })
})

real('calls into a core of which nothing is known count the stack they may use', (t) => {
  const bound = bind('low', ['low.c'], makeCore().symbols, [])
  const known = instrument(bound.wasm, boundTo(proved.symbols, [])).checks.room
  t.true(instrument(bound.wasm, boundTo(makeCore().symbols, [])).checks.room > known)
})

real('calls in a bound module can be counted, and hot ones replaced', (t) => {
  const { facts, high } = pair()
  const { rewritten, plan } = countCalls(high.finished.wasm)
  const { machine } = run()
  const instance = machine.load(high.bound, rewritten.bytes)
  machine.function(high.bound.init!)()
  const counting = machine.function(high.bound.functions.get('high_answers')!.slot)
  for (let i = 0; i < 10; i++) t.is(counting(8), 2)
  const value = (id: number) => Number((instance.exports[`${COUNTER}${id}`] as WebAssembly.Global).value)
  t.is(value(plan.functions.find(({ name }) => name === 'high_answers')!.entries), 10)
  const profile = plan.functions.map(
    ({ index, entries, calls }) => [index, { entries: value(entries), calls: calls.map(value) }] as const,
  )
  const { rewritten: hot, inlined } = inlineHot(high.finished.wasm, new Map(profile))
  t.true(inlined > 0)
  const verdict = verifyBound(hot.bytes, { ...high.claims, sha256: sha256(hot.bytes) }, proved.facts, [facts])
  t.deepEqual(verdict.ok ? [] : verdict.problems, [])
  machine.load(high.bound, hot.bytes)
  t.is(machine.function(high.bound.functions.get('high_answers')!.slot)(8), 2)
})

real('a trap in an instrumented module has its line', (t) => {
  const { high, answer } = run()
  const error = t.throws(() => answer(99), { instanceOf: WebAssembly.RuntimeError })
  const table = readLines(high.finished.lines)
  const frames = parseStack(error.stack!).flatMap(({ offset }) => symbolize(table, offset))
  t.like(frames[0], { function: 'divide', file: '/helper.c', line: 9 })
  t.like(frames[1], { function: 'high_answers', file: '/high.c', line: 47 })
})

real('a module that never needs a frame has no stack pointer, and is accepted', (t) => {
  const small = module('helper', ['helper.c'], [], ['chosen', 'other_of', 'divide'])
  t.deepEqual(
    readModule(small.bound.wasm).importedGlobals.map(({ name }) => name),
    [],
  )
  t.is(factsOf(small).functions.size, 3)
})

interface Refusal {
  readonly code: ProblemCode
  readonly message: RegExp
  readonly claims?: (claims: BoundClaims) => Partial<BoundClaims>
  readonly wasm?: (wasm: Uint8Array) => Uint8Array
  readonly core?: Partial<CoreFacts>
  readonly peers?: (facts: BoundFacts) => readonly BoundFacts[]
  readonly allowance?: Allowance
}

const shifted = ({ start, end }: { start: number; end: number }, by: number) => ({ start: start + by, end: end + by })

const refusals: Record<string, Refusal> = {
  'for another core': { code: 'binding', message: /is bound to core/, core: { sha256: 'other' } },
  'for another file': { code: 'hash', message: /describes/, claims: () => ({ sha256: 'other' }) },
  'over a peer of another core': {
    code: 'binding',
    message: /low is bound to core other/,
    peers: (facts) => [{ ...facts, core: 'other' }],
  },
  'over a peer that is not there': { code: 'unknown-import', message: /no such call/, peers: () => [] },
  'over a peer that offers less': {
    code: 'unknown-import',
    message: /module:low does not offer it/,
    peers: (facts) => [{ ...facts, functions: new Map() }],
  },
  'that takes what the core does not offer': {
    code: 'unknown-import',
    message: /core does not offer it/,
    core: { functions: new Map() },
  },
  'that takes a function for one of another type': {
    code: 'import-type',
    message: /expected/,
    get core() {
      const { functions } = proved.facts
      return {
        functions: new Map([...functions].map(([name, f]) => [name, { ...f, type: { params: [], results: [] } }])),
      }
    },
  },
  'that takes the range of its peer': {
    code: 'range',
    message: /high and low share memory|low and high share memory/,
    peers: (facts) => [{ ...facts, memory: { start: MODULE_BASE, end: CORE_DATA } }],
  },
  'whose data lies outside of its range': {
    code: 'range',
    message: /of memory; its own range is/,
    claims: ({ memory }) => ({ memory: { start: memory.end, end: memory.end + 64 } }),
  },
  'whose range is the core’s': {
    code: 'range',
    message: /of memory expected between/,
    claims: ({ memory }) => ({ memory: shifted(memory, CORE_DATA) }),
  },
  'whose functions lie outside of its slots': {
    code: 'range',
    message: /of the table; its own range is/,
    claims: ({ table }) => ({ table: shifted(table, 1) }),
  },
  'whose slots are the core’s': {
    code: 'range',
    message: /of the table expected between/,
    claims: () => ({ table: { start: 4096, end: 4200 } }),
  },
  'that offers a function that is not in its slot': {
    code: 'symbols',
    message: /expected in slot/,
    claims: ({ functions }) => ({
      functions: new Map([...functions].map(([name, f]) => [name, { ...f, slot: f.slot + 1 }])),
    }),
  },
  'whose init is something else': {
    code: 'symbols',
    message: />i expected in slot/,
    claims: ({ entries, table }) => ({ entries: entries.map((entry) => ({ ...entry, slot: table.end })) }),
  },
  'that calls what its manifest does not list': {
    code: 'not-in-manifest',
    message: /does not list it/,
    claims: ({ imports }) => ({ imports: imports.filter((name) => name !== 'mmio.read32') }),
  },
  'that asks for more than policy grants': {
    code: 'policy',
    message: /not mmio/,
    allowance: allowanceFor([]),
  },
  'that counts less than it has': {
    code: 'no-fuel-check',
    message: /units of work|does not count its work/,
    wasm: (wasm) => withByte(wasm, [0x6b, 0x24], -3, 0x80),
  },
  'whose frames are too deep for what core functions take': {
    code: 'no-room-check',
    message: /the longest way down needs/,
    get core() {
      const { functions } = proved.facts
      return { functions: new Map([...functions].map(([name, f]) => [name, { ...f, depth: 16_384 }])) }
    },
  },
  'that cannot be read': { code: 'malformed', message: /unexpected end/, wasm: (wasm) => wasm.subarray(0, 100) },
}

/** The bytes with one changed, so far from where the pattern is in the code first. */
function withByte(wasm: Uint8Array, pattern: readonly number[], offset: number, value: number): Uint8Array {
  const from = readModule(wasm).code!.start
  const at = wasm.findIndex((_, i) => i > from && pattern.every((byte, n) => wasm[i + n] === byte))
  return wasm.with(at + offset, value)
}

for (const [title, refusal] of Object.entries(refusals))
  real(`refuses a module ${title}`, (t) => {
    const { facts, high } = pair()
    const wasm = refusal.wasm?.(high.finished.wasm) ?? high.finished.wasm
    const sha = refusal.wasm === undefined ? {} : { sha256: sha256(wasm) }
    const claims = { ...high.claims, ...sha, ...refusal.claims?.(high.claims) }
    const core = { ...proved.facts, ...refusal.core }
    const verdict = verifyBound(wasm, claims, core, refusal.peers?.(facts) ?? [facts], refusal.allowance)
    t.false(verdict.ok)
    const problems = verdict.ok ? [] : verdict.problems
    t.true(
      problems.some(({ code, message }) => code === refusal.code && refusal.message.test(message)),
      JSON.stringify(problems, null, 1),
    )
  })

const coreRefusals: Record<
  string,
  { code: ProblemCode; message: RegExp; change: (claims: Claims) => Partial<Claims> }
> = {
  'with a function in another slot': {
    code: 'symbols',
    message: /expected in slot/,
    change: ({ functions }) => ({
      functions: new Map([...functions].map(([n, f]) => [n, { ...f, slot: f.slot - 1 }])),
    }),
  },
  'with a function of another type': {
    code: 'symbols',
    message: /Ii>F expected/,
    change: ({ functions }) => ({ functions: new Map([...functions].map(([n, f]) => [n, { ...f, type: 'Ii>F' }])) }),
  },
  'with data among the modules': {
    code: 'symbols',
    message: /is not in the core's data/,
    change: () => ({ data: new Map([['counter', { address: MODULE_BASE }]]) }),
  },
  'whose data lies in the area for modules': {
    code: 'range',
    message: /of memory; its own range is/,
    change: ({ area }) => ({ area: { start: area.start, end: area.end + 64 } }),
  },
  'that takes slots beyond its own': {
    code: 'range',
    message: /of the table; its own range is/,
    change: ({ tableEnd }) => ({ tableEnd: tableEnd - 1 }),
  },
  'without an entry that the machine needs': {
    code: 'missing-entry',
    message: /expected/,
    change: () => ({ entries: ['start'] }),
  },
}
type Claims = Parameters<typeof verifyCore>[1]

for (const [title, { code, message, change }] of Object.entries(coreRefusals))
  real(`refuses a core ${title}`, (t) => {
    const { wasm, symbols } = proved.core
    const claims = coreClaims(symbols, sha256(wasm), AREA, { entries: [], words: [] })
    const verdict = verifyCore(wasm, { ...claims, ...change(claims) })
    t.false(verdict.ok)
    const problems = verdict.ok ? [] : verdict.problems
    t.true(
      problems.some((problem) => problem.code === code && message.test(problem.message)),
      JSON.stringify(problems, null, 1),
    )
  })

real('a core that exports a function of no use to the machine is refused', (t) => {
  const { wasm, symbols } = makeCore(['__stack_pointer', 'run_handlers'])
  const bytes = instrument(wasm).bytes
  const verdict = verifyCore(bytes, coreClaims(symbols, sha256(bytes), AREA, { entries: [], words: [] }))
  t.deepEqual(verdict.ok ? [] : verdict.problems.map(({ where }) => where), ['export run_handlers'])
})

test('modules that overlap are told by name', (t) => {
  const at = (name: string, start: number, end: number) => ({
    name,
    memory: { start, end },
    table: { start: 0, end: 0 },
  })
  t.deepEqual(overlaps([at('a', 0, 16), at('b', 32, 48), at('c', 16, 32)]), [])
  t.deepEqual(overlaps([at('a', 0, 17), at('b', 32, 48), at('c', 16, 32)]), ['c and a share memory at 16'])
})
