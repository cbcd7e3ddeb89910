import test from 'ava'
import { WasmError } from '../../../pipeline/wasm/bytes.ts'
import { encodeLines, parseStack, readLines, symbolize } from '../../../pipeline/wasm/lines.ts'
import { finish } from '../../../pipeline/wasm/finish.ts'
import { readModule } from '../../../pipeline/wasm/module.ts'
import { sample } from './_build.ts'

const head = {
  codeStart: 100,
  files: ['', 'drivers/net/a.c', 'include/linux/b.h'],
  scopes: [
    { name: '', parent: 0, callFile: 0, callLine: 0 },
    { name: 'probe', parent: 0, callFile: 0, callLine: 0 },
    { name: 'writel', parent: 1, callFile: 1, callLine: 12 },
  ],
}
const rows = [
  { offset: 2, file: 1, line: 10, scope: 1 },
  { offset: 8, file: 2, line: 300, scope: 2 },
  { offset: 12, file: 1, line: 0, scope: 1 },
  { offset: 20, file: 0, line: 0, scope: 0 },
]

test('a code offset gives its frames, innermost first', (t) => {
  const table = readLines(encodeLines(head, rows))
  t.deepEqual(symbolize(table, 103), [{ function: 'probe', file: 'drivers/net/a.c', line: 10, inlined: false }])
  t.deepEqual(symbolize(table, 109), [
    { function: 'writel', file: 'include/linux/b.h', line: 300, inlined: true },
    { function: 'probe', file: 'drivers/net/a.c', line: 12, inlined: false },
  ])
})

test('code without a line of its own takes the line before it in the same function', (t) => {
  const table = readLines(encodeLines(head, rows))
  t.like(symbolize(table, 113)[0], { function: 'probe', line: 10 })
})

test('offsets outside the code have no frames', (t) => {
  const table = readLines(encodeLines(head, rows))
  for (const offset of [0, 99, 101, 120, 5000]) t.deepEqual(symbolize(table, offset), [])
})

test('a function without debug information still has its name', (t) => {
  const { wasm, lines } = finish(sample())
  const body = readModule(wasm).bodies[1]
  t.deepEqual(symbolize(readLines(lines), body?.start ?? 0), [{ function: 'sum', file: '', line: 0, inlined: false }])
})

test('a damaged table is refused, never a crash', (t) => {
  const good = encodeLines(head, rows)
  for (let i = 0; i < good.length; i++) {
    t.throws(() => readLines(good.subarray(0, i)), { instanceOf: WasmError })
    const bad = good.slice()
    bad[i] = (bad[i] as number) ^ 0xff
    try {
      symbolize(readLines(bad), 109)
    } catch (error) {
      t.true(error instanceof WasmError, String(error))
    }
  }
})

test('wasm frames are read from a stack trace', (t) => {
  const stack = `RuntimeError: unreachable
    at f (wasm://wasm/t-1234:wasm-function[4]:0x1a0)
    at file:///x.ts:5:47
    at wasm://wasm/t-1234:wasm-function[12]:0xbeef`
  t.deepEqual(parseStack(stack), [
    { functionIndex: 4, offset: 0x1a0 },
    { functionIndex: 12, offset: 0xbeef },
  ])
})
