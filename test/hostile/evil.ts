/**
 * Valid modules that mean harm: everything the verifier accepts, put together by a seed.
 *
 * Each entry the machine may call gets a few attacks: calls with hostile numbers (of every call the ABI table lists, so
 * that a new call is attacked from its first day), writes over the whole memory and the words the machine reads, loops
 * and recursions without end, floods, calls from where they must not come, device registers and DMA turned against the
 * domain's own stack. The pipeline's checks are put in, as for every package.
 */
import { entries, groups, shared } from '../../linux-api/capabilities.ts'
import { wasi } from '../../linux-api/bounds.ts'
import { WASI_MODULE, wasiType } from '../../pipeline/verify/wasi.ts'
import { Writer } from '../../pipeline/wasm/bytes.ts'
import { instrument } from '../../pipeline/wasm/instrument.ts'
import type { SeededRandom } from '../../base/random.ts'
import { MMIO } from '../../linux-api/generated/abi.ts'
import { I32, assemble, type Parts } from '../pipeline/wasm/_build.ts'

export const PAGES = 4
const MEMORY = PAGES * 65_536
const HEAP = 4096
const STACK_TOP = 0x8000
/** The word the bump allocator counts in, and words attacks keep handles in. */
const BUMP = 512
const KEPT = 520
/** What recursion calls, counted from 1, and whether it goes through the table. */
const RECURSION = KEPT + 40
/** The word that says that an attack has begun, at the end of memory. */
export const REACHED = MEMORY - 4
/** Where a plausible interface is described. */
const DESC = 640
/** Element slots: recursion, then the attacks' own functions. */
const TABLE = 8

const OP = {
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  brIf: 0x0d,
  br: 0x0c,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  load: 0x28,
  store: 0x36,
  i32: 0x41,
  i64: 0x42,
  eq: 0x46,
  add: 0x6a,
  sub: 0x6b,
  divS: 0x6d,
  unreachable: 0x00,
}
const VOID = 0x40
const I64 = 0x7e
/** What a driver may ask of WASI. */
const DRIVER_CALLS = Object.keys(wasi).filter((name) => wasiType(name) !== undefined)

/** What every import is, in the order they are declared. */
const abiCalls = groups.flatMap((group) =>
  group.calls.map(({ name, params, result }) => ({
    group: group.name,
    name,
    params: params.map(() => I32),
    result: result !== 'void',
  })),
)
const wasiCalls = DRIVER_CALLS.map((name) => {
  const { params, results } = wasiType(name)!
  return { group: 'wasi', name, params: params.map((type) => (type === 'i64' ? I64 : I32)), result: results.length > 0 }
})
/** Less those that the pipeline adds by itself. */
const calls = [...abiCalls, ...wasiCalls].filter(({ name }) => name !== 'preempt' && name !== 'stack_overflow')
export type CallName = string

const sleb = (value: number): number[] => [...new Writer().s32(value).finish()]
const leb = (value: number): number[] => [...new Writer().u32(value).finish()]
const constant = (value: number): number[] => [OP.i32, ...sleb(value | 0)]

/** Code of one module in the making. */
interface Making {
  readonly random: SeededRandom
  /** Index of a call's import. */
  readonly indexOf: (name: CallName) => number
  /** Functions of type () -> () that recursion and indirect calls reach; indexes into the module. */
  readonly recursive: number
}

export type Attack = (m: Making) => number[]

const pick = <T>(random: SeededRandom, list: readonly T[]): T => list[random.below(list.length)] as T

/** A number somebody might not have thought of. */
function number(random: SeededRandom): number {
  return pick<() => number>(random, [
    () => random.below(8),
    () => -1,
    () => 0x7fffffff,
    () => -0x80000000,
    () => MEMORY,
    () => MEMORY - 1,
    () => MEMORY - 4,
    () => MEMORY - 64,
    () => HEAP + 4 * random.below(1024),
    () => HEAP + 1 + random.below(4096),
    () => STACK_TOP - 64,
    () => MMIO.BASE,
    () => MMIO.BASE + 4 * random.below(64),
    () => MMIO.END,
    () => 0xfffffffc,
    () => random.below(0x10000),
    () => random.next() | 0,
    () => 1 << random.below(32),
  ])()
}

