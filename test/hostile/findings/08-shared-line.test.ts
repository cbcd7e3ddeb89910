/** Finding 8: who shares an interrupt line with a driver that lets its device assert for ever does not notice. */
import test from 'ava'
import type { Machine } from '../../../machine/machine.ts'
import { line, op, type Instruction } from '../../kernel/support.ts'
import { IRQS_OFF } from '../../machine/small/core.ts'
import { barOf, INTERRUPT_REGISTER, TestDevice, TURN, turn } from '../../machine/support.ts'
import { keep, machineOf, say, script, witness, word, WORDS } from '../script.ts'

const REGISTERS = WORDS + 64
const IRQ = WORDS + 68

/** Map BAR 0, turn everything on, and have the device assert its pin after `ns`. */
const setUp: readonly Instruction[] = [
  ...say('pci.config_write', [[op.local(1)], 4, 2, 7]),
  ...say('mmio.map', [barOf(op.local(1)), 0, 256], REGISTERS),
  ...say('pci.vectors', [[op.local(1)], 0, 1], IRQ),
]
const raise = (ns: number) => say('mmio.write32', [[...word(REGISTERS), op.value(INTERRUPT_REGISTER), op.add], ns])
const attach = say('irq.attach', [word(IRQ)])
const delay = say('delay', [5000])

const WAYS: Readonly<Record<string, readonly Instruction[]>> = {
  'detaches while its device asserts': [
    ...attach,
    ...raise(100),
    ...say('irq.mask', [word(IRQ)]),
    ...delay,
    ...say('irq.detach', [word(IRQ)]),
  ],
  'never attaches': [...raise(100), ...delay],
  'masks the line for ever': [...attach, ...say('irq.mask', [word(IRQ)]), ...raise(100)],
  'holds interrupts off for ever': [...attach, ...keep(IRQS_OFF, 1), ...raise(100)],
}

/** The hostile driver's function in slot 1, the bystander's in slot 9: the same line of eight. */
async function scene(body: readonly Instruction[], irq: readonly Instruction[] = []) {
  const machine: Machine = machineOf({ restarts: { limit: 0, windowNs: 1e9, backoffNs: 1, backoffMaxNs: 1 } })
  const fn = machine.board.pci.plug((context) => new TestDevice(context), 1)
  const other = await witness(machine, 9)
  t0(fn.line, other.fn.line)
  const pack = script('selfish', [
    { name: 'probe', params: 2, result: true, body: [...setUp, ...body, op.value(0)] },
    { name: 'irq', params: 1, body: irq },
  ])
  const driver = await machine.load(pack)
  return { machine, fn, other, driver }
}

function t0(a: number, b: number): void {
  if (a !== b) throw new Error(`lines ${a} and ${b} are not shared`)
}

for (const [way, body] of Object.entries(WAYS))
  test(`finding 8: a driver ${way}, and its neighbour on the line has exactly its own interrupts`, async (t) => {
    const { machine, fn, other, driver } = await scene(body)
    t.is(await driver.bind(fn), 0)
    for (let turn = 0; turn < 3; turn++) {
      await machine.sleep(1e6)
      t.is(await other.ask(), undefined)
    }
    // Who idles with interrupts off turns round and round, and ends of that; its neighbour need not wait for it.
    if (way.startsWith('holds')) await machine.run(() => driver.dead, 5e9)
    const ends = way.startsWith('holds') ? ['selfish endless-loop'] : []
    t.deepEqual(
      machine.faults.map(({ domain, kind }) => `${domain} ${kind}`),
      ends,
    )
  })

test('finding 8: whose device stays asserted whatever its handler does is the one that is blamed', async (t) => {
  const { machine, fn, other, driver } = await scene([...attach, ...raise(100)], line(op.value(0), op.drop))
  t.is(await driver.bind(fn), 0)
  await machine.run(() => driver.dead, 1e9)
  t.is(driver.domain.fault?.kind, 'endless-loop')
  t.regex(driver.domain.fault!.message, /stays asserted/)
  t.is(await other.ask(), undefined)
})

test('finding 8: two functions of one driver share its attachment, and losing one keeps the other', async (t) => {
  const machine = machineOf()
  const fns = [1, 9].map((slot) => machine.board.pci.plug((context) => new TestDevice(context), slot))
  const pack = script('both', [
    { name: 'probe', params: 2, result: true, body: [...setUp, ...attach, op.value(0)] },
    // Whichever device is mapped interrupts then, which is the one bound last.
    turn([...raise(100), ...say('delay', [5000])]),
    {
      name: 'irq',
      params: 1,
      body: [
        ...line(op.value(WORDS + 80), ...word(WORDS + 80), op.value(1), op.add, op.store),
        ...say('mmio.read32', [[...word(REGISTERS), op.value(INTERRUPT_REGISTER), op.add]]),
      ],
    },
  ])
  const driver = await machine.load(pack)
  for (const fn of fns) t.is(await driver.bind(fn), 0)
  await driver.unbind(fns[0]!)
  await driver.call(TURN)
  t.is(driver.host.words[(WORDS + 80) >> 2], 1)
})
