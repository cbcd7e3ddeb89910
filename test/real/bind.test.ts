/** Modules bound to a small core, instantiated and run: what C promises across them holds. */
import test from 'ava'
import { decodeSymbols, encodeSymbols, type BoundModule } from '../../pipeline/bind/index.ts'
import { extractLines } from '../../pipeline/wasm/extract.ts'
import { parseStack, readLines, symbolize } from '../../pipeline/wasm/lines.ts'
import { readFunctionNames, readModule } from '../../pipeline/wasm/module.ts'
import type { OffsetMap } from '../../pipeline/wasm/offsets.ts'
import { CORE_DATA, Loaded, MODULE_BASE, bind, linkAll, makeCore, version } from './_bound.ts'

const real = version === undefined ? test.skip : test
const HOST = { mmio: { read32: (what: number) => what * 10, read16: () => -1 } }
const LOW_EXPORTS = ['low_total', 'low_step', 'low_debug'].map((symbol) => ({ symbol, gplOnly: false }))

const core = version === undefined ? undefined! : makeCore()
const low = (): BoundModule => bind('low', ['low.c'], core.symbols, [], { exports: LOW_EXPORTS })
const high = (peer: BoundModule): BoundModule =>
  bind('high', ['high.c', 'helper.c'], core.symbols, [peer], { exports: [{ symbol: 'high_answers', gplOnly: true }] })

const user = (): BoundModule =>
  bind('user', ['user.c'], core.symbols, [], { exports: [{ symbol: 'user_calls', gplOnly: false }] })

/** Both modules over the core, their inits called. */
function loaded() {
  const machine = new Loaded(core, HOST)
  const lower = low()
  const upper = high(lower)
  for (const module of [lower, upper]) {
    machine.load(module)
    machine.function(module.init!)()
  }
  const { slot } = upper.functions.get('high_answers')!
  return { machine, lower, upper, answer: machine.function(slot) as (which: number) => number }
}

real('a core keeps its exports as slots and addresses', (t) => {
  const { functions, data, tableEnd } = core.symbols
  const names = ['add_up', 'deep', 'gpl_only', 'host_answer', 'is_first', 'register_handler']
  t.deepEqual([...functions.keys()].toSorted(), [...names, 'run_handlers', 'shallow', 'twice'])
  t.deepEqual([...data.keys()].toSorted(), ['counter', 'quiet', 'table_of_three'])
  t.is(functions.get('add_up')!.type, 'iI>i')
  t.true(functions.get('gpl_only')!.gplOnly)
  const slots = [...functions.values()].map(({ slot }) => slot)
  t.is(new Set(slots).size, slots.length)
  t.true(slots.every((slot) => slot >= 4096 && slot < tableEnd))
  const kept = readModule(core.wasm).exports.map(({ name }) => name)
  t.deepEqual(kept, ['__stack_pointer'])
})

real('symbols survive their file', (t) => {
  const { functions, data, ...rest } = decodeSymbols(encodeSymbols(core.symbols))
  t.deepEqual(rest, { tableEnd: core.symbols.tableEnd, dataStart: CORE_DATA, heapBase: core.symbols.heapBase })
  t.deepEqual([...functions], [...core.symbols.functions].toSorted(byName))
  t.deepEqual([...data], [...core.symbols.data].toSorted(byName))
})

real('modules run over the core and over one another', (t) => {
  const { machine, lower, upper, answer } = loaded()
  t.deepEqual([upper.undefined, upper.mismatched, upper.duplicate, upper.forbidden], [[], [], [], []])
  t.is(answer(0), 1 + 2 + 41, 'an argument of 64 bits; data of the core that low has changed')
  t.is(answer(1), 2 + 6, "a peer's function through a pointer")
  t.is(answer(2), 1, 'a function of the core is the same pointer on both sides')
  t.is(answer(3), -1, 'a weak function that nobody has')
  t.is(answer(4), 1, 'weak data that nobody has')
  t.is(answer(5), 420, 'a name of the ABI that the core defines is the core’s')
  t.is(answer(6), 50, 'a call of the ABI')
  t.is(answer(7), 2, 'a pointer into an array of the core')
  t.is(answer(8), 2, 'the definition that is not weak')
  t.deepEqual([answer(9), answer(9)], [10, 11], 'a static, of a name that another object has too')
  t.is(answer(10), upper.self)
  t.is(answer(11), 1, 'pointers in data')
  t.is(answer(12), 6, "a peer's data")
  t.is(answer(13), 17, 'the C stack')
  const run = machine.function(core.symbols.functions.get('run_handlers')!.slot)
  t.is(run(2), 8, 'the core calls low, then high with what low said')
  t.is(machine.word(lower.data.get('low_total')!.address), 8)
})

