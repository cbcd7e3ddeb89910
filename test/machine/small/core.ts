/**
 * A core in miniature: what a kernel is to the machine, in a few dozen lines, so that drivers made by hand stand on something
 * that the product's own pipeline has instrumented and proved, and the product's own loader loads and boots.
 *
 * It takes interrupts when it looks, carries out requests one after the other, and has tasks that give way to one another where they
 * wait. What a module wants to be called for it hooks: a request comes to `probe`, `remove` or `request`, an interrupt to `irq`, the
 * timer to `timer`. Its functions for modules are those that do not begin with an underscore and are no entries.
 */
import { sha256 } from '../../../pipeline/cache.ts'
import { coreClaims } from '../../../pipeline/bind/claims.ts'
import { coreSymbols, finishCore, withDepths, type CoreSymbols } from '../../../pipeline/bind/index.ts'
import { DEFAULT_ALLOWANCE, verifyCore, type CoreFacts } from '../../../pipeline/verify/index.ts'
import { WASI_MODULE, wasiType } from '../../../pipeline/verify/wasi.ts'
import { finish } from '../../../pipeline/wasm/finish.ts'
import { CALLS, IPC, IRQ, module_image as image, REQUEST, request } from '../../../linux-api/generated/abi.ts'
import type { CorePackage } from '../../../machine/load/core.ts'
import { type Function, type Import, type Instruction, line, op } from '../../kernel/support.ts'
import { assembleLinked } from './assemble.ts'

/** Memory: stacks, room for scratch, modules, the core's own words, tasks' stacks. */
const STACK = 0x10000
export const AREA = { start: 0x20000, end: 0x60000 } as const
const DATA = 0x60000
const BUFFER = 0x62000
const STACKS = 0x80000
const STACK_BYTES = 0x4000
const TASKS_MAX = 32
const HEAP = STACKS + TASKS_MAX * STACK_BYTES
const PAGES = HEAP >> 16
const MODULE_BYTES = 64

/** Words that the machine reads. */
export const IRQS_OFF = DATA
export const PENDING = DATA + 4

const [CURRENT, EXIT, TOLD, REQ] = [DATA + 8, DATA + 12, DATA + 16, DATA + 64]
/** Slots of what a module has hooked. */
const HOOKS = DATA + 0x100
/** Tasks: fiber, state, outcome, argument, told. */
const TASKS = DATA + 0x400
const TASK_SHIFT = 5
const [FIBER, STATE, OUTCOME, ARGUMENT, HEARD] = [0, 4, 8, 12, 16]
const [FREE, READY, WAITING] = [0, 1, 2]

/** What a module may hook, with what it is told and whether it answers. */
export const HOOKABLE = {
  probe: { params: 2, result: true },
  remove: { params: 2, result: false },
  irq: { params: 1, result: false },
  timer: { params: 0, result: false },
  fiber: { params: 1, result: false },
  /** Any other request: its kind and its first three words. */
  request: { params: 4, result: true },
} as const
export const HOOK_NAMES = Object.keys(HOOKABLE) as (keyof typeof HOOKABLE)[]

type Value = number | readonly Instruction[]
const code = (value: Value): readonly Instruction[] => (typeof value === 'number' ? [op.value(value)] : value)
const load = (at: Value): Instruction[] => [...code(at), op.load]
const store = (at: Value, value: Value): Instruction[] => [...code(at), ...code(value), op.store]
const add = (a: Value, b: Value): Instruction[] => [...code(a), ...code(b), op.add]
const equal = (a: Value, b: Value): Instruction[] => [...code(a), ...code(b), op.equal]
const not = (a: Value): Instruction[] => [...code(a), op.isZero]
const call = (name: string, ...args: Value[]): Instruction[] => [...args.flatMap(code), op.call(name)]
const set = (local: number, value: Value): Instruction[] => [...code(value), op.setLocal(local)]
const when = (condition: Value, then: readonly Instruction[]): Instruction[] => [
  ...code(condition),
  op.if,
  ...then,
  op.end,
]
/** Again and again while the condition holds. */
const loopWhile = (condition: Value, body: readonly Instruction[]): Instruction[] => [
  op.loop,
  ...code(condition),
  op.if,
  ...body,
  ...line([0x0c, 1], op.end, op.end),
]
const forever = (body: readonly Instruction[]): Instruction[] => [op.loop, ...body, op.again, op.end]
const local = (n: number): Instruction[] => [op.local(n)]
const give = (value: Value): Instruction[] => [...code(value), op.return]
const indirect = (slot: Value, params: number, result: boolean, ...args: Value[]): Instruction[] => [
  ...args.flatMap(code),
  ...code(slot),
  { indirect: params, result },
]

