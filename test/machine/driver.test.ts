import test from 'ava'
import { DriverEnded, isClean } from '../../machine/driver.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import { line, op } from '../kernel/support.ts'
import {
  DMA_REGISTER,
  INTERRUPT_REGISTER,
  INTERRUPTS,
  irq,
  poke,
  probe,
  REGISTERS,
  remove,
  SCRATCH_REGISTER,
  TestDevice,
  testPackage,
} from './support.ts'

interface Bench {
  readonly machine: Machine
  readonly device: TestDevice
  readonly fn: PciFunction
}

function bench(seed = 1): Bench {
  const machine = createMachine({ seed })
  let device: TestDevice | undefined
  const fn = machine.board.pci.plug((context) => (device = new TestDevice(context)))
  return { machine, device: device!, fn }
}

/** A driver whose probe goes on with `body`. */
const probing = (name: string, body: typeof probe.body) =>
  testPackage(name, [{ ...probe, body: [...probe.body, ...body] }, remove, irq])

test('a driver maps its BAR, takes its interrupt, and gives everything back', async (t) => {
  const { machine, device, fn } = bench()
  const body = [
    ...poke(SCRATCH_REGISTER, [op.value(0x1234)]),
    ...poke(INTERRUPT_REGISTER, [op.value(1000)]),
    ...line(op.value(10_000), op.call('delay')),
  ]
  const driver = await machine.load(probing('good', body))
  t.is(await driver.bind(fn), 0)
  t.is(device.scratch, 0x1234)
  t.is(driver.host.words[INTERRUPTS >> 2], 1)
  const left = await machine.unload('good')
  t.true(isClean(left), JSON.stringify(left))
  t.is(machine.board.interrupts.attachments, 0)
})

test('an access without a capability ends the driver and names call and address', async (t) => {
  const { machine, fn, device } = bench()
  const wild = [op.value(-0x10000000), op.call('mmio.read32'), op.drop]
  const driver = await machine.load(probing('wild', wild))
  const error = await t.throwsAsync(driver.bind(fn), { instanceOf: DriverEnded })
  t.is(error.fault?.kind, 'no-capability')
  t.regex(error.message, /mmio\.read32 of 0xf0000000/)
  t.is(driver.domain.capabilities.count, 0)
  t.is(device.resets, 1)
  t.is(machine.board.interrupts.attachments, 0)
})

test('one byte past a mapping is no longer the device', async (t) => {
  const { machine, fn } = bench()
  const beyond = [op.value(REGISTERS), op.load, op.value(254), op.add, op.call('mmio.read32'), op.drop]
  const driver = await machine.load(probing('beyond', beyond))
  await t.throwsAsync(driver.bind(fn), { message: /no-capability/ })
})

test('a port nobody granted is refused', async (t) => {
  const { machine, fn } = bench()
  const driver = await machine.load(probing('port', [op.value(0x60), op.call('pio.in8'), op.drop]))
  await t.throwsAsync(driver.bind(fn), { message: /pio\.in8 of port 0x60/ })
})

test('a device that is given a wrong bus address hits nothing, and its driver is named and ended', async (t) => {
  const { machine, fn } = bench()
  const driver = await machine.load(probing('stray', poke(DMA_REGISTER, [op.value(0x5000)])))
  await t.throwsAsync(
    async () => {
      await driver.bind(fn)
      await machine.sleep(1000)
      throw new DriverEnded('stray', 'run', driver.domain.fault)
    },
    { message: /dma-stray/ },
  )
  t.is(machine.board.dmaFaults[0]?.domain, 'stray')
})

test('a driver that fails while the machine runs is restarted and bound again', async (t) => {
  const { machine, fn } = bench()
  // Its interrupt handler fails the first time the device interrupts, 1 ms after probe.
  const body = poke(INTERRUPT_REGISTER, [op.value(1_000_000)])
  const pack = testPackage('flaky', [
    { ...probe, body: [...probe.body, ...body] },
    remove,
    { ...irq, body: [op.unreachable] },
  ])
  const driver = await machine.load(pack)
  t.is(await driver.bind(fn), 0)
  await machine.run(() => machine.recoveries.length >= 2)
  t.deepEqual(
    machine.recoveries.map(({ ok, attempt }) => ({ ok, attempt })),
    [
      { ok: true, attempt: 1 },
      { ok: true, attempt: 2 },
    ],
  )
  t.is(machine.faults[0]?.kind, 'unreachable')
  await machine.run(() => machine.recoveries.some(({ ok }) => !ok))
  t.regex(machine.recoveries.at(-1)!.reason!, /failed 6 times within 60 s/)
})
