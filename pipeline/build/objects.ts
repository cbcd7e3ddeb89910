/**
 * Compiling one file to one object, once: the object cache.
 *
 * An object is found again by what went into it: compiler, flags, the source, and the content of every header that was
 * read (from the compiler's own dependency list). Paths under known roots are kept relative to them, so a cache serves
 * a tree wherever it lies. Knows nothing of modules or links.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, exists, sha256, temporaryName, writeAtomic } from '../cache.ts'
import { asInfrastructure, InfrastructureError } from '../errors.ts'
import { parseDependencies, parseDiagnostics, type Diagnostic } from '../toolchain/diagnostics.ts'
import type { RunOptions, Toolchain } from '../toolchain/types.ts'
import { commonFlags, type Root } from './flags.ts'
import { Precompiler, type Unit } from './pch.ts'
import { sharedObject, shareObject } from './shared-objects.ts'

/** A file the compiler read. */
export interface Input {
  /** Relative to its root, with the root's short name in front. */
  readonly name: string
  /** Absolute. */
  readonly file: string
  readonly sha256: string
}

export interface CompileJob {
  /** Absolute path of the C file. */
  readonly source: string
  /** Adopted kernel flags and the module's own; paths absolute. */
  readonly args: readonly string[]
}

export interface CompileOutcome {
  readonly ok: boolean
  /** Path of the object in the cache. */
  readonly object?: string
  /** Content hash of the object. */
  readonly sha256?: string
  readonly inputs: readonly Input[]
  readonly diagnostics: readonly Diagnostic[]
  readonly ms: number
  readonly cached: boolean
}

interface Variant {
  /** Names and hashes of all inputs when this object was made. */
  readonly inputs: readonly (readonly [name: string, sha256: string])[]
  readonly object: string
}

/** State shared by the compiles of one build: hashes are taken once, unknown flags found out once. */
export interface CompileContext {
  readonly toolchain: Toolchain
  readonly roots: readonly Root[]
  readonly hashes: Map<string, Promise<string | undefined>>
  readonly unknownFlags: Map<string, Promise<ReadonlySet<string>>>
  readonly signal: AbortSignal | undefined
  /** Absent where the toolchain makes no precompiled headers. */
  readonly precompiler: Precompiler | undefined
}

export function compileContext(toolchain: Toolchain, roots: readonly Root[], signal?: AbortSignal): CompileContext {
  const longestFirst = roots.toSorted((a, b) => b.dir.length - a.dir.length)
  const precompiler = toolchain.precompiles === true ? new Precompiler(toolchain, signal) : undefined
  return { toolchain, roots: longestFirst, hashes: new Map(), unknownFlags: new Map(), signal, precompiler }
}

/** The name of a file in results: relative to the innermost root that holds it. */
export function nameOf(roots: readonly Root[], file: string): string {
  const root = roots.find(({ dir }) => file.startsWith(`${dir}/`))
  return root === undefined ? file : root.as + file.slice(root.dir.length + 1)
}

/** The roots a file is compiled with: a local one only for what lies in it, so that all else is compiled once. */
const rootsFor = ({ roots }: CompileContext, source: string): readonly Root[] =>
  roots.filter(({ dir, local }) => local !== true || source.startsWith(`${dir}/`))

/** The file of a name; the inverse of nameOf. Names of the root '' are those no other root claims. */
function fileOf(roots: readonly Root[], name: string): string {
  const root = roots.find(({ as }) => as !== '' && name.startsWith(as)) ?? roots.find(({ as }) => as === '')
  if (root === undefined || path.isAbsolute(name)) return name
  return path.join(root.dir, name.slice(root.as.length))
}

