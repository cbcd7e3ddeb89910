/**
 * Generated workflows, done: the steps of their jobs in order, in an empty home, for one kernel and a tiny driver that
 * does not compile for it; then again with what the first run left in the cache, and nothing else.
 *
 * What GitHub's own actions do (checkout, cache, artifacts) is done here by copying. The jobs that write to GitHub
 * (comment, publish) are done in test/pipeline/ci/writing-jobs.test.ts.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { parse as parseYaml } from 'yaml'
import { GITHUB_FILE } from '../../pipeline/ci/github.ts'
import { GITLAB_FILE } from '../../pipeline/ci/gitlab.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { testTreeName } from './workspace.ts'

interface Step {
  readonly name?: string
  readonly id?: string
  readonly uses?: string
  readonly run?: string
  readonly if?: string
  readonly with?: Readonly<Record<string, string>>
}
interface Job {
  readonly steps: readonly Step[]
  readonly env?: Readonly<Record<string, string>>
}
interface Workflow {
  readonly env: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const work = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-steps-')))
const repository = path.join(work, 'repository')
const home = path.join(work, 'home')
const kept = path.join(work, 'kept')
const artifacts = path.join(work, 'artifacts')
/** Trees in it are write-protected. */
async function clear(dir: string): Promise<void> {
  spawnSync('chmod', ['-R', 'u+w', dir])
  await fs.rm(dir, { recursive: true, force: true })
}

const DRIVER = `#include <linux/module.h>
MODULE_LICENSE("GPL");
static int __init acme_init(void)
{
	return acme_no_such_function();
}
module_init(acme_init);
`

await fs.mkdir(path.join(repository, 'my driver'), { recursive: true })
await fs.writeFile(path.join(repository, 'my driver', 'Kbuild'), 'obj-m := acme.o good.o\n')
await fs.writeFile(path.join(repository, 'my driver', 'acme.c'), DRIVER)
await fs.writeFile(path.join(repository, 'my driver', 'good.c'), '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n')
spawnSync('git', ['init', '--quiet', '--initial-branch=main', repository])
await fs.symlink(packageRoot, path.join(repository, 'drvport'))

test.after.always(() => clear(work))

/** How this computer reaches the registries: certificates, proxies, npm's own settings. */
const NETWORK = /CERT|_CA_|CAINFO|proxy$/i
const network = Object.fromEntries(Object.entries(process.env).filter(([name]) => NETWORK.test(name)))

