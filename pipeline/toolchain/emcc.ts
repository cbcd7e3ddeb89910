/**
 * Emscripten: its compiler driver, and the LLVM it was configured with.
 *
 * emcc compiles (it only adds defaults to its clang's command line and lets us name the target); its own wasm-ld links,
 * because emcc's link step would add a JavaScript runtime that a driver has no use for.
 */

import * as os from 'node:os'
import * as path from 'node:path'
import { InfrastructureError } from '../errors.ts'
import { limiter } from '../limit.ts'
import { identityOf } from './identity.ts'
import { nativeRunner } from './limits.ts'
import { findProgram, runTool } from './process.ts'
import type { Probe, Toolchain } from './types.ts'

/** The Debian packages that bring it. */
export const EMCC_PACKAGES = ['emscripten'] as const
const TODO = `apt-get install ${EMCC_PACKAGES.join(' ')}, or install emsdk and source its emsdk_env.sh`

interface Found {
  readonly emcc: string
  readonly version: string
  readonly clangVersion: string
  /** Where it was found; emcc itself knows where it is. */
  readonly clang: readonly string[]
  readonly ld: string
  readonly ar: string
}

/** Programs are sought in emscripten's own LLVM first, under plain and versioned names. */
async function llvmProgram(
  root: string,
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  for (const name of names) {
    const file = (await findProgram(path.join(root, name))) ?? (await findProgram(name, env['PATH'] ?? ''))
    if (file !== undefined) return file
  }
  return undefined
}

async function find(env: NodeJS.ProcessEnv): Promise<Found | string> {
  const emcc = await findProgram('emcc', env['PATH'] ?? '')
  if (emcc === undefined) return 'emcc is not on PATH'
  try {
    const version = /\) (\d+\.\d+\.\d+)/.exec((await runTool(emcc, ['--version'], { env })).stdout)?.[1]
    const verbose = await runTool(emcc, ['-v'], { env })
    const clangVersion = /clang version (\d+\.\d+\.\d+)/.exec(verbose.stdout + verbose.stderr)?.[1]
    const config = await findProgram(path.join(path.dirname(emcc), 'em-config'))
    const root = config === undefined ? '' : (await runTool(config, ['LLVM_ROOT'], { env })).stdout.trim()
    if (version === undefined || clangVersion === undefined)
      return `${emcc} does not say its version: ${verbose.stderr.trim().slice(0, 200)}`
    const major = clangVersion.split('.')[0]
    const clang = await llvmProgram(root, [`clang-${major}`, 'clang'], env)
    const ld = await llvmProgram(root, [`wasm-ld-${major}`, 'wasm-ld'], env)
    const ar = await llvmProgram(root, [`llvm-ar-${major}`, 'llvm-ar'], env)
    if (ld === undefined || ar === undefined) return `${emcc} has no wasm-ld or llvm-ar in ${root || 'its LLVM_ROOT'}`
    return { emcc, version, clangVersion, clang: clang === undefined ? [] : [clang], ld, ar }
  } catch (error) {
    return `${emcc} does not run: ${(error as Error).message}`
  }
}

export async function probeEmcc(env: NodeJS.ProcessEnv = process.env): Promise<Probe> {
  const found = await find(env)
  if (typeof found === 'string') return { name: 'emcc', found: false, problem: found, todo: TODO }
  return { name: 'emcc', found: true, version: `${found.version}+clang${found.clangVersion}`, path: found.emcc }
}

/** Open emscripten. Throws InfrastructureError when it is not there or does not work. */
export async function openEmcc(env: NodeJS.ProcessEnv = process.env): Promise<Toolchain> {
  const found = await find(env)
  if (typeof found === 'string') throw new InfrastructureError('no usable emscripten', { found, todo: TODO })
  const width = os.availableParallelism()
  const limited = limiter(width)
  const run = nativeRunner({ ...env, EMCC_SKIP_SANITY_CHECK: '1', EM_IGNORE_SANITY: '1' })
  const version = `${found.version}+clang${found.clangVersion}`
  return {
    name: 'emcc',
    version,
    llvmMajor: Number.parseInt(found.clangVersion, 10),
    how: `${found.emcc}, over clang ${found.clangVersion}`,
    id: await identityOf(`emcc ${version}`, [found.emcc, ...found.clang, found.ld]),
    precompiles: true,
    width,
    compile: (args, options) => limited(() => run(found.emcc, args, options)),
    archive: (output, objects, options) => run(found.ar, ['rcsD', output, ...objects], options),
    link: (args, options) => run(found.ld, args, options),
    close: () => Promise.resolve(),
  }
}
