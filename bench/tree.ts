/**
 * What converting a directory of a kernel tree costs beside the tree's own make: compile to link, the same modules, the
 * same clang.
 *
 * `node bench/tree.ts [--dir drivers/net/ethernet] [--tree linux-6.1] [--rounds 1] [--work DIR]` configures both sides if
 * need be, then runs them in turn: everything to be made, then nothing changed. At last one header of the overlay
 * changes, and what the compiler is run for is counted. README.md says what each side does and does not do.
 */
import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { adoptKernelFlags, commonFlags } from '../pipeline/build/flags.ts'
import { cachePath } from '../pipeline/cache.ts'
import type { KbuildModule, KbuildObject } from '../pipeline/kbuild/index.ts'
import type { MatrixDocument } from '../pipeline/matrix/types.ts'
import { packageRoot } from '../pipeline/root.ts'
import { probeClang } from '../pipeline/toolchain/clang.ts'
import { openTreeOnly } from '../pipeline/workspace.ts'
import { cost, type Cost } from './measure.ts'
import { buildNative, cleanNative, countNative, nativeModules, prepareNative, type Native } from './native.ts'

const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: 'drivers/net/ethernet' },
    tree: { type: 'string', default: 'linux-6.1' },
    rounds: { type: 'string', default: '1' },
    /** Both sides' output: some 6 GB. */
    work: { type: 'string', default: cachePath('bench') },
    /** A header of the architecture that some files include and some do not. */
    header: { type: 'string', default: 'build/arch/wasm/include/generated/asm/pci.h' },
  },
})
const work = path.resolve(values.work)
const cache = path.join(work, 'cache')
process.env['DRVPORT_CACHE'] = cache
const say = (text: string): void => console.error(text)

/** What is kept of our cache when nothing may be compiled yet: tree and configuration, as make keeps its own. */
const PREPARED = new Set(['trees', 'kbuild', 'node', 'locks'])

async function cleanOurs(): Promise<void> {
  for (const name of await fs.readdir(cache))
    if (!PREPARED.has(name)) await fs.rm(path.join(cache, name), { recursive: true, force: true })
}

async function buildOurs(
  modules: readonly string[],
  searchPath = process.env['PATH'],
): Promise<{ run: Cost; document: MatrixDocument }> {
  const command = ['matrix', ...modules, '--tree', values.tree, '--until', 'link', '--json']
  const run = await cost([path.join(packageRoot, 'drvport'), ...command], {
    env: { ...process.env, PATH: searchPath },
  })
  if (run.status > 1) throw new Error(`drvport matrix ended with ${run.status}:\n${run.stderr.slice(-2000)}`)
  return { run, document: JSON.parse(run.stdout) as MatrixDocument }
}

/** A directory in which the compiler is a script that notes every file it is run for. */
async function countingCompiler(cc: string, log: string): Promise<string> {
  const dir = path.join(work, 'bin')
  await fs.mkdir(dir, { recursive: true })
  const note = `case " $* " in *' -o '*) for word; do case $word in /*.c) echo "$word" >>'${log}';; esac; done;; esac`
  await fs.writeFile(path.join(dir, path.basename(cc)), `#!/bin/sh\n${note}\nexec '${cc}' "$@"\n`, { mode: 0o755 })
  return dir
}

/** Whether a source reads a file, asked of the compiler itself. */
async function includes(cc: string, object: KbuildObject, view: string, header: string): Promise<boolean> {
  const flags = [...adoptKernelFlags(object.args, object.cwd), ...commonFlags([{ dir: view, as: '' }])]
  const { stdout } = await promisify(execFile)(cc, [...flags, '-M', object.source], { maxBuffer: 1 << 26 })
  return stdout
    .replaceAll('\\\n', ' ')
    .split(/\s+/)
    .some((file) => path.normalize(file) === header)
}

/** Every n-th of a list, at most `most`. */
const some = <T>(list: readonly T[], most: number): T[] =>
  list.filter((_, i) => i % Math.max(1, Math.ceil(list.length / most)) === 0)

