/** Calls put into finished modules: what they compute, what they count and what they are asked stays the same. */
import test from 'ava'
import fc from 'fast-check'
import { CALLS_MODULE, functionsOf, withCalls } from '../../../pipeline/rewrite/calls.ts'
import { BREAK_MODULE, findPlaces, parseBreak, withBreaks } from '../../../pipeline/rewrite/breakpoints.ts'
import { encodeLines } from '../../../pipeline/wasm/lines.ts'
import { instrument } from '../../../pipeline/wasm/instrument.ts'
import { Writer } from '../../../pipeline/wasm/bytes.ts'
import { readModule, readModuleName } from '../../../pipeline/wasm/module.ts'
import { assemble, I32, sample } from '../wasm/_build.ts'

interface Exports {
  fib(n: number): number
  sum(n: number): number
  push(n: number): number
  via(n: number): number
  drvport_fuel: WebAssembly.Global
}

const noop = (): void => {}
const abi = { log: { note: noop }, sched: { preempt: noop, resched: noop, stack_overflow: noop } }

function start<T = Exports>(bytes: Uint8Array, more: WebAssembly.Imports = {}): T {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  return new WebAssembly.Instance(module, { ...abi, ...more }).exports as unknown as T
}

/** A told copy, and what it tells. */
function told<T = Exports>(wasm: Uint8Array) {
  const functions = functionsOf(wasm, undefined)
  // What the pipeline adds has no name.
  const own = functions.filter(({ name }) => !name.startsWith('function '))
  const names = new Map(own.map(({ index, name }) => [index, name]))
  const { bytes, original } = withCalls(wasm, new Set(names.keys()))
  const said: string[] = []
  const values: unknown[] = []
  const pass = (value: unknown): void => void values.push(value)
  const say = (mark: string) => (index: number) =>
    void said.push(`${mark}${names.get(index)} ${values.splice(0).join(' ')}`)
  const imports = { i32: pass, i64: pass, f32: pass, f64: pass, enter: say('>'), leave: say('<') }
  return { run: start<T>(bytes, { [CALLS_MODULE]: imports }), said, original, bytes }
}

const finished = instrument(sample()).bytes

test('a module that tells of its calls computes the same and counts the same work', (t) => {
  fc.assert(
    fc.property(fc.constantFrom('fib', 'sum', 'push', 'via'), fc.integer({ min: 1, max: 14 }), (name, n) => {
      const outcome = (run: Exports) => {
        run.drvport_fuel.value = 100_000
        try {
          return [run[name as 'fib'](n), run.drvport_fuel.value]
        } catch (error) {
          return [(error as Error).constructor.name, run.drvport_fuel.value]
        }
      }
      t.deepEqual(outcome(told(finished).run), outcome(start(finished)))
    }),
    { seed: 4, numRuns: 60 },
  )
})

test('calls are told with arguments and results, nested, and balanced when all return', (t) => {
  const { run, said } = told(finished)
  run.fib(2)
  t.deepEqual(said, ['>fib 2', '>fib 1', '<fib 1', '>fib 0', '<fib 0', '<fib 1'])
})

test('every way out of a function is told: return, a branch to its end, and falling off it', (t) => {
  // f(n): block { n == 1 -> return 10; n == 2 -> br to the function's end with 20; } 30
  const wasm = assemble({
    types: [[[I32], [I32]]],
    functions: [
      {
        type: 0,
        code: [
          0x02, 0x40, 0x20, 0, 0x41, 1, 0x46, 0x04, 0x40, 0x41, 10, 0x0f, 0x0b, 0x41, 20, 0x20, 0, 0x41, 2, 0x46, 0x0d,
          1, 0x1a, 0x0b, 0x41, 30, 0x0b,
        ],
      },
    ],
    exports: [['f', 0, 0]],
  })
  const { run, said } = told<{ f(n: number): number }>(wasm)
  t.deepEqual([run.f(1), run.f(2), run.f(3)], [10, 20, 30])
  t.deepEqual(said, ['>f 1', '<f 10', '>f 2', '<f 20', '>f 3', '<f 30'])
})

