import test from 'ava'
import { WasmError } from '../../../pipeline/wasm/bytes.ts'
import { instrument } from '../../../pipeline/wasm/instrument.ts'
import { readFunctionNames, readModule } from '../../../pipeline/wasm/module.ts'
import { toNew, toOriginal } from '../../../pipeline/wasm/offsets.ts'
import { Writer } from '../../../pipeline/wasm/bytes.ts'
import { sample } from './_build.ts'

interface Exports {
  fib(n: number): number
  sum(n: number): number
  push(n: number): number
  via(n: number): number
  drvport_fuel: WebAssembly.Global
  drvport_stack_limit: WebAssembly.Global
  drvport_room: WebAssembly.Global
}

function start(bytes: Uint8Array, preempt: () => unknown = () => {}, resched: () => unknown = () => {}): Exports {
  const overflow = (): never => {
    throw new Error('stack overflow')
  }
  const imports = { log: { note() {} }, sched: { preempt, resched, stack_overflow: overflow } }
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const exports = new WebAssembly.Instance(module, imports).exports as unknown as Exports
  if (exports.drvport_room !== undefined) exports.drvport_room.value = 1 << 30
  return exports
}

test('the instrumented module computes what the original did', (t) => {
  const before = start(sample())
  const after = start(instrument(sample()).bytes)
  t.is(after.fib(15), before.fib(15))
  t.is(after.sum(100), before.sum(100))
  t.is(after.via(1), before.via(1))
})

test('every loop turn and every recursive entry costs one unit of fuel', (t) => {
  const m = start(instrument(sample()).bytes)
  m.drvport_fuel.value = 1000
  m.sum(100)
  t.is(m.drvport_fuel.value, 900)
  m.drvport_fuel.value = 1000
  m.fib(5)
  t.is(m.drvport_fuel.value, 1000 - 15)
})

/** fill(n), copy(n), and a fill of a constant length. */
const bulk = (constant: number): Parameters<typeof sample>[0] => ({
  exports: [
    ['memory', 2, 0],
    ['__stack_pointer', 3, 0],
    ['fill', 0, 1],
    ['copy', 0, 2],
    ['constant', 0, 3],
  ],
  functions: [
    { type: 1, code: [0x41, 0, 0x41, 7, 0x20, 0, 0xfc, 11, 0, 0x41, 0, 0x0b] },
    { type: 1, code: [0x41, 0, 0x41, 0, 0x20, 0, 0xfc, 10, 0, 0, 0x41, 0, 0x0b] },
    {
      type: 1,
      code: [0x41, 0, 0x41, 7, 0x41, ...new Writer().s32(constant).finish(), 0xfc, 11, 0, 0x41, 0, 0x0b],
    },
  ],
  elements: [1],
})

interface Bulk extends Record<'fill' | 'copy' | 'constant', (n: number) => number> {
  readonly memory: WebAssembly.Memory
  readonly drvport_fuel: WebAssembly.Global
}

test('a call that may lead back takes its share of the engine stack, and gives it back', (t) => {
  const m = start(instrument(sample()).bytes)
  const share = start(instrument(sample()).bytes, () => {})
  const before = m.drvport_room.value as number
  m.fib(10)
  m.via(2)
  t.is(m.drvport_room.value, before)
  const one = new WebAssembly.Module(instrument(sample()).bytes as Uint8Array<ArrayBuffer>)
  const stub = (): void => {}
  const fresh = new WebAssembly.Instance(one, {
    log: { note: stub },
    sched: { preempt: stub, resched: stub, stack_overflow: stub },
  })
  const taken = (fresh.exports['drvport_room'] as WebAssembly.Global).value as number
  t.true(taken > 160, 'as loaded, what one call takes')
  // fib(n) is n - 1 calls deep.
  share.drvport_room.value = 9 * taken
  t.is(share.fib(10), 55)
  share.drvport_room.value = 9 * taken - 1
  t.throws(() => share.fib(10), { message: 'stack overflow' })
})

test('what works on a range costs a unit each 64 bytes, before it begins; short constant lengths cost nothing', (t) => {
  for (const [name, length, constant, units] of [
    ['fill', 65_536, 1, 1024],
    ['fill', 63, 1, 0],
    ['copy', 6400, 1, 100],
    ['copy', 0, 1, 0],
    ['constant', 0, 256, 0],
    ['constant', 0, 257, 4],
  ] as const) {
    const m = start(instrument(sample(bulk(constant))).bytes) as unknown as Bulk
    m.drvport_fuel.value = 5000
    m[name](length)
    t.is(5000 - (m.drvport_fuel.value as number), units, `${name} ${length} ${constant}`)
  }
  const enough = (): never => {
    throw new Error('enough')
  }
  const m = start(instrument(sample(bulk(1))).bytes, enough) as unknown as Bulk
  m.drvport_fuel.value = 100
  t.throws(() => m.fill(6500), { message: 'enough' })
  t.is(new Uint8Array(m.memory.buffer)[0], 0, 'nothing was filled')
  t.throws(() => m.fill(-1), { message: 'enough' }, 'a length beyond every memory, too')
})

