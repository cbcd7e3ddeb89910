/**
 * Compiling one file to one object, once: the object cache.
 *
 * An object is found again by what went into it: compiler, flags, the source, and the content of every header that was
 * read (from the compiler's own dependency list). Paths under known roots are kept relative to them, so a cache serves
 * a tree wherever it lies. How it was made (with precompiled headers or without) makes no difference to it. Knows
 * nothing of modules or links.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, exists, sha256, writeAtomic } from '../cache.ts'
import { asInfrastructure, InfrastructureError } from '../errors.ts'
import type { Reason } from '../matrix/types.ts'
import { parseDependencies, parseDiagnostics, type Diagnostic } from '../toolchain/diagnostics.ts'
import type { CompileLimits, RunOptions, Toolchain, ToolRun } from '../toolchain/types.ts'
import { definedSymbols, readObject, undefinedSymbols } from '../wasm/object.ts'
import { Beside } from './beside.ts'
import { commonFlags, type Root } from './flags.ts'
import { contentOf, InputTable, nameOf, type Input } from './input-table.ts'
import { compileByIr, isUntried, takesLabel, withoutWay } from './labels.ts'
import { contentByOptions } from './options-read.ts'
import { addVariant, readVariants, type Variant } from './object-index.ts'
import { Precompiler, type Unit } from './pch.ts'
import { sharedObject, shareObject } from './shared-objects.ts'
import { withWorkDirectory } from './work-directory.ts'

export { nameOf, type Input } from './input-table.ts'

export interface CompileJob {
  /** Absolute path of the C file. */
  readonly source: string
  /** Adopted kernel flags and the module's own; paths absolute. */
  readonly args: readonly string[]
  /** What has the last word: a file's own, from the table of overrides. */
  readonly last?: readonly string[]
  /** Part of the kernel itself: without the checks that drivers get. */
  readonly kernel?: boolean
}

/** Why a file has no object. */
export type CompileReason = Extract<
  Reason,
  'compile-error' | 'compiler-crash' | 'timeout' | 'out-of-memory' | 'wrong-output'
>

/** Global symbols of an object, sorted, each once. */
export interface ObjectSymbols {
  readonly defines: readonly string[]
  readonly needs: readonly string[]
}

export interface CompileOutcome {
  readonly ok: boolean
  /** Path of the object in the cache. */
  readonly object?: string
  /** Content hash of the object. */
  readonly sha256?: string
  readonly symbols?: ObjectSymbols
  /** Present when there is no object. */
  readonly reason?: CompileReason
  /** One line: what the compiler said, or how it ended. */
  readonly detail?: string
  readonly inputs: readonly Input[]
  readonly diagnostics: readonly Diagnostic[]
  readonly ms: number
  readonly cached: boolean
}

/** State shared by the compiles of one build: hashes are taken once, unknown flags found out once. */
export interface CompileContext {
  readonly toolchain: Toolchain
  readonly roots: readonly Root[]
  readonly inputs: InputTable
  readonly beside: Beside
  readonly unknownFlags: Map<string, Promise<ReadonlySet<string>>>
  readonly signal: AbortSignal | undefined
  readonly limits: CompileLimits
  /** Absent where the toolchain makes no precompiled headers. */
  readonly precompiler: Precompiler | undefined
}

/** Far beyond what any file of a kernel takes: a compile that reaches them will not end well. */
export const COMPILE_LIMITS: CompileLimits = { cpuSeconds: 300, wallSeconds: 1200, memoryBytes: 8 * 2 ** 30 }

export function compileContext(
  toolchain: Toolchain,
  roots: readonly Root[],
  signal?: AbortSignal,
  limits: CompileLimits = COMPILE_LIMITS,
): CompileContext {
  const longestFirst = roots.toSorted((a, b) => b.dir.length - a.dir.length)
  return {
    toolchain,
    roots: longestFirst,
    inputs: new InputTable(longestFirst),
    beside: new Beside(longestFirst),
    unknownFlags: new Map(),
    signal,
    limits,
    precompiler: toolchain.precompiles === true ? new Precompiler(toolchain, signal) : undefined,
  }
}