test('offsets of the copy lead back to the instruction they were copied from', (t) => {
  const { bytes, original } = told(finished)
  const copy = readModule(bytes)
  const module = readModule(finished)
  let found = 0
  for (const body of copy.bodies) {
    for (let at = body.start; at < body.end; at++) {
      const from = original(at)!
      t.true(from >= module.code!.start && from < module.code!.end)
      if (bytes[at] === finished[from]) found++
    }
  }
  // Calls were renumbered and wrapped; everything else is the same byte.
  t.true(found > module.code!.end - module.code!.start - 40)
})

test('a copy is called what its module is: a stack says whose frames it shows', (t) => {
  const own = new Writer().name('module_x')
  const names = new Writer().u8(0).u32(own.length).bytes(own.view()).u8(1).u32(1).u8(0).finish()
  const module = instrument(sample({ custom: [['name', names]] })).bytes
  t.is(readModuleName(readModule(told(module).bytes)), 'module_x')
  t.is(readModuleName(readModule(told(finished).bytes)), undefined)
})

/** Two functions, f at lines 10 to 12 with g (line 30) inlined into it. */
function lined() {
  const wasm = assemble({
    types: [[[I32, I32], [I32]]],
    // f(a, b): a = a + b; a = a + a; return a
    functions: [{ type: 0, code: [0x20, 0, 0x20, 1, 0x6a, 0x21, 0, 0x20, 0, 0x20, 0, 0x6a, 0x21, 0, 0x20, 0, 0x0b] }],
    exports: [['f', 0, 0]],
  })
  const module = readModule(wasm)
  const codeStart = module.code!.start
  const first = module.bodies[0]!.start + 1 - codeStart
  const scopes = [
    { name: '', parent: 0, callFile: 0, callLine: 0 },
    { name: 'f', parent: 0, callFile: 0, callLine: 0 },
    { name: 'g', parent: 1, callFile: 1, callLine: 11 },
  ]
  const lines = encodeLines({ codeStart, files: ['', 'drivers/x/f.c'], scopes }, [
    { offset: first, file: 1, line: 10, scope: 1 },
    { offset: first + 7, file: 1, line: 30, scope: 2 },
    { offset: first + 14, file: 1, line: 12, scope: 1 },
  ])
  return { wasm, lines }
}

/** Stops at a specification while f(3, 4) runs: place, arguments. */
function stops(spec: string): string[] {
  const { wasm, lines } = lined()
  const places = findPlaces(lines, parseBreak(spec)!)
  const { bytes, name } = withBreaks(wasm, places)
  const seen: string[] = []
  const values: number[] = []
  const pass = (value: number): void => void values.push(value)
  const hit = (place: number, index: number): void => {
    const at = places[place]!
    seen.push(`${at.function}:${at.line} in ${name(index)}(${values.splice(0).join(', ')})`)
  }
  const run = start<{ f(a: number, b: number): number }>(bytes, {
    [BREAK_MODULE]: { i32: pass, i64: pass, f32: pass, f64: pass, hit },
  })
  seen.push(`= ${run.f(3, 4)}`)
  return seen
}

test('a breakpoint on a line is hit before it runs, with what the function was called with', (t) => {
  t.deepEqual(stops('f.c:10'), ['f:10 in f(3, 4)', '= 14'])
  // By line 12 the parameter holds something else; the arguments are those of the call all the same.
  t.deepEqual(stops('x/f.c:12'), ['f:12 in f(3, 4)', '= 14'])
})

test('a line without code stands for the next one that has some; a far one for none', (t) => {
  t.deepEqual(stops('f.c:11'), ['f:12 in f(3, 4)', '= 14'])
  t.deepEqual(stops('f.c:200'), ['= 14'])
  t.deepEqual(stops('other.c:10'), ['= 14'])
})

test('a breakpoint on a function is hit where control comes into it, inlined or not', (t) => {
  t.deepEqual(stops('f'), ['f:10 in f(3, 4)', '= 14'])
  t.deepEqual(stops('g'), ['g:30 in f(3, 4)', '= 14'])
  t.deepEqual(stops('f.c:g'), ['g:30 in f(3, 4)', '= 14'])
  t.deepEqual(stops('h'), ['= 14'])
})

test('what is no breakpoint is refused', (t) => {
  for (const text of ['', '12', 'f.c:', ':12', 'f.c:0', 'a b', 'f.c:12:3']) t.is(parseBreak(text), undefined, text)
})
