/**
 * A device and a driver made by hand, to test the machine without a kernel tree or a compiler.
 */
import { createHash } from 'node:crypto'
import { CALLS, ENTRIES } from '../../linux-api/generated/abi.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import type { DeviceContext, PciDevice } from '../../hw/types.ts'
import { PACKAGE_SCHEMA } from '../../pipeline/package.ts'
import { assemble, type Function, type Import, line, op, SCRATCH } from '../kernel/support.ts'

/** Registers of the test device, 4 bytes each. */
export const SCRATCH_REGISTER = 0x00
/** Write: raise the interrupt that many ns later. Read: interrupt status, cleared by reading. */
export const INTERRUPT_REGISTER = 0x04
/** Write: add one to the word at this bus address. */
export const DMA_REGISTER = 0x08

export class TestDevice implements PciDevice {
  readonly model = 'test'
  readonly identity = {
    vendor: 0x1af4,
    device: 0x10ff,
    subsystemVendor: 0,
    subsystemDevice: 0,
    classCode: 0xff0000,
    revision: 0,
    interruptPin: 1,
  }
  readonly bars = [
    { index: 0, kind: 'mem32', bytes: 256 },
    { index: 1, kind: 'io', bytes: 16 },
  ] as const
  readonly capabilities = { msi: { vectors: 1, address64: true } } as const
  scratch = 0
  status = 0
  resets = 0
  readonly #context: DeviceContext
  readonly #raise

  constructor(context: DeviceContext) {
    this.#context = context
    this.#raise = context.timeline.event('test device: interrupt', () => {
      this.status = 1
      if (context.interrupts.messageSignalled) context.interrupts.message(0)
      else context.interrupts.setLevel(true)
    })
  }

  read(_bar: number, offset: number): number {
    if (offset === SCRATCH_REGISTER) return this.scratch
    if (offset !== INTERRUPT_REGISTER) return 0
    const { status } = this
    this.status = 0
    this.#context.interrupts.setLevel(false)
    return status
  }

  write(_bar: number, offset: number, _width: number, value: number): void {
    if (offset === SCRATCH_REGISTER) this.scratch = value
    if (offset === INTERRUPT_REGISTER) this.#raise.armIn(value)
    if (offset === DMA_REGISTER) this.#context.dma.write32(value, this.#context.dma.read32(value) + 1)
  }

  reset(): void {
    this.resets++
    this.scratch = 0
    this.status = 0
    this.#raise.disarm()
    this.#context.interrupts.setLevel(false)
  }
}

const IMPORTS: readonly Import[] = Object.entries(CALLS).flatMap(([module, calls]) =>
  Object.entries(calls as Record<string, { params: number; result: boolean }>).map(([name, { params, result }]) => ({
    module,
    name,
    params,
    result,
  })),
)

/** Where the test driver keeps things. */
export const REGISTERS = SCRATCH + 32
export const INTERRUPTS = SCRATCH + 36
const BAR = SCRATCH + 48
const IRQ = SCRATCH + 40

const fetch = (address: number): Function['body'] => [op.value(address), op.load]

/** probe: map BAR 0, enable memory, I/O and bus mastering, attach the INTx line. */
export const probe: Function = {
  name: 'probe',
  params: 2,
  result: true,
  body: [
    ...line(op.local(1), op.value(4), op.value(2), op.value(7), op.call('config_write'), op.drop),
    ...line(op.local(1), op.value(0), op.value(BAR), op.call('bar'), op.drop),
    op.value(REGISTERS),
    ...fetch(BAR),
    ...line(op.value(0), op.value(256), op.call('mmio.map'), op.store),
    ...line(op.value(IRQ), op.local(1), op.value(0), op.value(1), op.call('vectors'), op.store),
    ...fetch(IRQ),
    op.call('attach'),
  ],
}

/** remove: detach and unmap. */
export const remove: Function = {
  name: 'remove',
  params: 2,
  body: [...fetch(IRQ), op.call('detach'), op.drop, ...fetch(REGISTERS), op.call('mmio.unmap'), op.drop],
}

/** irq: count it and acknowledge it at the device. */
export const irq: Function = {
  name: 'irq',
  params: 1,
  body: [
    ...line(op.value(INTERRUPTS), ...fetch(INTERRUPTS), op.value(1), op.add, op.store),
    ...line(...fetch(REGISTERS), op.value(INTERRUPT_REGISTER), op.add, op.call('mmio.read32'), op.drop),
  ],
}

/** A body that writes `value` to a device register. */
export const poke = (register: number, value: Function['body']): Function['body'] => [
  ...fetch(REGISTERS),
  op.value(register),
  op.add,
  ...value,
  op.call('mmio.write32'),
]

const defaults: readonly Function[] = Object.entries(ENTRIES)
  .filter(([, entry]) => entry.required)
  .map(([name, entry]) => ({
    name,
    params: entry.params,
    result: entry.result,
    body: entry.result ? [op.value(name === 'alloc' ? 73728 : 0)] : [],
  }))

/** A package whose required entries do nothing but those given. Calls that share a name are `group.name`. */
export function testPackage(name: string, functions: readonly Function[]): DriverPackage {
  const given = new Set(functions.map((f) => f.name))
  const all = [...defaults.filter((f) => !given.has(f.name)), ...functions]
  const wasm = assemble(IMPORTS, all, { drvport_tick: 65552, drvport_irqs_off: 65536, drvport_pending: 65540 })
  return {
    wasm,
    lines: undefined,
    manifest: {
      schema: PACKAGE_SCHEMA,
      name,
      abi: 1,
      tree: { name: 'none', version: '0' },
      toolchain: { name: 'none', version: '0' },
      modules: [name],
      wasm: { file: `${name}.wasm`, sha256: createHash('sha256').update(wasm).digest('hex'), bytes: wasm.length },
      lines: null,
      imports: [],
      capabilities: Object.keys(CALLS),
      ids: [],
      params: [],
      firmware: [],
      memory: { pages: 2 },
      stackBytes: 65536,
      sources: [],
      licenses: [],
      gplOnly: [],
    },
  }
}
