/** The engine's stack is everybody's: a domain that fills it must not have another, or the kernel, run out of it. */
import test from 'ava'
import { Driver } from '../../machine/driver.ts'
import { createMachine } from '../../machine/machine.ts'
import { createRandom } from '../../base/random.ts'
import { LIMITS, packageOf } from '../hostile/arena.ts'
import { RECURSION_CALLS, build } from '../hostile/evil.ts'
import { line, op } from '../kernel/support.ts'
import { probe, remove, testPackage } from './support.ts'

const WORK = 0x104
/** A neighbour whose timer is due again and again, and which needs some stack of its own each time. */
const neighbour = testPackage('neighbour', [
  probe,
  remove,
  {
    name: 'timer',
    body: [
      ...line(op.value(40), op.call('down')),
      ...line(op.value(WORK), op.value(WORK), op.load, op.value(1), op.add, op.store),
    ],
  },
  {
    name: 'down',
    params: 1,
    body: [op.local(0), op.if, ...line(op.local(0), op.value(1), op.sub, op.call('down')), op.end],
  },
])

for (const entry of ['timer', 'softirq', 'init'])
  for (const call of RECURSION_CALLS)
    test(`recursion in ${entry} that calls ${call} at every level ends that domain only`, async (t) => {
      for (let seed = 1; seed <= 10; seed++) {
        const machine = createMachine({ seed })
        const { kernel } = machine.board
        const other = await machine.load(neighbour)
        const tick = kernel.clock.event('tick', () => {
          tick.armIn(700 + seed)
          other.domain.setTimer(kernel.clock.now() + 1)
        })
        tick.armIn(500)
        const bytes = build(createRandom(seed), [{ entry, attack: `recursion that calls ${call}` }], false)
        const options = { name: 'diver', args: [], firmware: {}, symbolize: undefined, limits: LIMITS }
        const diver = await Driver.open(machine.board, packageOf(bytes, 'diver'), options)
        if (entry === 'timer') diver.domain.setTimer(kernel.clock.now() + 1000)
        else if (entry === 'softirq') diver.domain.kick()
        // A fiber has a stack to itself, and finds its end there; or its work is used up first.
        else await t.throwsAsync(diver.call('init'))
        await kernel.run(() => diver.dead, kernel.clock.now() + 1e9)
        const expected =
          /^(calls are nested too deep in an atomic entry|the call stack is exhausted|busy for|.* loop turns)/
        t.regex(diver.domain.fault?.message ?? '', expected, `seed ${seed}`)
        if (entry !== 'init') t.is(diver.domain.fault?.kind, 'stack-overflow')
        t.false(other.dead, `seed ${seed}: the neighbour ended: ${other.domain.fault?.message}`)
        const turns = (): number => other.host.words[WORK >> 2]!
        const before = turns()
        await kernel.run(() => turns() >= before + 10, kernel.clock.now() + 1e6)
        t.true(turns() >= before + 10, `seed ${seed}: the neighbour goes on`)
      }
    })