const callWith = (m: Making, name: CallName, args: readonly (number | readonly number[])[]): number[] => {
  const call = calls.find((c) => `${c.group}.${c.name}` === name)
  if (call === undefined) return []
  const code = args.flatMap((arg, i) => {
    if (typeof arg !== 'number') return [...arg]
    return call.params[i] === I64 ? [OP.i64, ...sleb(arg | 0)] : constant(arg)
  })
  return [...code, OP.call, ...leb(m.indexOf(name)), ...(call.result ? [OP.drop] : [])]
}

/** A call whose result goes to a word of memory. */
const callInto = (m: Making, at: number, name: CallName, args: readonly (number | readonly number[])[]): number[] => {
  const code = callWith(m, name, args)
  return code.length === 0 ? [] : [...constant(at), ...code.slice(0, -1), OP.store, 2, 0]
}

const kept = (at: number): number[] => [...constant(at), OP.load, 2, 0]

/** Any call of the ABI, with any numbers. */
const anyCall: Attack = (m) => {
  const call = pick(m.random, calls)
  return callWith(
    m,
    `${call.group}.${call.name}`,
    call.params.map(() => number(m.random)),
  )
}

/** One call again and again: floods of logs, fibers, windows, mappings, interfaces, handles. */
const flood: Attack = (m) => counted(m, pick(m.random, [50, 1000, 100_000]), anyCall(m))

/** `turns` times the same; local 0 counts. */
function counted(m: Making, turns: number, body: readonly number[]): number[] {
  const head = [...constant(turns), OP.localSet, COUNTER, OP.loop, VOID]
  const tail = [OP.localGet, COUNTER, ...constant(1), OP.sub, OP.localTee, COUNTER, OP.brIf, 0, OP.end]
  return [...head, ...body, ...tail]
}

const COUNTER = 7

const forever = (body: readonly number[]): number[] => [OP.loop, VOID, ...body, OP.br, 0, OP.end]

const store = (address: number, value: number): number[] => [...constant(address), ...constant(value), OP.store, 0, 0]

/** memory.fill from 0 on, and memory.copy within the memory. */
const fill = (value: number, length: number): number[] => [
  ...constant(0),
  ...constant(value),
  ...constant(length),
  0xfc,
  11,
  0,
]
const copy = (length: number): number[] => [
  ...constant(MEMORY / 2),
  ...constant(0),
  ...constant(length),
  0xfc,
  10,
  0,
  0,
]

/** RTL8139 registers through its memory BAR: receive and transmit rings anywhere (data sheet, section 6). */
const device = (
  m: Making,
  writes: readonly (readonly [offset: number, value: number | readonly number[]])[],
): number[] => [
  ...callWith(m, 'pci.config_write', [0, 4, 2, 7]),
  ...callWith(m, 'pci.bar', [0, 1, KEPT + 8]),
  ...callInto(m, KEPT, 'mmio.map', [kept(KEPT + 8), kept(KEPT + 12), 256]),
  ...writes.flatMap(([offset, value]) =>
    callWith(m, 'mmio.write32', [
      [...kept(KEPT), ...constant(offset), OP.add],
      typeof value === 'number' ? value : value,
    ]),
  ),
]

/** Calls that recursion makes at every level when it is told to: those that reach far into what all domains share. */
export const RECURSION_CALLS: readonly CallName[] = [
  'time.now',
  'time.delay',
  'time.set_timer',
  'mmio.map',
  'irq.deliver',
  'sched.wake',
  'sched.kick',
  'sched.spawn',
  'dma.map',
  'log.write',
]

