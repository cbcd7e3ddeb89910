/** Finding 9: what throws in an event of the clock is not the failure of whichever domain runs just then. */
import test from 'ava'
import type { DeviceContext } from '../../../hw/types.ts'
import { line, op } from '../../kernel/support.ts'
import { barOf, TestDevice } from '../../machine/support.ts'
import { machineOf, say, script, witness, word, WORDS } from '../script.ts'

const REGISTERS = WORDS + 64
const CRASH_REGISTER = 0x10

/** A model with a mistake: what is written here makes an event of its throw. */
class BrokenDevice extends TestDevice {
  readonly #crash
  constructor(context: DeviceContext) {
    super(context)
    this.#crash = context.timeline.event('broken device', () => {
      throw new TypeError('a mistake of the model')
    })
  }
  override write(bar: number, offset: number, width: number, value: number): void {
    if (offset === CRASH_REGISTER) this.#crash.armIn(value)
    else super.write(bar, offset, width, value)
  }
}

test('finding 9: a mistake of a device model is the end of who drives the device, not of who runs', async (t) => {
  const machine = machineOf({ restarts: { limit: 0, windowNs: 1e9, backoffNs: 1, backoffMaxNs: 1 } })
  const fn = machine.board.pci.plug((context) => new BrokenDevice(context))
  const other = await witness(machine)
  const pack = script('unlucky', [
    {
      name: 'probe',
      params: 2,
      result: true,
      body: [
        ...say('pci.config_write', [[op.local(1)], 4, 2, 7]),
        ...say('mmio.map', [barOf(op.local(1)), 0, 256], REGISTERS),
        ...say('mmio.write32', [line(...word(REGISTERS), op.value(CRASH_REGISTER), op.add), 3000]),
        op.value(0),
      ],
    },
  ])
  const driver = await machine.load(pack)
  t.is(await driver.bind(fn), 0)
  // The witness runs for 10 us from now on, and the event comes in the middle of that.
  t.is(await other.ask(), undefined)
  await machine.run(() => driver.dead, 1e6)
  t.is(driver.domain.fault?.kind, 'internal')
  t.regex(driver.domain.fault!.message, /a mistake of the model/)
  t.is(await other.ask(), undefined)
})

test('finding 9: an event that is nobody’s is written down, and the machine goes on', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  const { kernel } = machine.board
  kernel.clock
    .event('stray event', () => {
      throw new Error('of the host')
    })
    .armIn(3000)
  t.is(await other.ask(), undefined)
  t.deepEqual(
    kernel.accidents.map(({ during, message }) => [during, message]),
    [['stray event', 'of the host']],
  )
})
