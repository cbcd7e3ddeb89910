/**
 * From load to bound, in a process that has compiled nothing yet: what `drvport run` pays the engine for each time.
 *
 *   node bench/boot.ts [--module NAME]... [--times N] [--seed N] [--tree NAME]
 *
 * Each driver is built once, and then loaded in so many processes of its own, drivers in turn. Timed is from a machine's making to the
 * device bound, package read and verified before; wall time, and processor time of all of the process's threads, the engine's compilers
 * among them. The same again in the same process follows, where the engine has compiled it: so the difference is the engine's.
 */
import '../cli/inlining.ts'
import { execFile } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { parseArgs, promisify } from 'node:util'
import { symbolizerOf, verifyPackage } from '../cli/machine.ts'
import { boot } from '../lab/run.ts'
import { readPackage } from '../machine/load/package-files.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'
import { quartiles } from './restart.ts'

interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}
interface Child {
  readonly first: Cost
  readonly again: Cost
}

const { values } = parseArgs({
  options: {
    module: { type: 'string', multiple: true, default: ['e1000', '8139too'] },
    times: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
    tree: { type: 'string', default: 'linux-6.1' },
    // What a process is started with by this bench itself: the package's folder and the module's name.
    package: { type: 'string' },
  },
})

async function timed(body: () => Promise<void>): Promise<Cost> {
  const [wall, spent] = [performance.now(), process.cpuUsage()]
  await body()
  const { user, system } = process.cpuUsage(spent)
  return { wallMs: performance.now() - wall, cpuMs: (user + system) / 1e3 }
}

async function child(path: string, name: string): Promise<void> {
  const pack = await readPackage(path, name)
  await verifyPackage(pack)
  const load = async (): Promise<void> => {
    const session = await boot({ seed: Number(values.seed), modules: [{ pack }], symbolizer: symbolizerOf })
    if (!session.climbers.every(({ rung }) => rung === 'probe')) throw new Error(`${name} is not bound`)
  }
  const first = await timed(load)
  console.log(JSON.stringify({ first, again: await timed(load) } satisfies Child))
}

const run = promisify(execFile)

function print(name: string, children: readonly Child[]): void {
  for (const part of ['first', 'again'] as const)
    for (const what of ['wallMs', 'cpuMs'] as const) {
      const where = part === 'first' ? 'a new process' : 'again in it'
      const figures = quartiles(children.map((one) => one[part][what]))
      console.log(`| ${name}, ${where}: ${what === 'wallMs' ? 'wall' : 'processor'}, ms | ${figures} |`)
    }
}

async function main(): Promise<void> {
  const workspace = await openWorkspace({ tree: values.tree, toolchain: 'auto', onNote: console.error })
  const { modules } = await buildModules({
    tree: workspace.tree,
    selectors: values.module,
    toolchain: workspace.toolchain,
  })
  await workspace.close()
  const load = loadavg()[0]!.toFixed(1)
  const taken = new Map<string, Child[]>(modules.map(({ name }) => [name, []]))
  for (let i = 0; i < Number(values.times); i++)
    for (const { name, package: path } of modules) {
      const args = [...process.execArgv, import.meta.filename, '--seed', values.seed, '--module', name]
      const { stdout } = await run(process.execPath, [...args, '--package', path!])
      taken.get(name)!.push(JSON.parse(stdout) as Child)
    }
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, seed ${values.seed}, load ${load}\n`,
  )
  console.log('| from load to bound | median | least | middle half | most |\n|---|---:|---:|---|---:|')
  for (const [name, children] of taken) print(name, children)
}

await (values.package === undefined ? main() : child(values.package, values.module[0]!))
