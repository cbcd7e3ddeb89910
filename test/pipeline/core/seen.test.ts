/** What a module sees of a core is what the core has under its names, where, and nothing else. */
import test from 'ava'
import { seenOf } from '../../../pipeline/core/seen.ts'
import type { Core } from '../../../pipeline/core/index.ts'

type Seen = Pick<Core, 'symbols' | 'facts'>

const core: Seen = {
  symbols: {
    functions: new Map([
      ['printk', { type: 'ii>i', slot: 7, depth: 300, gplOnly: false }],
      ['schedule', { type: '>', slot: 8, depth: 900, gplOnly: false }],
    ]),
    data: new Map([['jiffies', { address: 4096, gplOnly: false }]]),
    tableEnd: 10,
    dataStart: 1024,
    heapBase: 8192,
  },
  facts: { moduleBytes: 300, tableEnd: 10, withoutSource: [], objects: 3, asks: {} },
}
const NEEDS = ['jiffies', 'nowhere', 'printk']
const withSymbols = (symbols: Partial<Core['symbols']>): Seen => ({ ...core, symbols: { ...core.symbols, ...symbols } })

/** `printk` as it is, but for one thing. */
const printk = (change: object): Seen => {
  const { functions } = core.symbols
  return withSymbols({ functions: new Map([...functions, ['printk', { ...functions.get('printk')!, ...change }]]) })
}

test('what is needed and lies elsewhere, costs more, is for others or of another type is seen', (t) => {
  const before = seenOf(core, NEEDS)
  const others = [
    printk({ slot: 9 }),
    printk({ depth: 301 }),
    printk({ gplOnly: true }),
    printk({ type: 'ii>I' }),
    withSymbols({ data: new Map([['jiffies', { address: 4100, gplOnly: false }]]) }),
    withSymbols({ data: new Map([...core.symbols.data, ['nowhere', { address: 5000, gplOnly: false }]]) }),
    withSymbols({ tableEnd: 11 }),
    { ...core, facts: { ...core.facts, moduleBytes: 304 } },
    { ...core, facts: { ...core.facts, asks: { printk: ['dvb_attach'] } } },
  ]
  const seen = others.map((other) => seenOf(other, NEEDS))
  t.is(new Set([before, ...seen]).size, others.length + 1)
})

test('what nobody needs may be anywhere', (t) => {
  const { functions, data } = core.symbols
  const other = withSymbols({
    functions: new Map([...functions, ['schedule', { type: 'i>', slot: 99, depth: 1, gplOnly: true }]]),
    data: new Map([...data, ['system_wq', { address: 1, gplOnly: true }]]),
    heapBase: 9000,
  })
  t.is(seenOf(other, NEEDS), seenOf(core, NEEDS))
})