const hookAt = (name: keyof typeof HOOKABLE): number => HOOKS + 4 * HOOK_NAMES.indexOf(name)
/** Call what is hooked, if anything is; `otherwise` is what an answer is where nothing is. */
const hooked = (name: keyof typeof HOOKABLE, args: Value[], otherwise?: number): Instruction[] => {
  const { params, result } = HOOKABLE[name]
  const calling = indirect(load(hookAt(name)), params, result, ...args)
  if (!result) return when(load(hookAt(name)), calling)
  return [...load(hookAt(name)), op.ifValue, ...calling, op.else, op.value(otherwise ?? 0), op.end]
}
const taskAt = (index: Value): Instruction[] => [
  ...code(index),
  op.value(TASK_SHIFT),
  op.shiftLeft,
  op.value(TASKS),
  op.add,
]
const current = (field: number): Instruction[] => add(taskAt(load(CURRENT)), field)
const requestWord = (offset: number): Instruction[] => load(REQ + offset)
const arg = (i: number): Instruction[] => requestWord(request.args.offset + 4 * i)
const imageWord = (offset: number): Instruction[] => load(BUFFER + offset)
const OPNOTSUPP = -95

const FUNCTIONS: readonly Function[] = [
  // ---- entries ----
  {
    name: 'start',
    params: 2,
    body: [
      ...store(TASKS + FIBER, local(1)),
      ...store(TASKS + STATE, READY),
      ...store(IRQS_OFF, 0),
      ...call('sched.ready'),
      ...call('_serve'),
    ],
  },
  { name: 'resume', params: 1, body: call('_serve') },
  {
    name: 'task',
    params: 1,
    body: [
      ...hooked('fiber', [load(add(taskAt(local(0)), ARGUMENT))]),
      ...store(add(taskAt(local(0)), STATE), FREE),
      ...call('_schedule'),
    ],
  },
  { name: 'look', body: when([...load(PENDING), ...not(load(IRQS_OFF)), op.and], call('deliver')) },
  {
    name: 'serve',
    params: 6,
    result: true,
    // The cookie is the slot of what answers: (badge, label, a, b, c).
    body: indirect(local(0), 5, true, local(1), local(2), local(3), local(4), local(5)),
  },
  // ---- its own ----
  {
    name: '_serve',
    body: forever([
      ...loopWhile(call('call.take', REQ), call('_carry_out')),
      ...store(current(STATE), WAITING),
      ...call('_schedule'),
    ]),
  },
  {
    name: '_carry_out',
    locals: 3,
    body: [
      ...set(0, requestWord(request.id.offset)),
      ...when(requestWord(request.bytes.offset), [...call('call.data', local(0), BUFFER), op.drop]),
      ...set(1, requestWord(request.bytes.offset)),
      ...set(2, call('_answer', requestWord(request.kind.offset))),
      ...call('call.done', local(0), local(2), [
        ...local(1),
        op.ifValue,
        op.value(BUFFER),
        op.else,
        op.value(0),
        op.end,
      ]),
    ],
  },
  {
    name: '_answer',
    params: 1,
    result: true,
    body: [
      ...when(equal(local(0), REQUEST.LOAD), [
        ...store(EXIT, imageWord(image.exit.offset)),
        ...when(imageWord(image.init.offset), give(indirect(imageWord(image.init.offset), 0, true))),
        ...give(0),
      ]),
      ...when(equal(local(0), REQUEST.UNLOAD), [...when(load(EXIT), indirect(load(EXIT), 0, false)), ...give(0)]),
      ...when(equal(local(0), REQUEST.PCI_ADD), give(hooked('probe', [1, arg(0)]))),
      ...when(equal(local(0), REQUEST.PCI_REMOVE), [...hooked('remove', [1, arg(0)]), ...give(0)]),
      ...when(equal(local(0), REQUEST.HEARTBEAT), give(0)),
      ...hooked('request', [local(0), arg(0), arg(1), arg(2)], OPNOTSUPP),
    ],
  },
  {
    name: '_handle',
    params: 1,
    body: [
      ...when(equal(local(0), IRQ.TIMER), [...hooked('timer', []), op.return]),
      ...when(equal(local(0), IRQ.REQUEST), [...store(TASKS + STATE, READY), op.return]),
      ...when(equal(local(0), IRQ.MESSAGE), [...call('_tell'), op.return]),
      ...when(equal(local(0), IRQ.FRAMES), [op.return]),
      ...hooked('irq', [local(0)]),
      ...call('irq.done', local(0)),
    ],
  },
  {
    // Whoever need not wait for another domain any more is ready.
    name: '_tell',
    locals: 2,
    body: [
      ...set(0, call('ipc.next', TOLD)),
      ...loopWhile(local(0), [
        ...set(1, taskAt(call('_task_of', local(0)))),
        ...store(add(local(1), HEARD), 1),
        ...store(add(local(1), OUTCOME), load(TOLD)),
        ...store(add(local(1), STATE), READY),
        ...set(0, call('ipc.next', TOLD)),
      ]),
    ],
  },
  {
    name: '_task_of',
    params: 1,
    result: true,
    locals: 1,
    body: [
      ...loopWhile([...load(add(taskAt(local(1)), FIBER)), ...local(0), op.unequal], set(1, add(local(1), 1))),
      ...local(1),
    ],
  },
  {
    // Whoever is ready goes on; it returns when the one that called is ready, and its turn has come.
    name: '_schedule',
    locals: 2,
    body: forever([
      ...call('look'),
      ...set(0, load(CURRENT)),
      ...set(1, TASKS_MAX),
      ...loopWhile(local(1), [
        ...set(0, [...add(local(0), 1), op.value(TASKS_MAX - 1), op.and]),
        ...set(1, add(local(1), -1)),
        ...when(equal(load(add(taskAt(local(0)), STATE)), READY), [
          ...when(equal(local(0), load(CURRENT)), [op.return]),
          ...store(CURRENT, local(0)),
          ...when(call('sched.switch', load(add(taskAt(local(0)), FIBER))), call('log.fault', 8, 0, 0)),
          op.return,
        ]),
      ]),
      ...call('sched.idle'),
    ]),
  },
  // ---- for modules ----
  { name: 'hook', params: 2, body: store(add(HOOKS, [op.local(0), op.value(2), op.shiftLeft]), local(1)) },
  {
    name: 'deliver',
    locals: 1,
    body: [
      op.loop,
      ...store(IRQS_OFF, 1),
      ...store(PENDING, 0),
      ...set(0, call('irq.take')),
      ...loopWhile(
        [op.value(-1), op.local(0), op.lessThan],
        [...call('_handle', local(0)), ...set(0, call('irq.take'))],
      ),
      ...store(IRQS_OFF, 0),
      ...load(PENDING),
      ...line(op.againIf, op.end),
    ],
  },
  {
    name: 'delay',
    params: 1,
    body: loopWhile(local(0), [...set(0, call('time.pass', local(0))), ...call('look')]),
  },
  {
    // A task that calls what is hooked as `fiber`. Its number, 0 when there is none to be had.
    name: 'spawn',
    params: 1,
    result: true,
    locals: 2,
    body: [
      ...set(1, 1),
      ...loopWhile(
        [...load(add(taskAt(local(1)), STATE)), op.value(FREE), op.unequal],
        [...set(1, add(local(1), 1)), ...when(equal(local(1), TASKS_MAX), give(0))],
      ),
      ...when(load(add(taskAt(local(1)), FIBER)), call('sched.release', load(add(taskAt(local(1)), FIBER)))),
      ...set(2, add(STACKS, [op.local(1), op.value(14), op.shiftLeft])),
      ...set(2, call('sched.create', local(1), local(2), add(local(2), STACK_BYTES))),
      ...store(add(taskAt(local(1)), FIBER), local(2)),
      ...store(add(taskAt(local(1)), ARGUMENT), local(0)),
      ...when(local(2), store(add(taskAt(local(1)), STATE), READY)),
      ...local(2),
    ],
  },
  {
    // What a call of the ABI that may have to wait came to.
    name: 'later',
    params: 1,
    result: true,
    body: [
      ...when([...local(0), op.value(IPC.LATER), op.unequal], give(local(0))),
      ...when(not(load(current(HEARD))), [...store(current(STATE), WAITING), ...call('_schedule')]),
      ...store(current(HEARD), 0),
      ...load(current(OUTCOME)),
    ],
  },
  { name: 'block', body: [...store(current(STATE), WAITING), ...call('_schedule')] },
  { name: 'yield', body: call('_schedule') },
]

