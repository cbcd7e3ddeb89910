/**
 * A hostile driver written out by hand: functions in the notation of the kernel's tests, made into a package as the pipeline
 * would make it (its checks put in) and as the product would take it (held against a policy by the verifier). What it does is
 * then done on the real path, by `Machine` with the policies that a run has.
 */
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import type { Observer } from '../../machine/observe/observer.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import { entries, groups, shared } from '../../linux-api/capabilities.ts'
import { allowanceFor, verify, type Allowance } from '../../pipeline/verify/index.ts'
import { WASI_MODULE, wasiType } from '../../pipeline/verify/wasi.ts'
import { Writer } from '../../pipeline/wasm/bytes.ts'
import { instrument } from '../../pipeline/wasm/instrument.ts'
import { line, op, type Function, type Instruction } from '../kernel/support.ts'
import {
  INTERRUPTS,
  irq,
  poke,
  probe,
  remove,
  INTERRUPT_REGISTER,
  TestDevice,
  testPackage,
} from '../machine/support.ts'
import { assemble, I32, type Parts } from '../pipeline/wasm/_build.ts'
import { packageOf } from './arena.ts'

/** What `drvport run` grants a network driver, and what a layered one may be granted beside it. */
export const NIC = allowanceFor(['pci', 'net'])
export const LAYERED = allowanceFor(['pci', 'net', 'layered'])

export const PAGES = 4
export const MEMORY = PAGES * 65_536
const STACK_TOP = 0x8000
/** Words that scripts may use, and where the bump allocator begins; the words the machine reads are at 1024. */
export const WORDS = 2048
const SHARED = 1024
const BUMP = 512
const ARENA = MEMORY / 2

const I64 = 0x7e

/** Bytes put into memory before anything runs, by address (a multiple of nothing, above 1088). */
export type Texts = Readonly<Record<number, string | Uint8Array>>

interface Shape {
  readonly params: number[]
  readonly results: number[]
}

/** Type of a call as `group.name`, or of a WASI call as `wasi.name`. */
function shapeOf(name: string): Shape {
  const [group, call] = name.split('.') as [string, string]
  if (group === 'wasi') {
    const type = wasiType(call)
    if (type === undefined) throw new Error(`no call ${name}`)
    const numbers = (types: readonly string[]): number[] => types.map((word) => (word === 'i64' ? I64 : I32))
    return { params: numbers(type.params), results: numbers(type.results) }
  }
  const found = groups.find((one) => one.name === group)?.calls.find((one) => one.name === call)
  if (found === undefined) throw new Error(`no call ${name}`)
  return { params: found.params.map(() => I32), results: found.result === 'void' ? [] : [I32] }
}

const called = (functions: readonly Function[]): string[] => [
  ...new Set(
    functions.flatMap((f) => f.body.flatMap((part) => ('call' in part && part.call.includes('.') ? [part.call] : []))),
  ),
]

const leb = (value: number): number[] => [...new Writer().u32(value).finish()]

/** `alloc` hands out memory from the middle upwards; the others return success. */
function body(name: string, result: boolean): readonly Instruction[] {
  if (!result) return []
  if (name !== 'alloc') return [op.value(0)]
  return [
    ...line(op.value(BUMP), op.value(BUMP), op.load, op.local(0), op.add, op.store),
    ...line(op.value(ARENA), op.value(BUMP), op.load, op.add, op.local(0), op.sub),
  ]
}

/** A package of these functions, accepted by `policy`. Calls are `group.name`; a function may call those before and after it. */
export function script(
  name: string,
  functions: readonly Function[],
  { texts = {}, policy = NIC }: { readonly texts?: Texts; readonly policy?: Allowance } = {},
): DriverPackage {
  const given = new Map(functions.map((f) => [f.name, f]))
  const all: Function[] = entries
    .filter((entry) => entry.required === true || given.has(entry.name))
    .map((entry) => ({
      name: entry.name,
      params: entry.params.length,
      result: entry.result !== 'void',
      locals: 4,
      body: body(entry.name, entry.result !== 'void'),
      ...given.get(entry.name),
    }))
  all.push(...functions.filter((f) => !entries.some((entry) => entry.name === f.name)))
  const imported = called(all)
  const types: [number[], number[]][] = []
  const typeOf = ({ params, results }: Shape): number => {
    const at = types.findIndex((type) => JSON.stringify(type) === JSON.stringify([params, results]))
    return at >= 0 ? at : types.push([params, results]) - 1
  }
  const index = new Map([...imported, ...all.map((f) => f.name)].map((one, at) => [one, at]))
  const code = (f: Function): number[] =>
    f.body.flatMap((part) => ('call' in part ? [0x10, ...leb(index.get(part.call)!)] : [...part]))
  const parts: Parts = {
    types,
    imports: imported.map((one) => {
      const [group, call] = one.split('.') as [string, string]
      return [group === 'wasi' ? WASI_MODULE : group, call, typeOf(shapeOf(one))]
    }),
    functions: all.map((f) => ({
      type: typeOf({ params: Array<number>(f.params ?? 0).fill(I32), results: f.result === true ? [I32] : [] }),
      ...(f.locals !== undefined && { locals: [[f.locals, I32]] as [number, number][] }),
      code: [...code(f), 0x0b],
    })),
    table: 1,
    memory: [1, PAGES, PAGES],
    globals: [STACK_TOP, ...shared.map((_, i) => SHARED + 8 * i)],
    constants: shared.map((_, i) => i + 1),
    exports: [
      ['memory', 2, 0],
      ['__stack_pointer', 3, 0],
      ...shared.map((word, i): [string, number, number] => [word.name, 3, i + 1]),
      ...all.map((f, i): [string, number, number] => [f.name, 0, imported.length + i]),
    ],
    elements: [imported.length],
    data: dataOf(texts),
  }
  const pack = packageOf(instrument(assemble(parts)).bytes, name)
  const verdict = verify(pack.wasm, pack.manifest, policy)
  if (!verdict.ok) throw new Error(`${name}: ${JSON.stringify(verdict.problems[0])}`)
  return pack
}

