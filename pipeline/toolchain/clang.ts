/**
 * clang and wasm-ld installed on this computer, or unpacked from Debian's packages into the cache.
 *
 * The newest clang from 16 on that has the wasm32 target and its own version's wasm-ld beside it.
 */

import { realpathSync, statSync } from 'node:fs'
import * as os from 'node:os'
import { cachePath, contentKey, readText, writeAtomic } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import { limiter } from '../limit.ts'
import { identityOf } from './identity.ts'
import { nativeRunner, undisturbed } from './limits.ts'
import { findProgram, listPrograms, runTool } from './process.ts'
import type { Standbys } from './standby.ts'
import type { Probe, Toolchain } from './types.ts'

const OLDEST = 16

/** The Debian packages that bring it; clang-19 is in Debian 12 and 13. */
export const CLANG_PACKAGES = ['clang-19', 'lld-19', 'llvm-19'] as const

interface Found {
  readonly cc: string
  readonly ld: string
  readonly ar: string
  readonly version: string
  readonly major: number
}

/** Asking a compiler costs more than all that is done with the answer: it is kept for as long as the program stays what it is. */
async function versionOf(cc: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const file = realpathSync(cc)
  const { size, mtimeMs } = statSync(file)
  const key = contentKey([file, size, mtimeMs])
  const kept = cachePath('flags', `${key}.version`)
  const known = readText(kept)
  if (known !== undefined) return known
  const version = await askVersion(cc, env)
  // It works all the same where nothing can be kept.
  if (version !== undefined) await writeAtomic(kept, version).catch(() => undefined)
  return version
}

async function askVersion(cc: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const { stdout } = await runTool(cc, ['--version'], { env })
    return /clang version (\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

async function firstProgram(names: readonly string[], searchPath: string): Promise<string | undefined> {
  for (const name of names) {
    const file = await findProgram(name, searchPath)
    if (file !== undefined) return file
  }
  return undefined
}

interface Candidates {
  /** Newest first. */
  readonly usable: readonly Found[]
  /** What is wrong with those that cannot be used. */
  readonly problems: readonly string[]
}

/** By search path and when its directories changed: a program that is brought makes its directory another one. */
const looked = new Map<string, Promise<Candidates>>()

/** Every clang on PATH. Asked several times in a start, by whoever configures, chooses and opens. */
function candidates(env: NodeJS.ProcessEnv): Promise<Candidates> {
  const searchPath = env['PATH'] ?? ''
  const changed = searchPath.split(':').map((dir) => statSync(dir, { throwIfNoEntry: false })?.mtimeMs)
  const key = JSON.stringify([searchPath, changed])
  const known = looked.get(key) ?? look(searchPath, env)
  looked.set(key, known)
  return known
}

async function look(searchPath: string, env: NodeJS.ProcessEnv): Promise<Candidates> {
  const usable: Found[] = []
  const problems: string[] = []
  for (const name of await listPrograms(/^clang(-\d+)?$/, searchPath)) {
    const cc = await findProgram(name, searchPath)
    const version = cc === undefined ? undefined : await versionOf(cc, env)
    if (cc === undefined || version === undefined) continue
    const major = Number.parseInt(version, 10)
    if (major < OLDEST) {
      problems.push(`${cc} is ${version}, older than ${OLDEST}`)
      continue
    }
    const ld = await firstProgram([`wasm-ld-${major}`, 'wasm-ld'], searchPath)
    const ar = await firstProgram([`llvm-ar-${major}`, 'llvm-ar'], searchPath)
    if (ld === undefined || ar === undefined) {
      problems.push(
        `${cc} has no ${ld === undefined ? `wasm-ld-${major} (package lld-${major})` : `llvm-ar-${major} (package llvm-${major})`}`,
      )
      continue
    }
    usable.push({ cc, ld, ar, version, major })
  }
  usable.sort((a, b) => b.major - a.major || (a.cc < b.cc ? -1 : 1))
  return { usable, problems }
}

export async function probeClang(env: NodeJS.ProcessEnv = process.env): Promise<Probe> {
  const { usable, problems } = await candidates(env)
  const best = usable[0]
  if (best !== undefined) return { name: 'clang', found: true, version: best.version, path: best.cc }
  return {
    name: 'clang',
    found: false,
    problem: problems.length > 0 ? problems.join('; ') : `no clang ${OLDEST} or newer on PATH`,
    todo: `apt-get install ${CLANG_PACKAGES.join(' ')}`,
  }
}

/** Open the newest usable clang. Throws InfrastructureError when there is none. */
export async function openClang(env: NodeJS.ProcessEnv = process.env): Promise<Toolchain> {
  const { usable, problems } = await candidates(env)
  const best = usable[0]
  if (best === undefined)
    throw new InfrastructureError('no usable clang', {
      expected: `clang ${OLDEST} or newer, with wasm-ld`,
      found: problems.join('; ') || 'none on PATH',
      todo: `apt-get install ${CLANG_PACKAGES.join(' ')}, or use --toolchain yowasp`,
    })
  const width = os.availableParallelism()
  const limited = limiter(width)
  let standbys: Promise<Standbys> | undefined
  const stand = async (): Promise<Standbys> => (await import('./standby.ts')).openStandbys(best.cc, undisturbed(env))
  const run = nativeRunner(env, { run: async (file, job) => (await (standbys ??= stand())).run(file, job) })
  return {
    name: 'clang',
    version: best.version,
    llvmMajor: best.major,
    how: `${best.cc}, the newest clang found`,
    id: await identityOf(`clang ${best.version}`, [best.cc, best.ld]),
    precompiles: true,
    width,
    compile: (args, options) => limited(() => run(best.cc, args, options)),
    archive: (output, objects, options) => run(best.ar, ['rcsD', output, ...objects], options),
    link: (args, options) => run(best.ld, args, options),
    close: async () => (await standbys)?.close(),
  }
}
