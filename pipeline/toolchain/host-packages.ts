/**
 * The host programs a build needs: found on this computer, or brought from Debian's packages.
 *
 * As root the packages are installed. An ordinary user gets them downloaded with a private copy of apt's state and
 * unpacked under the cache, with the environment that makes them work from there. Knows nothing of kernels.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, exists, makeDirectoryAtomic, withLock, writeAtomic } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import { findProgram, runTool } from './process.ts'

export type HostTool =
  | 'make'
  | 'flex'
  | 'bison'
  | 'm4'
  | 'bc'
  | 'perl'
  | 'patch'
  | 'cc'
  | 'xz'
  | 'clang'
  | 'emcc'
  | 'chromium'
  | 'redis'
  | 'qemu-arm64'
  | 'qemu-x86'

interface ToolFacts {
  readonly packages: readonly string[]
  /** Any of these programs will do. */
  readonly programs: readonly string[]
  /** Arguments that show that the program works; without them its presence is enough. */
  readonly trial?: { readonly args: readonly string[]; readonly input: string }
}

const TOOLS: Readonly<Record<HostTool, ToolFacts>> = {
  make: { packages: ['make'], programs: ['make'] },
  flex: { packages: ['flex'], programs: ['flex'] },
  bison: { packages: ['bison'], programs: ['bison'] },
  m4: { packages: ['m4'], programs: ['m4'] },
  bc: { packages: ['bc'], programs: ['bc'] },
  perl: { packages: ['perl-base'], programs: ['perl'] },
  patch: { packages: ['patch'], programs: ['patch'] },
  // A host compiler: clang-19 brings the C library's headers and is needed anyway, so gcc is not asked for.
  cc: {
    packages: ['clang-19', 'lld-19', 'libc6-dev'],
    programs: ['cc', 'gcc', 'clang-19'],
    trial: {
      args: ['-x', 'c', '-o', '/dev/null', '-'],
      input: '#include <stdio.h>\nint main(void) { return !printf("."); }\n',
    },
  },
  xz: { packages: ['xz-utils'], programs: ['xz'] },
  clang: { packages: ['clang-19', 'lld-19', 'llvm-19'], programs: ['clang-19'] },
  emcc: { packages: ['emscripten'], programs: ['emcc'] },
  // For `--engine chromium` and tests of the page. A browser without a font draws no text.
  chromium: {
    packages: ['chromium', 'fonts-dejavu-core'],
    programs: ['chromium'],
    trial: { args: ['--version'], input: '' },
  },
  // For tests of the queue only. Bring it unprivileged: installed as root it would start a service of its own.
  redis: { packages: ['redis-server'], programs: ['redis-server'], trial: { args: ['--version'], input: '' } },
  // Statically linked, so that it needs no library of its own.
  'qemu-arm64': { packages: ['qemu-user-static'], programs: ['qemu-aarch64-static'] },
  // A whole computer: for bench/qemu.ts only.
  'qemu-x86': { packages: ['qemu-system-x86'], programs: ['qemu-system-x86_64'] },
}

export interface HostTools {
  /** Environment to run the tools, and make, in. */
  readonly env: NodeJS.ProcessEnv
  /** How they came: for `drvport doctor` and progress. */
  readonly brought: readonly string[]
}

export interface HostOptions {
  readonly signal?: AbortSignal
  readonly progress?: (line: string) => void
  /** Ordinary user's way even for root; for tests. */
  readonly unprivileged?: boolean
}

