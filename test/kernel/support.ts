/**
 * Hand-made wasm for kernel tests: a byte assembler, and a loader that gives a program the few calls a kernel needs.
 */
import { Domain } from '../../kernel/domain.ts'
import type { DomainLimits, Program } from '../../kernel/program.ts'
import type { Fiber, ProcessEntry } from '../../kernel/fiber.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { Failure } from '../../kernel/fault.ts'
import type { Party } from '../../kernel/ipc.ts'
import type { Partition } from '../../kernel/schedule.ts'
import { Tasks, TIMER } from './tasks.ts'

type Bytes = readonly number[]

const unsigned = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)])
const signed = (n: number): number[] => (n >= -64 && n < 64 ? [n & 0x7f] : [(n & 0x7f) | 0x80, ...signed(n >> 7)])
const text = (s: string): number[] => [...unsigned(s.length), ...Buffer.from(s)]
const section = (id: number, bytes: Bytes): number[] => [id, ...unsigned(bytes.length), ...bytes]
const vector = (items: readonly Bytes[]): number[] => [...unsigned(items.length), ...items.flat()]
const I32 = 0x7f

/** Instructions; addresses and values are i32. */
export const op = {
  unreachable: [0x00],
  call: (name: string): { call: string } => ({ call: name }),
  slot: (name: string): { slot: string } => ({ slot: name }),
  value: (n: number): number[] => [0x41, ...signed(n)],
  local: (n: number): number[] => [0x20, n],
  setLocal: (n: number): number[] => [0x21, n],
  global: (n: number): number[] => [0x23, n],
  setGlobal: (n: number): number[] => [0x24, n],
  load: [0x28, 2, 0],
  store: [0x36, 2, 0],
  add: [0x6a],
  sub: [0x6b],
  divide: [0x6d],
  drop: [0x1a],
  loop: [0x03, 0x40],
  again: [0x0c, 0],
  againIf: [0x0d, 0],
  block: [0x02, 0x40],
  end: [0x0b],
  lessThanZero: [0x41, 0, 0x48],
  lessThan: [0x48],
  if: [0x04, 0x40],
  ifValue: [0x04, 0x7f],
  else: [0x05],
  return: [0x0f],
  isZero: [0x45],
  equal: [0x46],
  unequal: [0x47],
  lessThanUnsigned: [0x49],
  and: [0x71],
  shiftLeft: [0x74],
} as const

/** Bytes; a call by name; the table slot of a function, and a call of what a slot holds, for what is bound to a core. */
export type Instruction =
  | Bytes
  | { readonly call: string }
  | { readonly slot: string }
  | { readonly indirect: number; readonly result: boolean }

/** Instructions that belong on one line. */
export const line = (...instructions: Instruction[]): Instruction[] => instructions

export interface Function {
  readonly name: string
  readonly params?: number
  readonly result?: boolean
  readonly locals?: number
  readonly body: readonly Instruction[]
}

export interface Import {
  readonly module: string
  readonly name: string
  readonly params: number
  readonly result: boolean
  /** Its parameters where some are of 64 bits: `i` and `I`. */
  readonly types?: string
}

/** Globals in order: __stack_pointer, drvport_fuel, drvport_stack_limit. */
export const STACK_POINTER = 0
export const FUEL = 1
export const STACK_LIMIT = 2

/** Pages of 64 KiB: the first is the stack, words are in the second, and from there on fibers have stacks of their own. */
const PAGES = 32
const STACKS = 2 * 65536
const STACK_BYTES = 4096

