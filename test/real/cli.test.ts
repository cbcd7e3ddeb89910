/**
 * The command line under bad input and interruption: the message, the exit status, one document with --json, and a
 * cache that the next run can use. Spawns `node cli/main.ts` as a user would; uses the default cache, and damages only
 * packages of a module that nobody else has.
 */
import test from 'ava'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cachePath, sha256 } from '../../pipeline/cache.ts'
import { packageRoot } from '../../pipeline/root.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import type { Manifest } from '../../pipeline/package.ts'

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts')
const work = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-cli-')))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** From the signal to the end, when one was sent. */
  readonly tookMs: number
}

interface Options {
  readonly env?: NodeJS.ProcessEnv
  /** Sends a signal once stderr matches, or so many ms after it said anything: before that it may not listen. */
  readonly signal?: NodeJS.Signals
  readonly when?: RegExp | number
  /** Sends it a second time at once, as `timeout` does: to the process, and to its group. */
  readonly twice?: boolean
}

/** The status as a shell sees it. */
const statusOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (os.constants.signals[signal ?? 'SIGKILL'] ?? 0)

function interrupt(child: ChildProcess, { signal, when, twice }: Options, sent: () => void): void {
  if (signal === undefined) return
  let said = ''
  let once = (): void => {
    once = () => {}
    sent()
    child.kill(signal)
    // Soon enough that it does not meet a process that has stopped already, and is on its way out.
    if (twice === true) setTimeout(() => child.kill(signal), 5)
  }
  if (typeof when === 'number') child.stderr?.once('data', () => setTimeout(() => once(), when))
  else
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (when?.test(said) !== false) once()
    })
}

function drvport(words: readonly string[], options: Options = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...options.env }
    delete env['FORCE_COLOR']
    const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const text = { stdout: '', stderr: '' }
    let at = performance.now()
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
    interrupt(child, options, () => (at = performance.now()))
    child.on('close', (code, signal) =>
      resolve({ status: statusOf(code, signal), ...text, tookMs: performance.now() - at }),
    )
  })
}

interface ErrorDocument {
  readonly schema: string
  readonly status: number
  readonly message: string
  readonly where?: string
  readonly expected?: string
  readonly found?: string
  readonly because?: string
  readonly todo?: string
}

const RUN = 'good'

/**
 * The folder of this file's own drivers, with a Kbuild file for those named. One for all tests and always the same:
 * everything compiled for it stays in the cache.
 */
async function folder(sources: Record<string, string>): Promise<string> {
  const dir = cachePath('test', `cli-drivers-${sha256(packageRoot).slice(0, 8)}`)
  await fs.mkdir(dir, { recursive: true })
  for (const [file, text] of Object.entries(sources)) await fs.writeFile(path.join(dir, `${file}.c`), text)
  const objects = Object.keys(sources).map((file) => `${file}.o`)
  await fs.writeFile(path.join(dir, 'Kbuild'), `obj-m += ${objects.join(' ')}\n`)
  return dir
}

/** `word` makes the module, and so its package, its own. */
const source = (word: string, body = ''): string => `#include <linux/module.h>
static int __init start(void)
{
${body}	pr_info("${word} ${path.basename(work)}\\n");
	return 0;
}
module_init(start);
MODULE_LICENSE("GPL");
`

// ---- wrong usage ----

const WRONG: readonly [title: string, words: readonly string[], status: number, says: RegExp][] = [
  ['an unknown tree', ['list', '--tree', 'nosuch'], 2, /unknown tree nosuch.*linux-6\.1/s],
  ['a tree that nobody has', ['list', '--tree', 'linux-9.99'], 2, /Debian has no linux-source-9\.99.*drvport fetch/s],
  ['a path that is no tree', ['list', '--tree', work], 2, /not a Linux kernel tree.*no Kconfig/s],
  ['a tarball that is not there', ['fetch', '/nowhere/linux.tar.xz'], 2, /no such file.*\/nowhere\/linux\.tar\.xz/s],
  ['a seed that is no number', ['list', '--seed', 'abc'], 2, /--seed takes a whole number/],
  ['a frame count that is no number', ['run', '8139too', '--frames', 'many'], 2, /--frames takes a whole number/],
  ['a negative frame count', ['run', '8139too', '--frames=-5'], 2, /--frames.*-5/s],
  ['an unknown device', ['run', '8139too=ne2000'], 2, /no device model named ne2000.*8139too=ne2000.*rtl8139/s],
  ['a device left empty', ['run', '8139too='], 2, /MODULE=DEVICE/],
  ['an unknown command', ['biuld'], 2, /biuld|build/],
  ['no command', [], 2, /say which command/],
  ['an unknown option', ['list', '--bogus'], 2, /bogus/],
  ['an unknown toolchain', ['list', '--toolchain', 'gcc'], 2, /gcc.*yowasp/s],
  ['an unknown module', ['build', '8139tooo'], 2, /8139tooo.*did you mean 8139too\?/s],
  ['a missing configuration file', ['list', '--config', '/nowhere.json'], 2, /\/nowhere\.json.*ENOENT/s],
]