const called = (functions: readonly Function[]): string[] => [
  ...new Set(
    functions.flatMap(({ body }) =>
      body.flatMap((part) => ('call' in part && part.call.includes('.') ? [part.call] : [])),
    ),
  ),
]

function wasiImport(name: string): Import {
  const type = wasiType(name)
  if (type === undefined) throw new Error(`no call wasi.${name}`)
  const types = type.params.map((word) => (word === 'i64' ? 'I' : 'i')).join('')
  return { module: WASI_MODULE, name, params: types.length, result: type.results.length > 0, types }
}

/** Calls of the ABI as imports. */
export const abiImports = (functions: readonly Function[]): Import[] =>
  called(functions).map((full) => {
    const [module, name] = full.split('.') as [string, string]
    if (module === 'wasi') return wasiImport(name)
    const shape = (CALLS as unknown as Record<string, Record<string, { params: number; result: boolean } | undefined>>)[
      module
    ]?.[name]
    if (shape === undefined) throw new Error(`no call ${full}`)
    return { module, name, params: shape.params, result: shape.result }
  })

const ENTRIES = ['start', 'task', 'resume', 'look', 'serve']
const ADDRESSES = { __heap_base: HEAP, drvport_irqs_off: IRQS_OFF, drvport_pending: PENDING }
const WORDS = ['drvport_irqs_off', 'drvport_pending']

