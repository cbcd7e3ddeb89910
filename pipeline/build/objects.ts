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
import { parseDiagnostics, type Diagnostic } from '../toolchain/diagnostics.ts'
import type { Toolchain } from '../toolchain/types.ts'
import { commonFlags, type Root } from './flags.ts'

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
}

export function compileContext(toolchain: Toolchain, roots: readonly Root[], signal?: AbortSignal): CompileContext {
  const longestFirst = roots.toSorted((a, b) => b.dir.length - a.dir.length)
  return { toolchain, roots: longestFirst, hashes: new Map(), unknownFlags: new Map(), signal }
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

/** Names in a make-style dependency list. */
export function parseDependencies(text: string): string[] {
  const body = text.slice(text.indexOf(':') + 1).replaceAll('\\\n', ' ')
  return [...body.matchAll(/(?:\\ |[^\s])+/g)].map((match) => match[0].replaceAll('\\ ', ' ').replaceAll('$$', '$'))
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

/** Compile a file, or find what it compiled to before. A compile error is a result, not an exception. */
export async function compileObject(context: CompileContext, job: CompileJob): Promise<CompileOutcome> {
  const start = performance.now()
  const rejected = await unknownFlags(context, job.args)
  const args = [...job.args.filter((arg) => !rejected.has(arg)), ...commonFlags(rootsFor(context, job.source))]
  const name = nameOf(context.roots, job.source)
  const key = contentKey([context.toolchain.id, name, ...args.map((arg) => portable(context, arg))])
  const index = cachePath('objects', 'index', key.slice(0, 2), `${key}.json`)
  const hit = await findVariant(context, index)
  if (hit !== undefined) {
    const { variant, inputs } = hit
    const ms = performance.now() - start
    return {
      ok: true,
      object: objectPath(variant.object),
      sha256: variant.object,
      inputs,
      diagnostics: [],
      ms,
      cached: true,
    }
  }
  return compileFresh(context, job, args, index, start)
}

async function compileFresh(
  context: CompileContext,
  job: CompileJob,
  args: readonly string[],
  index: string,
  start: number,
): Promise<CompileOutcome> {
  const object = temporaryName(cachePath('objects', 'work', path.basename(job.source, '.c')))
  const list = `${object}.d`
  try {
    await fs.mkdir(path.dirname(object), { recursive: true })
    const options = { cwd: path.dirname(object), ...(context.signal && { signal: context.signal }) }
    const run = await context.toolchain.compile(
      [...args, '-MD', '-MF', list, '-MT', 'object', '-c', job.source, '-o', object],
      options,
    )
    const files = await fs.readFile(list, 'utf8').then(parseDependencies, () => [job.source])
    const inputs = await inputsFrom(context, files)
    const diagnostics = parseDiagnostics(run.output).map((d) => ({
      ...d,
      file: nameOf(context.roots, path.normalize(d.file)),
    }))
    const ms = performance.now() - start
    if (!run.ok) {
      refuseInfrastructure(run.output, job.source)
      const said =
        diagnostics.length > 0
          ? diagnostics
          : [{ file: nameOf(context.roots, job.source), line: 0, message: lastLine(run.output) }]
      return { ok: false, inputs, diagnostics: said, ms, cached: false }
    }
    const bytes = await fs.readFile(object)
    const sha = sha256(bytes)
    const target = objectPath(sha)
    await fs.mkdir(path.dirname(target), { recursive: true })
    await fs.rename(object, target)
    await remember(index, { inputs: inputs.map((input) => [input.name, input.sha256]), object: sha })
    return { ok: true, object: target, sha256: sha, inputs, diagnostics, ms, cached: false }
  } catch (error) {
    throw asInfrastructure(error, job.source)
  } finally {
    await Promise.all([fs.rm(object, { force: true }), fs.rm(list, { force: true })])
  }
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