/** Assemble a module; every function is exported. */
export function assemble(
  imports: readonly Import[],
  functions: readonly Function[],
  constants: Readonly<Record<string, number>> = {},
): Uint8Array<ArrayBuffer> {
  const shape = (params: number, result: boolean): number[] => [
    0x60,
    ...vector(Array.from({ length: params }, () => [I32])),
    ...vector(result ? [[I32]] : []),
  ]
  const types = [
    ...imports.map((i) => shape(i.params, i.result)),
    ...functions.map((f) => shape(f.params ?? 0, f.result ?? false)),
  ]
  const index = new Map([
    ...imports.map((imported, at): [string, number] => [imported.name, at]),
    ...imports.map((imported, at): [string, number] => [`${imported.module}.${imported.name}`, at]),
    ...functions.map((f, at): [string, number] => [f.name, imports.length + at]),
  ])
  const found = (name: string): number => {
    const at = index.get(name)
    if (at === undefined) throw new Error(`no function ${name}`)
    return at
  }
  const code = (f: Function): number[] => {
    const body = f.body.flatMap((part) => {
      if ('call' in part) return [0x10, ...unsigned(found(part.call))]
      if ('slot' in part || 'indirect' in part) throw new Error('a kernel test has no table')
      return [...part]
    })
    const locals = f.locals === undefined ? [0] : [1, ...unsigned(f.locals), I32]
    return [...unsigned(locals.length + body.length + 1), ...locals, ...body, 0x0b]
  }
  const globals = ['__stack_pointer', 'drvport_fuel', 'drvport_stack_limit', ...Object.keys(constants)]
  const initial = [65536, 0, 0, ...Object.values(constants)]
  return new Uint8Array([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,

    ...section(1, vector(types)),
    ...section(2, vector(imports.map((i, at) => [...text(i.module), ...text(i.name), 0, ...unsigned(at)]))),
    ...section(3, vector(functions.map((_, at) => unsigned(imports.length + at)))),
    ...section(5, [1, 1, ...unsigned(PAGES), ...unsigned(PAGES)]),
    ...section(6, vector(initial.map((n) => [I32, 1, ...op.value(n), 0x0b]))),
    ...section(
      7,
      vector([
        [...text('memory'), 2, 0],
        ...globals.map((name, at) => [...text(name), 3, ...unsigned(at)]),
        ...functions.map((f) => [...text(f.name), 0, ...unsigned(index.get(f.name)!)]),
      ]),
    ),
    ...section(10, vector(functions.map(code))),
  ])
}

/** Words of memory every test program uses. */
export const IRQS_OFF = 65536
export const PENDING = 65540
export const SCRATCH = 65600

/** The calls a test program may import, module `k`. */
export const CALLS: readonly Import[] = [
  { module: 'k', name: 'block', params: 1, result: true },
  { module: 'k', name: 'yield', params: 0, result: false },
  { module: 'k', name: 'note', params: 1, result: false },
  { module: 'k', name: 'delay', params: 1, result: false },
  { module: 'k', name: 'preempt', params: 0, result: false },
  { module: 'k', name: 'resched', params: 0, result: false },
  { module: 'k', name: 'idle', params: 0, result: false },
  { module: 'k', name: 'take', params: 0, result: true },
  { module: 'k', name: 'taken', params: 1, result: false },
  { module: 'k', name: 'overflow', params: 0, result: false },
  // Conversations: (capability, label, word) or (capability); a result below zero is an error.
  { module: 'k', name: 'call_', params: 3, result: true },
  { module: 'k', name: 'send_', params: 3, result: true },
  { module: 'k', name: 'receive', params: 1, result: true },
  { module: 'k', name: 'reply', params: 2, result: true },
  { module: 'k', name: 'reply_receive', params: 3, result: true },
  { module: 'k', name: 'signal', params: 2, result: true },
  { module: 'k', name: 'await_', params: 1, result: true },
  { module: 'k', name: 'word', params: 1, result: true },
  { module: 'k', name: 'badge', params: 0, result: true },
  { module: 'k', name: 'call_by', params: 4, result: true },
]

export interface Loaded {
  readonly domain: Domain
  /** What the program noted, in order. */
  readonly notes: number[]
  readonly exports: Record<string, (...args: number[]) => number>
  /** Start an exported function as a process entry. */
  start(name: string, ...args: number[]): Fiber
  /** The same; the domain has that priority from then on. */
  startAt(priority: number, name: string, ...args: number[]): Fiber
}

interface Jspi {
  promising(f: unknown): ProcessEntry
  Suspending: new (f: unknown) => WebAssembly.ImportValue
}

