/**
 * What a folder's own makefile, typed by its author as `make`, would have the kernel's make build: which folders, with
 * which options and flags. `export CONFIG_ACME=m`, `$(MAKE) -C $(KSRC) M=$(PWD)/src EXTRA_CFLAGS=...`, a makefile that
 * only calls another one, headers made before: all of that is what this make says of itself, not guessed from its text.
 *
 * The makefile is run dry, with stand-ins for make and for the installed kernel (stand-ins.ts). Only where it makes
 * something before it calls the kernel's make is it run in earnest, up to its last such call. In a copy, always.
 */

import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { runTool, type ToolOutput } from '../toolchain/process.ts'
import type { InstalledKernel } from './stand-ins.ts'

/** One call of the kernel's make. */
export interface KernelCall {
  /** The folder that it builds, absolute. */
  readonly dir: string
  /** `NAME=VALUE` words of its command line. */
  readonly words: readonly string[]
  /** What the makefile exports. */
  readonly environment: Readonly<Record<string, string>>
}

export interface OwnMakefile {
  /** In their order, each once; empty where the makefile makes no such call. */
  readonly calls: readonly KernelCall[]
  /** What make had against it. */
  readonly problem?: string
}

export interface Asking {
  /** The copy of the folder. */
  readonly dir: string
  /** Directory for files of our own, outside of `dir`. */
  readonly scratch: string
  readonly kernel: InstalledKernel
  /** Where real programs are. */
  readonly searchPath: string
  /** What to run instead of `make`: a command for a shell. */
  readonly command?: string
  /** More of its environment. */
  readonly environment?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
}

/** By these names makefiles look for the kernel that they are for. */
const KERNEL_NAMES = ['KDIR', 'KSRC', 'KERNELDIR', 'KERNEL_DIR', 'KERNEL_SRC', 'KERNEL_SOURCE', 'KERNEL_SOURCE_DIR', 'KERNEL_PATH', 'KERNEL_BUILD', 'LINUX_SRC', 'LINUXDIR', 'LINUX_DIR', 'KLIB_BUILD'] // prettier-ignore
const RELEASE_NAMES = ['KVER', 'KVERSION', 'KERNELVER', 'KERNEL_VERSION', 'KERNELVERSION', 'KERNEL_VER', 'KREL', 'KERNEL_RELEASE'] // prettier-ignore

/** Goals that are tried where the first one calls no kernel's make. */
const GOALS = ['', 'modules', 'all', 'module', 'build', 'driver', 'default']

const SECONDS_MAX = 300

/** Ask a folder's makefile. Undefined where there is none. */
export async function askMakefile(asking: Asking): Promise<OwnMakefile | undefined> {
  const text = await makefileText(asking.dir)
  // What a command that is no make prints is no recipe; it has done what it does.
  if (asking.command !== undefined) return ask(asking, [''], text === undefined ? [] : await namesOf(asking, text))
  if (text === undefined || !/\bmake\b|\$[({]MAKE[)}]/.test(text)) return undefined
  return ask(asking, GOALS, await namesOf(asking, text))
}

