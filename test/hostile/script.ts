/**
 * A hostile driver written out by hand: functions in the notation of the kernel's tests, made into a module as the pipeline would
 * make it (its checks put in), proved against a policy by the verifier, and bound to a small core (test/machine/small). What it does
 * is then done on the real path, by `Machine` with the policies that a run has.
 */
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import type { Observer } from '../../machine/observe/observer.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import { groups } from '../../linux-api/capabilities.ts'
import { allowanceFor, type Allowance } from '../../pipeline/verify/index.ts'
import { line, op, type Function, type Instruction } from '../kernel/support.ts'
import { smallCore } from '../machine/small/core.ts'
import { modulePackage, TEXTS, type Texts } from '../machine/small/module.ts'
import {
  INTERRUPT_REGISTER,
  INTERRUPTS,
  irq,
  poke,
  probe,
  remove,
  TestDevice,
  testPackage,
  TURN,
  turn,
} from '../machine/support.ts'

/** What `drvport run` grants a network driver, and what a layered one may be granted beside it. */
export const NIC = allowanceFor(['pci', 'net'])
export const LAYERED = allowanceFor(['pci', 'net', 'layered'])

/** Words that scripts may use; texts may lie there too. */
export const WORDS = TEXTS

/** A package of these functions, accepted by `policy`. */
export const script = (
  name: string,
  functions: readonly Function[],
  { texts = {}, policy = NIC }: { readonly texts?: Texts; readonly policy?: Allowance } = {},
): DriverPackage => modulePackage(name, functions, { texts, policy })

// ---- what scripts say often ----

/** `turns` times the same; `counter` is a local of the function, which has four. */
export const times = (turns: number, counter: number, inner: readonly Instruction[]): Instruction[] => [
  ...line(op.value(turns), op.setLocal(counter), op.loop),
  ...inner,
  ...line(op.local(counter), op.value(1), op.sub, [0x22, counter], op.againIf, op.end),
]

/** The same without end. */
export const forever = (inner: readonly Instruction[]): Instruction[] => [op.loop, ...inner, op.again, op.end]

/** Whether a call of the ABI, or a function of the core, gives a word. */
function gives(name: string): boolean {
  const [group, call] = name.split('.')
  if (call === undefined) return !smallCore().symbols.functions.get(name)!.type.endsWith('>')
  if (group === 'wasi') return true
  const found = groups.find((one) => one.name === group)?.calls.find((one) => one.name === call)
  if (found === undefined) throw new Error(`no call ${name}`)
  return found.result !== 'void'
}

/** A call with numbers; `keep`: its result goes to this word of memory, else nowhere. */
export function say(name: string, args: readonly (number | readonly Instruction[])[], keep?: number): Instruction[] {
  const pushed = args.flatMap((arg) => (typeof arg === 'number' ? [op.value(arg)] : [...arg]))
  const said = [...pushed, op.call(name)]
  if (!gives(name)) return said
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
  const interrupting = turn([
    ...poke(INTERRUPT_REGISTER, [op.value(1000)]),
    ...line(op.value(10_000), op.call('delay')),
  ])
  const driver = await machine.load(testPackage('witness', [probe, remove, irq, interrupting]))
  await driver.bind(fn)
  const count = (): number => driver.host.words[INTERRUPTS >> 2]!
  const ask = async (): Promise<string | undefined> => {
    if (driver.dead) return `it ended: ${driver.domain.fault?.kind} ${driver.domain.fault?.message}`
    const before = count()
    await driver.call(TURN)
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
