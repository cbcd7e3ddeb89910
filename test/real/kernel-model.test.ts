import test from 'ava'
import { holdToModel } from '../kernel/model/_capability-pair.ts'
import { holdIpcToModel } from '../kernel/model/_ipc-pair.ts'

test('a million operations on capabilities agree with the model', (t) => {
  holdToModel(5000, 200, 2)
  t.pass()
})

test('a million operations on endpoints and notifications agree with the model', (t) => {
  holdIpcToModel(5000, 200, 2)
  t.pass()
})