async function makefileText(dir: string): Promise<string | undefined> {
  for (const name of ['GNUmakefile', 'makefile', 'Makefile']) {
    const text = await fs.readFile(path.join(dir, name), 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  return undefined
}

async function ask(asking: Asking, goals: readonly string[], names: readonly string[]): Promise<OwnMakefile> {
  const settings = settingsFor(asking.kernel, names)
  let problem: string | undefined
  for (const goal of goals) {
    const dry = await run(asking, goal, settings, 'dry')
    if (dry.status !== 0) problem ??= problemIn(dry)
    const isMake = asking.command === undefined || /^\W*make\b/.test(asking.command)
    const literal = isMake ? await followed(asking, dry, settings) : { records: [], makesBefore: false }
    const found = [...dry.records, ...literal.records]
    const calls = await callsIn(asking, found, settings)
    if (calls.length === 0) continue
    if (literal.makesBefore) await run(asking, goal, settings, found.length - 1)
    return { calls }
  }
  return { calls: [], ...(problem !== undefined && { problem }) }
}

/** A variable set to where the kernel is, for each name that the makefile looks under. */
function settingsFor({ headers, release }: InstalledKernel, names: readonly string[]): string[] {
  return names.map((name) => `${name}=${RELEASE_NAMES.includes(name) ? release : headers}`)
}

/** Names under which this makefile looks for the kernel: well-known ones that it mentions, and what it sets to a place in /lib/modules. */
async function namesOf(asking: Asking, text: string): Promise<string[]> {
  const known = [...KERNEL_NAMES, ...RELEASE_NAMES].filter((name) => new RegExp(`\\b${name}\\b`).test(text))
  const nothing = ['--eval', 'drvport-nothing: ;', '-p', 'drvport-nothing']
  const listed = await make(asking, nothing, [])
  const set = [...listed.stdout.matchAll(/^(\w+) :?= *\/lib\/modules\/\S*\/(?:build|source)\/?\s*$/gm)]
  return [...new Set([...known, ...set.map(([, name]) => name as string)])]
}

/** `dry`: recipes are not run but for calls of make; a number: they are, up to the call of that number. */
type Mode = 'dry' | number

function environmentOf(
  { kernel, searchPath, dir, scratch, environment }: Asking,
  mode: Mode,
  settings: readonly string[],
) {
  const options = mode === 'dry' ? ['-n', '-w'] : ['-s']
  return {
    ...environment,
    PATH: `${kernel.programs}:${kernel.facts}:${searchPath}`,
    HOME: os.homedir(),
    TMPDIR: os.tmpdir(),
    LC_ALL: 'C',
    PWD: dir,
    DRVPORT_CALLS: path.join(scratch, 'calls'),
    DRVPORT_HEADERS: kernel.headers,
    DRVPORT_RELEASE: kernel.release,
    DRVPORT_PATH: searchPath,
    DRVPORT_MAKE_WORDS: [...options, ...settings].join(' '),
    ...(mode !== 'dry' && { DRVPORT_CALLS_LAST: String(mode) }),
  }
}

/** Environment variables that a makefile, or make, may set without telling anything of the modules. */
const NO_OPTION =
  /^(?:DRVPORT_\w+|MAKE\w*|MFLAGS|GNUMAKEFLAGS|PATH|HOME|TMPDIR|LC_ALL|LANG|PWD|OLDPWD|SHLVL|SHELL|TERM|_)$/
/** What drvport decides itself, and where it puts things. */
const OURS =
  /^(?:ARCH|SUBARCH|CROSS_COMPILE|CC|CPP|LD|AR|NM|OBJCOPY|OBJDUMP|STRIP|READELF|HOSTCC|HOSTCXX|HOSTLD|LLVM|LLVM_IAS|O|M|MO|SUBDIRS|V|W|C|CF|Q|quiet|MAKE|INSTALL_\w+|KBUILD_(?:EXTMOD|OUTPUT|VERBOSE|SRC|MODPOST\w*)|DEPMOD)$/

const isOption = (name: string): boolean => !NO_OPTION.test(name) && !OURS.test(name)

interface Written {
  readonly cwd: string
  readonly words: readonly string[]
  readonly environment: ReadonlyMap<string, string>
}

interface Run extends ToolOutput {
  readonly records: readonly Written[]
}

const parseEnvironment = (text: string): Map<string, string> =>
  new Map(
    text.split('\0').flatMap((entry) => {
      const at = entry.indexOf('=')
      return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : []
    }),
  )

/** A shell command in a folder; what the stand-in for make wrote down of it. */
async function shell(asking: Asking, cwd: string, command: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const calls = path.join(asking.scratch, 'calls')
  await fs.rm(calls, { recursive: true, force: true })
  await fs.mkdir(calls, { recursive: true })
  const options = { cwd, env, wallSeconds: SECONDS_MAX, ...(asking.signal && { signal: asking.signal }) }
  const output = await runTool('/bin/sh', ['-c', command], options)
  const records: Written[] = []
  for (let number = 0; ; number++) {
    const text = await fs.readFile(path.join(calls, String(number)), 'utf8').catch(() => undefined)
    if (text === undefined) break
    const [at = cwd, ...words] = text.split('\0').slice(0, -1)
    const set = await fs.readFile(path.join(calls, `${number}.env`), 'utf8')
    records.push({ cwd: at, words, environment: parseEnvironment(set) })
  }
  return { ...output, records }
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`

const run = (asking: Asking, goal: string, settings: readonly string[], mode: Mode): Promise<Run> =>
  shell(asking, asking.dir, asking.command ?? `make ${goal}`, environmentOf(asking, mode, settings))

/** The real make, with the makefile's variables and none of its goals. */
const make = (asking: Asking, words: readonly string[], settings: readonly string[]): Promise<Run> => {
  const environment = { ...environmentOf(asking, 'dry', settings), DRVPORT_MAKE_WORDS: settings.join(' ') }
  return shell(asking, asking.dir, ['make', ...words.map(quoted)].join(' '), environment)
}

/** Lines of recipes that do nothing to the folder. */
const TRIVIAL = /^(?:#|(?:true|:|echo|printf|test|\[|exit|pwd|ls|sleep|clear)(?=\s|$))[^>|&;]*$|^$/
/** Calls of make that do not go through $(MAKE), with what may stand around them. */
const LITERAL = /(?:^|[\s;&|(])g?make\s/
const AROUND = /^(?:g?make|cd|for|do|done|if|then|else|fi|\(|\)|\{|\}|\[|test|true|echo|set|exec|env|\w+=\S*)$/

const isLiteralCall = (line: string): boolean =>
  LITERAL.test(line) &&
  line.split(/&&|\|\||[;|()]/).every((part) => {
    const [first = ''] = part.trim().split(/\s+/)
    return first === '' || AROUND.test(first)
  })

interface Line {
  readonly cwd: string
  readonly text: string
}

/** Recipe lines that a dry run printed, each with the directory that it would run in. */
export function recipeLines(stdout: string, top: string): Line[] {
  const lines: Line[] = []
  const directories = [top]
  for (const text of stdout.replaceAll(/\s*\\\n\s*/g, ' ').split('\n')) {
    const [, verb, directory] = /^g?make(?:\[\d+\])?: (Entering|Leaving) directory '(.*)'$/.exec(text) ?? []
    if (verb === 'Entering') directories.push(directory as string)
    else if (verb === 'Leaving') directories.pop()
    else if (!/^g?make(?:\[\d+\])?: /.test(text)) lines.push({ cwd: directories.at(-1) ?? top, text: text.trim() })
  }
  return lines
}

interface Followed {
  readonly records: readonly Written[]
  /** Something is made before the last call of make. */
  readonly makesBefore: boolean
}

/** Calls of make by its plain name, which a dry run only prints, made. */
async function followed(asking: Asking, dry: Run, settings: readonly string[], depth = 0): Promise<Followed> {
  const lines = recipeLines(dry.stdout, asking.dir).filter(({ text }) => !TRIVIAL.test(text))
  const isCall = ({ text }: Line) => text.includes(asking.kernel.programs) || isLiteralCall(text)
  const last = lines.findLastIndex(isCall)
  const literal = lines.filter((line) => isLiteralCall(line.text) && !line.text.includes(asking.kernel.programs))
  const records: Written[] = []
  let makesBefore = lines.slice(0, Math.max(last, 0)).some((line) => !isCall(line))
  if (literal.length === 0 || depth > 2) return { records, makesBefore }
  const exported = await make(asking, ['--eval', 'drvport-environment: ; @env -0', 'drvport-environment'], settings)
  const environment = {
    ...Object.fromEntries(parseEnvironment(exported.stdout)),
    ...environmentOf(asking, 'dry', settings),
  }
  for (const { cwd, text } of literal) {
    const made = await shell(asking, cwd, text, environment)
    const below = await followed(asking, made, settings, depth + 1)
    records.push(...made.records, ...below.records)
    makesBefore ||= below.makesBefore
  }
  return { records, makesBefore }
}

const CLEANING = /^(?:\w*clean|mrproper|help|modules_install|headers_install|install)$/

/** Records that build modules, as calls. */
async function callsIn(
  asking: Asking,
  records: readonly Written[],
  settings: readonly string[],
): Promise<KernelCall[]> {
  const base = environmentOf(asking, 'dry', settings)
  const found = new Map<string, KernelCall>()
  for (const { cwd, words, environment } of records) {
    const assigned = [...overridesIn(environment.get('MAKEFLAGS') ?? ''), ...words].flatMap((word) => {
      const [, name, value] = /^(\w+):{0,3}=([\s\S]*)$/.exec(word) ?? []
      return name === undefined ? [] : [[name, value as string] as const]
    })
    const goals = words.filter((word) => /^[a-z_]+$/.test(word))
    if (goals.some((goal) => CLEANING.test(goal)) && !goals.includes('modules')) continue
    const value = (name: string) => assigned.findLast(([other]) => other === name)?.[1] ?? environment.get(name)
    const named = value('M') ?? value('KBUILD_EXTMOD') ?? value('SUBDIRS') ?? '.'
    const dir = await fs.realpath(path.resolve(cwd, named)).catch(() => asking.dir)
    const inside = dir === asking.dir || dir.startsWith(`${asking.dir}/`)
    const own = new Map(assigned.filter(([name]) => isOption(name)).map(([name, text]) => [name, `${name}=${text}`]))
    const said = new Set(settings.map((setting) => setting.slice(0, setting.indexOf('='))))
    const exported = [...environment].filter(
      ([name]) => isOption(name) && !(name in base) && !own.has(name) && !said.has(name),
    )
    const call: KernelCall = {
      dir: inside ? dir : asking.dir,
      // The author's make hands down what it was told where the kernel is.
      words: [...settings.filter((setting) => !own.has(setting.slice(0, setting.indexOf('=')))), ...own.values()],
      environment: Object.fromEntries(exported.toSorted()),
    }
    found.set(JSON.stringify(call), call)
  }
  return [...found.values()]
}

/** Variables of the command line of a make above this one: `nw -- KDIR=/a\\ b CONFIG_X=m`. */
function overridesIn(flags: string): string[] {
  const [, list = ''] = /(?:^|\s)-- (.*)$/s.exec(flags) ?? []
  return (list.match(/(?:\\.|\S)+/g) ?? []).map((word) => word.replaceAll(/\\(.)/g, '$1').replaceAll('$$', '$'))
}

/** What make said: `FILE:LINE: *** message.  Stop.` */
function problemIn({ stderr }: ToolOutput): string | undefined {
  const lines = stderr.split('\n')
  return lines.find((line) => line.includes('***'))?.replace(/\s*Stop\.$/, '')
}
