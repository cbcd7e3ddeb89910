/** PGO: counting copies count, optimised modules compute the same, and their lines are those of the code they came from. */
import test from 'ava'
import fc from 'fast-check'
import { readFunctionNames, readModule } from '../../../pipeline/wasm/module.ts'
import { CodeWalker, readLocals } from '../../../pipeline/wasm/code.ts'
import { instrument } from '../../../pipeline/wasm/instrument.ts'
import { encodeLines, readLines, symbolize } from '../../../pipeline/wasm/lines.ts'
import { OP } from '../../../pipeline/wasm/opcodes.ts'
import { unitsAt } from '../../../pipeline/wasm/checks.ts'
import { LEAF } from '../../../pipeline/wasm/work.ts'
import { COUNTER, countCalls, fuelCheckOf } from '../../../pipeline/rewrite/count.ts'
import { inlineHot, type Counts } from '../../../pipeline/rewrite/inline.ts'
import { relocateLines } from '../../../pipeline/rewrite/relocate.ts'
import { assemble, I32, sample } from '../wasm/_build.ts'

const I64 = 0x7e
/** `if (++local5 < 4) goto the loop's head; end` */
const again = [0x20, 5, 0x41, 1, 0x6a, 0x22, 5, 0x41, 4, 0x48, 0x0d, 0, 0x0b]
type Exports = Record<string, (...args: number[]) => number> & { readonly drvport_fuel: WebAssembly.Global }

function start(bytes: Uint8Array): Exports {
  const imports = { log: { note() {} }, sched: { preempt() {}, resched() {}, stack_overflow() {} } }
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  return new WebAssembly.Instance(module, imports).exports as unknown as Exports
}

/** Counts of a run of a module's counting copy. */
function profile(bytes: Uint8Array, run: (exports: Exports) => void): Counts {
  const { rewritten, plan } = countCalls(bytes)
  const exports = start(rewritten.bytes)
  run(exports)
  const value = (id: number): number =>
    Number((exports as unknown as Record<string, WebAssembly.Global>)[COUNTER + id]!.value)
  return new Map(plan.functions.map((f) => [f.index, { entries: value(f.entries), calls: f.calls.map(value) }]))
}

test('a counting copy computes the same, counts the same work, and counts entries and calls exactly', (t) => {
  const bytes = instrument(sample()).bytes
  const plain = start(bytes)
  plain.fib!(10)
  let fuel = 0
  const counts = profile(bytes, (exports) => {
    t.is(exports.fib!(10), 55)
    fuel = exports.drvport_fuel.value as number
  })
  t.is(fuel, plain.drvport_fuel.value)
  // fib(10) enters fib 177 times; 88 of those call twice.
  t.deepEqual(counts.get(0), { entries: 177, calls: [88, 88] })
  t.is(counts.get(1)!.entries, 0)
})

/** A function of two parameters and two locals: statements, then a value. Calls go to functions of lower number only. */
type Node =
  | { readonly op: 'const' | 'get'; readonly n: number }
  | { readonly op: 'add' | 'xor' | 'call'; readonly n: number; readonly of: readonly [Node, Node] }
  | { readonly op: 'set' | 'return-if' | 'twice' | 'block'; readonly n: number; readonly of: readonly [Node, Node] }

const node = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ op: fc.constantFrom('const' as const, 'get' as const), n: fc.nat(63) }),
    fc.record({
      op: fc.constantFrom('add', 'xor', 'call', 'set', 'return-if', 'twice', 'block') as fc.Arbitrary<'add'>,
      n: fc.nat(63),
      of: fc.tuple(tie('node'), tie('node')),
    }),
  ),
})).node

/** Code that leaves one i32. Local 4 is an i64 that is only ever read as zero: a callee must find it so. */
function code(tree: Node, self: number): number[] {
  if (!('of' in tree))
    return tree.op === 'const'
      ? [0x41, tree.n]
      : tree.n % 5 === 4
        ? [0x20, 4, 0x42, 1, 0x7c, 0x22, 4, 0xa7]
        : [0x20, tree.n % 4]
  const [a, b] = [code(tree.of[0], self), code(tree.of[1], self)]
  switch (tree.op) {
    case 'add':
      return [...a, ...b, 0x6a]
    case 'xor':
      return [...a, ...b, 0x73]
    case 'call':
      return self === 0 ? [...a, ...b, 0x6a] : [...a, ...b, 0x10, tree.n % self]
    case 'set':
      return [...a, 0x21, tree.n % 4, ...b]
    case 'return-if':
      return [...a, 0x41, 1, 0x71, 0x04, 0x40, ...b, 0x0f, 0x0b, 0x20, tree.n % 4]
    case 'twice':
      // A loop that turns while local 5, which begins at zero in every call, stays small.
      return [0x03, 0x40, ...a, 0x21, tree.n % 4, ...again, ...b]
    case 'block':
      return [0x02, 0x7f, ...a, ...b, 0x0d, 0, 0x41, 3, 0x6a, 0x0b]
  }
}

const program = (trees: readonly Node[]): Uint8Array =>
  instrument(
    assemble({
      types: [
        [[], []],
        [[I32, I32], [I32]],
      ],
      memory: [1, 1, 1],
      globals: [0x8000],
      exports: [['__stack_pointer', 3, 0], ...trees.map((_, i): [string, number, number] => [`f${i}`, 0, i])],
      functions: trees.map((tree, i) => ({
        type: 1,
        locals: [
          [2, I32],
          [1, I64],
          [1, I32],
        ],
        code: [...code(tree, i), 0x0b],
      })),
    }),
  ).bytes

