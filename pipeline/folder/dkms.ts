/**
 * dkms.conf: how a folder tells a distribution to build its modules for each kernel. Which modules, by which command,
 * after which patches, and for which kernels not at all.
 *
 * The file is shell, and is read by the shell, as dkms does. Source: dkms(8) of dkms 3.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import { findProgram, runTool } from '../toolchain/process.ts'
import type { InstalledKernel } from './stand-ins.ts'

export interface DkmsModule {
  readonly name: string
  /** BUILT_MODULE_LOCATION, from the folder: `src`; empty for the folder itself. */
  readonly dir: string
}

export interface Dkms {
  readonly name: string
  readonly version: string
  /** BUILT_MODULE_NAME: what is wanted of all that is built; empty: the package's name. */
  readonly modules: readonly DkmsModule[]
  /** MAKE, for this kernel. */
  readonly command?: string
  /** PRE_BUILD: run before. */
  readonly before?: string
  /** PATCH, those for this kernel: names in the folder's `patches`. */
  readonly patches: readonly string[]
  /** Why it is not for this kernel. */
  readonly excluded?: string
}

/** What dkms.conf finds set. */
export interface DkmsSetting {
  /** A copy of the folder. */
  readonly dir: string
  /** Where dkms would have it: a directory of links that lead to the copy. */
  readonly tree: string
  readonly kernel: InstalledKernel
  /** Value of an option of the kernel, without CONFIG_. */
  readonly config: (option: string) => string | undefined
  readonly searchPath: string
}

const NAMES = ['PACKAGE_NAME', 'PACKAGE_VERSION', 'PRE_BUILD', 'MAKE', 'MAKE_MATCH', 'BUILT_MODULE_NAME', 'BUILT_MODULE_LOCATION', 'PATCH', 'PATCH_MATCH', 'BUILD_EXCLUSIVE_KERNEL', 'BUILD_EXCLUSIVE_KERNEL_MIN', 'BUILD_EXCLUSIVE_KERNEL_MAX', 'BUILD_EXCLUSIVE_CONFIG'] // prettier-ignore

const SCRIPT = `. "$1" > /dev/null || exit 1
shift
for name do
  declare -n drvport=$name
  for index in "\${!drvport[@]}"; do printf '%s\\0%s\\0%s\\0' "$name" "$index" "\${drvport[$index]}"; done
done`

/** The architecture that a driver is asked about: what it says of others is not held against it. */
const ARCHITECTURE = 'x86_64'

/** Variables that a dkms.conf sees, and its command too. */
export const dkmsEnvironment = (
  { dir, tree, kernel, searchPath }: Omit<DkmsSetting, 'config'>,
  { name, version }: Pick<Dkms, 'name' | 'version'> = { name: '', version: '' },
): NodeJS.ProcessEnv => ({
  PATH: `${kernel.programs}:${kernel.facts}:${searchPath}`,
  LC_ALL: 'C',
  kernelver: kernel.release,
  arch: ARCHITECTURE,
  kernel_source_dir: kernel.headers,
  dkms_tree: tree,
  source_tree: path.join(tree, 'source'),
  module: name,
  module_version: version,
  PACKAGE_NAME: name,
  PACKAGE_VERSION: version,
  DRVPORT_RELEASE: kernel.release,
  DRVPORT_PATH: searchPath,
  PWD: dir,
})

/** The file, or in a checkout what its makefile or an installer would make it from. */
const CONF = /^dkms\.conf(?:\.(?:in|am|tmpl|template))?$/

/** A folder's dkms.conf, by its name there. */
export async function dkmsConfIn(dir: string): Promise<string | undefined> {
  const entries = await fs.readdir(dir, { withFileTypes: true }).catch(() => [])
  const [first] = entries
    .flatMap((entry) => (!entry.isDirectory() && CONF.test(entry.name) ? [entry.name] : []))
    .toSorted()
  return first
}

/** Read a folder's dkms.conf for a kernel; undefined where there is none. Throws UsageError for one that cannot be read. */
export async function readDkms(setting: DkmsSetting, real: string): Promise<Dkms | undefined> {
  const conf = await dkmsConfIn(setting.dir)
  if (conf === undefined) return undefined
  const where = path.join(real, conf)
  const bash = await findProgram('bash', setting.searchPath)
  if (bash === undefined)
    throw new UsageError('dkms.conf is for bash, which is not here', { where, todo: 'apt-get install bash' })
  const run = await runTool(bash, ['--norc', '-c', SCRIPT, 'dkms', `./${conf}`, ...NAMES], {
    cwd: setting.dir,
    env: dkmsEnvironment(setting),
    wallSeconds: 60,
  })
  if (run.status !== 0)
    throw new UsageError('dkms.conf cannot be read', { where, found: run.stderr.trim().split('\n').at(-1) ?? '' })
  return dkmsOf(valuesIn(run.stdout), setting, where)
}

