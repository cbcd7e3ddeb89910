/**
 * A driver made by hand: a module bound to the small core, instrumented and proved as the pipeline does it, in a package that the
 * machine loads like any other.
 *
 * Functions named as in HOOKABLE are hooked before its `init` runs. Calls are `group.name` for those of the ABI, and a plain name for
 * functions of its own and of the core (`hook`, `deliver`, `delay`, `spawn`, `later`, `block`, `yield`). A call of the ABI that may
 * have to wait is followed by `later` without being told to.
 */
import { boundClaims } from '../../../pipeline/bind/claims.ts'
import { boundTo, type BoundModule } from '../../../pipeline/bind/index.ts'
import { sha256 } from '../../../pipeline/cache.ts'
import { moduleImage } from '../../../pipeline/core/index.ts'
import { PACKAGE_SCHEMA, type Manifest } from '../../../pipeline/package.ts'
import { DEFAULT_ALLOWANCE, verifyBound, type Allowance } from '../../../pipeline/verify/index.ts'
import { finish } from '../../../pipeline/wasm/finish.ts'
import { CALLS } from '../../../linux-api/generated/abi.ts'
import type { BoundPackage } from '../../../machine/load/core.ts'
import type { DriverPackage } from '../../../machine/load/package.ts'
import { type Function, type Import, type Instruction, line, op } from '../../kernel/support.ts'
import { assembleLinked } from './assemble.ts'
import { abiImports, AREA, HOOK_NAMES, HOOKABLE, smallCore } from './core.ts'

/** Bytes put into memory before anything runs, by address in TEXTS. */
export type Texts = Readonly<Record<number, string | Uint8Array>>

/** Where texts may lie, and words that nobody else uses. */
export const TEXTS = AREA.start + 0x1000
export const WORDS = AREA.start + 0x8000
const MEMORY_END = AREA.start + 0x10000

export interface ModuleOptions {
  readonly texts?: Texts
  readonly policy?: Allowance
  /** Call groups it asks for; those it calls when not given. */
  readonly capabilities?: readonly string[]
}

/** Calls that answer LATER, by the table of the ABI; a switch between tasks is the core's. */
const waits = (full: string): boolean => {
  const [group, name] = full.split('.') as [keyof typeof CALLS, string]
  return /^(ipc|ring)$/.test(group) && (CALLS[group] as Record<string, { blocking: boolean }>)[name]?.blocking === true
}

const patient = (body: readonly Instruction[]): Instruction[] =>
  body.flatMap((part) => ('call' in part && waits(part.call) ? [part, op.call('later')] : [part]))

/** `init` with the hooks before it. */
function withHooks(functions: readonly Function[]): Function[] {
  const hooks = functions.filter(({ name }) => (HOOK_NAMES as readonly string[]).includes(name))
  for (const { name, params = 0, result = false } of hooks) {
    const wanted = HOOKABLE[name as keyof typeof HOOKABLE]
    if (wanted.params !== params || wanted.result !== result) throw new Error(`${name} is not of its hook's type`)
  }
  const own = functions.find(({ name }) => name === 'init')
  const init: Function = {
    name: 'init',
    result: true,
    locals: own?.locals ?? 0,
    body: [
      ...hooks.flatMap(({ name }) => line(op.value(HOOK_NAMES.indexOf(name as never)), op.slot(name), op.call('hook'))),
      ...(own?.body ?? [op.value(0)]),
    ],
  }
  return [init, ...functions.filter((one) => one !== own)].map((one) => ({ ...one, body: patient(one.body) }))
}

/** Functions of the core that are called, in the way that the binder imports them. */
function coreImports(functions: readonly Function[]): Import[] {
  const own = new Set(functions.map(({ name }) => name))
  const called = functions.flatMap(({ body }) => body.flatMap((part) => ('call' in part ? [part.call] : [])))
  return [...new Set(called)]
    .filter((name) => !name.includes('.') && !own.has(name))
    .map((name) => {
      const symbol = smallCore().symbols.functions.get(name)
      if (symbol === undefined) throw new Error(`no function ${name}`)
      const [params, results] = symbol.type.split('>') as [string, string]
      return { module: 'core', name, params: params.length, result: results !== '' }
    })
}

