/**
 * The command line in one piece, with what the engine made of it: reading some 200 modules one by one, and compiling their functions
 * when they are first called, is more than a third of a warm start. Kept under the user's cache (make-bundle.ts), for exactly the files that
 * it was made of: these are looked at each time. Whatever is not as it should be, the sources themselves are run.
 *
 * It is loaded before anything else, and imports nothing of ours but where the cache is. Knows no command's work.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire, SourceMap, type SourceMapping, type SourceMapPayload } from 'node:module'
import * as path from 'node:path'
import { cachedDataVersionTag, setFlagsFromString } from 'node:v8'
import { constants, Script } from 'node:vm'
import { cacheDir } from '../pipeline/cache-dir.ts'
import type { main, Origin } from './command-line.ts'
import type { OwnKeys } from './own-keys.ts'

/** Changes when a bundle is made or loaded otherwise. */
const FORMAT = 1

/** Commands that begin with a driver's start. The others work for longer than it takes to read them. */
const COMMANDS: ReadonlySet<string | undefined> = new Set(['run', 'trace', 'replay', 'ioreg'])

export const isBundled = (command: string | undefined): boolean => COMMANDS.has(command)

/** The package's root. */
export const ROOT = path.join(import.meta.dirname, '..')

/** As which it runs: packages are found from there, and stacks name it. There is no such file. */
export const NAME = path.join(ROOT, 'cli', 'bundle.cjs')

/** One for each checkout, with the engine it is for. */
export const bundleDir = (): string =>
  path.join(cacheDir(), 'bundles', `${process.version}-${process.arch}-${encodeURIComponent(ROOT).slice(-180)}`)

/** A file or a folder below the root, and what it is known by without reading it. */
export type Input = readonly [file: string, bytes: number, modifiedMs: number, changedMs: number]

export interface BundleRecord {
  readonly format: number
  readonly root: string
  /** Name of its files. */
  readonly id: string
  /** All that it depends on; folders too, where it depends on what is in them. */
  readonly inputs: readonly Input[]
  readonly keys: OwnKeys
}

export function inputOf(file: string): Input | undefined {
  const stat = statSync(`${ROOT}/${file}`, { throwIfNoEntry: false })
  return stat && [file, stat.size, stat.mtimeMs, stat.ctimeMs]
}

const isUnchanged = (input: Input): boolean => inputOf(input[0])?.every((fact, i) => fact === input[i]) === true

export const recordFile = (): string => path.join(bundleDir(), 'bundle.json')
export const codeFile = (id: string): string => path.join(bundleDir(), `${id}.cjs`)
/** It fits one engine with the same flags, on a processor of the same kind. */
const compiledFile = (id: string, command: string): string =>
  path.join(bundleDir(), `${id}.${command}.${cachedDataVersionTag().toString(36)}`)

/** Write a file whole or not at all. */
export function writeWhole(file: string, data: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(temporary, data)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Undefined when it cannot be read. */
function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

export interface Bundle {
  readonly main: typeof main
  readonly origin: Origin
  /** The command has been carried out: keep what the engine made of the functions that it took, if nobody has. */
  keepCompiled(): void
}

/** Of a command whose functions are not kept compiled yet, none is to be forgotten meanwhile. */
const FORGET = { on: '--flush-bytecode', off: '--no-flush-bytecode' } as const

/** The bundle of the sources as they are, for a command; undefined when there is none. */
export function openBundle(command: string): Bundle | undefined {
  const record = recordOf(contentOf(recordFile()))
  const code = record && contentOf(codeFile(record.id))
  if (record === undefined || code === undefined) return undefined
  const compiled = compiledFile(record.id, command)
  const kept = contentOf(compiled)
  // It is ASCII, which is the least to read.
  const script = new Script(code.toString('latin1'), {
    filename: NAME,
    ...(kept && { cachedData: kept }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  const isKept = kept !== undefined && script.cachedDataRejected !== true
  if (!isKept) setFlagsFromString(FORGET.off)
  const module: { exports: { main?: typeof main } } = { exports: {} }
  ;(script.runInThisContext() as Wrapper)(module.exports, createRequire(NAME), module)
  const begin = module.exports.main
  if (begin === undefined) return undefined
  return {
    main: begin,
    origin: { shown: (stack) => inSources(stack, `${codeFile(record.id)}.map`), keys: record.keys },
    keepCompiled: () => {
      if (isKept) return
      setFlagsFromString(FORGET.on)
      writeWhole(compiled, script.createCachedData())
    },
  }
}

type Wrapper = (exports: object, require: NodeJS.Require, module: { exports: object }) => void

function recordOf(text: Buffer | undefined): BundleRecord | undefined {
  if (text === undefined) return undefined
  const record = JSON.parse(text.toString()) as BundleRecord
  if (record.format !== FORMAT || record.root !== ROOT || !record.inputs.every(isUnchanged)) return undefined
  return record
}

/** Places of the bundle in a stack, as `FILE:LINE:COLUMN` of the sources. */
function inSources(stack: string, mapFile: string): string {
  const text = contentOf(mapFile)
  if (text === undefined || !stack.includes(NAME)) return stack
  const map = new SourceMap(JSON.parse(text.toString()) as SourceMapPayload)
  return stack.replaceAll(/([^\s(]*bundle\.cjs):(\d+):(\d+)/g, (whole, file: string, line: string, column: string) => {
    const found = file === NAME ? map.findEntry(Number(line) - 1, Number(column) - 1) : {}
    if (!isPlace(found)) return whole
    const source = path.resolve(path.dirname(mapFile), found.originalSource)
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`
  })
}

const isPlace = (found: SourceMapping | object): found is SourceMapping => 'originalSource' in found

export const makeRecord = (parts: Omit<BundleRecord, 'format' | 'root'>): BundleRecord => ({
  format: FORMAT,
  root: ROOT,
  ...parts,
})