test('an optimised module computes what its bytecode does, for any program and profile', (t) => {
  fc.assert(
    fc.property(fc.array(node, { minLength: 2, maxLength: 5 }), fc.integer(), fc.integer(), (trees, x, y) => {
      const bytes = program(trees)
      const run = (exports: Exports): number[] =>
        trees.flatMap((_, i) => [exports[`f${i}`]!(x, y), exports[`f${i}`]!(y, x), exports[`f${i}`]!(1, 2)])
      const { rewritten } = inlineHot(
        bytes,
        profile(bytes, (exports) => void run(exports)),
      )
      const [before, after] = [start(bytes), start(rewritten.bytes)]
      t.deepEqual(run(after), run(before))
      // Entries that are gone are not counted; nothing is counted twice.
      t.true((after.drvport_fuel.value as number) >= (before.drvport_fuel.value as number))
    }),
    { numRuns: 150, seed: 4 },
  )
})

test('the same module and profile give the same bytes, and the checks own function stays last', (t) => {
  const bytes = instrument(sample()).bytes
  const counts = profile(bytes, (exports) => void exports.fib!(12))
  const [a, b] = [inlineHot(bytes, counts), inlineHot(bytes, counts)]
  t.deepEqual(a.rewritten.bytes, b.rewritten.bytes)
  const names = readFunctionNames(readModule(a.rewritten.bytes))
  t.deepEqual(names, readFunctionNames(readModule(bytes)))
})

test('recursion is not inlined into itself', (t) => {
  const bytes = instrument(sample()).bytes
  t.is(
    inlineHot(
      bytes,
      profile(bytes, (exports) => void exports.fib!(12)),
    ).inlined,
    0,
  )
})

test('a check charges for what other modules may do behind it, once their calls have been put there', (t) => {
  // f0 makes many calls into a core; f1 calls f0, and is charged for them when f0 is put into it.
  const calls = Array.from({ length: 30 }, () => [0x20, 0, 0x10, 0, 0x1a]).flat()
  const bytes = instrument(
    assemble({
      types: [
        [[], []],
        [[I32], [I32]],
      ],
      imports: [['core', 'work', 1]],
      functions: [
        { type: 1, code: [...calls, 0x20, 0, 0x0b] },
        { type: 1, code: [0x20, 0, 0x10, 1, 0x0b] },
      ],
    }),
    { depthOf: (from) => (from === 'core' ? 0 : undefined) },
  )
  const { rewritten, inlined } = inlineHot(bytes.bytes, new Map([[1, { entries: 9, calls: [9] }]]))
  t.is(inlined, 1)
  const module = readModule(rewritten.bytes)
  const { codeStart } = readLocals(rewritten.bytes, module.bodies[1]!.start, module.bodies[1]!.end)
  const units = unitsAt(fuelCheckOf(module), rewritten.bytes, codeStart, module.bodies[1]!.end)
  t.true(units >= (30 * LEAF) / 64, `${units} units`)
})

/** A line table in which every instruction has a line of its own and every function a scope. */
function everyInstruction(bytes: Uint8Array): Uint8Array {
  const module = readModule(bytes)
  const base = module.code!.start
  const scopes = ['', ...module.bodies.map((_, i) => `f${i}`)].map((name) => ({
    name,
    parent: 0,
    callFile: 0,
    callLine: 0,
  }))
  const rows = module.bodies.flatMap((body, i) => {
    const walker = new CodeWalker(bytes, readLocals(bytes, body.start, body.end).codeStart, body.end)
    const lines = []
    while (walker.next()) {
      const offset = walker.start - base
      lines.push({ offset, file: 1, line: offset, scope: i + 1 })
    }
    return lines
  })
  return encodeLines({ codeStart: base, files: ['', 'x.c'], scopes }, rows)
}

test('lines follow inlined code: the callee at its own line, within the caller at the line of the call', (t) => {
  // f0(x, y) = x + y; f1 calls f0; f2 calls f1.
  const calls = (to: number): Node => ({
    op: 'call',
    n: to,
    of: [
      { op: 'get', n: 0 },
      { op: 'get', n: 1 },
    ],
  })
  const bytes = program([
    {
      op: 'add',
      n: 0,
      of: [
        { op: 'get', n: 0 },
        { op: 'get', n: 1 },
      ],
    },
    calls(0),
    calls(1),
  ])
  const { rewritten, inlined } = inlineHot(
    bytes,
    profile(bytes, (exports) => void exports.f2!(1, 2)),
  )
  t.is(inlined, 3, 'f0 into f1, f1 into f2, and f0 within it')
  const lines = everyInstruction(bytes)
  const [before, after] = [readLines(lines), readLines(relocateLines(lines, rewritten))]
  const module = readModule(rewritten.bytes)
  const original = readModule(bytes)
  const add = 0x6a
  const find = (m: typeof module, function_: number, opcode: number): number => {
    const body = m.bodies[function_]!
    const walker = new CodeWalker(m.bytes, readLocals(m.bytes, body.start, body.end).codeStart, body.end)
    const first = m.importedFunctions.length
    const isOwn = (index: number): boolean => index >= first && index < first + 3
    while (walker.next()) if (walker.opcode === opcode && (opcode !== OP.call || isOwn(walker.a))) return walker.start
    throw new Error('no such instruction')
  }
  const line = (offset: number): number => symbolize(before, offset)[0]!.line
  const frames = symbolize(after, find(module, 2, add))
  t.deepEqual(
    frames.map(({ function: name, line: at, inlined: within }) => [name, at, within]),
    [
      ['f0', line(find(original, 0, add)), true],
      ['f1', line(find(original, 1, OP.call)), true],
      ['f2', line(find(original, 2, OP.call)), false],
    ],
  )
})
