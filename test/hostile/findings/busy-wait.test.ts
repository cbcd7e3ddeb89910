/** What the corpus found: who waits busily for seconds, however it does so, holds nobody else up for longer than a turn. */
import test from 'ava'
import { DEFAULT_COSTS } from '../../../kernel/costs.ts'
import { op, type Instruction } from '../../kernel/support.ts'
import { IRQS_OFF } from '../../machine/small/core.ts'
import { INTERRUPT_REGISTER } from '../../machine/support.ts'
import { keep, machineOf, say, script, witness } from '../script.ts'
import { Waits } from '../waits.ts'

/** 4.2 s, as the word that `ndelay` was given in the trials. */
const LONG = -100_000_000
const LONG_NS = LONG >>> 0
const TURN_NS = DEFAULT_COSTS.sliceNs
/** Two looks of a loop, and what the bystander itself does when it runs. */
const MORE_NS = 300_000

interface Way {
  readonly body: readonly Instruction[]
  readonly priority?: number
  readonly mostNs: number
  readonly ends?: RegExp
}

const off = keep(IRQS_OFF, 1)
const row = (count: number): Instruction[] => Array.from({ length: count }, () => say('time.pass', [LONG])).flat()

const WAYS: Readonly<Record<string, Way>> = {
  'in the loop of a kernel': { body: say('delay', [LONG]), mostNs: TURN_NS },
  'beside somebody more urgent': { body: say('delay', [LONG]), priority: 40, mostNs: 0 },
  'with interrupts off': { body: [...off, ...say('delay', [LONG])], mostNs: 2 * TURN_NS },
  'with interrupts off beside somebody more urgent': {
    body: [...off, ...say('delay', [LONG])],
    priority: 40,
    mostNs: TURN_NS,
  },
  'by calls in a row': { body: row(2000), mostNs: TURN_NS },
  'by calls in a row that cost a little each': {
    body: Array.from({ length: 60_000 }, () => say('log.write', [6, 4096, 4096])).flat(),
    mostNs: 2 * TURN_NS,
    ends: /calls in a row/,
  },
}

for (const [how, { body, priority, mostNs, ends }] of Object.entries(WAYS))
  test(`a driver that waits busily for seconds ${how} holds nobody up`, async (t) => {
    const machine = machineOf({ schedule: { witness: { priority: priority ?? 16 } } })
    const { clock, domains } = machine.board.kernel
    const other = await witness(machine)
    const waits = new Waits(
      machine.board.kernel,
      domains.find(({ name }) => name === 'witness')!,
    )
    // Something to do for it every millisecond.
    const again = clock.event('again', () => {
      other.device.write(0, INTERRUPT_REGISTER, 4, 100)
      again.armIn(1e6)
    })
    again.armIn(1e6)
    const before = machine.now()
    const pack = script('waiting', [{ name: 'init', params: 0, result: true, body: [...body, op.value(0)] }])
    await machine.load(pack).catch(() => {})
    again.disarm()
    await machine.sleep(1e6)
    const fault = machine.faults.map(({ message }) => message)
    if (ends !== undefined) t.regex(fault.join(), ends)
    else t.deepEqual(fault, [])
    if (how.includes('row')) t.true(machine.now() - before < 10 * TURN_NS)
    else t.true(machine.now() - before >= LONG_NS, 'all of the wait has passed')
    t.true(waits.longestNs <= mostNs + MORE_NS, `${waits.longestNs} ns`)
    t.is(await other.ask(), undefined)
  })