/** Change one header, build again, put it back: what was compiled, and was it the right files? */
async function headerChanged(cc: string, view: string, modules: readonly KbuildModule[]): Promise<string[]> {
  const header = path.join(view, values.header)
  const log = path.join(work, 'compiled')
  // A tree is taken to be as it was made: what is known of its modules as wholes would not show what somebody changed in it.
  const links = path.join(cache, 'links')
  for (const name of await fs.readdir(links, { recursive: true }))
    if (name.endsWith('.module')) await fs.rm(path.join(links, name))
  const searchPath = `${await countingCompiler(cc, log)}:${process.env['PATH']}`
  const before = await fs.readFile(header)
  await fs.rm(log, { force: true })
  try {
    await fs.appendFile(header, '\n/* changed by bench/tree.ts */\n')
    const { run } = await buildOurs(
      modules.map((module) => module.path),
      searchPath,
    )
    const compiled = new Set((await fs.readFile(log, 'utf8').catch(() => '')).split('\n'))
    const objects = [...new Map(modules.flatMap((m) => m.objects).map((object) => [object.source, object])).values()]
    const again = objects.filter(({ source }) => compiled.has(source))
    const rest = objects.filter(({ source }) => !compiled.has(source))
    const reads = (object: KbuildObject) => includes(cc, object, view, header)
    const right = await Promise.all(some(again, 24).map(reads))
    const wrong = await Promise.all(some(rest, 24).map(reads))
    const of = (list: readonly boolean[]) => `${list.filter(Boolean).length} of ${list.length}`
    return [
      `${values.header} changed: the compiler ran for ${again.length} of ${objects.length} files of the modules, in ${seconds(run.wallMs)}.`,
      `Asked of the compiler: ${of(right)} that were compiled again include it, ${of(wrong)} that were not.`,
    ]
  } finally {
    await fs.writeFile(header, before)
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
const describe = ({ wallMs, cpuMs, peakBytes }: Cost): string =>
  `${seconds(wallMs)} wall, ${seconds(cpuMs)} cpu, ${megabytes(peakBytes)}`
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[(numbers.length - 1) >> 1] as number

/** One line of the table, over rounds. */
function line(what: string, ours: readonly Cost[], theirs: readonly Cost[]): string {
  const wall = (costs: readonly Cost[]) => median(costs.map(({ wallMs }) => wallMs))
  const side = (costs: readonly Cost[]) => [
    seconds(wall(costs)),
    seconds(median(costs.map(({ cpuMs }) => cpuMs))),
    megabytes(Math.max(...costs.map(({ peakBytes }) => peakBytes))),
  ]
  return `| ${[what, ...side(ours), ...side(theirs), (wall(theirs) / wall(ours)).toFixed(2)].join(' | ')} |`
}

/** Read what both sides will read, so that the first run does not pay for the disk. */
async function warmPages(source: string): Promise<void> {
  for (const dir of [values.dir, 'include', 'arch/x86/include'])
    for (const entry of await fs.readdir(path.join(source, dir), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) await fs.readFile(path.join(entry.parentPath, entry.name))
}

const { tree, source } = await openTreeOnly({ tree: values.tree, onNote: say, onProgress: say })
const clang = await probeClang()
if (clang.path === undefined || clang.version === undefined) throw new Error(clang.problem)
const native: Native = {
  source: source.dir,
  output: path.join(work, `x86-${source.name}`),
  llvmMajor: Number.parseInt(clang.version, 10),
}
say('preparing make')
await prepareNative(native)
const theirs = new Set(await nativeModules(native, values.dir))
const all = await tree.select(`${values.dir}/**`)
const modules = all.filter((module) => theirs.has(module.path))
const names = modules.map((module) => module.path)
const own = new Set(modules.flatMap((module) => module.objects.map((object) => object.source))).size
say(`${names.length} modules in both; only here ${all.length - names.length}, only there ${theirs.size - names.length}`)
// Who exports what belongs to the configuration, and is read from it once.
await tree.exports()
await warmPages(source.dir)

/** One after the other. */
const both = (a: Cost, b: Cost): Cost => ({
  ...b,
  wallMs: a.wallMs + b.wallMs,
  cpuMs: a.cpuMs + b.cpuMs,
  peakBytes: Math.max(a.peakBytes, b.peakBytes),
})

const costs = {
  modulesOurs: [] as Cost[],
  coldOurs: [] as Cost[],
  coldMake: [] as Cost[],
  againOurs: [] as Cost[],
  againMake: [] as Cost[],
}
let [objects, rungs] = [0, '']
for (let round = 0; round < Number(values.rounds); round++) {
  await cleanOurs()
  // The tree's kernel below all modules, which make does not build for them: with the first of them.
  const { run: kernel } = await buildOurs(names.slice(0, 1))
  const { run, document } = await buildOurs(names)
  costs.modulesOurs.push(run)
  costs.coldOurs.push(both(kernel, run))
  say(`round ${round + 1}: drvport ${describe(kernel)} for the kernel, then ${describe(run)}`)
  rungs = Object.entries(document.summary.rungs)
    .map(([rung, count]) => `${count} ${rung}`)
    .join(', ')
  // One entry for each command that was compiled; equal objects are kept once.
  objects = (await fs.readdir(path.join(cache, 'objects', 'index'), { recursive: true })).filter((name) =>
    name.endsWith('.zst'),
  ).length
  await cleanNative(native, values.dir)
  costs.coldMake.push(await buildNative(native, names))
  say(`round ${round + 1}: make ${describe(costs.coldMake[round]!)}`)
  costs.againOurs.push((await buildOurs(names)).run)
  costs.againMake.push(await buildNative(native, names))
  say(`nothing changed: drvport ${describe(costs.againOurs[round]!)}; make ${describe(costs.againMake[round]!)}`)
}
const counted = await countNative(native, values.dir)
// Hours of figures must not be lost to the last step.
const changed = await headerChanged(clang.path, tree.view, modules).catch((error: unknown) => [String(error)])

const [ours, made] = [costs.modulesOurs, costs.coldMake].map((list) => median(list.map(({ wallMs }) => wallMs)))
const again = median(costs.againOurs.map(({ wallMs }) => wallMs))
console.log(`${source.name} ${source.version}, ${values.dir}, clang ${clang.version}, ${os.cpus()[0]?.model}, \
${os.cpus().length} cores, Node ${process.version}, ${values.rounds} rounds

| | drvport wall | cpu | peak memory | make wall | cpu | peak memory | make / drvport |
|---|---:|---:|---:|---:|---:|---:|---:|
${line('everything to be made, the kernel included', costs.coldOurs, costs.coldMake)}
${line('the same, the kernel there', costs.modulesOurs, costs.coldMake)}
${line('nothing changed', costs.againOurs, costs.againMake)}

${names.length} modules on both sides (only in the wasm configuration ${all.length - names.length}, only in x86-64's ${theirs.size - names.length}).
drvport: ${own} files of these modules, ${objects} objects in all with the shim, the tree's portable files and modules they need; ${rungs}.
make: ${counted.own} files, and ${counted.mod} that modpost writes; ${counted.modules} .ko.
For each file of the modules: drvport ${((ours as number) / own).toFixed(0)} ms, make ${((made as number) / counted.own).toFixed(0)} ms. \
Nothing changed is ${((100 * again) / (ours as number)).toFixed(1)} % of that.
${changed.join('\n')}`)
