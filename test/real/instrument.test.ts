/** The instrumenter and the line table on what clang really emits, held against llvm-symbolizer. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { ensureHostTools } from '../../pipeline/toolchain/host-packages.ts'
import { CodeWalker, readLocals } from '../../pipeline/wasm/code.ts'
import { extractLines } from '../../pipeline/wasm/extract.ts'
import { instrument } from '../../pipeline/wasm/instrument.ts'
import { parseStack, readLines, symbolize } from '../../pipeline/wasm/lines.ts'
import { readModule } from '../../pipeline/wasm/module.ts'
import { toOriginal } from '../../pipeline/wasm/offsets.ts'
import { readObject, definedSymbols, undefinedSymbols } from '../../pipeline/wasm/object.ts'

process.env['PATH'] = (await ensureHostTools(['clang'])).env['PATH']

const fixtures = join(import.meta.dirname, 'fixtures')
const work = mkdtempSync(join(tmpdir(), 'drvport-wasm-'))
test.after.always(() => rmSync(work, { recursive: true, force: true }))

const have = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
/** Versions of clang with their linker and symbolizer. */
const versions = ['19', '22'].filter((v) =>
  ['clang', 'wasm-ld', 'llvm-symbolizer'].every((tool) => have(`${tool}-${v}`)),
)
const newest = versions.at(-1) ?? ''
const real = versions.length > 0 ? test : test.skip

function compile(version: string, ...flags: string[]): { object: Uint8Array; linked: Uint8Array } {
  const name = join(work, [version, ...flags].join('').replaceAll(/[^a-z0-9]/gi, '_'))
  const common = [
    '--target=wasm32-wasi',
    '-Wno-deprecated',
    '-ffunction-sections',
    '-fdata-sections',
    '-c',
    join(fixtures, 'control.c'),
  ]
  execFileSync(`clang-${version}`, [...common, ...flags, '-o', `${name}.o`])
  const link = ['--no-entry', '--stack-first', '-z', 'stack-size=65536', '--export=__stack_pointer', '--gc-sections']
  execFileSync(`wasm-ld-${version}`, [...link, `${name}.o`, '-o', `${name}.wasm`])
  return { object: readFileSync(`${name}.o`), linked: readFileSync(`${name}.wasm`) }
}

interface Control {
  mix(n: number): number
  fib(n: number): number
  deep(n: number): number
  wide(x: number, y: bigint): number
  spin(): void
  dynamic(n: number): number
  divide(a: number, b: number): number
  drvport_fuel: WebAssembly.Global
  drvport_stack_limit: WebAssembly.Global
  drvport_room: WebAssembly.Global
}

function start(bytes: Uint8Array, preempt = (): void => {}): Control {
  const overflow = (): never => {
    throw new Error('stack overflow')
  }
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const imports = { log: { write() {} }, sched: { preempt, resched() {}, stack_overflow: overflow } }
  const exports = new WebAssembly.Instance(module, imports).exports as unknown as Control
  if (exports.drvport_room !== undefined) exports.drvport_room.value = 1 << 30
  return exports
}

for (const version of versions)
  for (const optimise of ['-O0', '-O1', '-O2', '-Os', '-O3'])
    real(`clang-${version} ${optimise}: same results, and the checks hold`, (t) => {
      const { linked } = compile(version, optimise, '-g')
      const after = instrument(linked).bytes
      const [plain, checked] = [start(linked), start(after)]
      for (const n of [0, 1, 7, 40]) t.is(checked.mix(n), plain.mix(n))
      t.is(checked.fib(15), plain.fib(15))
      t.is(checked.dynamic(300), plain.dynamic(300))
      t.is(checked.wide(2.5, 7n), plain.wide(2.5, 7n))
      checked.drvport_stack_limit.value = 30_000
      checked.deep(5)
      t.throws(() => checked.deep(60), { message: 'stack overflow' })
      const stopped = start(after, () => {
        throw new Error('enough')
      })
      stopped.drvport_fuel.value = 10_000
      t.throws(() => stopped.spin(), { message: 'enough' })
    })