function hashOf(context: CompileContext, file: string): Promise<string | undefined> {
  let hash = context.hashes.get(file)
  if (hash === undefined) {
    hash = fs.readFile(file).then(sha256, () => undefined)
    context.hashes.set(file, hash)
  }
  return hash
}

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
  const source = temporaryName(cachePath('flags', 'empty.c'))
  await writeAtomic(source, 'extern int nothing;\n')
  try {
    for (let round = 0; round < 8; round++) {
      const args = codegen.filter((arg) => !rejected.has(arg))
      const options = { cwd: path.dirname(source), ...(context.signal && { signal: context.signal }) }
      const run = await context.toolchain.compile(['--target=wasm32-wasi', ...args, '-fsyntax-only', source], options)
      const before = rejected.size
      for (const match of run.output.matchAll(/(?:unknown argument|unsupported option)[^']*'([^']+)'/g))
        rejected.add(match[1] as string)
      if (run.ok || rejected.size === before) break
    }
  } finally {
    await fs.rm(source, { force: true })
  }
  await writeAtomic(store, JSON.stringify([...rejected]))
  return rejected
}

async function inputsFrom(context: CompileContext, files: readonly string[]): Promise<Input[]> {
  const unique = [...new Set(files.map((file) => path.normalize(file)))]
  const inputs = await Promise.all(
    unique.map(async (file) => ({
      name: nameOf(context.roots, file),
      file,
      sha256: (await hashOf(context, file)) ?? '',
    })),
  )
  return inputs.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

async function findVariant(
  context: CompileContext,
  index: string,
): Promise<{ variant: Variant; inputs: Input[] } | undefined> {
  const text = await fs.readFile(index, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  for (const variant of JSON.parse(text) as Variant[]) {
    const files = variant.inputs.map(([name]) => fileOf(context.roots, name))
    const hashes = await Promise.all(files.map((file) => hashOf(context, file)))
    if (!variant.inputs.every(([, sha], i) => hashes[i] === sha)) continue
    if (!(await exists(objectPath(variant.object)))) continue
    const inputs = variant.inputs.map(([name, sha], i) => ({ name, file: files[i] as string, sha256: sha }))
    return { variant, inputs }
  }
  return undefined
}

const objectPath = (sha: string) => cachePath('objects', sha.slice(0, 2), `${sha}.o`)

/** Variants kept for one command: the overlay or a header may change back. */
const VARIANTS_MAX = 4

async function remember(index: string, variant: Variant): Promise<void> {
  const text = await fs.readFile(index, 'utf8').catch(() => '[]')
  const others = (JSON.parse(text) as Variant[]).filter(
    (old) => JSON.stringify(old.inputs) !== JSON.stringify(variant.inputs),
  )
  await writeAtomic(index, JSON.stringify([variant, ...others].slice(0, VARIANTS_MAX)))
}

const indexPath = (key: string) => cachePath('objects', 'index', key.slice(0, 2), `${key}.json`)

/** The whole command line, and the key under which its objects are found. */
async function unitOf(context: CompileContext, job: CompileJob): Promise<Unit> {
  const rejected = await unknownFlags(context, job.args)
  const args = [...job.args.filter((arg) => !rejected.has(arg)), ...commonFlags(rootsFor(context, job.source))]
  const name = nameOf(context.roots, job.source)
  const key = contentKey([context.toolchain.id, name, ...args.map((arg) => portable(context, arg))])
  return { key, source: job.source, args }
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
        return (await findVariant(context, indexPath(unit.key))) === undefined ? unit : undefined
      },
    })),
  )
}

/** Compile a file, or find what it compiled to before. A compile error is a result, not an exception. */
export async function compileObject(context: CompileContext, job: CompileJob): Promise<CompileOutcome> {
  const start = performance.now()
  const unit = await unitOf(context, job)
  const hit = await findVariant(context, indexPath(unit.key))
  if (hit !== undefined) return found(unit, hit, start)
  try {
    const brought = await bringShared(context, unit)
    return brought === undefined ? await compileFresh(context, unit, start) : await found(unit, brought, start)
  } finally {
    await context.precompiler?.done(unit.key)
  }
}

type Hit = NonNullable<Awaited<ReturnType<typeof findVariant>>>

async function found(unit: Unit, { variant, inputs }: Hit, start: number): Promise<CompileOutcome> {
  await share(unit, variant, false)
  const ms = performance.now() - start
  const { object } = variant
  return { ok: true, object: objectPath(object), sha256: object, inputs, diagnostics: [], ms, cached: true }
}

