/**
 * Running the tree's own make in a view: the same variables every time, nothing inherited that could change the result.
 */

import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { asInfrastructure, InfrastructureError } from '../errors.ts'
import { askedCompiler } from './asked-compiler.ts'
import { findProgram, runTool, type ToolOutput } from '../toolchain/process.ts'

export interface MakeSetup {
  /** The view's directory. */
  readonly view: string
  /** The compiler for the target: a clang with wasm32, or something that answers like one. */
  readonly cc: string
  /** A compiler for programs that run here: Kconfig itself, generators of headers. */
  readonly hostcc: string
  /** Where make, flex, bison, bc, perl are. */
  readonly searchPath: string
  readonly signal?: AbortSignal
}

/** Names and times that Kbuild would otherwise take from this computer. */
const REPRODUCIBLE = {
  KBUILD_BUILD_TIMESTAMP: '1970-01-01',
  KBUILD_BUILD_USER: 'drvport',
  KBUILD_BUILD_HOST: 'drvport',
  KBUILD_BUILD_VERSION: '1',
}

/** The environment of every make: a search path and no setting of the user's (ARCH, KCFLAGS, MAKEFLAGS, LANG). */
export function makeEnvironment(searchPath: string): NodeJS.ProcessEnv {
  return { PATH: searchPath, HOME: os.homedir(), TMPDIR: os.tmpdir(), LC_ALL: 'C' }
}

/** Find a compiler for the host. Undefined when there is none. */
export async function findHostCompiler(searchPath: string): Promise<string | undefined> {
  for (const name of ['gcc', 'cc', 'clang', 'clang-19', 'clang-22']) {
    const found = await findProgram(name, searchPath)
    if (found !== undefined) return found
  }
  return undefined
}

/** Less than a page or two left: Kconfig does not say why it failed, so ask the file system. */
async function isFull(dir: string): Promise<boolean> {
  const { bavail, bsize, ffree, files } = await fs.statfs(dir)
  return bavail * bsize < 64 * 1024 || (files > 0 && ffree === 0)
}

const TELLING_LINES = 12

/** The lines that say why make failed: errors where there are any, warnings and quoted code never; else its last words. */
export function telling(text: string): string[] {
  const lines = text.trim().split('\n')
  const errors = lines.filter((line) => /\berror: |\*\*\* /.test(line))
  return errors.length > 0 ? errors.slice(0, TELLING_LINES) : lines.slice(-TELLING_LINES)
}

/** Run goals in the view. Throws InfrastructureError with make's last words when one fails. */
export async function runMake(
  setup: MakeSetup,
  goals: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const result = await tryMake(setup, goals, environment)
  if (result.status === 0) return
  if (await isFull(setup.view))
    throw asInfrastructure(Object.assign(new Error('make failed'), { code: 'ENOSPC' }), setup.view)
  throw new InfrastructureError(`the kernel tree's make failed at ${goals.join(' ')}`, {
    where: setup.view,
    found: telling(result.stderr || result.stdout).join('\n            '),
    todo: 'see `drvport doctor` for missing host tools; an unusual tree may need a fragment in linux-api/config',
  })
}

/** As runMake, but a failing goal is a result; the others are still made. */
export function tryMake(
  setup: MakeSetup,
  goals: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ToolOutput> {
  const build = path.join(setup.view, 'build')
  const settings = {
    ARCH: 'wasm',
    LLVM: '1',
    // Said for trees that would have another assembler read what clang writes.
    LLVM_IAS: '1',
    CC: askedCompiler(setup.view, setup.cc),
    HOSTCC: setup.hostcc,
    // Host programs are linked as the host compiler links by itself: with LLVM=1 a tree may ask for a linker that it lacks.
    KBUILD_HOSTLDFLAGS: '',
    LD: path.join(build, 'stand-in-ld'),
    CLANG_TARGET_FLAGS_wasm: 'wasm32-unknown-unknown',
    ...REPRODUCIBLE,
  }
  return runTool(
    'make',
    [
      '-s',
      '-k',
      `-j${os.availableParallelism()}`,
      '-C',
      setup.view,
      `O=${build}`,
      ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
      ...goals,
    ],
    {
      env: { ...makeEnvironment(setup.searchPath), ...environment },
      ...(setup.signal && { signal: setup.signal }),
    },
  )
}