/** Load functions as a domain. `block(ns)` waits that long; a negative one waits for ever. */
export function load(
  kernel: Kernel,
  name: string,
  functions: readonly Function[],
  options: {
    limits?: DomainLimits
    partition?: Partition
    counted?: boolean
    noted?: (value: number, domain: Domain) => void
  } = {},
): Loaded {
  const jspi = WebAssembly as unknown as Jspi
  const notes: number[] = []
  let domain: Domain
  let tasks: Tasks
  const calls: Record<string, unknown> = {
    block: new jspi.Suspending((ns: number) => tasks.wait(ns < 0 ? Infinity : kernel.clock.now() + ns)),
    yield: new jspi.Suspending(() => domain.yield()),
    note: (value: number) => {
      notes.push(value)
      options.noted?.(value, domain)
    },
    delay: (ns: number) => domain.spend(ns),
    preempt: () => domain.preempt(),
    resched: new jspi.Suspending(() => domain.resched()),
    idle: new jspi.Suspending(() => domain.idle()),
    take: () => domain.take(TIMER),
    taken: (number: number) => domain.taken(number),
    overflow: () => {
      throw new Failure('stack-overflow', 'C stack')
    },
  }
  const { ipc } = kernel
  const speaking = (call: string, work: (party: Party) => number, deadline = Infinity): number | Promise<number> =>
    tasks.later(domain.converse(work(domain.party(call)), deadline))
  Object.assign(calls, {
    call_: new jspi.Suspending((to: number, label: number, word: number) =>
      speaking('call', (party) => (party.out.set(label, word), ipc.call(party, to))),
    ),
    call_by: new jspi.Suspending((to: number, label: number, word: number, ns: number) =>
      speaking('call', (party) => (party.out.set(label, word), ipc.call(party, to)), kernel.clock.now() + ns),
    ),
    send_: new jspi.Suspending((to: number, label: number, word: number) =>
      speaking('send', (party) => (party.out.set(label, word), ipc.send(party, to))),
    ),
    receive: new jspi.Suspending((from: number) => speaking('receive', (party) => ipc.receive(party, from))),
    reply: (label: number, word: number) => {
      const party = domain.party('reply')
      party.out.set(label, word)
      return ipc.reply(party)
    },
    reply_receive: new jspi.Suspending((from: number, label: number, word: number) =>
      speaking('reply', (party) => (party.out.set(label, word), ipc.replyReceive(party, from))),
    ),
    signal: (to: number, bits: number) => ipc.signal(domain.capabilities, to, bits),
    await_: new jspi.Suspending((at: number) => speaking('await', (party) => ipc.await(party, at))),
    word: (i: number) => domain.party('word').in.words[i] ?? 0,
    badge: () => domain.party('badge').in.badge,
  })
  const module = new WebAssembly.Module(assemble(CALLS, functions))
  const instance = new WebAssembly.Instance(module, { k: calls as WebAssembly.ModuleImports })
  const exports = instance.exports as Record<string, never>
  const program: Program = {
    memory: exports['memory']!,
    stackPointer: exports['__stack_pointer']!,
    stackLimit: exports['drvport_stack_limit']!,
    fuel: options.counted ? exports['drvport_fuel']! : undefined,
    irqsOff: IRQS_OFF,
    pending: PENDING,
  }
  // A stack that nobody has any more is the next one's.
  const stacks: { base: number; fiber: Fiber }[] = []
  const begin = (f: string, args: number[]): Fiber => {
    const left = stacks.findIndex(({ fiber }) => fiber.done)
    const base = left >= 0 ? stacks[left]!.base : STACKS + stacks.length * STACK_BYTES
    const fiber = tasks.start(f, jspi.promising(exports[f]), args, { base, top: base + STACK_BYTES })
    if (fiber === undefined) throw new Error(`${name}: no fiber for ${f}`)
    stacks[left >= 0 ? left : stacks.length] = { base, fiber }
    return fiber
  }
  domain = kernel.createDomain(name, program, options.limits, options.partition)
  tasks = new Tasks(domain, () => kernel.clock.now())
  return {
    domain,
    notes,
    exports,
    start: (f, ...args) => begin(f, args),
    startAt: (priority, f, ...args) => {
      domain.priority = priority
      return begin(f, args)
    },
  }
}