function dataOf(texts: Texts): Uint8Array {
  const pieces = Object.entries(texts).map(([at, text]) => ({
    at: Number(at) - SHARED,
    bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text,
  }))
  const data = new Uint8Array(Math.max(64, ...pieces.map(({ at, bytes }) => at + bytes.length)))
  for (const { at, bytes } of pieces) data.set(bytes, at)
  return data
}

// ---- what scripts say often ----

/** `turns` times the same; `counter` is a local of the function, which has four. */
export const times = (turns: number, counter: number, inner: readonly Instruction[]): Instruction[] => [
  ...line(op.value(turns), op.setLocal(counter), op.loop),
  ...inner,
  ...line(op.local(counter), op.value(1), op.sub, [0x22, counter], op.againIf, op.end),
]

/** The same without end. */
export const forever = (inner: readonly Instruction[]): Instruction[] => [op.loop, ...inner, op.again, op.end]

/** A call with numbers; `keep`: its result goes to this word of memory, else nowhere. */
export function say(name: string, args: readonly (number | readonly Instruction[])[], keep?: number): Instruction[] {
  const pushed = args.flatMap((arg) => (typeof arg === 'number' ? [op.value(arg)] : [...arg]))
  const result = shapeOf(name).results.length > 0
  const said = [...pushed, op.call(name)]
  if (!result) return said
  return keep === undefined ? [...said, op.drop] : [op.value(keep), ...said, op.store]
}

export const word = (address: number): Instruction[] => [op.value(address), op.load]
export const keep = (address: number, value: number): Instruction[] =>
  line(op.value(address), op.value(value), op.store)

// ---- somebody else on the same machine ----

export interface Witness {
  /** Undefined when its driver still works; else what is wrong. */
  ask(): Promise<string | undefined>
  readonly fn: PciFunction
  readonly device: TestDevice
}

/** A driver with a device of its own that must not notice anything. */
export async function witness(machine: Machine, slot?: number): Promise<Witness> {
  let device: TestDevice | undefined
  const fn = machine.board.pci.plug((context) => (device = new TestDevice(context)), slot)
  const turn = [...poke(INTERRUPT_REGISTER, [op.value(1000)]), ...line(op.value(10_000), op.call('delay'))]
  const pack = testPackage('witness', [probe, remove, irq, { name: 'exit', params: 0, result: false, body: turn }])
  const driver = await machine.load(pack)
  await driver.bind(fn)
  const count = (): number => driver.host.words[INTERRUPTS >> 2]!
  const ask = async (): Promise<string | undefined> => {
    if (driver.dead) return `it ended: ${driver.domain.fault?.kind} ${driver.domain.fault?.message}`
    const before = count()
    await driver.call('exit')
    return count() - before === 1 ? undefined : `it had ${count() - before} interrupts where 1 was expected`
  }
  return { ask, fn, device: device! }
}

export const machineOf = (options: Parameters<typeof createMachine>[0] = {}): Machine =>
  createMachine({ seed: 1, ...options })

/** How often each call was made, as `group.name`. */
export function counting(): { readonly calls: Map<string, number>; readonly observer: Observer } {
  const calls = new Map<string, number>()
  const observer: Observer = {
    call: (_host, group, name, _blocking, call) => {
      const key = `${group}.${name}`
      return (...args) => {
        calls.set(key, (calls.get(key) ?? 0) + 1)
        return call(...args)
      }
    },
  }
  return { calls, observer }
}