/** The roots a file is compiled with: a local one only for what lies in it, so that all else is compiled once. */
const rootsFor = ({ roots }: CompileContext, source: string): readonly Root[] =>
  roots.filter(({ dir, local, users = dir }) => local !== true || source.startsWith(`${users}/`))

/** Roots replaced by their short names, so that equal compiles have equal keys on every computer. */
function portable(context: CompileContext, text: string): string {
  return context.roots.reduce((result, root) => result.replaceAll(root.dir, `<${root.as}>`), text)
}

/**
 * Flags that this compiler rejects as unknown: Kbuild chose its flags for the compiler the tree was configured with,
 * which may be newer. Found by asking the compiler, with an empty program.
 */
function unknownFlags(context: CompileContext, args: readonly string[]): Promise<ReadonlySet<string>> {
  const codegen = args.filter((arg) => /^-[fm]/.test(arg) && arg !== '-mllvm')
  const key = contentKey([context.toolchain.id, ...codegen])
  let found = context.unknownFlags.get(key)
  if (found === undefined) {
    found = askUnknownFlags(context, codegen, key)
    context.unknownFlags.set(key, found)
  }
  return found
}

async function askUnknownFlags(
  context: CompileContext,
  codegen: readonly string[],
  key: string,
): Promise<ReadonlySet<string>> {
  const store = cachePath('flags', `${key}.json`)
  const known = await fs.readFile(store, 'utf8').catch(() => undefined)
  if (known !== undefined) return new Set(JSON.parse(known) as string[])
  const rejected = new Set<string>()
  let understood = false
  await withWorkDirectory(async (dir) => {
    const source = path.join(dir, 'empty.c')
    await fs.writeFile(source, 'extern int nothing;\n')
    for (let round = 0; round < 8; round++) {
      const args = codegen.filter((arg) => !rejected.has(arg))
      const options = runOptions(context, dir)
      const run = await context.toolchain.compile(['--target=wasm32-wasi', ...args, '-fsyntax-only', source], options)
      const before = rejected.size
      for (const match of run.output.matchAll(/(?:unknown argument|unsupported option)[^']*'([^']+)'/g))
        rejected.add(match[1] as string)
      understood = run.ok
      if (run.ok || rejected.size === before) break
    }
  })
  // What a compiler said that failed of something else is no answer for the next run.
  if (understood) await writeAtomic(store, JSON.stringify([...rejected]))
  return rejected
}

const runOptions = ({ signal, limits }: CompileContext, cwd: string): RunOptions => ({
  cwd,
  limits,
  ...(signal && { signal }),
})

const objectPath = (sha: string) => cachePath('objects', sha.slice(0, 2), `${sha}.o`)
const indexPath = (key: string) => cachePath('objects', 'index', key.slice(0, 2), `${key}.zst`)

interface Hit {
  readonly variant: Variant
  readonly inputs: readonly Input[]
}

/**
 * Whether a result was made with headers of another configuration: they lie where no root is. Threads of one process once
 * overwrote each other's precompiled headers, and such objects may still be in somebody's cache.
 */
const isForeign = ({ inputs }: Variant, configurations: string): boolean =>
  inputs.some((name) => name.startsWith(configurations))

/** A failure that was kept before there was a way around it. */
const isOutdated = ({ object, diagnostics }: Variant): boolean =>
  object === undefined && diagnostics.some(({ message }) => isUntried(message))

const sameByOptions = ({ byOptions }: Variant, inputs: readonly Input[]): boolean =>
  byOptions !== undefined && byOptions === contentByOptions(inputs)

/** A result made before from what the files hold now, as far as it could tell. */
async function findHit(context: CompileContext, { key, args }: Unit): Promise<Hit | undefined> {
  const configurations = `${cachePath('kbuild')}/`
  for (const variant of await readVariants(indexPath(key))) {
    if (isForeign(variant, configurations) || isOutdated(variant)) continue
    const inputs = await context.inputs.byName(variant.inputs)
    if (contentOf(inputs) !== variant.content && !sameByOptions(variant, inputs)) continue
    if (variant.beside !== (await context.beside.of(args, inputs))) continue
    if (variant.object === undefined || (await exists(objectPath(variant.object)))) return { variant, inputs }
  }
  return undefined
}

function outcomeOf({ variant, inputs }: Hit, start: number, cached: boolean): CompileOutcome {
  const { object, diagnostics, defines, needs } = variant
  const facts = { inputs, ms: performance.now() - start, cached }
  if (object === undefined) return { ...failure('compile-error', diagnostics), ...facts }
  return { ok: true, object: objectPath(object), sha256: object, symbols: { defines, needs }, diagnostics, ...facts }
}

const failure = (reason: CompileReason, diagnostics: readonly Diagnostic[]) => {
  const [first] = diagnostics
  const where = first === undefined || first.line === 0 ? (first?.file ?? '') : `${first.file}:${first.line}`
  return { ok: false, reason, detail: `${where}: ${first?.message ?? reason}`, diagnostics } as const
}

/** The whole command line, and the key under which its objects are found. */
async function unitOf(context: CompileContext, job: CompileJob): Promise<Unit> {
  const rejected = await unknownFlags(context, job.args)
  const args = [
    ...job.args.filter((arg) => !rejected.has(arg)),
    ...commonFlags(rootsFor(context, job.source), job.kernel === true),
    ...(job.last ?? []),
  ]
  const name = nameOf(context.roots, job.source)
  const key = contentKey([context.toolchain.id, name, ...mapsInOrder(args.map((arg) => portable(context, arg)))])
  return { key, source: job.source, args }
}

const MAP = '-ffile-prefix-map='
const nameIn = (map: string): string => map.slice(map.lastIndexOf('=') + 1)

/** Which root has the longer path says nothing of an object: names of roots in the order of names, the tree's own last. */
function mapsInOrder(args: readonly string[]): readonly string[] {
  const later = (a: string, b: string): boolean => b !== '' && (a === '' || a > b)
  const maps = args.filter((arg) => arg.startsWith(MAP)).map((map) => [nameIn(map), map] as const)
  const sorted = maps.toSorted(([a], [b]) => (a === b ? 0 : later(a, b) ? 1 : -1))
  let at = 0
  return args.map((arg) => (arg.startsWith(MAP) ? sorted[at++]![1] : arg))
}

/** Say what is going to be compiled, so that headers common to many of these files are read once. */
export function prepareObjects(
  context: CompileContext,
  sources: readonly { readonly source: string; readonly job: () => CompileJob }[],
): void {
  context.precompiler?.prepare(
    sources.map(({ source, job }) => ({
      source,
      unit: async () => {
        const unit = await unitOf(context, job())
        return (await findHit(context, unit)) === undefined ? unit : undefined
      },
    })),
  )
}

/**
 * Compile a file, or find what it compiled to before. A file that does not compile, or that the compiler dies of, is a
 * result; throws InfrastructureError (no compiler, disk full) and Interrupted.
 */
export async function compileObject(context: CompileContext, job: CompileJob): Promise<CompileOutcome> {
  const start = performance.now()
  const unit = await unitOf(context, job)
  try {
    const hit = (await findHit(context, unit)) ?? (await bringShared(context, unit))
    if (hit === undefined) return await compileFresh(context, unit, start)
    await share(unit.key, hit, false)
    return outcomeOf(hit, start, true)
  } catch (error) {
    throw asInfrastructure(error, unit.source)
  } finally {
    await context.precompiler?.done(unit.key)
  }
}

/** An object that another computer made of the same, put into this cache. */
async function bringShared(context: CompileContext, unit: Unit): Promise<Hit | undefined> {
  const hash = async (name: string) => (await context.inputs.byName([name]))[0]?.sha256
  const there = await sharedObject(unit.key, hash)
  const symbols = there && symbolsOf(there.bytes)?.symbols
  if (there === undefined || symbols === undefined) return undefined
  const inputs = await context.inputs.byName(there.inputs.map(([name]) => name))
  // Whether it was passed over there, too, nobody says.
  if ((await context.beside.of(unit.args, inputs)) !== undefined) return undefined
  await writeAtomic(objectPath(there.sha256), there.bytes)
  const made = { object: there.sha256, ...symbols, diagnostics: [] }
  return withWorkDirectory((dir) => remember(context, unit, inputs, made, dir))
}

async function share(key: string, { variant: { object }, inputs }: Hit, made: boolean): Promise<void> {
  if (object === undefined) return
  const read = inputs.map((input) => [input.name, input.sha256] as const)
  await shareObject(key, { sha256: object, file: objectPath(object), inputs: read }, made)
}

function compileFresh(context: CompileContext, unit: Unit, start: number): Promise<CompileOutcome> {
  return withWorkDirectory(async (dir) => {
    const object = path.join(dir, 'object.o')
    const run = await compileQuickly(context, unit, object, runOptions(context, dir))
    refuseInfrastructure(run.output, unit.source)
    const diagnostics = parseDiagnostics(run.output).map((found) => ({
      ...found,
      file: nameOf(context.roots, path.normalize(found.file)),
    }))
    const reason = reasonOf(run, diagnostics)
    const read = await filesRead(context, unit, `${object}.d`, reason === 'compile-error')
    const inputs = await context.inputs.byFile(
      (read ?? [unit.source]).filter((file) => context.precompiler?.owns(file) !== true),
    )
    const made = reason === undefined ? await fs.readFile(object).then(symbolsOf, () => undefined) : undefined
    if (made !== undefined) {
      const target = objectPath(made.sha)
      await fs.mkdir(path.dirname(target), { recursive: true })
      await fs.rename(object, target)
      const hit = await remember(context, unit, inputs, { object: made.sha, ...made.symbols, diagnostics }, dir)
      await share(unit.key, hit, true)
      return outcomeOf(hit, start, false)
    }
    const said = (message: string) => [{ file: nameOf(context.roots, unit.source), line: 0, message }]
    if (reason === 'compile-error') {
      const told = diagnostics.length > 0 ? diagnostics.filter(isTelling) : said(lastLine(run.output))
      if (read !== undefined && isFinal(told))
        await remember(context, unit, inputs, { defines: [], needs: [], diagnostics: told }, dir)
      return { ...failure(reason, told), inputs, ms: performance.now() - start, cached: false }
    }
    const how = reason === undefined ? NO_OBJECT : (run.death?.how ?? lastLine(run.output))
    return { ...failure(reason ?? 'wrong-output', said(how)), inputs, ms: performance.now() - start, cached: false }
  })
}

/**
 * Every file that a compile read; undefined when that is not known. A back end that gives up takes the list with it, so
 * it is asked for by itself where it is `needed`.
 */
async function filesRead(context: CompileContext, unit: Unit, list: string, needed: boolean) {
  const known = () => fs.readFile(list, 'utf8').then(parseDependencies, () => undefined)
  const read = await known()
  if (read !== undefined || !needed) return read
  await context.toolchain.compile(
    [...unit.args, '-M', '-MF', list, unit.source],
    runOptions(context, path.dirname(list)),
  )
  return known()
}

/** The driver's own words about a front end that failed add nothing to what that has told. */
const isTelling = ({ line, message }: Diagnostic, _at: number, all: readonly Diagnostic[]): boolean =>
  line > 0 || !message.startsWith('clang frontend command failed') || !all.some((other) => other.line > 0)

const NO_OBJECT = 'what the compiler wrote is no wasm object'

/** Hash and symbols of an object; undefined for what is none. */
function symbolsOf(bytes: Uint8Array): { sha: string; symbols: ObjectSymbols } | undefined {
  const names = (symbols: { name: string }[]) => [...new Set(symbols.map((symbol) => symbol.name))].toSorted()
  try {
    const object = readObject(bytes)
    const symbols = { defines: names(definedSymbols(object)), needs: names(undefinedSymbols(object)) }
    return { sha: sha256(bytes), symbols }
  } catch {
    return undefined
  }
}

async function remember(
  context: CompileContext,
  { key, args }: Unit,
  inputs: readonly Input[],
  result: Omit<Variant, 'inputs' | 'content' | 'byOptions' | 'beside'>,
  dir: string,
): Promise<Hit> {
  const byOptions = contentByOptions(inputs)
  const beside = await context.beside.of(args, inputs)
  const content = {
    content: contentOf(inputs),
    ...(byOptions !== undefined && { byOptions }),
    ...(beside !== undefined && { beside }),
  }
  const variant = { inputs: inputs.map((input) => input.name), ...content, ...result }
  await addVariant(indexPath(key), variant, path.join(dir, 'index'))
  return { variant, inputs }
}

/** Errors that stay as long as what was read stays: not those about files that may still come. */
export const isFinal = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.length > 0 &&
  diagnostics.every(({ line, message }) => line > 0 && !/file not found|No such file|Could not find/i.test(message))

/** One in so many objects made with precompiled headers is compiled plainly, too, wherever it is made. */
const SAMPLE = 100

const isSampled = (key: string): boolean => Number.parseInt(key.slice(0, 8), 16) % SAMPLE === 0

/** Equal objects whichever way is what makes precompiled headers no part of a key: a difference ends the run. */
async function compareWithPlain(context: CompileContext, unit: Unit, object: string, options: RunOptions) {
  const plain = `${object}.plain`
  const run = await context.toolchain.compile([...unit.args, '-c', unit.source, '-o', plain], options)
  // A plain compile that dies of its limits says nothing of the headers.
  if (!run.ok) return
  const [made, expected] = await Promise.all([fs.readFile(object), fs.readFile(plain)])
  await fs.rm(plain, { force: true })
  if (made.equals(expected)) return
  throw new InfrastructureError(
    `${nameOf(context.roots, unit.source)} compiles to something else with precompiled headers`,
    {
      expected: `the object of a plain compile, ${sha256(expected)}`,
      found: sha256(made),
      todo: 'this is a mistake of drvport: please report it with these two hashes',
    },
  )
}

/** With a precompiled header where there is one. What fails with it is compiled without: the plain result counts. */
async function compileQuickly(context: CompileContext, unit: Unit, object: string, options: RunOptions) {
  const list = ['-MD', '-MF', `${object}.d`, '-MT', 'object']
  const output = [...list, '-c', unit.source, '-o', object]
  const use = await context.precompiler?.argsFor(unit)
  if (use !== undefined) {
    const run = await context.toolchain.compile([...use.args, ...output], options)
    // A compile that takes too long would do so again.
    const counts = run.ok ? await isPlain(object, use.witnesses) : run.death?.reason === 'timeout'
    if (counts && run.ok && isSampled(unit.key)) await compareWithPlain(context, unit, object, options)
    if (counts) return run
    context.precompiler?.failed()
    await fs.rm(object, { force: true })
  }
  const run = await context.toolchain.compile([...unit.args, ...output], options)
  if (run.ok || !takesLabel(run.output)) return run
  const files = { source: unit.source, object, output: list }
  return (await compileByIr(context.toolchain, unit.args, files, options)) ?? { ...run, output: withoutWay(run.output) }
}

/** Whether an object is there, and is what the plain compile would make: without any of these texts. */
async function isPlain(file: string, texts: readonly Buffer[]): Promise<boolean> {
  if (texts.length === 0) return true
  const bytes = await fs.readFile(file).catch(() => undefined)
  return bytes !== undefined && !texts.some((text) => bytes.includes(text))
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? 'the compiler failed and said nothing'

/** Why a run made no object; undefined when it should have. */
function reasonOf(run: ToolRun, diagnostics: readonly Diagnostic[]): CompileReason | undefined {
  if (run.death !== undefined) return run.death.reason
  if (run.ok) return undefined
  if (/LLVM ERROR: out of memory|std::bad_alloc|Cannot allocate memory/.test(run.output)) return 'out-of-memory'
  // The back end stops with a crash report after an error it has told: the error says more.
  const told = diagnostics.some(({ line }) => line > 0)
  if (!told && /PLEASE submit a bug report|Stack dump:|LLVM ERROR:/.test(run.output)) return 'compiler-crash'
  return 'compile-error'
}

/** A full disk is not the driver's fault. */
function refuseInfrastructure(output: string, source: string): void {
  const full = /No space left on device|Disk quota exceeded|Read-only file system/i.exec(output)
  if (full !== null)
    throw new InfrastructureError('cannot write the object', {
      where: source,
      found: full[0],
      todo: 'free space or move the cache with DRVPORT_CACHE',
    })
}
