import test from 'ava'
import { holdToModel } from '../kernel/model/_capability-pair.ts'
import { holdIpcToModel } from '../kernel/model/_ipc-pair.ts'
import { holdScheduleToModel } from '../kernel/model/_schedule-pair.ts'

test('a million operations on capabilities agree with the model', (t) => {
  holdToModel(5000, 200, 2)
  t.pass()
})

test('a million operations on endpoints and notifications agree with the model', (t) => {
  t.true(holdIpcToModel(11_000, 200, 2) > 1_000_000)
})

test('a million operations on the scheduler agree with the model', (t) => {
  t.true(holdScheduleToModel(11_000, 200, 2) > 1_000_000)
})