for (const [title, words, status, says] of WRONG)
  test.serial(`wrong: ${title}`, async (t) => {
    const ended = await drvport([...words, '--json'])
    t.is(ended.status, status, ended.stderr)
    const document = JSON.parse(ended.stdout) as ErrorDocument
    t.is(document.schema, 'drvport.error/1')
    t.is(document.status, status)
    t.regex(Object.values(document).join('\n'), says)
    t.regex(ended.stderr, says)
    t.truthy(document.todo ?? document.expected)
    t.notRegex(ended.stderr, /internal error|\n\s+at /)
  })

test.serial('wrong: a configuration file that is no JSON, or no object', async (t) => {
  const file = path.join(work, 'config.json')
  for (const [text, says] of [
    ['{"seed": ', /JSON/],
    ['[1]', /\[1\]/],
    ['{"sede": 1}', /sede/],
  ] as const) {
    await fs.writeFile(file, text)
    const ended = await drvport(['list', '8139too', '--config', file, '--json'])
    t.is(ended.status, 2, text)
    t.regex(ended.stdout, says)
  }
})

// ---- infrastructure ----

test.serial('no compiler, and no way to bring one', async (t) => {
  const ended = await drvport(['build', '8139too', '--toolchain', 'clang', '--json'], { env: { PATH: work } })
  t.is(ended.status, 3)
  const document = JSON.parse(ended.stdout) as ErrorDocument
  t.regex(document.message, /missing programs: .*clang/)
  t.regex(document.todo ?? '', /clang-\d+/)
})

/** A file system of a few megabytes, or undefined where none can be mounted. */
function smallDisk(dir: string): (() => void) | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir], { stdio: 'ignore' })
    return () => void execFileSync('umount', ['-l', dir])
  } catch {
    return undefined
  }
}

test.serial('a full disk is named, with its place', async (t) => {
  const dir = path.join(work, 'small')
  await fs.mkdir(dir)
  const unmount = smallDisk(dir)
  if (unmount === undefined) return t.pass('no file system can be mounted here')
  try {
    await fs.writeFile(path.join(work, 'big.tar'), await tarOfTree('big', 6_000_000))
    const ended = await drvport(['fetch', path.join(work, 'big.tar'), '--json'], { env: { DRVPORT_CACHE: dir } })
    t.is(ended.status, 3, ended.stderr)
    t.regex(ended.stdout, /no space left/i)
    t.deepEqual(await leftovers(dir), [])
  } finally {
    unmount()
  }
})

test.serial('a result that cannot be written is not a success', async (t) => {
  const words = [MAIN, 'list', '8139too', '--json']
  const full = await fs.open('/dev/full', 'w').catch(() => undefined)
  if (full === undefined) return t.pass('no /dev/full here')
  const child = spawn(process.execPath, words, { stdio: ['ignore', full.fd, 'ignore'] })
  const status = await new Promise((resolve) => child.on('close', resolve))
  await full.close()
  t.is(status, 3)
})

// ---- output ----