/** By name, so that a report can say what was tried. */
export const attacks: Readonly<Record<string, Attack>> = {
  'any call': anyCall,
  'several calls': (m) => [...anyCall(m), ...anyCall(m), ...anyCall(m), ...anyCall(m)],
  flood,
  'flood without end': (m) => forever(anyCall(m)),
  'loop without end': () => forever([]),
  'loop of delays': (m) => forever(callWith(m, 'time.delay', [number(m.random)])),
  'loop of long logs': (m) => forever(callWith(m, 'log.write', [6, 0, MEMORY])),
  'loop of yields': (m) => forever(callWith(m, 'sched.yield', [])),
  'recursion without end': (m) => [OP.call, ...leb(m.recursive)],
  'recursion through the table': (m) => [...store(RECURSION + 4, 1), OP.call, ...leb(m.recursive)],
  ...Object.fromEntries(
    RECURSION_CALLS.map((name, i): [string, Attack] => [
      `recursion that calls ${name}`,
      (m) => [...store(RECURSION, i + 1), ...store(RECURSION + 4, m.random.below(2)), OP.call, ...leb(m.recursive)],
    ]),
  ),
  'fibers without end': (m) => forever(callWith(m, 'sched.spawn', [number(m.random)])),
  'block for ever': (m) => callWith(m, 'sched.block', [-1, -1]),
  'block and wake oneself': (m) =>
    forever([...callWith(m, 'sched.wake', [1]), ...callWith(m, 'sched.block', [-1, -1])]),
  exit: (m) => callWith(m, 'sched.exit', []),
  'own fault, absurd text': (m) => callWith(m, 'log.fault', [number(m.random), number(m.random), number(m.random)]),
  'own fault, longest text': (m) => callWith(m, 'log.fault', [1, 0, MEMORY]),
  'write over the whole memory': (m) => fill(m.random.next(), MEMORY),
  'fills without end': (m) => forever(fill(m.random.next(), pick(m.random, [255, 256, 257, 4096, MEMORY]))),
  'fills in a row without end': () => forever([...fill(0, MEMORY), ...fill(0, MEMORY), ...fill(0, MEMORY)]),
  'copies without end': (m) => forever(copy(pick(m.random, [256, 257, MEMORY / 2]))),
  'ranges out of bounds': (m) => [...fill(0, number(m.random)), ...copy(number(m.random))],
  'write over the words the machine reads': (m) => shared.flatMap((_, i) => store(1024 + 8 * i, m.random.next())),
  'interrupts off for good': () => store(sharedAt('drvport_irqs_off'), 1),
  'pending for good': () => store(sharedAt('drvport_pending'), -1),
  'wild stores': (m) => [1, 2, 3].flatMap(() => store(number(m.random), m.random.next())),
  'stack pointer anywhere': (m) => [...constant(number(m.random)), OP.globalSet, 0],
  'stack pointer at nothing': () => [...constant(0), OP.globalSet, 0],
  'indirect call anywhere': (m) => [...constant(number(m.random)), OP.callIndirect, 0, 0],
  'divide by zero': () => [...constant(1), ...constant(0), OP.divS, OP.drop],
  unreachable: () => [OP.unreachable],
  'receive into the own stack': (m) => [
    ...callInto(m, KEPT + 24, 'dma.map', [0, STACK_TOP - 0x4000, 0x4000, 0]),
    ...device(m, [
      [0x30, kept(KEPT + 24)],
      [0x44, 0xf00f],
      [0x37, 0x0c],
    ]),
  ],
  'receive into nothing': (m) =>
    device(m, [
      [0x30, number(m.random)],
      [0x44, 0xf00f],
      [0x37, 0x0c],
    ]),
  'transmit the own memory': (m) => [
    ...callInto(m, KEPT + 24, 'dma.map', [0, 0, MEMORY, 0]),
    ...device(m, [
      [0x37, 0x0c],
      [0x20, kept(KEPT + 24)],
      [0x10, 1500],
    ]),
  ],
  'device registers at random': (m) =>
    device(
      m,
      Array.from({ length: 8 }, () => [4 * m.random.below(64), m.random.next()] as const),
    ),
  'interrupt storm': (m) => [
    ...callWith(m, 'irq.attach', [m.random.below(64)]),
    ...device(m, [
      [0x3c, 0x4000_ffff | 0],
      [0x54, 1],
      [0x48, 0],
    ]),
  ],
  'attach every interrupt': (m) => Array.from({ length: 32 }, (_, i) => callWith(m, 'irq.attach', [i])).flat(),
  'every configuration register': (m) =>
    Array.from({ length: 16 }, (_, i) => callWith(m, 'pci.config_write', [0, 4 * i, 4, m.random.next()])).flat(),
  'timer in the past, again and again': (m) => callWith(m, 'time.set_timer', [0, 0]),
  'softirq asks for itself': (m) => callWith(m, 'sched.kick', []),
  'an interface of nonsense': (m) => [
    ...callInto(m, KEPT + 28, 'net.register', [HEAP + 4 * m.random.below(512)]),
    ...callWith(m, 'net.carrier', [kept(KEPT + 28), 1]),
    ...callWith(m, 'net.queue', [kept(KEPT + 28), 1]),
    ...callWith(m, 'net.rx', [kept(KEPT + 28), number(m.random), number(m.random)]),
  ],
  'an interface on the own stack': (m) => [
    ...store(HEAP + 28 + 12, STACK_TOP - 0x1000),
    ...callInto(m, KEPT + 28, 'net.register', [HEAP]),
    ...callWith(m, 'net.carrier', [kept(KEPT + 28), 1]),
    ...callWith(m, 'net.queue', [kept(KEPT + 28), 1]),
  ],
}

