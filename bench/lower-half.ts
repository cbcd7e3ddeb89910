/**
 * What a change of one file of the lower half (`shim/lower`) costs: the kernel's link, and of the modules on it those that use something
 * that the change moved.
 *
 *   node bench/lower-half.ts [--dir drivers/rtc] [--tree linux-6.1]
 *
 * In a checkout of HEAD beside this one's dependencies: everything is built, then built again as it is, then with a function that says one
 * thing more, with one more whose address is taken, and with one more in a table that Linux walks. The cache is the user's.
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
const BODY = '\tflush_work(&on_system);\n'
const CALLBACK =
  '\tstatic struct timer_list more;\n\ttimer_setup(&more, more_called, 0);\n\tmod_timer(&more, jiffies + 100);\n'

/** What is added in front of everything that the file defines, in a function of its, and at its end. */
const CHANGES: readonly (readonly [what: string, top: string, body: string, end: string])[] = [
  ['as it is', '', '', ''],
  ['a message more', '', '\tpr_notice("more, and more than that\\n");\n', ''],
  [
    'a timer and its callback more',
    'static void more_called(struct timer_list *timer);\n',
    CALLBACK,
    '\nstatic void more_called(struct timer_list *timer) { pr_info("more\\n"); }\n',
  ],
  ['an initcall more', '', '', '\nstatic int __init more(void) { return 0; }\nlate_initcall(more);\n'],
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
  if (!text.includes(BODY)) throw new Error(`${FILE} has no line ${JSON.stringify(BODY)}`)
  for (const [what, top, body, end] of CHANGES) {
    const changed = text.replace(BODY, body + BODY).replace('static void nothing', `${top}static void nothing`)
    await fs.writeFile(file, changed + end)
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