test.serial('a reader that leaves early hears nothing and breaks nothing', async (t) => {
  const child = spawn(process.execPath, [MAIN, 'list'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdout.once('data', () => child.stdout.destroy())
  const status = await new Promise((resolve) => child.on('close', resolve))
  t.is(status, 0)
  t.notRegex(said, /EPIPE|Error/)
})

test.serial('no escape codes outside a terminal, nor with NO_COLOR', async (t) => {
  for (const env of [{}, { NO_COLOR: '1' }]) {
    const ended = await drvport(['list', '8139too'], { env })
    t.is(ended.status, 0)
    t.false((ended.stdout + ended.stderr).includes('\x1b'))
  }
})

// ---- drivers ----

test.serial('a syntax error is named by file and line, and the other modules are built', async (t) => {
  const dir = await folder({ [RUN]: source('fine'), bad: source('bad', '\tint x = ;\n') })
  const ended = await drvport(['build', dir, '--json'])
  t.is(ended.status, 1, ended.stderr)
  const { modules } = JSON.parse(ended.stdout) as {
    modules: { name: string; rung: string; reason?: string; diagnostics: { file: string; line: number }[] }[]
  }
  const [good, bad] = [RUN, 'bad'].map((name) => modules.find((module) => module.name === name))
  t.is(good?.rung, 'verify')
  t.is(bad?.reason, 'compile-error')
  t.is(bad?.diagnostics[0]?.line, 4)
  t.regex(bad?.diagnostics[0]?.file ?? '', /bad\.c$/)
})

interface Built {
  readonly modules: readonly {
    readonly package: string
    readonly wasm: { path: string; sha256: string }
    repaired?: string
  }[]
}

test.serial('a damaged package is made again, with a note, and never executed', async (t) => {
  const dir = await folder({ victim: source('victim') })
  const build = async (): Promise<[Built['modules'][number], Ended]> => {
    const ended = await drvport(['build', dir, '--json'])
    t.is(ended.status, 0, ended.stderr)
    return [(JSON.parse(ended.stdout) as Built).modules[0]!, ended]
  }
  const [{ wasm, package: at }] = await build()
  const whole = await fs.readFile(wasm.path)
  const flipped = Uint8Array.from(whole, (byte, i) => (i === whole.length >> 1 ? byte ^ 0x40 : byte))
  const lines = path.join(at, 'victim.lines')
  for (const [file, bytes] of [
    [wasm.path, flipped],
    [wasm.path, whole.subarray(0, 100)],
    [lines, new Uint8Array(3)],
  ] as const) {
    await fs.writeFile(file, bytes)
    const [again, ended] = await build()
    t.regex(again.repaired ?? '', /damaged package victim/)
    t.regex(ended.stderr, /victim was built again/)
    t.is(sha256(await fs.readFile(wasm.path)), wasm.sha256)
  }
  await fs.writeFile(wasm.path, flipped)
  const ran = await drvport(['run', dir, '--brief', '--json'])
  t.regex(ran.stderr, /victim was built again/)
  t.is(sha256(await fs.readFile(wasm.path)), wasm.sha256)
})

test.serial(
  'a manifest that asks for more than policy, or admits less than the binary imports, is refused',
  async (t) => {
    const dir = await folder({ liar: source('liar') })
    const built = JSON.parse((await drvport(['build', dir, '--json'])).stdout) as Built
    const file = path.join(built.modules[0]!.package, 'liar.json')
    const manifest = JSON.parse(await fs.readFile(file, 'utf8')) as Manifest
    const [first = '', ...rest] = manifest.imports
    for (const [imports, named] of [
      [rest, first],
      [[...manifest.imports, 'usb.submit'], 'usb.submit'],
    ] as const) {
      await fs.writeFile(file, JSON.stringify({ ...manifest, imports }))
      const ended = await drvport(['run', dir, '--brief', '--json'])
      t.is(ended.status, 1, ended.stderr)
      t.true(ended.stdout.includes('liar is refused'), ended.stdout)
      t.true(ended.stdout.includes(named), named)
    }
  },
)

// ---- interruption ----

/** A tarball of something that looks like a kernel tree, with ballast. */
async function tarOfTree(name: string, bytes: number): Promise<Buffer> {
  const dir = path.join(work, 'make', name)
  for (const sub of ['arch', 'drivers', 'include', 'scripts']) await fs.mkdir(path.join(dir, sub), { recursive: true })
  await fs.writeFile(path.join(dir, 'Makefile'), 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 1\n')
  await fs.writeFile(path.join(dir, 'Kconfig'), '')
  await fs.writeFile(path.join(dir, 'scripts/Makefile.build'), '')
  const size = Math.ceil(bytes / 400)
  for (let i = 0; i < 400; i++) await fs.writeFile(path.join(dir, 'drivers', `${i}.c`), Buffer.alloc(size, i))
  return execFileSync('tar', ['-cf', '-', '-C', path.dirname(dir), name], { maxBuffer: 1 << 30 })
}

/** What an interrupted run must not leave: half-done trees and locks. */
async function leftovers(cache: string): Promise<string[]> {
  const found: string[] = []
  for (const sub of ['trees', 'locks'])
    found.push(...(await fs.readdir(path.join(cache, sub)).catch(() => [])).map((name) => `${sub}/${name}`))
  return found
}

/** Far below what goes on otherwise, on a computer that has much else to do. */
const PROMPT_MS = 6000

test.serial('a fetch that is interrupted leaves nothing, and the next completes; killed, too', async (t) => {
  const cache = path.join(work, 'fetch')
  const file = path.join(work, 'linux-cut.tar')
  await fs.writeFile(file, await tarOfTree('linux-cut', 120_000_000))
  const env = { DRVPORT_CACHE: cache }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const ended = await drvport(['fetch', file, '--json'], { env, signal, when: /unpacking/ })
    t.is(ended.status, 130, ended.stderr)
    t.is((JSON.parse(ended.stdout) as ErrorDocument).status, 130)
    t.true(ended.tookMs < PROMPT_MS, `${signal} took ${ended.tookMs} ms`)
    t.deepEqual(await leftovers(cache), [])
  }
  t.is((await drvport(['fetch', file], { env, signal: 'SIGKILL', when: /unpacking/ })).status, 137)
  const [one, two] = await Promise.all([drvport(['fetch', file], { env }), drvport(['fetch', file], { env })])
  t.deepEqual([one.status, two.status], [0, 0], one.stderr + two.stderr)
  t.deepEqual(await leftovers(cache), ['trees/linux-cut'])
  execFileSync('chmod', ['-R', 'u+w', cache])
})

test.serial('a configuration that is interrupted ends at once and leaves no lock', async (t) => {
  const { trees } = JSON.parse((await drvport(['fetch', '--json'])).stdout) as { trees: { path: string }[] }
  const cache = path.join(work, 'configure')
  const words = ['list', '8139too', '--tree', trees[0]!.path, '--json']
  const ended = await drvport(words, { env: { DRVPORT_CACHE: cache }, signal: 'SIGINT', when: /configuring/ })
  t.is(ended.status, 130, ended.stderr)
  t.true(ended.tookMs < PROMPT_MS, `${ended.tookMs} ms`)
  t.deepEqual(await leftovers(cache), [])
})

test.serial('build, run and demo stop promptly wherever they are, with one document', async (t) => {
  const dir = await folder({ cut: source('cut') })
  for (const [words, when] of [
    [['build', dir], /building/],
    [['run', '8139too', 'e1000'], /building/],
    [['run', '8139too', 'e1000', '--frames', '2000000'], 2500],
    [['demo'], 500],
  ] as const) {
    const ended = await drvport([...words, '--json'], { signal: 'SIGINT', when })
    t.is(ended.status, 130, `${words.join(' ')}: ${ended.stderr}`)
    t.true(ended.tookMs < PROMPT_MS, `${words.join(' ')} took ${ended.tookMs} ms`)
    t.notThrows(() => JSON.parse(ended.stdout), words.join(' '))
  }
})

/** So many statements that a compiler is at it for long. */
const LONG = `#define A(x) x x x x x x x x
#define B(x) A(A(A(A(A(A(x))))))
int at_length(volatile int *x) { B(*x = *x * 3 + 1;) return *x; }
`

test.serial(
  'a matrix that is stopped as timeout stops it writes what it has, and says that this is not all',
  async (t) => {
    const dir = await fs.mkdtemp(path.join(work, 'stopped-'))
    await fs.writeFile(path.join(dir, 'Kbuild'), 'obj-m += quick.o slow.o\n')
    await fs.writeFile(path.join(dir, 'quick.c'), source('quick'))
    await fs.writeFile(path.join(dir, 'slow.c'), source('slow') + LONG)
    const file = path.join(dir, 'matrix.json')
    const words = ['matrix', dir, '--until', 'compile', '--report', `json=${file}`, '--json']
    const ended = await drvport(words, { signal: 'SIGTERM', twice: true, when: /1 of 2 modules/ })
    t.is(ended.status, 130, ended.stderr)
    const { interrupted, rows } = JSON.parse(await fs.readFile(file, 'utf8')) as MatrixDocument
    t.true(interrupted)
    t.deepEqual(
      rows.map(({ module, rung, reason }) => [module, rung, reason]),
      [
        ['quick', 'compile', ''],
        ['slow', 'none', 'interrupted'],
      ],
    )
  },
)

test.serial('killed in the middle, the same build works; two at once share the cache', async (t) => {
  const dir = await folder({ killed: source('killed') })
  t.is((await drvport(['build', dir], { signal: 'SIGKILL', when: /building/ })).status, 137)
  await sleep(50)
  const both = await Promise.all([drvport(['build', dir, '--json']), drvport(['build', dir, '--json'])])
  t.deepEqual(
    both.map(({ status }) => status),
    [0, 0],
    both.map(({ stderr }) => stderr).join('\n'),
  )
  const [one, two] = both.map(({ stdout }) => (JSON.parse(stdout) as Built).modules[0]?.wasm.sha256)
  t.is(one, two)
})
