import test from 'ava'
import { holdPageTableToModel } from './_page-table-model.ts'

test('any sequence of mapping, unmapping, revoking and looking up agrees with the naive model', (t) => {
  t.notThrows(() => holdPageTableToModel(100, 80, 1))
})
