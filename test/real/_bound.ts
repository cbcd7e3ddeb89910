/** A small core and modules over it, compiled by the newest clang there is, and a loader for them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bindModule,
  coreSymbols,
  finishCore,
  readLinkable,
  type BindOptions,
  type BoundModule,
  type CoreSymbols,
  type ExportedName,
} from '../../pipeline/bind/index.ts'
import { moduleEntries } from '../../pipeline/build/flags.ts'

const fixtures = join(import.meta.dirname, 'fixtures', 'bind')

const have = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Version of clang and wasm-ld; undefined when there is none. */
export const version = ['22', '19'].find((v) => ['clang', 'wasm-ld'].every((tool) => have(`${tool}-${v}`)))

const work = mkdtempSync(join(tmpdir(), 'drvport-bind-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

/** Objects by file and flags. */
const compiled = new Map<string, Uint8Array>()

/** The object of a file of fixtures/bind. */
export function compile(file: string, ...flags: string[]): Uint8Array {
  const key = [file, ...flags].join('')
  const known = compiled.get(key)
  if (known !== undefined) return known
  const object = join(work, `${key}.o`)
  const target = ['--target=wasm32-wasi', '-mcpu=mvp', '-mbulk-memory', '-msign-ext', '-mmutable-globals']
  const debug = ['-gdwarf-4', '-gline-tables-only', '-fdebug-compilation-dir=/']
  const sections = ['-ffunction-sections', '-fdata-sections', '-O2', '-Wno-everything']
  execFileSync(`clang-${version}`, [...target, ...debug, ...sections, ...flags, '-c', file, '-o', object], {
    cwd: fixtures,
  })
  compiled.set(key, readFileSync(object))
  return compiled.get(key)!
}

/** Where modules go: behind the stack, before the core's data. */
export const MODULE_BASE = 0x10000
export const CORE_DATA = 0x30000
export const MEMORY_PAGES = 8

const offered = ['counter', 'quiet', 'table_of_three', 'twice', 'add_up', 'host_answer', 'register_handler', 'is_first']
const more = ['run_handlers', 'deep', 'shallow']
export const EXPORTED: readonly ExportedName[] = [
  ...[...offered, ...more, 'only_in_some_configuration'].map((symbol) => ({ symbol, gplOnly: false })),
  { symbol: 'gpl_only', gplOnly: true },
]

export interface Core {
  readonly linked: Uint8Array
  readonly wasm: Uint8Array
  readonly symbols: CoreSymbols
}

/** The core of fixtures/bind/core.c, ready for modules. `keep` are the exports that stay. */
export function makeCore(keep: readonly string[] = ['__stack_pointer']): Core {
  compile('core.c')
  const output = join(work, 'core.wasm')
  const layout = ['--stack-first', '-z', 'stack-size=65536', `--global-base=${CORE_DATA}`, '--table-base=4096']
  const memory = ['--import-memory', '--import-table', `--initial-memory=${MEMORY_PAGES * 65536}`]
  const exports = ['__stack_pointer', '__heap_base'].map((name) => `--export=${name}`)
  const named = EXPORTED.map(({ symbol }) => `--export-if-defined=${symbol}`)
  const flags = ['--no-entry', '--gc-sections', '--import-undefined', ...layout, ...memory, ...exports, ...named]
  execFileSync(`wasm-ld-${version}`, [...flags, join(work, 'core.c.o'), '-o', output])
  const linked = readFileSync(output)
  return { linked, wasm: finishCore(linked, EXPORTED, new Set(keep)), symbols: coreSymbols(linked, EXPORTED) }
}

/** Everything in one link, as wasm-ld does it: what core and bound modules are held against. `exports` are functions. */
export function linkAll(files: readonly string[], exports: readonly string[], data: readonly string[]): Uint8Array {
  const objects = files.map((file) => {
    compile(file)
    return join(work, `${file}.o`)
  })
  const output = join(work, 'all.wasm')
  const named = [...exports, ...data, '__stack_pointer'].map((name) => `--export=${name}`)
  const flags = ['--no-entry', '--gc-sections', '--allow-undefined', '--table-base=4096', '--export-table', ...named]
  execFileSync(`wasm-ld-${version}`, [...flags, ...objects, '-o', output], { stdio: 'pipe' })
  return readFileSync(output)
}

/** Bind objects compiled from these files. */
export function bind(
  name: string,
  files: readonly string[],
  core: CoreSymbols,
  peers: readonly BoundModule[],
  options: Partial<BindOptions> = {},
): BoundModule {
  const last = peers.at(-1)
  return bindModule(
    files.map((file) => readLinkable(compile(file), file)),
    core,
    peers,
    {
      name,
      entries: moduleEntries(name),
      self: { bytes: 300, page: 4096 },
      memoryBase: last?.memory.end ?? MODULE_BASE,
      memoryEnd: CORE_DATA,
      tableBase: last?.table.end ?? core.tableEnd,
      ...options,
    },
  )
}

/** What modules and core import from one another, and from a host. */
export class Loaded {
  readonly memory = new WebAssembly.Memory({ initial: MEMORY_PAGES })
  readonly table: WebAssembly.Table
  readonly core: WebAssembly.Exports
  readonly host: WebAssembly.Imports

  constructor({ wasm, symbols }: Core, host: WebAssembly.Imports) {
    this.host = host
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: symbols.tableEnd + 100 })
    const env = { memory: this.memory, __indirect_function_table: this.table }
    const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)
    this.core = new WebAssembly.Instance(module, { ...host, env }).exports
  }

  load(bound: BoundModule, wasm = bound.wasm): WebAssembly.Instance {
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {}
    for (const [group, calls] of Object.entries(this.host)) imports[group] = { ...calls }
    imports['env'] = { ...this.core, memory: this.memory, __indirect_function_table: this.table }
    for (const { from, name, slot } of bound.imports)
      if (slot !== undefined) (imports[from] ??= {})[name] = this.function(slot)
    new Uint8Array(this.memory.buffer).fill(0, bound.memory.start, bound.memory.end)
    return new WebAssembly.Instance(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), imports)
  }

  function(slot: number): (...args: unknown[]) => number {
    return this.table.get(slot) as (...args: unknown[]) => number
  }

  word(address: number): number {
    return new DataView(this.memory.buffer).getInt32(address, true)
  }

  text(address: number): string {
    const bytes = new Uint8Array(this.memory.buffer)
    return Buffer.from(bytes.subarray(address, bytes.indexOf(0, address))).toString()
  }
}
