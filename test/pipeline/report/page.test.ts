/** The page's parts that need no browser: packing, filters, comparison, addresses, and that the script is one whole. */
import { Script } from 'node:vm'
import { inflateRawSync } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import { laterMatrix, syntheticMatrix } from '../../../bench/synthetic-matrix.ts'
import { bundle } from '../../../pipeline/report/page/bundle.ts'
import { compareModels } from '../../../pipeline/report/page/client/compare.ts'
import { countBut, rankMissing, selectorOf } from '../../../pipeline/report/page/client/filter.ts'
import { decode } from '../../../pipeline/report/page/client/model.ts'
import {
  FACETS,
  formatAddress,
  parseAddress,
  RUNG_TESTS,
  SORT_KEYS,
  START,
  type State,
} from '../../../pipeline/report/page/client/state.ts'
import { renderPage } from '../../../pipeline/report/page/index.ts'
import { encode, LIST_COLUMNS } from '../../../pipeline/report/page/payload.ts'
import { RUNGS } from '../../../pipeline/ladder.ts'

const matrix = syntheticMatrix(400)
const model = decode(encode(matrix))

test('packing loses nothing that the page shows', (t) => {
  for (const [i, row] of matrix.rows.entries()) {
    const back = model.rows[i]!
    t.is(back.path, row.path)
    t.is(RUNGS[back.rung], row.rung)
    t.is(back.reason, row.reason)
    t.is(back.detail, row.detail)
    for (const column of LIST_COLUMNS)
      t.deepEqual(
        back[column].map((id) => model.strings[id]),
        [...row[column]],
      )
    t.deepEqual(
      back.diagnostics.map(({ file, line, message, source }) => ({ file, line, message, source })),
      row.diagnostics.map(({ file, line, message, source }) => ({ file, line, message, source })),
    )
    t.is(row.wasm?.sha256.startsWith(back.sha256) ?? back.sha256 === '', true)
  }
})

test('a row written before a field was known is read', (t) => {
  const [first] = matrix.rows
  const { traps: _traps, pretends: _stubs, diagnostics: _diagnostics, ms: _ms, ...old } = first!
  const [row] = decode(encode({ ...matrix, rows: [old as typeof first & object] })).rows
  t.deepEqual([row!.traps, row!.pretends, row!.diagnostics, row!.ms], [[], [], [], []])
})

const states: fc.Arbitrary<State> = fc.record({
  q: fc.string().map((text) => text.trim()),
  rung: fc.constantFrom('', ...RUNGS),
  test: fc.constantFrom(...RUNG_TESTS),
  reason: fc.string(),
  class: fc.string(),
  bus: fc.string(),
  licence: fc.string(),
  dir: fc.string(),
  sym: fc.string({ unit: 'grapheme' }),
  change: fc.string(),
  sort: fc.constantFrom(...SORT_KEYS),
  down: fc.boolean(),
  open: fc.string({ unit: 'grapheme' }),
})

test('any view survives its address', (t) => {
  fc.assert(
    fc.property(states, (state) => {
      const expected = state.rung === '' ? { ...state, test: START.test } : state
      t.deepEqual(parseAddress(formatAddress(expected)), expected)
    }),
  )
})

test('an address that nobody wrote opens the page as it starts', (t) => {
  t.deepEqual(parseAddress('#rung=up:sky&sort=luck&x=1'), START)
  fc.assert(fc.property(fc.string(), (hash) => typeof parseAddress(hash).q === 'string'))
})

test('the count beside a choice is what choosing it lists', (t) => {
  const { select } = selectorOf(model)
  const state: State = { ...START, q: 'intel', bus: 'i2c' }
  const counts = countBut('reason', model, select(state), (row) => [row.reason])
  for (const [reason, count] of counts)
    t.is(select({ ...state, reason: reason === '' ? 'none' : reason }).rows.length, count, reason)
  const buses = countBut('bus', model, select(state), (row) => row.buses.map((id) => model.strings[id]!))
  for (const [bus, count] of buses) t.is(select({ ...state, bus }).rows.length, count, bus)
  t.true(buses.size > 2)
})

test('every filter narrows, and together they only narrow further', (t) => {
  const { select } = selectorOf(model)
  const some: Partial<State>[] = [
    { q: 'realtek' },
    { rung: 'link' },
    { rung: 'link', test: 'lt' },
    { reason: 'unresolved-symbol' },
    { class: 'net' },
    { bus: 'usb' },
    { licence: 'text:GPL' },
    { dir: 'drivers/net' },
    { sym: matrix.rows.find((row) => row.missing.length > 0)!.missing[0]! },
  ]
  fc.assert(
    fc.property(fc.subarray(some), fc.constantFrom(...some), (chosen, more) => {
      const base = Object.assign({}, START, ...chosen) as State
      const before = new Set(select(base).rows)
      const facets = FACETS.filter((facet) => base[facet] !== '' && facet in more)
      if (facets.length === 0) t.true(select({ ...base, ...more }).rows.every((row) => before.has(row)))
    }),
  )
})

test('the symbol most modules need comes first, with the modules it alone would link', (t) => {
  const ranked = rankMissing(model, selectorOf(model).select(START))
  const lacking = (name: string) => matrix.rows.filter((row) => row.missing.includes(name))
  for (const { name, modules, alone } of ranked.slice(0, 20)) {
    t.is(modules, lacking(name).length)
    t.is(alone, lacking(name).filter((row) => row.missing.length === 1).length)
  }
  t.deepEqual(
    ranked.map(({ modules }) => modules),
    ranked.map(({ modules }) => modules).toSorted((a, b) => b - a),
  )
})

test('a matrix compared with itself differs in nothing', (t) => {
  t.true(compareModels(model, model).rows.every((row) => row.change === 'same'))
})

test('what one comparison calls gained and appeared the opposite one calls lost and vanished', (t) => {
  const later = decode(encode(laterMatrix(matrix)))
  const tally = (rows: readonly { change: string }[]) => {
    const counts: Record<string, number> = {}
    for (const { change } of rows) counts[change] = (counts[change] ?? 0) + 1
    return counts
  }
  const forth = tally(compareModels(later, model).rows)
  const back = tally(compareModels(model, later).rows)
  t.deepEqual(
    [back['lost'], back['gained'], back['vanished'], back['appeared']],
    [forth['gained'], forth['lost'], forth['appeared'], forth['vanished']],
  )
  t.true(forth['gained']! > 0 && forth['vanished']! > 0)
})

test('the page needs nothing from anywhere and cannot be broken out of', (t) => {
  const nasty = '</script><script>alert(1)</script>'
  const page = renderPage({ ...matrix, tree: { name: nasty, version: nasty }, drvport: nasty }, { title: nasty })
  t.false(page.includes(nasty))
  t.is([...page.matchAll(/<script/g)].length, 3)
  t.deepEqual(
    [...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, target]) => target).filter((target) => target![0] !== '#'),
    [],
  )
  const packed = page.match(/id="matrix">([^<]*)</)![1]!
  t.deepEqual(
    JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString()).path,
    matrix.rows.map((row) => row.path),
  )
})

test('the same matrix gives the same page', (t) => {
  t.is(renderPage(matrix), renderPage(syntheticMatrix(400)))
})

test('the modules of the page share one scope without a clash', (t) => {
  const text = bundle(new URL('../../../pipeline/report/page/client/main.ts', import.meta.url).pathname)
  t.notThrows(() => new Script(`(async () => {${text}\n})`))
  t.notRegex(text, /^(import|export) /m)
})
