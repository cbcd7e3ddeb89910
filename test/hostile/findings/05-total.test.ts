/** Finding 5: ending a domain never throws, whatever is wrong with what describes it or with who listens. */
import test from 'ava'
import { symbolizerOf } from '../../../cli/trust.ts'
import { op } from '../../kernel/support.ts'
import { machineOf, say, script, witness } from '../script.ts'

const crash = (name: string) =>
  script(name, [
    { name: 'timer', body: [op.unreachable] },
    { name: 'init', params: 0, result: true, body: [...say('time.set_timer', [1e6, 0]), op.value(0)] },
  ])

test('finding 5: a damaged line table costs the names of lines and nothing else', async (t) => {
  const machine = machineOf({
    symbolizer: symbolizerOf,
    restarts: { limit: 0, windowNs: 1e9, backoffNs: 1, backoffMaxNs: 1 },
  })
  const other = await witness(machine)
  const pack = { ...crash('torn'), lines: new Uint8Array([1, 2, 3, 255, 255]) }
  const driver = await machine.load(pack)
  await machine.run(() => driver.dead, 1e9)
  t.is(driver.domain.fault?.kind, 'unreachable')
  t.is(driver.domain.capabilities.count, 0)
  t.is(await other.ask(), undefined)
})

test('finding 5: whoever is told of a failure may throw; the domain ends all the same, and it is written down', async (t) => {
  const machine = machineOf({
    restarts: { limit: 0, windowNs: 1e9, backoffNs: 1, backoffMaxNs: 1 },
    onPostMortem: () => {
      throw new Error('no room for records')
    },
  })
  const other = await witness(machine)
  const driver = await machine.load(crash('told'))
  await machine.run(() => driver.dead, 1e9)
  t.is(driver.domain.fault?.kind, 'unreachable')
  t.is(driver.domain.capabilities.count, 0)
  t.is(machine.board.kernel.accidents[0]?.message, 'no room for records')
  t.is(await other.ask(), undefined)
})
