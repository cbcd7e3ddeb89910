/**
 * Scripts for the hostile driver (driver/hostile.c), put together by a seed: what it does when it is loaded, bound, interrupted, asked
 * to send, unloaded, and each time it is given another one.
 *
 * The table of the driver ABI says which calls there are, so that a new call is attacked from its first day.
 */
import { declared, groups } from '../../linux-api/capabilities.ts'
import { wasi } from '../../linux-api/bounds.ts'
import { WASI_MODULE, wasiType } from '../../pipeline/verify/wasi.ts'
import type { SeededRandom } from '../../base/random.ts'

// ---- calls of the ABI, for the driver's C ----

const ABI_CALLS = groups.flatMap((group) => group.calls.map((call) => ({ group: group.name, ...call })))
const FILE_CALLS = Object.keys(wasi).map((name) => ({ name, type: wasiType(name)! }))
export const CALL_NAMES = [
  ...ABI_CALLS.map(({ group, name }) => `${group}.${name}`),
  ...FILE_CALLS.map(({ name }) => `wasi.${name}`),
]
const RESULTS = new Map(declared.flatMap(({ name, calls }) => calls.map((one) => [`${name}.${one.name}`, one.result])))

const cType = (type: string): string => (type === 'i64' ? 'u64' : 'u32')

/** calls.h: `drvport_abi_call(which, args)`. */
export function callsHeader(): string {
  const files = FILE_CALLS.map(
    ({ name, type }) =>
      `__attribute__((import_module("${WASI_MODULE}"), import_name("${name}"))) u32 wasi_${name}(${type.params.map(cType).join(', ')});`,
  )
  const cases = [
    ...ABI_CALLS.map(({ group, name, params }) => {
      const call = `drvport_${group}_${name}(${params.map((_, i) => `a[${i}]`).join(', ')})`
      return RESULTS.get(`${group}.${name}`) === 'void' ? `${call}; return 0;` : `return ${call};`
    }),
    ...FILE_CALLS.map(
      ({ name, type }) => `return wasi_${name}(${type.params.map((_, i) => `a[${i % 6}]`).join(', ')});`,
    ),
  ]
  return [
    '/* Made of the table of the ABI. */',
    ...files,
    'static u32 drvport_abi_call(u32 which, const u32 *a)',
    '{',
    '\tswitch (which) {',
    ...cases.map((text, i) => `\tcase ${i}: ${text}`),
    '\t}',
    '\treturn 0;',
    '}',
    '',
  ].join('\n')
}

// ---- scripts ----

export const SECTIONS = ['init', 'probe', 'irq', 'timer', 'work', 'thread', 'xmit', 'remove', 'exit', 'turn'] as const
export type Section = (typeof SECTIONS)[number]

/** As in hostile.c. */
export const OP = {
  abi: 1,
  kernel: 2,
  store: 3,
  fill: 4,
  copy: 5,
  repeat: 6,
  again: 7,
  recurse: 8,
  indirect: 9,
  spin: 10,
  device: 11,
  start: 12,
  trap: 13,
  register: 14,
} as const
export const HOW = { literal: 0, register: 1, scratch: 2, self: 3, stack: 4, handle: 5, kernel: 6 } as const
const KERNEL_CALLS = 30
export const IRQS_OFF = 3
const PENDING = 4

export type Operand = readonly [how: number, what: number]
/** Fourteen words. */
export type Operation = readonly number[]

export const literal = (what: number): Operand => [HOW.literal, what]
export const operation = (op: number, which: number, ...operands: readonly Operand[]): Operation => {
  const all = Array.from({ length: 6 }, (_, i) => operands[i] ?? literal(0))
  return [op, which, ...all.flat()].map((word) => word >>> 0)
}

const pick = <T>(random: SeededRandom, list: readonly T[]): T => list[random.below(list.length)] as T

/** A number that somebody might not have thought of, or something that looks right. */
function operand(random: SeededRandom): Operand {
  return pick<() => Operand>(random, [
    () => literal(random.below(8)),
    () => literal(-1),
    () => literal(0x7fffffff),
    () => literal(-0x80000000),
    () => literal(64 << 20),
    () => literal((60 << 20) - 4),
    () => literal(0xc0000000 + 4 * random.below(64)),
    () => literal(0xfffffffc),
    () => literal(random.next()),
    () => literal(1 << random.below(32)),
    () => literal(random.below(0x10000)),
    () => [HOW.register, random.below(8)],
    () => [HOW.scratch, random.below(4096)],
    () => [HOW.scratch, 4 * random.below(4096)],
    () => [HOW.self, 4 * random.below(64)],
    () => [HOW.stack, random.below(4096) - 2048],
    () => [HOW.handle, random.below(6)],
    () => [HOW.kernel, 4 * random.below(512)],
  ])()
}

