import test from 'ava'
import { holdScheduleToModel } from './model/_schedule-pair.ts'

test('random operations on threads, priorities and budgets agree with the model', (t) => {
  t.true(holdScheduleToModel(500, 100, 1) > 20_000)
})
