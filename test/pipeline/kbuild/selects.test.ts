import test from 'ava'
import { optionsIn, partsOf, selectedBy, selectedByParts, selectsIn } from '../../../pipeline/kbuild/selects.ts'

test('an option selects and implies others, whatever the condition; a help text selects nothing', (t) => {
  const selects = selectsIn(
    'config A\n\ttristate "a"\n\tselect B\n\tselect C if D\n\timply H\n\thelp\n\t  Will select E.\nmenuconfig F\n\tselect G\n',
  )
  t.deepEqual(
    [...selects],
    [
      ['A', ['B', 'C', 'H']],
      ['F', ['G']],
    ],
  )
})

test('a part of a module is an option named after it, that makes no module, and wants the algorithms it depends on', (t) => {
  const part = (type: string, name = 'K_AES') =>
    `config ${name}\n\t${type} "x"\n\tdepends on K\n\tdepends on CRYPTO_CBC && CRYPTO_CTS && I2C\n\tdepends on A || B\nconfig L\n\tbool\n`
  t.deepEqual([...partsOf(part('bool'))], [['K', [{ part: 'K_AES', needs: ['CRYPTO_CBC', 'CRYPTO_CTS'] }]]])
  t.is(partsOf(part('tristate')).size, 0, 'a module of its own asks for its own')
  t.is(partsOf(part('bool', 'KA')).size, 0)
})

test("what a module's parts select of the crypto API is wanted by it", (t) => {
  const selects = new Map([
    ['CRYPTO_DRBG_HMAC', ['CRYPTO_HMAC', 'I2C']],
    ['CRYPTO_DRBG_X_HASH', ['CRYPTO_SHA256']],
    ['CRYPTO_DRBG_OFF', ['CRYPTO_MD5']],
    ['CRYPTO_DRBGX', ['CRYPTO_MD4']],
    ['CRYPTO_DRBG', ['CRYPTO_RNG']],
  ])
  const found = selectedByParts(selects, new Set(['CRYPTO_DRBG', 'CRYPTO']), (part) => part !== 'CRYPTO_DRBG_OFF')
  t.deepEqual(found.get('CRYPTO_DRBG'), ['CRYPTO_HMAC', 'CRYPTO_SHA256'])
  t.deepEqual(found.get('CRYPTO'), ['CRYPTO_MD4'])
})

test('a Makefile names the option of a module, and those of its parts', (t) => {
  const { own, parts } = optionsIn(
    'obj-$(CONFIG_IPV6) += ipv6.o \\\n\tother.o\nipv6-$(CONFIG_SEG6) += seg6.o\nobj-m += x.o\n',
  )
  t.deepEqual(
    [...own],
    [
      ['ipv6', 'IPV6'],
      ['other', 'IPV6'],
    ],
  )
  t.deepEqual(parts, [['ipv6', 'SEG6']])
})

test('what is selected selects further, as far as it is on', (t) => {
  const selects = new Map([
    ['A', ['B', 'OFF']],
    ['B', ['C', 'A']],
    ['OFF', ['D']],
  ])
  t.deepEqual([...selectedBy(['A'], selects, (option) => option !== 'OFF')], ['B', 'C', 'A'])
  t.deepEqual([...selectedBy(['OFF'], selects, (option) => option !== 'OFF')], [])
})