function dataOf(texts: Texts): { at: number; bytes: Uint8Array } | undefined {
  const pieces = Object.entries(texts).map(([at, text]) => ({
    at: Number(at) - TEXTS,
    bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text,
  }))
  if (pieces.length === 0) return undefined
  const bytes = new Uint8Array(Math.max(...pieces.map((piece) => piece.at + piece.bytes.length)))
  for (const piece of pieces) bytes.set(piece.bytes, piece.at)
  return { at: TEXTS, bytes }
}

/** The module's bytes as the binder leaves them, and what is said of it. */
function bind(name: string, functions: readonly Function[], texts: Texts): BoundModule {
  const { symbols } = smallCore()
  const all = withHooks(functions)
  const imports = [...coreImports(all), ...abiImports(all)]
  const slots = symbols.tableEnd
  const data = dataOf(texts)
  const wasm = assembleLinked({
    imports,
    functions: all,
    pages: MEMORY_END >> 16,
    entries: slots + all.length,
    slots,
    ...(data && { data }),
  })
  const exit = all.findIndex((one) => one.name === 'exit')
  return {
    name,
    wasm,
    functions: new Map(),
    data: new Map(),
    memory: { start: AREA.start, end: MEMORY_END },
    table: { start: slots, end: slots + all.length },
    imports: imports.map((item) => ({
      from: item.module,
      name: item.name,
      type: '',
      ...(item.module === 'core' && { slot: symbols.functions.get(item.name)!.slot }),
    })),
    sections: new Map(),
    modinfo: [],
    init: slots,
    ...(exit >= 0 && { exit: slots + exit }),
    constructors: [],
    self: AREA.start,
    functionCount: all.length,
    undefined: [],
    mismatched: [],
    duplicate: [],
    forbidden: [],
  }
}

/** A package of these functions, accepted by `policy`. */
export function modulePackage(
  name: string,
  functions: readonly Function[],
  { texts = {}, policy = DEFAULT_ALLOWANCE, capabilities }: ModuleOptions = {},
): DriverPackage {
  const { core, symbols, proved } = smallCore()
  const bound = bind(name, functions, texts)
  const { wasm, lines } = finish(bound.wasm, [], boundTo(symbols, []))
  const hash = sha256(wasm)
  const claims = boundClaims(bound, wasm, hash, core.sha256)
  const verdict = verifyBound(wasm, claims, proved, [], policy)
  if (!verdict.ok) throw new Error(`${name}: ${JSON.stringify(verdict.problems[0])}`)
  const module: BoundPackage = {
    name,
    sha256: hash,
    onCall: false,
    wasm: Uint8Array.from(wasm),
    lines,
    memory: bound.memory,
    table: bound.table,
    imports: bound.imports,
    image: moduleImage(bound, core.moduleBytes),
  }
  const file = { file: `${name}.wasm`, sha256: hash, bytes: wasm.length }
  const manifest: Manifest = {
    schema: PACKAGE_SCHEMA,
    name,
    abi: 1,
    tree: { name: 'none', version: '0' },
    toolchain: { name: 'none', version: '0' },
    modules: [name],
    wasm: file,
    lines: null,
    imports: claims.imports,
    capabilities: capabilities ?? claims.capabilities,
    ids: [],
    params: [],
    firmware: [],
    sources: [],
    licenses: [],
    gplOnly: [],
    core: {
      key: core.sha256,
      sha256: core.sha256,
      tableEnd: core.tableEnd,
      moduleBytes: core.moduleBytes,
      modules: [
        {
          name,
          wasm: file,
          lines: { ...file, file: `${name}.lines` },
          image: { ...file, file: `${name}.image` },
          memory: bound.memory,
          table: bound.table,
          imports: bound.imports,
        },
      ],
    },
  }
  return { manifest, wasm: module.wasm, lines, on: { core, modules: [module] } }
}