/**
 * What a driver does so that the machine comes back to it: attach its interrupt, arm its timer, ask for a softirq, start
 * a fiber, offer an interface whose arena lies in its memory.
 */
const plausible = (m: Making): number[] => [
  ...callInto(m, KEPT + 32, 'pci.vectors', [0, 0, 1]),
  ...callWith(m, 'irq.attach', [kept(KEPT + 32)]),
  ...callWith(m, 'time.set_timer', [1_000_000, 0]),
  ...callWith(m, 'sched.kick', []),
  ...callWith(m, 'sched.spawn', [7]),
  // struct net_desc: slot, MTU and its bounds, features, arena, slots, bytes a slot.
  ...[0, 1500, 68, 9000, 0, 0x10000, 32, 2048].flatMap((value, i) => store(DESC + 24 + 4 * i, value)),
  ...callInto(m, KEPT + 28, 'net.register', [DESC]),
  ...callWith(m, 'net.carrier', [kept(KEPT + 28), 1]),
  ...callWith(m, 'net.queue', [kept(KEPT + 28), 1]),
]

const sharedAt = (name: string): number => 1024 + 8 * shared.findIndex((word) => word.name === name)

export const attackNames = Object.keys(attacks)

/** Those that stop by themselves: with the limits of a real run the others take a second each. */
export const shortNames = attackNames.filter(
  (name) =>
    !/without end|loop|recursion|for ever|flood|again and again|whole memory|asks for itself|itself|oneself/.test(name),
)

/** Entries that get attacks, the likely ones more often. */
const TARGETS = [
  'init',
  'init',
  'probe',
  'probe',
  'irq',
  'timer',
  'softirq',
  'fiber',
  'alloc',
  'free',
  'exit',
  'remove',
]
const LATER = ['net_open', 'net_tx', 'net_stop', 'census']

export interface Evil {
  readonly bytes: Uint8Array
  /** `entry: attack`, in the order they are run. */
  readonly what: readonly string[]
}

/** A hostile module. The same random stream gives the same module. */
export function evil(random: SeededRandom, names: readonly string[] = attackNames): Evil {
  const plan = Array.from({ length: 1 + random.below(4) }, () => ({
    entry: random.below(5) === 0 ? pick(random, LATER) : pick(random, TARGETS),
    attack: pick(random, names),
  }))
  const likely = random.below(4) !== 0
  const what = plan.map(({ entry, attack }) => `${entry}: ${attack}`)
  return { bytes: build(random, plan, likely), what: likely ? ['a plausible probe', ...what] : what }
}