/** Frames of llvm-symbolizer for code offsets. Without names and exports it takes functions from DWARF, as we do. */
function llvmFrames(version: string, linked: Uint8Array, offsets: number[]): string[][] {
  const file = join(work, 'symbolize.wasm')
  const sections = readModule(linked).sections.filter((s) => s.name !== 'name' && s.name !== 'export')
  writeFileSync(
    file,
    Buffer.concat([linked.subarray(0, 8), ...sections.map((s) => linked.subarray(s.headerStart, s.end))]),
  )
  const input = offsets.map((o) => `0x${o.toString(16)}\n`).join('')
  const text = execFileSync(`llvm-symbolizer-${version}`, [`--obj=${file}`, '--output-style=JSON'], {
    input,
    encoding: 'utf8',
  })
  return text
    .trim()
    .split('\n')
    .map((line) =>
      (JSON.parse(line) as { Symbol: { FunctionName: string; FileName: string; Line: number }[] }).Symbol.map(
        (s) => `${s.FunctionName} ${s.FileName}:${s.Line}`,
      ),
    )
}

for (const version of versions)
  for (const dwarf of ['-gdwarf-4', '-gdwarf-5', '-gline-tables-only'])
    real(`clang-${version} ${dwarf}: every instruction has the frames llvm-symbolizer gives`, (t) => {
      const { linked } = compile(version, '-O2', '-g', dwarf)
      const { bytes, offsets } = instrument(linked)
      const { bytes: lines, problems } = extractLines(linked, offsets)
      t.deepEqual(problems, [])
      const table = readLines(lines)
      const at: number[] = []
      for (const body of readModule(bytes).bodies) {
        const walker = new CodeWalker(bytes, readLocals(bytes, body.start, body.end).codeStart, body.end)
        while (walker.next()) at.push(walker.start)
      }
      const theirs = llvmFrames(
        version,
        linked,
        at.map((o) => toOriginal(offsets, o) ?? 0),
      )
      let compared = 0
      at.forEach((offset, i) => {
        // Where the compiler gave no line we look back and they do not; that is tested on its own.
        if (theirs[i]?.[0]?.endsWith(':0')) return
        compared++
        const ours = symbolize(table, offset).map((f) => `${f.function} ${f.file}:${f.line}`)
        // Line tables alone name only functions with something inlined; the name section has the rest.
        const expected = theirs[i]?.map((f, j) => (f.startsWith(' ') ? (ours[j]?.split(' ')[0] ?? '') + f : f))
        t.deepEqual(ours, expected, `at 0x${offset.toString(16)}`)
      })
      t.true(compared > 200)
    })

real('a trap names the C line, relative to the tree', (t) => {
  const { linked } = compile(newest, '-O2', '-g')
  const { bytes, offsets } = instrument(linked)
  const table = readLines(extractLines(linked, offsets, [{ from: `${fixtures}/`, to: 'drivers/' }]).bytes)
  const error = t.throws(() => start(bytes).divide(1, 0))
  const [frame] = parseStack(error?.stack ?? '').flatMap((f) => symbolize(table, f.offset))
  t.like(frame, { function: 'divide', file: 'drivers/control.c', line: 64 })
})

real('an overflow and an endless loop name the function that did it, and its line', (t) => {
  const { linked } = compile(newest, '-O2', '-g')
  const { bytes, offsets } = instrument(linked)
  const table = readLines(extractLines(linked, offsets).bytes)
  const first = (error: Error | undefined): unknown =>
    parseStack(error?.stack ?? '').flatMap((f) => symbolize(table, f.offset))[0]
  const module = start(bytes, () => {
    throw new Error('enough')
  })
  module.drvport_fuel.value = 1000
  module.drvport_stack_limit.value = 64_500
  t.like(first(t.throws(() => module.deep(60))), { function: 'deep', line: 46 })
  t.like(first(t.throws(() => module.spin())), { function: 'spin' })
})

real('an object file says what it defines and what it needs', (t) => {
  const object = readObject(compile(newest, '-O2', '-g').object)
  t.deepEqual(
    definedSymbols(object)
      .map((s) => s.name)
      .toSorted(),
    ['deep', 'divide', 'dynamic', 'fib', 'mix', 'spin', 'steps', 'wide'],
  )
  t.deepEqual(undefinedSymbols(object), [])
  t.is(object.symbols.find((s) => s.name === 'note')?.importModule, 'log')
})
