import test from 'ava'
import { trapSource } from '../../../pipeline/build/traps.ts'

test('a trap has the type its callers use and names itself', (t) => {
  const text = trapSource(
    new Map([
      ['later', { params: [], results: [] }],
      ['earlier', { params: ['i32', 'i64'], results: ['i32'] }],
    ]),
  )
  t.regex(text, /int earlier\(int a0, long long a1\)\n\{\n\tdrvport_log_fault\(\w+, \(unsigned int\)"earlier", 7\);/)
  t.regex(text, /void later\(void\)/)
  t.true(text.indexOf('earlier') < text.indexOf('later'))
})
