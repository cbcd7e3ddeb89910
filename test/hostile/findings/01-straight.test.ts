/** Finding 1: work is counted by the code that runs, not by loop turns and entries, however large they are. */
import test from 'ava'
import { DEFAULT_COSTS } from '../../../kernel/costs.ts'
import { line, op, type Instruction } from '../../kernel/support.ts'
import { machineOf, script, witness } from '../script.ts'

/** Instructions that a unit of work pays for. */
const UNIT = 64
const LENGTH = 20_000
const CALLS = 1_000

const straight = (instructions: number): Instruction[] =>
  Array.from({ length: instructions / 4 }, () => line(op.local(0), op.value(3), op.add, op.setLocal(0))).flat()

test('finding 1: a large function that calls nobody costs its length, each time it is called', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  const calls = Array.from({ length: CALLS }, () => [op.value(1), op.call('long')]).flat()
  const pack = script('straight', [
    { name: 'init', params: 0, result: true, body: [...calls, op.value(0)] },
    { name: 'long', params: 1, body: straight(LENGTH) },
  ])
  const before = machine.now()
  await machine.load(pack)
  const units = (CALLS * LENGTH) / UNIT
  t.true(machine.now() - before >= units * DEFAULT_COSTS.workNs, `${machine.now() - before} ns for ${units} units`)
  t.is(await other.ask(), undefined)
})

test('finding 1: so does a loop with a large body, each turn', async (t) => {
  const machine = machineOf()
  const turn = line(op.local(1), op.value(1), op.sub, op.setLocal(1), op.local(1), op.againIf)
  const loop = [...line(op.value(CALLS), op.setLocal(1), op.loop), ...straight(LENGTH), ...turn, op.end]
  const pack = script('turns', [{ name: 'init', params: 0, result: true, locals: 4, body: [...loop, op.value(0)] }])
  const before = machine.now()
  await machine.load(pack)
  t.true(machine.now() - before >= ((CALLS * LENGTH) / UNIT) * DEFAULT_COSTS.workNs)
})
