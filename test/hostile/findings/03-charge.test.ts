/** Finding 3: what calls cost is counted with saturation, so that no account turns over and no clock runs backwards. */
import test from 'ava'
import { DriverEnded } from '../../../machine/driver.ts'
import { Kernel } from '../../../kernel/kernel.ts'
import { load, op } from '../../kernel/support.ts'
import { machineOf, NIC, say, script, witness, WORDS } from '../script.ts'

test('finding 3: straight-line calls of log.write end after a turn of them, and time only goes on', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  // One record is 4096 units of 5 ns, without a loop or a call that counts between them.
  const writes = Array.from({ length: 60_000 }, () => say('log.write', [6, 4096, 4096])).flat()
  const pack = script('loud', [{ name: 'init', params: 0, result: true, body: [...writes, op.value(0)] }])
  const before = machine.now()
  const records = machine.board.kernel.log.count
  const error = await t.throwsAsync(machine.load(pack), { instanceOf: DriverEnded })
  t.is(error.fault?.kind, 'endless-loop')
  const written = machine.board.kernel.log.count - records
  const { sliceNs, workNs } = machine.board.kernel.costs
  t.true(written * 4096 * workNs < 2 * sliceNs, `${written} records`)
  t.true(machine.now() - before >= sliceNs)
  t.is(NIC.groups.includes('log'), true)
  t.is(await other.ask(), undefined)
})

test('finding 3: a charge of any size neither turns the counter over nor the clock back', async (t) => {
  const kernel = new Kernel(1)
  const times: number[] = []
  const charges = [2 ** 31, 2 ** 32, 1, 2 ** 31 - 1]
  const program = load(kernel, 'dear', [{ name: 'f', body: charges.flatMap(() => [op.value(1), op.call('note')]) }], {
    counted: true,
    noted: (_, domain) => {
      domain.account()
      times.push(kernel.clock.now())
      try {
        domain.charge(charges[times.length - 1]!)
      } catch {
        // Too much for it, which is not asked here.
      }
    },
  })
  const fiber = program.start('f')
  await kernel.run(() => fiber.done)
  t.is(times.length, charges.length)
  for (let i = 1; i < times.length; i++) t.true(times[i]! - times[i - 1]! >= charges[i - 1]! * kernel.costs.workNs)
})

test('finding 3: chance is drawn for a few bytes at a time, however many are asked for', async (t) => {
  const machine = machineOf()
  const pack = script('greedy', [
    { name: 'init', params: 0, result: true, body: [...say('log.seed', [WORDS, 4096]), op.value(0)] },
  ])
  const { host } = await machine.load(pack)
  const [drawn, rest] = [
    host.bank.bytes.subarray(WORDS, WORDS + 64),
    host.bank.bytes.subarray(WORDS + 64, WORDS + 4096),
  ]
  t.true(drawn.some((byte) => byte !== 0))
  t.true(rest.every((byte) => byte === 0))
})
