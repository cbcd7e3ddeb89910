import test from 'ava'
import { holdToModel } from '../kernel/model/_capability-pair.ts'

test('a million operations on capabilities agree with the model', (t) => {
  holdToModel(5000, 200, 2)
  t.pass()
})
