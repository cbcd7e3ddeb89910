/**
 * The state of a machine that was stopped at an event: what a person wants to see of it, as data and as text.
 *
 * `Inspector` is an observer that keeps where each suspended fiber waits and whose code is on the engine's stack; `stateOf`
 * takes the rest from the machine, at any moment, and changes nothing.
 */
import type { Domain } from '../../kernel/domain.ts'
import type { DriverFault, Frame } from '../../kernel/fault.ts'
import type { Fiber } from '../../kernel/fiber.ts'
import type { RegisterValue } from '../../hw/types.ts'
import type { Host } from '../abi/host.ts'
import type { Machine } from '../machine.ts'
import { type Call, framesOf, type Observer } from './observer.ts'

export interface FiberState {
  readonly id: number
  readonly name: string
  readonly state: Fiber['state']
  /** Where it waits, innermost first; empty when it has not begun. */
  readonly frames: readonly Frame[]
}

export interface DomainState {
  readonly id: number
  readonly name: string
  readonly fibers: readonly FiberState[]
  /** Atomic entries on the stack: interrupt, timer, softirq, transmit. */
  readonly atomic: number
}

export interface DeviceState {
  readonly name: string
  readonly model: string
  /** Domain that drives it; empty when none does. */
  readonly driver: string
  /** Registers that are not zero, by name. */
  readonly registers: readonly RegisterValue[]
}

export interface MachineState {
  /** Events so far: the number of the last one. */
  readonly event: number
  /** The event log's hash then. */
  readonly hash: string
  readonly atNs: number
  /** What it was stopped for. */
  readonly why: string
  /** Arguments of the C function it was stopped in, as it was called, where that is known. */
  readonly arguments?: readonly { readonly name: string; readonly value: string }[]
  /** The code that is running; absent when the machine is between two. */
  readonly running?: { readonly domain: string; readonly frames: readonly Frame[] }
  readonly domains: readonly DomainState[]
  readonly devices: readonly DeviceState[]
  readonly faults: readonly DriverFault[]
  /** The last events, oldest first. */
  readonly events: readonly string[]
}

export class Inspector implements Observer {
  /** Whose ABI calls are on the stack, innermost last. */
  readonly #inside: Host[] = []
  /** The stack of each fiber when it last left, not yet looked at. */
  readonly #waits = new WeakMap<Fiber, { readonly host: Host; readonly error: Error }>()

  call(host: Host, _group: string, _name: string, blocking: boolean, call: Call): Call {
    return (...args) => {
      const fiber = blocking && host.domain.depth === 0 ? host.domain.current : undefined
      if (fiber !== undefined) this.#waits.set(fiber, { host, error: new Error('waits here') })
      this.#inside.push(host)
      try {
        return call(...args)
      } finally {
        this.#inside.pop()
      }
    }
  }

  /** Where a fiber waits. */
  frames(fiber: Fiber): Frame[] {
    const wait = this.#waits.get(fiber)
    return wait === undefined ? [] : framesOf(wait.host, wait.error)
  }

  /** The code on the engine's stack, as seen from inside of one of its calls. */
  running(): MachineState['running'] {
    const host = this.#inside.at(-1)
    return host && { domain: host.domain.name, frames: framesOf(host, new Error('runs here')) }
  }
}

const EVENTS = 20

const domainState = (domain: Domain, inspector: Inspector): DomainState => ({
  id: domain.id,
  name: domain.name,
  atomic: domain.depth,
  fibers: [...domain.fibers.values()].map((fiber) => ({
    id: fiber.id,
    name: fiber.name,
    state: fiber.state,
    frames: fiber.state === 'running' ? [] : inspector.frames(fiber),
  })),
})

function devicesOf({ board }: Machine): DeviceState[] {
  return board.pci.functions.map((fn) => ({
    name: fn.name,
    model: fn.device.model,
    driver: board.owners.get(fn)?.name ?? '',
    registers: fn.device.view?.values().filter(({ value }) => value !== 0) ?? [],
  }))
}

/** The machine as it is now. `running` is the code on the stack when the caller knows it better. */
export function stateOf(
  machine: Machine,
  inspector: Inspector,
  why: string,
  running = inspector.running(),
): MachineState {
  const { kernel } = machine.board
  return {
    event: kernel.log.count,
    hash: kernel.log.hash,
    atNs: machine.now(),
    why,
    ...(running && { running }),
    domains: kernel.domains.map((domain) => domainState(domain, inspector)),
    devices: devicesOf(machine),
    faults: kernel.domains.flatMap(({ fault }) => fault ?? []),
    events: kernel.log.lines(EVENTS),
  }
}

const frameLine = (frame: Frame): string =>
  `      at ${frame.function} (${frame.file === '' ? 'unknown' : `${frame.file}:${frame.line}`})`

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`

/** Columns of registers, as many as fit a line. */
function registerLines(registers: readonly RegisterValue[]): string[] {
  const cells = registers.map(({ name, value }) => `${name.padEnd(10)} ${hex(value)}`.padEnd(24))
  return Array.from({ length: Math.ceil(cells.length / 4) }, (_, row) =>
    `    ${cells.slice(row * 4, row * 4 + 4).join('')}`.trimEnd(),
  )
}

/** A state as a person reads it. */
export function describeState(state: MachineState): string {
  const { running } = state
  const lines = [`stopped at event ${state.event}, ${(state.atNs / 1e9).toFixed(9)} s: ${state.why}`]
  for (const { name, value } of state.arguments ?? []) lines.push(`    ${name} = ${value}`)
  if (running !== undefined) lines.push('', `running: ${running.domain}`, ...running.frames.map(frameLine))
  for (const fault of state.faults) {
    lines.push('', `fault in ${fault.domain}: ${fault.kind}: ${fault.message}`, ...fault.frames.map(frameLine))
  }
  for (const domain of state.domains) {
    lines.push('', `domain ${domain.id}: ${domain.name}${domain.atomic > 0 ? ', in an atomic entry' : ''}`)
    for (const fiber of domain.fibers) {
      const begun = fiber.frames.length > 0 || fiber.state === 'running' ? '' : ', not begun'
      lines.push(`    fiber ${fiber.id} ${fiber.name}: ${fiber.state}${begun}`, ...fiber.frames.map(frameLine))
    }
  }
  for (const device of state.devices) {
    const driver = device.driver === '' ? 'no driver' : `driven by ${device.driver}`
    lines.push('', `device ${device.name}: ${device.model}, ${driver}`, ...registerLines(device.registers))
  }
  return [...lines, '', `last ${state.events.length} events:`, ...state.events.map((line) => `    ${line}`)].join('\n')
}