const root = () => cachePath('debs', 'root')
const triplet = () => (process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu')

/** The environment with what was unpacked earlier in front; the process's own when nothing was. */
export async function hostEnvironment(base: NodeJS.ProcessEnv = process.env): Promise<NodeJS.ProcessEnv> {
  const bin = cachePath('debs', 'bin')
  if (!(await exists(bin))) return base
  const PATH = base['PATH'] === undefined ? bin : `${bin}:${base['PATH']}`
  return { ...base, PATH, ...((await exists(emConfig())) && emscriptenSettings()) }
}

const emConfig = () => cachePath('debs', 'emscripten.py')
const emscriptenSettings = () => ({ EM_CONFIG: emConfig(), EM_CACHE: cachePath('debs', 'emscripten-cache') })

async function works(tool: HostTool, env: NodeJS.ProcessEnv): Promise<boolean> {
  const { programs, trial } = TOOLS[tool]
  for (const program of programs) {
    const file = await findProgram(program, env['PATH'] ?? '')
    if (file === undefined) continue
    if (trial === undefined) return true
    const run = await runTool(file, trial.args, { env, input: trial.input }).catch(() => undefined)
    if (run?.status === 0) return true
  }
  return false
}

async function missingTools(tools: readonly HostTool[], env: NodeJS.ProcessEnv): Promise<HostTool[]> {
  const working = await Promise.all(tools.map((tool) => works(tool, env)))
  return tools.filter((_, i) => working[i] !== true)
}

export interface HostToolProbe {
  readonly tool: HostTool
  readonly found: boolean
  /** Debian packages that would bring it. */
  readonly packages: readonly string[]
}

/** What is there and what is not; changes nothing. */
export async function probeHostTools(tools: readonly HostTool[]): Promise<HostToolProbe[]> {
  const missing = new Set(await missingTools(tools, await hostEnvironment()))
  return tools.map((tool) => ({ tool, found: !missing.has(tool), packages: TOOLS[tool].packages }))
}

/**
 * Make sure the tools are there, bringing what is missing. Throws InfrastructureError when that cannot be done.
 * Several processes may call it at once; one of them works and the others wait.
 */
export async function ensureHostTools(tools: readonly HostTool[], options: HostOptions = {}): Promise<HostTools> {
  const before = await hostEnvironment()
  if ((await missingTools(tools, before)).length === 0) return { env: before, brought: [] }
  const say = options.progress ?? (() => undefined)
  const onWait = () => say('waiting for another drvport that is bringing packages')
  return withLock(
    'host-packages',
    async () => {
      const env = await hostEnvironment()
      const missing = await missingTools(tools, env)
      if (missing.length === 0) return { env, brought: [] }
      const packages = [...new Set(missing.flatMap((tool) => TOOLS[tool].packages))]
      await requireApt(missing, packages)
      const privileged = process.getuid?.() === 0 && options.unprivileged !== true
      say(`${privileged ? 'installing' : 'downloading'} ${packages.join(' ')} (needed for ${missing.join(', ')})`)
      await (privileged ? install(packages, options) : unpack(packages, options))
      const after = await hostEnvironment()
      const still = await missingTools(missing, after)
      if (still.length > 0)
        throw new InfrastructureError(`${still.join(', ')} still missing`, {
          expected: packages.join(' '),
          todo: `install by hand: apt-get install ${packages.join(' ')}`,
        })
      return { env: after, brought: packages }
    },
    { onWait, ...(options.signal && { signal: options.signal }) },
  )
}

async function requireApt(missing: readonly HostTool[], packages: readonly string[]): Promise<void> {
  if ((await findProgram('apt-get')) !== undefined && (await findProgram('dpkg-deb')) !== undefined) return
  throw new InfrastructureError(`missing programs: ${missing.join(', ')}`, {
    expected: 'them on PATH, or a Debian system to bring them from',
    found: 'no apt-get and dpkg-deb',
    todo: `install what Debian calls ${packages.join(' ')}`,
  })
}

/** Lines of apt that are worth showing. */
function filterProgress(say: ((line: string) => void) | undefined) {
  return (line: string) => {
    if (/^(Get:\d+|Unpacking|Setting up|Fetched|Need to get|Hit:\d+)/.test(line)) say?.(line.slice(0, 160))
  }
}

async function apt(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: HostOptions,
  cwd?: string,
): Promise<string> {
  const onLine = filterProgress(options.progress)
  const run = await runTool('apt-get', args, {
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    onLine,
    ...(cwd !== undefined && { cwd }),
    ...(options.signal && { signal: options.signal }),
  })
  if (run.status === 0) return run.stdout
  throw new InfrastructureError('apt-get failed', {
    where: `apt-get ${args.filter((arg) => !arg.startsWith('-')).join(' ')}`,
    found: run.stderr.trim().split('\n').slice(-5).join('; '),
    todo: 'check the network and /etc/apt/sources.list, then run this again',
  })
}

async function install(packages: readonly string[], options: HostOptions): Promise<void> {
  const flags = ['-q', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=600', '-o', 'Dpkg::Use-Pty=0']
  const run = () => apt([...flags, 'install', ...packages], process.env, options)
  try {
    await run()
  } catch {
    // Most often there are no package lists yet, or they are older than the archive.
    options.progress?.('updating package lists')
    await apt(['-q', '-o', 'DPkg::Lock::Timeout=600', 'update'], process.env, options)
    await run()
  }
}

/** Options that give apt a state of its own; what is installed is still read from the system. */
export function privateApt(at = cachePath('debs', 'apt'), status = '/var/lib/dpkg/status'): string[] {
  const settings = [
    `Dir::State=${at}/state`,
    `Dir::State::lists=${at}/lists`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${at}/cache`,
    `Dir::Cache::archives=${at}/archives`,
    `Dir::Log=${at}/log`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'APT::Get::AllowUnauthenticated=false',
  ]
  return settings.flatMap((setting) => ['-o', setting])
}

/** The directories that `privateApt` names. */
export async function makeAptState(at: string): Promise<void> {
  for (const dir of ['state', 'lists/partial', 'cache', 'archives/partial', 'log'])
    await fs.mkdir(path.join(at, dir), { recursive: true })
}

/**
 * Unpack another architecture's packages, as Debian signed them, into a directory of their own and return it. Nothing of
 * them is installed, and what they depend on is not followed: say all that is needed. Throws InfrastructureError.
 */
export async function unpackForeign(
  arch: 'arm64',
  packages: readonly string[],
  options: HostOptions = {},
): Promise<string> {
  const dir = cachePath('debs', arch)
  if (await exists(dir)) return dir
  const onWait = (): void => options.progress?.('waiting for another drvport that is bringing packages')
  const work = async (): Promise<void> => {
    if (await exists(dir)) return
    await requireApt(['qemu-arm64'], packages)
    options.progress?.(`downloading ${packages.join(' ')} for ${arch}`)
    await makeDirectoryAtomic(dir, async (into) => {
      const at = path.join(into, 'apt')
      await makeAptState(at)
      await fs.writeFile(path.join(at, 'status'), '')
      const architecture = ['-o', `APT::Architecture=${arch}`, '-o', `APT::Architectures=${arch}`]
      const flags = [...privateApt(at, path.join(at, 'status')), ...architecture, '-q']
      await apt([...flags, 'update'], process.env, options)
      await apt([...flags, 'download', ...packages], process.env, options, into)
      for (const name of await fs.readdir(into)) if (name.endsWith('.deb')) await unpackDeb(into, name, into, options)
      await fs.rm(at, { recursive: true })
    })
  }
  await withLock('host-packages', work, { onWait, ...(options.signal && { signal: options.signal }) })
  return dir
}

/** Unpack a package and delete it. */
async function unpackDeb(from: string, name: string, into: string, options: HostOptions): Promise<void> {
  const deb = path.join(from, name)
  const run = await runTool('dpkg-deb', ['-x', deb, into], options.signal ? { signal: options.signal } : {})
  if (run.status !== 0)
    throw new InfrastructureError('cannot unpack a package', {
      where: deb,
      found: run.stderr.trim(),
      todo: 'free space or move the cache with DRVPORT_CACHE',
    })
  await fs.rm(deb)
}

async function unpack(packages: readonly string[], options: HostOptions): Promise<void> {
  const at = cachePath('debs', 'apt')
  await makeAptState(at)
  const flags = [...privateApt(), '-q', '-y', '--no-install-recommends']
  await apt([...flags, 'update'], process.env, options)
  await apt([...flags, '--download-only', 'install', ...packages], process.env, options)
  const archives = (await fs.readdir(path.join(at, 'archives'))).filter((name) => name.endsWith('.deb')).toSorted()
  await fs.mkdir(root(), { recursive: true })
  options.progress?.(`unpacking ${archives.length} packages into ${root()}`)
  for (const name of archives) await unpackDeb(path.join(at, 'archives'), name, root(), options)
  await lendLibraries()
  await writeWrappers()
}

/**
 * The unpacked compiler links against its sysroot, which lacks what the system has installed already (the C library
 * itself): lend it by links, never over a file that was unpacked.
 */
async function lendLibraries(): Promise<void> {
  for (const dir of [
    `lib/${triplet()}`,
    `usr/lib/${triplet()}`,
    'lib64',
    'usr/include',
    `usr/include/${triplet()}`,
    `usr/lib/gcc/${triplet()}`,
  ]) {
    const names = await fs.readdir(path.join('/', dir)).catch(() => [])
    const target = path.join(root(), dir)
    if (names.length === 0) continue
    await fs.mkdir(target, { recursive: true })
    for (const name of names) {
      await fs.symlink(path.join('/', dir, name), path.join(target, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
    }
  }
}

/**
 * Every unpacked program starts through a script that says where its libraries and data are, because it was built for
 * /usr, and because make and others pass on no environment but the search path.
 */
async function writeWrappers(): Promise<void> {
  const at = root()
  const lib = path.join(at, 'usr', 'lib')
  const native = `${lib}/${triplet()}`
  const libraries = [
    native,
    `${at}/lib/${triplet()}`,
    `${lib}/llvm-19/lib`,
    `${lib}/llvm-14/lib`,
    `${native}/pulseaudio`,
  ]
  const settings = [
    `LD_LIBRARY_PATH='${libraries.join(':')}'`,
    `BISON_PKGDATADIR='${at}/usr/share/bison'`,
    ...((await exists(path.join(at, 'usr/bin/m4'))) ? [`M4='${at}/usr/bin/m4'`] : []),
  ].join(' ')
  const script = async (name: string, body: string) => {
    const file = cachePath('debs', 'bin', name)
    await writeAtomic(file, `#!/bin/sh\n${body}\n`)
    await fs.chmod(file, 0o755)
  }
  for (const dir of ['bin', 'usr/bin']) {
    for (const name of await fs.readdir(path.join(at, dir)).catch(() => [])) {
      const file = path.join(at, dir, name)
      if ((await findProgram(file)) !== undefined) await script(name, `${settings} exec '${file}' "$@"`)
    }
  }
  await wrapClang(at, settings, script)
  await wrapEmscripten(at, settings, script)
  await wrapChromium(at, settings, script)
}

type WriteScript = (name: string, body: string) => Promise<void>

/** For the host the unpacked clang needs the unpacked C library; for wasm it must not see it. */
async function wrapClang(at: string, settings: string, script: WriteScript): Promise<void> {
  const clang = path.join(at, 'usr/lib/llvm-19/bin/clang')
  if (!(await exists(clang))) return
  const lld = path.join(at, 'usr/lib/llvm-19/bin/ld.lld')
  const native = `case " $* " in *"target=wasm"*|*" -cc1 "*) ${settings} exec '${clang}' "$@";; esac
${settings} exec '${clang}' --sysroot='${at}' --ld-path='${lld}' -Wno-unused-command-line-argument "$@"`
  for (const name of ['clang-19', 'cc', 'gcc']) await script(name, native)
}

async function wrapEmscripten(at: string, settings: string, script: WriteScript): Promise<void> {
  const emscripten = path.join(at, 'usr/share/emscripten')
  if (!(await exists(emscripten))) return
  const python = (await findProgram(path.join(at, 'usr/bin/python3'))) ?? (await findProgram('python3')) ?? 'python3'
  const config = {
    EMSCRIPTEN_ROOT: emscripten,
    LLVM_ROOT: cachePath('debs', 'llvm-14'),
    BINARYEN_ROOT: `${at}/usr`,
    NODE_JS: process.execPath,
  }
  await writeAtomic(
    emConfig(),
    Object.entries(config)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  )
  // emcc runs its clang by full path, so that too is a script.
  for (const name of await fs.readdir(path.join(at, 'usr/lib/llvm-14/bin')))
    await script(`../llvm-14/${name}`, `${settings} exec '${at}/usr/lib/llvm-14/bin/${name}' "$@"`)
  for (const name of ['emcc', 'em-config'])
    await script(name, `EM_CONFIG='${emConfig()}' ${settings} exec '${python}' '${emscripten}/${name}.py' "$@"`)
}

/** Past its launcher, which looks under /usr; with the fonts that were unpacked beside those of the system. */
async function wrapChromium(at: string, settings: string, script: WriteScript): Promise<void> {
  const chromium = path.join(at, 'usr/lib/chromium/chromium')
  if (!(await exists(chromium))) return
  const fonts = cachePath('debs', 'fonts.conf')
  const dirs = ['/usr/share/fonts', `${at}/usr/share/fonts`].map((dir) => `<dir>${dir}</dir>`).join('')
  await writeAtomic(fonts, `<fontconfig>${dirs}<cachedir>${cachePath('debs', 'font-cache')}</cachedir></fontconfig>\n`)
  await script('chromium', `FONTCONFIG_FILE='${fonts}' ${settings} exec '${chromium}' "$@"`)
}
