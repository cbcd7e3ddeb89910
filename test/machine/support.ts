/**
 * A device and a driver made by hand, to test the machine without a kernel tree or a compiler.
 */
import { groups } from '../../linux-api/capabilities.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import type { DeviceContext, PciDevice } from '../../hw/types.ts'
import { type Function, type Instruction, line, op } from '../kernel/support.ts'
import { modulePackage, WORDS } from './small/module.ts'

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

/** Where the test driver keeps things. */
export const REGISTERS = WORDS + 0x1000
export const INTERRUPTS = REGISTERS + 4
const IRQ = REGISTERS + 8

const fetch = (address: number): Function['body'] => [op.value(address), op.load]

/** Of a function's memory BAR, as its configuration space has it: the address alone. */
const BAR_BITS = -16
const BAR0 = 0x10

/** Where the memory BAR of a function lies; `fn` pushes its handle. */
export const barOf = (...fn: Instruction[]): Instruction[] => [
  ...fn,
  ...line(op.value(BAR0), op.value(4), op.call('pci.config_read'), op.value(BAR_BITS), op.and),
]

/** probe: map BAR 0, enable memory, I/O and bus mastering, attach the INTx line. */
export const probe: Function = {
  name: 'probe',
  params: 2,
  result: true,
  body: [
    ...line(op.local(1), op.value(4), op.value(2), op.value(7), op.call('pci.config_write'), op.drop),
    ...line(op.value(REGISTERS), ...barOf(op.local(1)), op.value(0), op.value(256), op.call('mmio.map'), op.store),
    ...line(op.value(IRQ), op.local(1), op.value(0), op.value(1), op.call('pci.vectors'), op.store),
    ...fetch(IRQ),
    op.call('irq.attach'),
  ],
}

/** remove: detach and unmap. */
export const remove: Function = {
  name: 'remove',
  params: 2,
  body: [...fetch(IRQ), op.call('irq.detach'), op.drop, ...fetch(REGISTERS), op.call('mmio.unmap'), op.drop],
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

/** A request that is handed on to whatever a module hooked as `request`: any that the small core does not know. */
export const TURN = 'syscall'

/** What is hooked then: `body`, and it went well. */
export const turn = (body: Function['body']): Function => ({
  name: 'request',
  params: 4,
  result: true,
  body: [...body, op.value(0)],
})

/** A package of a driver that may call everything. */
export const testPackage = (name: string, functions: readonly Function[]): DriverPackage =>
  modulePackage(name, functions, { capabilities: groups.map((group) => group.name) })
