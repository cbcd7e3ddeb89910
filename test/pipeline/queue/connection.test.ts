/** Addresses of Redis servers as people write them, and what is said of wrong ones. */
import test from 'ava'
import { UsageError } from '../../../pipeline/errors.ts'
import { parseRedis } from '../../../pipeline/queue/connection.ts'

test('an address is taken apart, and its password shows nowhere', (t) => {
  const { options, where } = parseRedis('redis://ann:se%40cret@queue.example:7000/3', {})
  t.deepEqual(options, { host: 'queue.example', port: 7000, db: 3, username: 'ann', password: 'se@cret' })
  t.is(where, 'redis://queue.example:7000/3')
})

test('what is left out is as redis-cli has it', (t) => {
  t.deepEqual(parseRedis('redis://h', {}).options, { host: 'h', port: 6379, db: 0 })
  t.deepEqual(parseRedis('redis://h', { REDISCLI_AUTH: 'x' }).options, { host: 'h', port: 6379, db: 0, password: 'x' })
  t.is(parseRedis('redis://:own@h', { REDISCLI_AUTH: 'x' }).options.password, 'own')
})

test('rediss is TLS with the name checked, brackets are IPv6, unix is a path', (t) => {
  t.deepEqual(parseRedis('rediss://h:1', {}).options.tls, { servername: 'h' })
  t.is(parseRedis('redis://[::1]:7', {}).options.host, '::1')
  t.deepEqual(parseRedis('unix:///run/r.sock', {}).options, { path: '/run/r.sock' })
})

for (const [url, found] of [
  ['', /nothing/],
  ['localhost:6379', /localhost:|protocol/],
  ['http://h', /http:/],
  ['redis://', /no host/],
  ['redis://h/five', /five/],
] as const)
  test(`refused: '${url}'`, (t) => {
    const error = t.throws(() => parseRedis(url, {}), { instanceOf: UsageError })
    t.regex(error.describe(), found)
    t.regex(error.describe(), /redis:\/\/HOST:PORT/)
  })

test('a wrong address is not repeated with its password', (t) => {
  const error = t.throws(() => parseRedis('http://:hidden@h:x', {}), { instanceOf: UsageError })
  t.notRegex(error.describe(), /hidden/)
})