export interface SmallCore {
  readonly core: CorePackage
  readonly symbols: CoreSymbols
  readonly proved: CoreFacts
}

function make(): SmallCore {
  const linked = assembleLinked({
    imports: abiImports(FUNCTIONS),
    functions: FUNCTIONS,
    pages: PAGES,
    entries: 1,
    core: { stack: STACK, addresses: ADDRESSES },
  })
  const offered = FUNCTIONS.filter(({ name }) => !name.startsWith('_') && !ENTRIES.includes(name))
  const exported = offered.map(({ name }) => ({ symbol: name, gplOnly: false }))
  const named = coreSymbols(linked, exported)
  const { wasm } = finish(finishCore(linked, exported, new Set(['__stack_pointer', ...WORDS, ...ENTRIES])))
  const hash = sha256(wasm)
  const verdict = verifyCore(wasm, coreClaims(named, hash, AREA, { entries: ENTRIES, words: WORDS }), DEFAULT_ALLOWANCE)
  if (!verdict.ok) throw new Error(`the small core: ${JSON.stringify(verdict.problems)}`)
  const { tableEnd } = named
  return {
    core: { sha256: hash, wasm: Uint8Array.from(wasm), lines: undefined, tableEnd, moduleBytes: MODULE_BYTES },
    symbols: withDepths(named, verdict.facts.functions),
    proved: verdict.facts,
  }
}

let made: SmallCore | undefined

/** Made once in a process. */
export const smallCore = (): SmallCore => (made ??= make())
