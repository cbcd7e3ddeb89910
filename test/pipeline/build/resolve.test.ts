import test from 'ava'
import { resolve, type LinkObject, type Sources } from '../../../pipeline/build/resolve.ts'
import type { SymbolRow } from '../../../pipeline/build/symbols.ts'

const object = (origin: string, defines: string, needs: string): LinkObject => ({
  origin,
  defines: defines.split(' ').filter(Boolean),
  needs: needs.split(' ').filter(Boolean),
})
const row = (symbol: string, status: SymbolRow['status'], provider: string): [string, SymbolRow] => [
  symbol,
  { symbol, status, provider, capability: '', note: '', where: 'test' },
]

const shim = [object('shim:mm.c', 'kmalloc', 'memset'), object('shim:stubs.c', 'thermal_add', '')]
const tree = [object('tree:lib/string.c', 'memset strcpy', ''), object('tree:net/eth.c', 'eth_header', 'memset nobody')]
const modules = new Map([
  ['mii', [object('module:mii', 'mii_check', 'kmalloc')]],
  ['bus', [object('module:bus', 'bus_call', 'mii_check')]],
])
const sources: Sources<LinkObject> = {
  shim: (symbol) => shim.find((o) => o.defines.includes(symbol)),
  expect: () => undefined,
  tree: (file) => Promise.resolve(tree.find((o) => o.origin === `tree:${file}`)),
  portable: (symbol) => (symbol === 'memset' ? 'lib/string.c' : undefined),
  module: (name) => Promise.resolve(modules.get(name)),
  exporter: (symbol) => ({ mii_check: 'mii', bus_call: 'bus' })[symbol],
}
const table = new Map([
  row('thermal_add', 'stub', 'shim:stubs.c'),
  row('eth_header', 'full', 'tree:net/eth.c'),
  row('firmware_x', 'trap', ''),
])

test('shim, then tree, then the exporting module; what they need is resolved too', async (t) => {
  const own = [object('module:nic', 'nic_probe', 'kmalloc bus_call thermal_add __start___param')]
  const found = await resolve('nic', own, table, sources)
  t.deepEqual(found.modules, ['mii', 'bus', 'nic'])
  t.deepEqual(
    found.support.map((o) => o.origin),
    ['shim:mm.c', 'shim:stubs.c', 'tree:lib/string.c'],
  )
  t.is(found.missing.size, 0)
  t.deepEqual(
    found.providers.map((use) => `${use.symbol} ${use.provider} ${use.status}`),
    [
      'bus_call module:bus full',
      'kmalloc shim:mm.c full',
      'memset tree:lib/string.c full',
      'mii_check module:mii full',
      'thermal_add shim:stubs.c stub',
    ],
  )
})

test('what nobody provides is missing, with everyone who needs it', async (t) => {
  const own = [object('module:nic', '', 'eth_header absent nobody')]
  const { missing } = await resolve('nic', own, table, sources)
  t.deepEqual(
    [...missing],
    [
      ['absent', ['module:nic']],
      ['nobody', ['module:nic', 'tree:net/eth.c']],
    ],
  )
})

test('a trap is not missing and not support', async (t) => {
  const found = await resolve('nic', [object('module:nic', '', 'firmware_x')], table, sources)
  t.deepEqual(found.traps, ['firmware_x'])
  t.is(found.providers.length, 0)
})

test('a module that is already linked still starts first', async (t) => {
  const own = [object('module:nic', '', 'bus_call mii_check')]
  t.deepEqual((await resolve('nic', own, table, sources)).modules, ['mii', 'bus', 'nic'])
})