test('straight code costs a unit each 64 instructions, and so do calls of functions too short to count', (t) => {
  const code = (count: number, instruction: number[]): number[] =>
    Array.from({ length: count }, () => instruction).flat()
  const bytes = sample({
    exports: [
      ['__stack_pointer', 3, 0],
      ['straight', 0, 1],
      ['calls', 0, 2],
      ['turns', 0, 3],
    ],
    functions: [
      { type: 1, code: [...code(6400, [0x01]), 0x41, 0, 0x0b] },
      { type: 1, code: [...code(100, [0x10, 4]), 0x41, 0, 0x0b] },
      // Ten turns of a loop with a long body.
      {
        type: 1,
        code: [0x03, 0x40, ...code(640, [0x01]), 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x41, 0, 0x0b],
      },
      { type: 0, code: [0x0b] },
    ],
    elements: [1],
  })
  const m = start(instrument(bytes).bytes) as unknown as Record<string, (n: number) => number> & {
    readonly drvport_fuel: WebAssembly.Global
  }
  for (const [name, argument, least, most] of [
    ['straight', 0, 100, 102],
    ['calls', 0, 50, 54],
    ['turns', 10, 100, 120],
  ] as const) {
    m.drvport_fuel.value = 5000
    m[name]!(argument)
    const used = 5000 - (m.drvport_fuel.value as number)
    t.true(used >= least && used <= most, `${name} ${used}`)
  }
})

test('an exhausted counter calls preempt, which can end the module', (t) => {
  let calls = 0
  const m = start(instrument(sample()).bytes, () => {
    if (++calls === 3) throw new Error('enough')
  })
  m.drvport_fuel.value = 10
  t.throws(() => m.sum(0), { message: 'enough' })
  t.is(calls, 3)
})

test('only what preempt leaves below zero calls resched', (t) => {
  let switches = 0
  const m = start(
    instrument(sample()).bytes,
    () => (m.drvport_fuel.value = switches < 2 ? -1 : 1000),
    () => switches++,
  )
  m.drvport_fuel.value = 10
  m.sum(100)
  t.is(switches, 2)
  t.is(m.drvport_fuel.value, 1000 - (100 - 13))
})

test('a stack pointer below the limit is an overflow', (t) => {
  const m = start(instrument(sample()).bytes)
  m.drvport_stack_limit.value = 0x8000 - 16
  t.is(m.push(16), 0x8000 - 16)
  t.throws(() => m.push(1), { message: 'stack overflow' })
})

test('imports the module has already are used; indexes stay', (t) => {
  const bytes = sample({
    imports: [
      ['sched', 'stack_overflow', 0],
      ['log', 'note', 0],
      ['sched', 'preempt', 0],
    ],
    exports: [['__stack_pointer', 3, 0]],
    functions: [{ type: 0, code: [0x03, 0x40, 0x0b, 0x10, 3, 0x0b] }],
    elements: [3],
  })
  const module = readModule(instrument(bytes).bytes)
  t.is(module.imports.length, 4, 'resched was not there')
  t.true(WebAssembly.validate(module.bytes as Uint8Array<ArrayBuffer>))
})

test('offsets map both ways, a stack check to what came before it, the count of a loop to the loop', (t) => {
  const original = sample()
  const { bytes, offsets } = instrument(original)
  const from = readModule(original)
  const to = readModule(bytes)
  from.bodies.forEach((body, i) => {
    const start = body.start - (from.code?.start ?? 0)
    const moved = to.bodies[i]
    t.is(toNew(offsets, start) + offsets.codeStart, moved?.start ?? 0)
    t.is(toOriginal(offsets, moved?.start ?? 0), start)
    // The last byte is the `end` of the body in both.
    t.is(toOriginal(offsets, (moved?.end ?? 0) - 1), body.end - 1 - (from.code?.start ?? 0))
  })
  // sum: `loop` is the first instruction; the count behind it belongs to what the loop does first.
  const sum = to.bodies[1]
  const loop = (from.bodies[1]?.start ?? 0) + 3 - (from.code?.start ?? 0)
  t.is(toOriginal(offsets, (sum?.start ?? 0) + 3 + 10), loop + 2)
  t.is(toOriginal(offsets, 5), undefined)
})

test('names move with their functions; debug sections go', (t) => {
  const names = new Writer().u32(2).u32(0).name('note').u32(1).name('fib').finish()
  const section = new Writer().u8(1).u32(names.length).bytes(names).finish()
  const custom: [string, Uint8Array][] = [
    ['.debug_info', new Uint8Array(10)],
    ['name', section],
    ['producers', new Uint8Array(3)],
  ]
  const module = readModule(instrument(sample({ custom })).bytes)
  t.deepEqual(
    module.sections.filter((s) => s.id === 0).map((s) => s.name),
    ['name'],
  )
  t.deepEqual(
    [...readFunctionNames(module)],
    [
      [0, 'note'],
      [1, 'drvport_sched_preempt'],
      [2, 'drvport_sched_stack_overflow'],
      [3, 'drvport_sched_resched'],
      [4, 'fib'],
      [8, 'drvport_bulk'],
      [9, 'drvport_exhausted'],
    ],
  )
})

test('refuses what it cannot instrument', (t) => {
  const twice = instrument(sample()).bytes
  t.throws(() => instrument(twice), { instanceOf: WasmError, message: /already instrumented/ })
  t.throws(() => instrument(sample({ exports: [] })), { message: /__stack_pointer is not exported/ })
  t.throws(() => instrument(sample().subarray(0, 100)), { instanceOf: WasmError })
})

test('same input, same bytes', (t) => {
  t.deepEqual(instrument(sample()).bytes, instrument(sample()).bytes)
})