/** A module with exactly these attacks, after a probe that does what a driver's does when `likely`. */
export function build(
  random: SeededRandom,
  plan: readonly { entry: string; attack: string }[],
  likely = true,
): Uint8Array {
  const types: [number[], number[]][] = []
  const typeOf = (params: number[], result: boolean): number => {
    const type: [number[], number[]] = [params, result ? [I32] : []]
    const found = types.findIndex((t) => JSON.stringify(t) === JSON.stringify(type))
    return found >= 0 ? found : types.push(type) - 1
  }
  typeOf([], false)
  const imports: NonNullable<Parts['imports']> = calls.map((c) => [
    c.group === 'wasi' ? WASI_MODULE : c.group,
    c.name,
    typeOf(c.params, c.result),
  ])
  const indexOf = (name: CallName): number => {
    const at = calls.findIndex((c) => `${c.group}.${c.name}` === name)
    return at < 0 ? 0 : at
  }
  const recursive = imports.length
  const making: Making = { random, indexOf, recursive }
  const functions: NonNullable<Parts['functions']> = [
    { type: 0, locals: [[pick(random, [0, 1, 8, 64, 1000]), I32]], code: recursion(making) },
  ]
  const exports: NonNullable<Parts['exports']> = [
    ['memory', 2, 0],
    ['__stack_pointer', 3, 0],
    ...shared.map((word, i): [string, number, number] => [word.name, 3, i + 1]),
  ]
  for (const entry of entries) {
    exports.push([entry.name, 0, imports.length + functions.length])
    const own = plan.filter((item) => item.entry === entry.name).flatMap(({ attack }) => attacks[attack]!(making))
    const said = own.length === 0 ? own : [...store(REACHED, 1), ...own]
    const body = likely && entry.name === 'probe' ? [...plausible(making), ...said] : said
    const locals: [number, number][] = [[8 - entry.params.length, I32]]
    const type = typeOf(Array<number>(entry.params.length).fill(I32), entry.result !== 'void')
    functions.push({ type, locals, code: [...body, ...result(entry), OP.end] })
  }
  const data = Uint8Array.from({ length: 8192 }, () => random.next())
  return instrument(
    assemble({
      types,
      imports,
      exports,
      functions,
      table: TABLE,
      memory: [1, PAGES, PAGES],
      globals: [STACK_TOP, ...shared.map((_, i) => 1024 + 8 * i)],
      constants: shared.map((_, i) => i + 1),
      elements: [recursive, imports.length + 1],
      // At 1024, over the shared words too; the words themselves start as zero.
      data: data.fill(0, 0, 64),
    }),
  ).bytes
}

/** What an entry returns when its attacks let it: success, so that the machine goes on with it. */
function result(entry: (typeof entries)[number]): number[] {
  if (entry.result === 'void') return []
  if (entry.name !== 'alloc') return constant(0)
  // A bump allocator from the middle of memory on.
  const next = [...constant(BUMP), OP.load, 2, 0, OP.localGet, 0, OP.add]
  return [
    ...constant(BUMP),
    ...next,
    OP.store,
    2,
    0,
    ...constant(MEMORY / 2),
    ...constant(BUMP),
    OP.load,
    2,
    0,
    OP.add,
    OP.localGet,
    0,
    OP.sub,
  ]
}

/** Calls itself, directly or through the table, after the call that a word of memory names. */
function recursion(m: Making): number[] {
  const calling = RECURSION_CALLS.flatMap((name, i) => {
    const params = calls.find((c) => `${c.group}.${c.name}` === name)?.params.length ?? 0
    const args = Array<number>(params).fill(name === 'time.delay' ? pick(m.random, [50, 1000, 50_000]) : HEAP)
    return [...kept(RECURSION), ...constant(i + 1), OP.eq, OP.if, VOID, ...callWith(m, name, args), OP.end]
  })
  const again = [...kept(RECURSION + 4), OP.if, VOID, ...constant(0), OP.callIndirect, 0, 0, OP.end]
  return [...calling, ...again, OP.call, ...leb(m.recursive), OP.end]
}
