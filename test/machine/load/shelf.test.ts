import test from 'ava'
import type { BoundPackage } from '../../../machine/load/core.ts'
import { Shelf, shellPattern } from '../../../machine/load/shelf.ts'

const none = { start: 0, end: 0 }

function module(name: string, aliases: readonly string[], from: readonly string[] = []): BoundPackage {
  const image = new TextEncoder().encode(['license=GPL', ...aliases.map((alias) => `alias=${alias}`), ''].join('\0'))
  const imports = ['core', ...from.map((name) => `module:${name}`)].map((owner) => ({
    from: owner,
    name: 'f',
    slot: 1,
  }))
  return {
    name,
    sha256: '',
    onCall: true,
    wasm: new Uint8Array(),
    lines: undefined,
    memory: none,
    table: none,
    imports,
    image,
  }
}

const hash = module('sha1-generic', ['crypto-sha1', 'sha1'], ['sha1-base'])
const base = module('sha1-base', [])
const socket = module('af_packet', ['net-pf-17'])

test('found by name, - and _ alike, or by an alias; what it stands on comes first', (t) => {
  const shelf = new Shelf([hash, base, socket])
  t.is(shelf.next('sha1_generic'), base)
  t.is(shelf.next('crypto-sha1'), base, 'asking alone changes nothing')
  shelf.take(base)
  t.is(shelf.next('crypto-sha1'), hash)
  shelf.take(hash)
  t.is(shelf.next('crypto-sha1'), 'there')
  t.is(shelf.next('net-pf-17'), socket)
  t.deepEqual(shelf.taken, [base, hash])
})

test('who is not there is remembered', (t) => {
  const shelf = new Shelf([hash])
  t.is(shelf.next('crypto-md5'), undefined)
  t.deepEqual([...shelf.missed], ['crypto-md5'])
})

test('aliases are patterns of the shell', (t) => {
  t.regex('pci:v00008086d0000100Esv', shellPattern('pci:v00008086d*sv'))
  t.regex('x7', shellPattern('x[0-9]'))
  t.notRegex('xa', shellPattern('x[0-9]'))
  t.notRegex('crypto_md55', shellPattern('crypto_md5'))
})
