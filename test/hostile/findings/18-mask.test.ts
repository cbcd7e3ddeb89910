/** Findings 18 and 21: what a driver set of its device's reach, or reset through the bus, is no burden of its own or the next. */
import test from 'ava'
import { op, type Instruction } from '../../kernel/support.ts'
import { barOf, TestDevice } from '../../machine/support.ts'
import { machineOf, say, script, word, WORDS } from '../script.ts'

const [IOVA, REGISTERS, READ, IRQ, CONTROL] = [WORDS, WORDS + 40, WORDS + 44, WORDS + 48, WORDS + 52]

const probing = (name: string, body: readonly Instruction[]) =>
  script(name, [{ name: 'probe', params: 2, result: true, body: [...body, op.value(0)] }])

test('finding 18: a DMA mask ends with the driver that set it', async (t) => {
  const machine = machineOf()
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const narrow = await machine.load(probing('narrow', say('dma.set_mask', [[op.local(1)], 14])))
  t.is(await narrow.bind(fn), 0)
  await machine.unload('narrow')
  const wide = await machine.load(probing('wide', say('dma.map', [[op.local(1)], 0, 65_536, 0], IOVA)))
  t.is(await wide.bind(fn), 0)
  t.not(wide.host.words[IOVA >> 2], -1, 'more than the 14 bits of the driver before')
  t.true(wide.host.words[IOVA >> 2]! >>> 0 >= 0x10000000)
})

class ExpressDevice extends TestDevice {
  override readonly capabilities = { msi: { vectors: 1, address64: true }, pcie: true } as const
}

test('finding 21: a function-level reset by its capability leaves the driver what it may not restore', async (t) => {
  const machine = machineOf()
  const fn = machine.board.pci.plug((context) => new ExpressDevice(context))
  let express = fn.configRead(0x34, 1)
  while (fn.configRead(express, 1) !== 0x10) express = fn.configRead(express + 1, 1)
  const driver = await machine.load(
    probing('resetting', [
      ...say('pci.config_write', [[op.local(1)], 4, 2, 7]),
      ...say('pci.vectors', [[op.local(1)], 1, 1], IRQ),
      ...say('mmio.map', [barOf(op.local(1)), 0, 256], REGISTERS),
      ...say('mmio.write32', [word(REGISTERS), 0x1234]),
      ...say('pci.config_write', [[op.local(1)], express + 8, 2, 0x8000], CONTROL),
      ...say('mmio.read32', [word(REGISTERS)], READ),
    ]),
  )
  t.is(await driver.bind(fn), 0)
  t.is((fn.device as TestDevice).resets, 1)
  t.is(driver.host.words[CONTROL >> 2], 0)
  t.is(driver.host.words[READ >> 2], 0, 'the register answers, and was reset')
  t.true(fn.bar(0)!.decoded)
  t.true(fn.messageSignalled)
})