type Values = ReadonlyMap<string, ReadonlyMap<number, string>>

function valuesIn(text: string): Values {
  const values = new Map<string, Map<number, string>>()
  const words = text.split('\0')
  for (let i = 0; i + 2 < words.length; i += 3) {
    const [name, index, value] = words.slice(i, i + 3) as [string, string, string]
    values.set(name, (values.get(name) ?? new Map<number, string>()).set(Number(index), value))
  }
  return values
}

function dkmsOf(values: Values, { kernel, config }: DkmsSetting, where: string): Dkms {
  const one = (name: string) => values.get(name)?.get(0) ?? ''
  const all = (name: string) => [...(values.get(name) ?? [])].filter(([, text]) => text !== '')
  const matches = (pattern: string | undefined) =>
    pattern === undefined || pattern === '' || patternOf(pattern, where).test(kernel.release)
  if (one('PACKAGE_NAME') === '' || one('PACKAGE_VERSION') === '')
    throw new UsageError('dkms.conf names no package', { where, expected: 'PACKAGE_NAME and PACKAGE_VERSION' })
  // The first MAKE that is for this kernel, else the one without a condition.
  const conditions = values.get('MAKE_MATCH')
  const makes = all('MAKE')
  const fitting = makes.find(([index]) => (conditions?.get(index) ?? '') !== '' && matches(conditions?.get(index)))
  const command = fitting ?? makes.find(([index]) => (conditions?.get(index) ?? '') === '')
  const excluded = exclusion(one, kernel.release, matches, config)
  const version = one('PACKAGE_VERSION').replaceAll(UNFILLED, '0')
  const filled = (text: string) => text.replaceAll(one('PACKAGE_VERSION'), version).replaceAll(UNFILLED, '')
  return {
    name: one('PACKAGE_NAME'),
    version,
    modules: all('BUILT_MODULE_NAME').map(([index, name]) => {
      const dir = path.posix.join('/', values.get('BUILT_MODULE_LOCATION')?.get(index) ?? '')
      return { name, dir: dir.replaceAll(/^\/|\/$/g, '') }
    }),
    ...(command && { command: filled(command[1]) }),
    ...(one('PRE_BUILD') !== '' && { before: filled(one('PRE_BUILD')) }),
    patches: all('PATCH').flatMap(([index, name]) => (matches(values.get('PATCH_MATCH')?.get(index)) ? [name] : [])),
    ...(excluded !== undefined && { excluded }),
  }
}

/**
 * A checkout may have a dkms.conf whose `@WORDS@` an installer fills in, by default with nothing. But the version, which
 * is part of where dkms has the package while it builds it.
 */
const UNFILLED = /@[A-Za-z_]+@/g

/** dkms has bash match it: extended regular expressions, which these are but for names of classes. */
function patternOf(pattern: string, where: string): RegExp {
  const CLASSES: Readonly<Record<string, string>> = {
    digit: '0-9',
    alpha: 'A-Za-z',
    alnum: 'A-Za-z0-9',
    space: String.raw`\s`,
  }
  try {
    return new RegExp(pattern.replaceAll(/\[:(\w+):\]/g, (whole, name: string) => CLASSES[name] ?? whole))
  } catch (cause) {
    throw new UsageError('dkms.conf has an expression that cannot be read', { where, found: pattern, cause })
  }
}

const byVersion = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })

function exclusion(
  one: (name: string) => string,
  release: string,
  matches: (pattern: string) => boolean,
  config: DkmsSetting['config'],
): string | undefined {
  const said = (name: string) => `dkms.conf: ${name}="${one(name)}"`
  if (!matches(one('BUILD_EXCLUSIVE_KERNEL'))) return said('BUILD_EXCLUSIVE_KERNEL')
  const [least, most] = [one('BUILD_EXCLUSIVE_KERNEL_MIN'), one('BUILD_EXCLUSIVE_KERNEL_MAX')]
  if (least !== '' && byVersion(release, least) < 0) return said('BUILD_EXCLUSIVE_KERNEL_MIN')
  if (most !== '' && byVersion(release, most) > 0) return said('BUILD_EXCLUSIVE_KERNEL_MAX')
  const options = one('BUILD_EXCLUSIVE_CONFIG')
    .split(/\s+/)
    .filter((option) => option !== '')
  const wrong = options.find((option) => {
    const value = config(option.replace(/^!?(?:CONFIG_)?/, ''))
    return (value === 'y' || value === 'm') === option.startsWith('!')
  })
  return wrong === undefined ? undefined : said('BUILD_EXCLUSIVE_CONFIG')
}