const operands = (random: SeededRandom, count = 6): Operand[] => Array.from({ length: count }, () => operand(random))

const callOf = (random: SeededRandom, which: number): Operation =>
  operation(OP.abi, which | (random.below(8) << 16), ...operands(random))
const anyCall = (random: SeededRandom): Operation => callOf(random, random.below(CALL_NAMES.length))
/** A call whose result is kept. */
export const named = (name: string, into: number, ...args: readonly Operand[]): Operation =>
  operation(OP.abi, CALL_NAMES.indexOf(name) | (into << 16), ...args)
export const repeated = (turns: number, body: readonly Operation[]): Operation[] => [
  operation(OP.repeat, 0, literal(turns)),
  ...body,
  operation(OP.again, 0),
]

type Attack = (random: SeededRandom) => Operation[]

const SHORT: Readonly<Record<string, Attack>> = {
  'any call': (random) => [anyCall(random)],
  'several calls': (random) => Array.from({ length: 6 }, () => anyCall(random)),
  'a function of the kernel': (random) => [operation(OP.kernel, random.below(KERNEL_CALLS), ...operands(random))],
  'several functions of the kernel': (random) =>
    Array.from({ length: 4 }, () => operation(OP.kernel, random.below(KERNEL_CALLS), ...operands(random))),
  'wild stores': (random) => Array.from({ length: 3 }, () => operation(OP.store, 0, operand(random), operand(random))),
  'fill anywhere': (random) => [operation(OP.fill, 0, operand(random), operand(random), operand(random))],
  'copy anywhere': (random) => [operation(OP.copy, 0, operand(random), operand(random), operand(random))],
  'indirect call anywhere': (random) => [operation(OP.indirect, 0, operand(random), operand(random))],
  'interrupts off for good': () => [operation(OP.store, 0, [HOW.handle, IRQS_OFF], literal(1))],
  'pending for good': () => [operation(OP.store, 0, [HOW.handle, PENDING], literal(1))],
  trap: (random) => [operation(OP.trap, random.below(3), ...operands(random, 2))],
  'device registers': (random) => [
    operation(OP.device, 0),
    ...Array.from({ length: 6 }, () => operation(OP.register, 0, literal(4 * random.below(64)), operand(random))),
  ],
  'receive into oneself': (random) => [
    operation(OP.device, 0),
    named('dma.map', 1, literal(0), [HOW.stack, -0x1000], literal(0x3000), literal(0)),
    operation(OP.register, 0, literal(0x30), random.below(2) === 0 ? [HOW.register, 1] : operand(random)),
    operation(OP.register, 0, literal(0x44), literal(0xf00f)),
    operation(OP.register, 0, literal(0x34), literal(0x0c000000)),
  ],
  'transmit anything': (random) => [
    operation(OP.device, 0),
    named('dma.map', 1, literal(0), [HOW.scratch, 0], literal(0x8000), literal(0)),
    operation(OP.register, 0, literal(0x34), literal(0x0c000000)),
    operation(OP.register, 0, literal(0x20), random.below(2) === 0 ? [HOW.register, 1] : operand(random)),
    operation(OP.register, 0, literal(0x10), literal(random.below(0x2000))),
  ],
  'talk to whoever listens': (random) => [
    operation(OP.store, 0, [HOW.scratch, 0], literal(pick(random, [0x6e756f63, 0x726f7473, 0x73756c70]))),
    operation(OP.store, 0, [HOW.scratch, 4], literal(pick(random, [0x74, 0x65, 0]))),
    named('ipc.find', 1, [HOW.scratch, 0], literal(4 + random.below(2))),
    ...Array.from({ length: 4 }, () =>
      named(
        pick(random, [
          'ipc.call',
          'ipc.send',
          'ipc.invoke',
          'ipc.receive',
          'ipc.reply_receive',
          'ring.take',
          'cap.mint',
        ]),
        2,
        [HOW.register, 1],
        pick(random, [[HOW.scratch, 64] as Operand, operand(random)]),
        ...operands(random, 3),
      ),
    ),
  ],
  'give oneself away': (random) => [
    named('mem.create', 1, literal(1 << (8 + random.below(16)))),
    operation(OP.store, 0, [HOW.scratch, 64 + 12], literal(random.below(4))),
    operation(OP.store, 0, [HOW.scratch, 64 + 16], literal(random.next())),
    operation(OP.store, 0, [HOW.scratch, 64 + 52], [HOW.register, 1]),
    operation(OP.store, 0, [HOW.scratch, 0], literal(0x726f7473)),
    operation(OP.store, 0, [HOW.scratch, 4], literal(0x65)),
    named('ipc.find', 2, [HOW.scratch, 0], literal(5)),
    named('ipc.call', 3, [HOW.register, 2], [HOW.scratch, 64], literal(random.next()), literal(0)),
  ],
  'many small things': (random) => {
    const call = pick(random, [
      ['ipc.notification'],
      ['mem.create', literal(1)],
      ['mem.create', literal(65_536)],
      ['ipc.offer', [HOW.scratch, 0] as Operand, literal(3), literal(0), literal(0)],
      ['dma.map', literal(0), [HOW.scratch, 0] as Operand, literal(1), literal(0)],
      ['sched.create', literal(0), [HOW.scratch, 0] as Operand, [HOW.scratch, 4096] as Operand],
      ['mmio.map', literal(0xe0000000), literal(0), literal(4)],
      ['log.write', literal(6), [HOW.scratch, 0] as Operand, literal(64)],
      ['net.register', [HOW.scratch, 0] as Operand],
    ] as const) as readonly [string, ...Operand[]]
    return repeated(pick(random, [100, 1000, 5000]), [named(call[0], 1, ...(call.slice(1) as Operand[]))])
  },
  'one call many times': (random) => repeated(pick(random, [50, 500]), [anyCall(random)]),
}

