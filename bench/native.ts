/**
 * The other side of bench/tree.ts: the same kernel tree configured for x86-64, and its own make building modules of it.
 *
 * The configuration is linux-api/config/base.config with x86.config after it. The object tool is not run
 * (OBJECT_FILES_NON_STANDARD), which leaves make: one compile per source, one relocatable link per module of several
 * files, modpost over the modules, one small compile and one link for each of them.
 */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { cachePath, exists, makeDirectoryAtomic } from '../pipeline/cache.ts'
import { packageRoot } from '../pipeline/root.ts'
import { unpackPackage } from './deb.ts'
import { cost, type Cost } from './measure.ts'

export interface Native {
  /** Sources of the tree; never written to. */
  readonly source: string
  /** make's output directory. */
  readonly output: string
  /** LLVM's major version: programs are called clang-N, ld.lld-N and so on. */
  readonly llvmMajor: number
}

const FRAGMENTS = ['linux-api/config/base.config', 'bench/x86.config']

/** libelf for programs of the tree's own that are built, and not run: where the system has none, Debian's, from the cache. */
async function libelf(): Promise<NodeJS.ProcessEnv> {
  if (await exists('/usr/include/gelf.h')) return {}
  const dir = cachePath('debs', 'libelf')
  if (!(await exists(dir)))
    await makeDirectoryAtomic(dir, async (into) => {
      for (const pkg of ['libelf-dev', 'libelf1']) await unpackPackage(pkg, undefined, into, console.error)
    })
  // Settings of make's do not reach the makefiles below tools/.
  return { C_INCLUDE_PATH: `${dir}/usr/include`, LIBRARY_PATH: `${dir}/usr/lib/x86_64-linux-gnu` }
}

/** Run goals of the tree's own Makefile. A failure is thrown with make's last words. */
async function make(native: Native, goals: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Cost> {
  const settings = [`O=${native.output}`, 'ARCH=x86_64', `LLVM=-${native.llvmMajor}`, 'OBJECT_FILES_NON_STANDARD=y']
  const command = ['make', `-j${os.availableParallelism()}`, '-C', native.source, ...settings, ...goals]
  const run = await cost(command, {
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...(await libelf()), ...environment },
  })
  if (run.status !== 0)
    throw new Error(`${command.slice(0, 10).join(' ')} failed:\n${run.stderr.split('\n').slice(-15).join('\n')}`)
  return run
}

/** Configure, and make what every module needs: headers, scripts. Nothing to do when that is there already. */
export async function prepareNative(native: Native): Promise<void> {
  await fs.mkdir(native.output, { recursive: true })
  const answers = path.join(native.output, 'drvport-answers.config')
  const texts = await Promise.all(FRAGMENTS.map((file) => fs.readFile(path.join(packageRoot, file), 'utf8')))
  const wanted = texts.join('\n')
  if ((await fs.readFile(answers, 'utf8').catch(() => '')) !== wanted) {
    await fs.writeFile(answers, wanted)
    await make(native, ['-s', 'allmodconfig'], { KCONFIG_ALLCONFIG: answers })
  }
  await make(native, ['-s', 'modules_prepare'])
}

/** Modules below a directory in this configuration, `drivers/x/y.ko`, as make says when asked what it would do. */
export async function nativeModules(native: Native, dir: string): Promise<string[]> {
  await cleanNative(native, dir)
  const { stdout } = await make(native, ['-n', `${dir}/`])
  const names = [...stdout.matchAll(/rm -f (\S+)\.mod;/g)].map(([, name]) => `${name}.ko`)
  return [...new Set(names)].toSorted()
}

/** Files below a directory of the output, by the end of their names. */
async function outputs(native: Native, dir: string, end: string): Promise<string[]> {
  const root = path.join(native.output, dir)
  const names = await fs.readdir(root, { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith(end)).map((name) => path.join(root, name))
}

/** Forget everything that was built below a directory. */
export const cleanNative = (native: Native, dir: string): Promise<void> =>
  fs.rm(path.join(native.output, dir), { recursive: true, force: true })

/** Build modules, from source to `.ko`. */
export const buildNative = (native: Native, modules: readonly string[]): Promise<Cost> => make(native, modules)

/** What there is of modules, and of C files that were compiled for them: their own, and modpost's one for each. */
export async function countNative(native: Native, dir: string): Promise<{ modules: number; own: number; mod: number }> {
  const commands = await outputs(native, dir, '.o.cmd')
  const compiled = await Promise.all(
    commands.map(async (file) => /^\S+ := \S*clang\S* .* -c -o /.test(await fs.readFile(file, 'utf8'))),
  )
  const mod = commands.filter((file, i) => compiled[i] === true && file.endsWith('.mod.o.cmd')).length
  const modules = (await outputs(native, dir, '.ko')).length
  return { modules, own: compiled.filter(Boolean).length - mod, mod }
}