real('core and modules do what one link of everything does', (t) => {
  const names = { low: 'init_module__low', high: 'init_module__high', answers: 'high_answers', run: 'run_handlers' }
  const files = ['core.c', 'low.c', 'high.c', 'helper.c', 'self.c']
  const wasm = linkAll(files, Object.values(names), ['counter', 'low_total', 'table_of_three'])
  const exports = new WebAssembly.Instance(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), {
    ...HOST,
    env: { host_answer: HOST.mmio.read16 },
  }).exports as unknown as Record<string, WebAssembly.Global> & Record<string, (x?: number) => number>
  const { machine, lower, answer } = loaded()
  const handlers = machine.function(core.symbols.functions.get('run_handlers')!.slot)
  exports[names.low]!()
  exports[names.high]!()
  // All but the address of struct module, and what is undefined behaviour.
  const asked = [0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13]
  const told = (ask: (which: number) => number, run: (x: number) => number) => [
    ...asked.map((which) => ask(which)),
    ...[1, -1, 2, -2].map((x) => run(x)),
    ...asked.map((which) => ask(which)),
  ]
  t.deepEqual(told(answer, handlers), told(exports[names.answers]!, exports[names.run]!))
  const view = new DataView((exports['memory'] as unknown as WebAssembly.Memory).buffer)
  const theirs = (name: string) => view.getInt32(exports[name]!.value as number, true)
  t.is(machine.word(core.symbols.data.get('counter')!.address), theirs('counter'))
  t.is(machine.word(lower.data.get('low_total')!.address), theirs('low_total'))
})

real('what is not reached is left out, and what is used is kept', (t) => {
  const module = low()
  const names = [...readFunctionNames(readModule(module.wasm)).values()]
  t.true(names.includes('low_step'))
  t.false(names.includes('dropped'))
  t.deepEqual(module.modinfo, ['license=GPL v2', 'author=nobody'])
  t.is(module.exit, undefined)
})

real('tables that Linux walks have bounds', (t) => {
  const { machine, lower, upper } = loaded()
  for (const [module, name, value] of [
    [lower, 'debug', 3],
    [upper, 'level', 8],
  ] as const) {
    const { start, end } = module.sections.get('__param')!
    t.is(end - start, 8)
    t.is(machine.text(machine.word(start)), name)
    t.is(machine.word(machine.word(start + 4)), value)
  }
})

real('tables and struct module have their pages to themselves', (t) => {
  const module = low()
  const { start, end } = module.sections.get('__param')!
  t.deepEqual([module.self % 4096, end % 4096, module.memory.start], [0, 0, module.self])
  t.true(start - module.self >= 300)
  t.true(module.data.get('low_total')!.address >= end, 'data follows')
  t.true(module.wasm.length < 4096, 'and no page of zeros is in the file')
})

real('modules lie side by side, each in its own range', (t) => {
  const lower = low()
  const upper = high(lower)
  t.is(lower.self % 4096, 0)
  t.true(lower.memory.start >= MODULE_BASE && lower.memory.end <= upper.memory.start && upper.memory.end <= CORE_DATA)
  t.is(lower.table.start, core.symbols.tableEnd)
  t.is(upper.table.start, lower.table.end)
  t.deepEqual(high(lower).wasm, upper.wasm, 'the same again')
})

real('GPL-only names bind to compatible licences only', (t) => {
  t.deepEqual(low().forbidden, [])
  const module = user()
  t.deepEqual(module.forbidden, ['gpl_only of core'])
  t.deepEqual(module.undefined, ['gpl_only', 'hidden_data', 'hidden_in_core'])
})

real('names that do not bind are told, and their calls trap by name', (t) => {
  const module = user()
  t.deepEqual(module.mismatched, ['twice: user.c has iI>i, core i>i'])
  const machine = new Loaded(core, HOST)
  machine.load(module)
  const call = machine.function(module.functions.get('user_calls')!.slot)
  for (const [which, name] of ['undefined:hidden_in_core', 'mismatched:twice'].entries()) {
    const error = t.throws(() => call(which), { instanceOf: WebAssembly.RuntimeError })
    t.true(error.stack!.includes(name), error.stack!)
  }
})

real('a module that does not fit is refused by size', (t) => {
  const error = t.throws(() => bind('low', ['low.c'], core.symbols, [], { memoryEnd: MODULE_BASE + 256 }))
  t.regex(error.message, /no room for module low/)
})

real('a trap in a bound module has its line', (t) => {
  const { machine, upper } = loaded()
  const { bytes } = extractLines(upper.wasm, identity(upper.wasm))
  machine.load(upper)
  const error = t.throws(() => machine.function(upper.functions.get('high_answers')!.slot)(99), {
    instanceOf: WebAssembly.RuntimeError,
  })
  const frames = parseStack(error.stack!).flatMap(({ offset }) => symbolize(readLines(bytes), offset))
  t.like(frames[0], { function: 'divide', file: '/helper.c', line: 9 })
  t.like(frames[1], { function: 'high_answers', file: '/high.c', line: 47 })
  t.true(error.stack!.includes('at high.divide'), 'engines show whose function it is')
})

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

/** The map of a module that nothing was added to. */
function identity(wasm: Uint8Array): OffsetMap {
  const zero = Uint32Array.of(0)
  return { codeStart: readModule(wasm).code!.start, newStarts: zero, originalStarts: zero }
}