/** The environment of a computer on which nothing of ours was ever run. */
const clean = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...network,
  npm_config_userconfig: path.join(os.homedir(), '.npmrc'),
  PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`,
  HOME: home,
  NO_COLOR: '1',
  ...more,
})

interface Done {
  readonly status: number
  readonly said: string
}

function shell(script: string, cwd: string, env: NodeJS.ProcessEnv): Done {
  const { status, stdout, stderr } = spawnSync('bash', ['-e'], { cwd, env, input: script, encoding: 'utf8' })
  return { status: status ?? -1, said: stdout + stderr }
}

const drvport = (...words: string[]): Done => {
  const main = path.join(packageRoot, 'cli', 'main.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
    cwd: repository,
    encoding: 'utf8',
  })
  return { status: status ?? -1, said: stdout + stderr }
}

let checkouts = 0
const checkout = async (): Promise<string> => {
  const dir = path.join(work, `checkout-${checkouts++}`)
  await fs.cp(repository, dir, { recursive: true, verbatimSymlinks: true })
  return dir
}

/** A job of the workflow, step by step, with one value of its matrix. */
async function runJob(workflow: Workflow, name: string, tree: string): Promise<Done & { cacheHit: boolean }> {
  const { steps, env = {} } = workflow.jobs[name] as Job
  const [outputs, summary] = [path.join(work, 'outputs'), path.join(work, 'summary')]
  await clear(home)
  await fs.mkdir(home, { recursive: true })
  await fs.writeFile(outputs, '')
  const told: Record<string, string> = {}
  const filled = (text: string): string =>
    text.replaceAll(/\$\{\{ ([\w.]+) \}\}/g, (_, expression: string) => {
      if (expression === 'matrix.tree') return tree
      const [, value] = /^steps\.(\w+\.outputs\.\w+)$/.exec(expression) ?? []
      if (value === undefined || told[value] === undefined) throw new Error(`no value of ${expression}`)
      return told[value]
    })
  const environment = clean({
    ...Object.fromEntries(Object.entries({ ...workflow.env, ...env }).map(([key, value]) => [key, filled(value)])),
    GITHUB_OUTPUT: outputs,
    GITHUB_STEP_SUMMARY: summary,
  })
  let cwd = work
  let said = ''
  let status = 0
  let key: string | undefined
  let cacheHit = false
  for (const step of steps) {
    if (status !== 0 && step.if !== 'always()') continue
    const input = (field: string) => filled(step.with?.[field] ?? '')
    const action = step.uses?.replace(/^actions\//, '').replace(/@v\d+$/, '')
    if (action === 'checkout') cwd = await checkout()
    else if (action === 'cache') {
      key = input('key')
      cacheHit =
        shell(`test -f '${kept}/${key}.tar' && tar -xf '${kept}/${key}.tar' -C ~`, cwd, environment).status === 0
    } else if (action === 'upload-artifact') {
      const into = path.join(artifacts, input('name'))
      await fs.rm(into, { recursive: true, force: true })
      await fs.mkdir(into, { recursive: true })
      const from = input('path')
      status = shell(`cp -r ${from === 'out' ? 'out/.' : from} '${into}'`, cwd, environment).status || status
    } else if (action === 'download-artifact') {
      const into = path.join(cwd, input('path'))
      await fs.mkdir(into, { recursive: true })
      for (const artifact of await fs.readdir(artifacts))
        if (path.matchesGlob(artifact, input('pattern')))
          await fs.cp(path.join(artifacts, artifact), into, { recursive: true })
    } else if (step.run !== undefined) {
      const done = shell(step.run, cwd, environment)
      said += done.said
      if (status === 0) status = done.status
      for (const line of (await fs.readFile(outputs, 'utf8')).split('\n'))
        if (line.includes('=')) told[`${step.id}.outputs.${line.split('=')[0]}`] = line.slice(line.indexOf('=') + 1)
    } else throw new Error(`nobody does ${JSON.stringify(step)}`)
  }
  // The action saves what it did not find, when the job ends and all went well; the first run here is taken for one.
  if (key !== undefined && !cacheHit) {
    await fs.mkdir(kept, { recursive: true })
    shell(`tar -cf '${kept}/${key}.tar' -C ~ .cache/drvport`, cwd, environment)
  }
  return { status, said, cacheHit }
}

const real = test.serial

/** A kernel is fetched, unpacked and packed twice. */
const LONG_MS = 40 * 60_000

real('github: from an empty home, each job does its steps; what fails is red, and the table says why', async (t) => {
  t.timeout(LONG_MS)
  const written = drvport('ci', 'github', './my driver', '--tree', testTreeName, '--until', 'compile')
  t.is(written.status, 0, written.said)
  const workflow = parseYaml(await fs.readFile(path.join(repository, GITHUB_FILE), 'utf8')) as Workflow
  t.deepEqual(Object.keys(workflow.jobs), ['kernel', 'report', 'comment', 'publish'])

  const first = await runJob(workflow, 'kernel', testTreeName)
  t.is(first.status, 1, first.said)
  t.false(first.cacheHit)
  t.regex(first.said, /fetched linux-/)
  const [column] = await fs.readdir(path.join(artifacts, `column-${testTreeName}`))
  t.is(column, `${testTreeName}.json`)

  const report = await runJob(workflow, 'report', testTreeName)
  t.is(report.status, 1, report.said)
  const files = await fs.readdir(path.join(artifacts, 'kernels'))
  const expected = ['badge.svg', 'comment.md', 'index.html', 'junit.xml', 'matrix.json', 'summary.md']
  t.deepEqual(files.toSorted(), expected)
  const summary = await fs.readFile(path.join(work, 'summary'), 'utf8')
  t.regex(summary, /2 modules do not all reach `compile` on /)
  t.regex(summary, /\| `good` \| ✅ compile \|/)
  t.regex(summary, /`acme` on .*compile-error: external\/my driver\/acme\.c:5: /)
})

real('github: with what the first run left in the cache, nothing is fetched, configured or compiled', async (t) => {
  t.timeout(LONG_MS)
  const workflow = parseYaml(await fs.readFile(path.join(repository, GITHUB_FILE), 'utf8')) as Workflow
  const again = await runJob(workflow, 'kernel', testTreeName)
  t.true(again.cacheHit)
  t.is(again.status, 1, again.said)
  t.notRegex(again.said, /fetched|downloading|unpacking|configuring|generating headers/)
  const text = await fs.readFile(path.join(artifacts, `column-${testTreeName}`, `${testTreeName}.json`), 'utf8')
  const { rows } = JSON.parse(text) as { rows: { module: string; ms: { compile?: number } }[] }
  t.deepEqual(
    rows.map(({ module }) => module),
    ['acme', 'good'],
  )
})

real('gitlab: the scripts of its jobs, with a cache below the checkout', async (t) => {
  t.timeout(LONG_MS)
  const written = drvport('ci', 'gitlab', './my driver', '--tree', testTreeName, '--until', 'compile')
  t.is(written.status, 0, written.said)
  const pipeline = parseYaml(await fs.readFile(path.join(repository, GITLAB_FILE), 'utf8')) as {
    variables: Record<string, string>
    kernel: { script: string[] }
    report: { script: string[] }
  }
  const run = async (script: readonly string[], dir: string, tree?: string): Promise<Done> => {
    // A checkout of one's own, where the jobs before have made one.
    await fs.rm(path.join(home, 'drvport'), { recursive: true, force: true })
    const variables = Object.entries(pipeline.variables).map(([key, value]) => [
      key,
      value.replace('$CI_PROJECT_DIR', dir),
    ])
    // Trees as in the tests around it: this one is about the scripts.
    const trees =
      process.env['DRVPORT_TREES'] ?? process.env['DRVPORT_CACHE'] ?? path.join(os.homedir(), '.cache/drvport')
    const env = clean({ ...Object.fromEntries(variables), DRVPORT_TREES: trees, ...(tree && { TREE: tree }) })
    return shell(script.join('\n'), dir, env)
  }
  const dir = await checkout()
  const column = await run(pipeline.kernel.script, dir, testTreeName)
  t.is(column.status, 1, column.said)
  t.regex(await fs.readFile(path.join(dir, '.drvport-cache', 'week'), 'utf8'), /^\d{4}-\d\d\n$/)
  const after = await checkout()
  await fs.cp(path.join(dir, 'out'), path.join(after, 'out'), { recursive: true })
  const report = await run(pipeline.report.script, after)
  t.is(report.status, 1, report.said)
  t.regex(await fs.readFile(path.join(after, 'out', 'badge.svg'), 'utf8'), /aria-label="linux: fails on /)
  t.regex(await fs.readFile(path.join(after, 'out', 'junit.xml'), 'utf8'), /failures="1"/)
})

real('a file that says something else is not overwritten, unless told to', async (t) => {
  const file = path.join(repository, GITHUB_FILE)
  const words = ['ci', 'github', './my driver', '--tree', testTreeName, '--until', 'compile']
  t.regex(drvport(...words).said, /^unchanged: /m)
  await fs.appendFile(file, '# mine\n')
  const refused = drvport(...words)
  t.is(refused.status, 2)
  t.regex(refused.said, /kernels\.yml\n\s+to do: +give --force/)
  t.regex(await fs.readFile(file, 'utf8'), /# mine\n$/)
  t.is(drvport(...words, '--force').status, 0)
  t.notRegex(await fs.readFile(file, 'utf8'), /# mine/)
  t.is(drvport('ci', 'github', './nothing-here').status, 2)
  t.is(drvport('ci', 'github', './my driver', '--tree', './my-kernel').status, 2)
})
