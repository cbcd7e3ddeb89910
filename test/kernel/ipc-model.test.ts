import test from 'ava'
import { holdIpcToModel } from './model/_ipc-pair.ts'

test('random operations on endpoints and notifications agree with the model', (t) => {
  holdIpcToModel(500, 100, 1)
  t.pass()
})