/** An object that another computer made of the same, put into this cache. */
async function bringShared(context: CompileContext, { key }: Unit): Promise<Hit | undefined> {
  const there = await sharedObject(key, (name) => hashOf(context, fileOf(context.roots, name)))
  if (there === undefined) return undefined
  await writeAtomic(objectPath(there.sha256), there.bytes)
  await remember(indexPath(key), { inputs: there.inputs, object: there.sha256 })
  return findVariant(context, indexPath(key))
}

const share = ({ key }: Unit, { object, inputs }: Variant, made: boolean): Promise<void> =>
  shareObject(key, { sha256: object, file: objectPath(object), inputs }, made)

async function compileFresh(context: CompileContext, unit: Unit, start: number): Promise<CompileOutcome> {
  const object = temporaryName(cachePath('objects', 'work', path.basename(unit.source, '.c')))
  const list = `${object}.d`
  try {
    await fs.mkdir(path.dirname(object), { recursive: true })
    const options = { cwd: path.dirname(object), ...(context.signal && { signal: context.signal }) }
    const output = ['-MD', '-MF', list, '-MT', 'object', '-c', unit.source, '-o', object]
    const run = await compileQuickly(context, unit, object, output, options)
    const read = await fs.readFile(list, 'utf8').then(parseDependencies, () => [unit.source])
    const files = read.filter((file) => context.precompiler?.owns(file) !== true)
    const inputs = await inputsFrom(context, files)
    const diagnostics = parseDiagnostics(run.output).map((d) => ({
      ...d,
      file: nameOf(context.roots, path.normalize(d.file)),
    }))
    const ms = performance.now() - start
    if (!run.ok) {
      refuseInfrastructure(run.output, unit.source)
      const said =
        diagnostics.length > 0
          ? diagnostics
          : [{ file: nameOf(context.roots, unit.source), line: 0, message: lastLine(run.output) }]
      return { ok: false, inputs, diagnostics: said, ms, cached: false }
    }
    const bytes = await fs.readFile(object)
    const sha = sha256(bytes)
    const target = objectPath(sha)
    await fs.mkdir(path.dirname(target), { recursive: true })
    await fs.rename(object, target)
    const variant: Variant = { inputs: inputs.map((input) => [input.name, input.sha256]), object: sha }
    await remember(indexPath(unit.key), variant)
    await share(unit, variant, true)
    return { ok: true, object: target, sha256: sha, inputs, diagnostics, ms, cached: false }
  } catch (error) {
    throw asInfrastructure(error, unit.source)
  } finally {
    await Promise.all([fs.rm(object, { force: true }), fs.rm(list, { force: true })])
  }
}

/** With a precompiled header where there is one. What fails with it is compiled without: the plain result counts. */
async function compileQuickly(
  context: CompileContext,
  unit: Unit,
  object: string,
  output: readonly string[],
  options: RunOptions,
) {
  const use = await context.precompiler?.argsFor(unit)
  if (use !== undefined) {
    const run = await context.toolchain.compile([...use.args, ...output], options)
    if (run.ok && !(await contains(object, use.witnesses))) return run
    context.precompiler?.failed()
  }
  return context.toolchain.compile([...unit.args, ...output], options)
}

async function contains(file: string, texts: readonly Buffer[]): Promise<boolean> {
  if (texts.length === 0) return false
  const bytes = await fs.readFile(file)
  return texts.some((text) => bytes.includes(text))
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? 'the compiler failed and said nothing'

/** A full disk or a dead compiler is not the driver's fault. */
function refuseInfrastructure(output: string, source: string): void {
  const full = /No space left on device|Disk quota exceeded|Read-only file system/i.exec(output)
  if (full !== null)
    throw new InfrastructureError('cannot write the object', {
      where: source,
      found: full[0],
      todo: 'free space or move the cache with DRVPORT_CACHE',
    })
  if (/PLEASE submit a bug report|Stack dump:/.test(output))
    throw new InfrastructureError('the compiler crashed', {
      where: source,
      found: lastLine(output),
      todo: 'try another --toolchain',
    })
}