/** Attacks that mostly end nobody: what piles up in a domain that goes on. */
const SURVIVED = [
  'any call',
  'pending for good',
  'device registers',
  'receive into oneself',
  'transmit anything',
  'talk to whoever listens',
  'give oneself away',
  'many small things',
]

/** They run on until something of theirs is used up: a second of virtual time. */
const LONG: Readonly<Record<string, Attack>> = {
  'spin without end': () => [operation(OP.spin, 0)],
  'one call without end': (random) => repeated(0xffffffff, [anyCall(random)]),
  'a function of the kernel without end': (random) =>
    repeated(0xffffffff, [operation(OP.kernel, random.below(KERNEL_CALLS), ...operands(random))]),
  'recursion without end': (random) => [
    operation(
      OP.recurse,
      random.below(2) === 0 ? 0 : 1 + random.below(CALL_NAMES.length),
      literal(0xffffffff),
      ...operands(random, 5),
    ),
  ],
  'fills without end': (random) =>
    repeated(0xffffffff, [operation(OP.fill, 0, [HOW.scratch, 16], literal(1), literal(random.below(0x8000)))]),
}

export const attackNames: readonly string[] = [...Object.keys(SHORT), ...Object.keys(LONG)]

export interface Script {
  /** What the driver is given. */
  readonly text: string
  /** What that is, for a report. */
  readonly what: readonly string[]
}

/** As the driver is given it. */
export function encode(sections: ReadonlyMap<Section, readonly Operation[]>): string {
  const head = SECTIONS.map(() => 0)
  const body: number[] = []
  for (const [section, list] of sections) {
    head[SECTIONS.indexOf(section)] = SECTIONS.length + body.length
    body.push(...list.flat(), 0)
  }
  return [...head, ...body].map((word) => word.toString(16).padStart(8, '0')).join('')
}

/** Words that fit into what sysfs takes at once. */
const TURN_OPERATIONS = 30

/** A script for one turn of a driver that runs; one in `longEach` does not stop by itself. */
export function turnScript(random: SeededRandom, longEach: number): Script {
  const from = random.below(longEach) === 0 ? LONG : SHORT
  // Two in three turns do what a driver may live on after.
  const names = from === SHORT && random.below(3) > 0 ? SURVIVED : Object.keys(from)
  const name = pick(random, names)
  const sections = new Map([['turn' as Section, from[name]!(random).slice(0, TURN_OPERATIONS)]])
  return { text: encode(sections), what: [`turn: ${name}`] }
}

/** What the driver does from its load on: a few sections with attacks, and what has the machine come back to it. */
export function lifeScript(random: SeededRandom, longEach: number): Script {
  const sections = new Map<Section, Operation[]>()
  const what: string[] = []
  const add = (section: Section, list: readonly Operation[]): void => {
    sections.set(section, [...(sections.get(section) ?? []), ...list])
  }
  if (random.below(4) !== 0) {
    add('probe', [operation(OP.device, 0)])
    for (const name of ['irq', 'timer', 'work', 'thread', 'xmit'] as const)
      if (random.below(2) === 0) add('probe', [operation(OP.start, SECTIONS.indexOf(name))])
  }
  for (let n = 1 + random.below(3); n > 0; n--) {
    const section = pick(random, SECTIONS.slice(0, -1))
    const isLong = random.below(longEach) === 0
    const from = isLong ? LONG : SHORT
    const name = pick(random, Object.keys(from))
    add(section, from[name]!(random))
    what.push(`${section}: ${name}`)
  }
  return { text: encode(sections), what }
}
