import test from 'ava'
import { describeTally, Tally } from '../../cli/matrix-display.ts'
import { share, waiting } from '../../cli/output.ts'
import { rowOf } from '../../pipeline/matrix/row.ts'
import { NOTHING } from '../../pipeline/build/module.ts'

const rowEvent = (name: string, rung: 'compile' | 'link', objects: number) => {
  const result = { ...NOTHING, name, path: `drivers/${name}.ko`, rung, ms: { compile: 1, link: 1, total: 2 } }
  return { step: 'row', row: rowOf(result), objects } as const
}

/** Ten modules of three objects each; one is made every two seconds. */
function half(): Tally {
  const tally = new Tally()
  tally.hear({ step: 'plan', modules: 10, objects: 30, toolchain: 'clang' }, 0)
  for (let i = 0; i < 5; i++) {
    tally.hear({ step: 'start', module: `m${i}` }, i * 2000)
    tally.hear(rowEvent(`m${i}`, i === 0 ? 'compile' : 'link', 3), (i + 1) * 2000)
    tally.rate((i + 1) * 2000)
  }
  tally.hear({ step: 'start', module: 'm5' }, 10_000)
  return tally
}

test('a terminal gets a bar, the rate, the time left, totals and what is under way', (t) => {
  const { text, below } = describeTally(half(), 10_000, true)
  t.is(text, '[############............] 5 of 10 modules (50.0 %)')
  t.deepEqual(below, ['0.5 modules/s, 1.5 objects/s, 10 s left', 'compile 1, link 4', 'now m5'])
})

test('elsewhere the same is one line', (t) => {
  const { text, below } = describeTally(half(), 10_000, false)
  t.is(
    text,
    '5 of 10 modules (50.0 %): 0.5 modules/s, 1.5 objects/s, 10 s left; compile 1, link 4; now m5', // prettier-ignore
  )
  t.deepEqual(below, [])
})

test('while the kernel below them is compiled, that is what is told, and no rate of modules', (t) => {
  const tally = new Tally()
  tally.hear({ step: 'plan', modules: 3, objects: 9, toolchain: 'clang' }, 0)
  tally.hear({ step: 'kernel', text: 'compiling the kernel of 7.3.0, once: 812 of 1,900 files' }, 60_000)
  const told = 'compiling the kernel of 7.3.0, once: 812 of 1,900 files, for 3 modules'
  t.is(describeTally(tally, 60_000, false).text, told)
  t.is(describeTally(tally, 60_000, true).text, told)
  tally.hear({ step: 'start', module: 'm0' }, 61_000)
  t.true(describeTally(tally, 61_000, false).text.startsWith('0 of 3 modules'))
})

test('the rate is that of the last minute: a cached part does not make promises for the rest', (t) => {
  const tally = new Tally()
  tally.hear({ step: 'plan', modules: 1000, objects: 1000, toolchain: 'clang' }, 0)
  for (let i = 0; i < 500; i++) tally.hear(rowEvent(`m${i}`, 'link', 1), 100)
  for (let second = 1; second <= 120; second++) {
    tally.hear(rowEvent(`n${second}`, 'link', 1), second * 1000)
    tally.rate(second * 1000)
  }
  const { modules, remaining } = tally.rate(120_000)
  t.true(modules > 0.9 && modules < 1.1, `${modules}`)
  t.true((remaining ?? 0) > 340 && (remaining ?? 0) < 420, `${remaining}`)
})

test('times and shares as people say them', (t) => {
  t.deepEqual([waiting(0.4), waiting(59), waiting(754), waiting(7540)], ['1 s', '59 s', '12 min 34 s', '2 h 5 min'])
  t.deepEqual([share(9999, 10_000), share(1, 3), share(0, 0)], ['99.9 %', '33.3 %', ''])
})

test('a large module under way moves the rate before it is a row', (t) => {
  const tally = new Tally()
  tally.hear({ step: 'plan', modules: 2, objects: 1001, toolchain: 'clang' }, 0)
  tally.hear({ step: 'start', module: 'amdgpu' }, 0)
  for (let second = 1; second <= 10; second++) {
    for (let i = 0; i < 3; i++) tally.hear({ step: 'object', module: 'amdgpu' }, second * 1000)
    tally.rate(second * 1000)
  }
  const { objects, remaining } = tally.rate(10_000)
  t.is(objects, 3)
  t.is(Math.round(remaining!), Math.round((1001 - 30 + 4) / 3))
})
