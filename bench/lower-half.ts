/**
 * What a change of one file of the lower half (`shim/lower`) costs: the kernel's link, and of the modules on it those that use something
 * that the change moved.
 *
 *   node bench/lower-half.ts [--dir drivers/rtc] [--tree linux-6.1]
 *
 * In a checkout of HEAD beside this one's dependencies: everything is built, then built again as it is, then with a file that says one
 * thing more, then with one that has a variable more and a function more whose address is taken. The cache is the user's.
 */
import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { BuildDocument } from '../pipeline/build/index.ts'
import { packageRoot } from '../pipeline/root.ts'
import { cost, type Cost } from './measure.ts'

const run = promisify(execFile)
const { values } = parseArgs({
  options: { dir: { type: 'string', default: 'drivers/rtc' }, tree: { type: 'string', default: 'linux-6.1' } },
})

const FILE = path.join('shim', 'lower', 'heartbeat.c')
const CHANGES: readonly (readonly [what: string, text: string])[] = [
  ['as it is', ''],
  [
    'a message more',
    '\nstatic int __init more(void)\n{\n\tpr_debug("here\\n");\n\tpr_notice("more\\n");\n\treturn 0;\n}\nlate_initcall(more);\n',
  ],
  [
    'a variable and a timer more',
    '\nstatic int ticks = 3;\nstatic void tick(struct timer_list *timer) { ticks++; }\nstatic DEFINE_TIMER(more_timer, tick);\nstatic int __init more(void)\n{\n\tmod_timer(&more_timer, ticks);\n\treturn 0;\n}\nlate_initcall(more);\n',
  ],
]

/** Hashes of what was made, by module. */
type Made = ReadonlyMap<string, string>

async function build(folder: string): Promise<{ run: Cost; made: Made }> {
  const command = ['build', values.dir, '--tree', values.tree, '--json']
  const args = ['--disable-warning=ExperimentalWarning', path.join(folder, 'cli', 'main.ts'), ...command]
  const taken = await cost([process.execPath, ...args], { cwd: folder, env: process.env })
  if (taken.status > 1) throw new Error(`drvport build ended with ${taken.status}:\n${taken.stderr.slice(-2000)}`)
  const { modules } = JSON.parse(taken.stdout) as BuildDocument
  return { run: taken, made: new Map(modules.flatMap(({ name, wasm }) => (wasm ? [[name, wasm.sha256]] : []))) }
}

const base = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-lower-'))
const folder = path.join(base, 'checkout')
await run('git', ['worktree', 'add', '--detach', folder, 'HEAD'], { cwd: packageRoot })
try {
  await fs.symlink(path.join(packageRoot, 'node_modules'), path.join(folder, 'node_modules'))
  const file = path.join(folder, FILE)
  const text = await fs.readFile(file, 'utf8')
  const { made: first } = await build(folder)
  console.log(
    `${values.dir} of ${values.tree}, ${first.size} modules; ${os.cpus()[0]?.model.trim()}, Node ${process.version}\n`,
  )
  console.log(
    '| one file of shim/lower | wall, s | processor time, s | modules bound otherwise |\n|---|---:|---:|---:|',
  )
  for (const [what, more] of CHANGES) {
    await fs.writeFile(file, text + more)
    const { run: taken, made } = await build(folder)
    const other = [...made].filter(([name, hash]) => first.get(name) !== hash)
    console.log(
      `| ${what} | ${(taken.wallMs / 1000).toFixed(1)} | ${(taken.cpuMs / 1000).toFixed(1)} | ${other.length} |`,
    )
  }
} finally {
  await run('git', ['worktree', 'remove', '--force', folder], { cwd: packageRoot })
  await fs.rm(base, { recursive: true, force: true })
}
