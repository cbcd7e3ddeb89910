/** `drvport ci github|gitlab DIR`: a workflow that asks every kernel about a driver, and what it will cost. */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { createInterface } from 'node:readline/promises'
import { writeAtomic } from '../../pipeline/cache.ts'
import { GITHUB_FILE, githubReadme, githubWorkflow } from '../../pipeline/ci/github.ts'
import { GITLAB_FILE, gitlabPipeline, gitlabReadme } from '../../pipeline/ci/gitlab.ts'
import { originOf, repositoryOf, type Repository } from '../../pipeline/ci/repository.ts'
import type { CiPlan } from '../../pipeline/ci/types.ts'
import { InfrastructureError, UsageError } from '../../pipeline/errors.ts'
import { costsOf, jobCost, type JobCost } from '../../pipeline/estimate.ts'
import { sourcesBelow } from '../../pipeline/folder/discover.ts'
import type { Rung } from '../../pipeline/ladder.ts'
import { isFetchable } from '../../pipeline/tree/index.ts'
import type { Command, Context } from '../context.ts'
import { RUNG_CHOICES } from '../matrix-reports.ts'
import { bytes, table, waiting } from '../output.ts'
import { treesOf } from '../trees.ts'

/** Kernels that people run now, and the newest there is. */
const TREES = 'linux-5.10,linux-6.1,linux-6.12,linux-unstable'

interface System {
  readonly file: string
  text(plan: CiPlan): string
  /** A badge, for a repository's README. */
  readme(repository: string, branch: string): string
  /** What a repository is called where its remote does not tell. */
  readonly someone: string
}

const SYSTEMS: Readonly<Record<string, System>> = {
  github: { file: GITHUB_FILE, text: githubWorkflow, readme: githubReadme, someone: 'OWNER/REPOSITORY' },
  gitlab: { file: GITLAB_FILE, text: gitlabPipeline, readme: gitlabReadme, someone: 'GROUP/PROJECT' },
}

interface CiDocument {
  readonly schema: 'drvport.ci/1'
  readonly system: string
  readonly file: string
  readonly state: 'written' | 'unchanged'
  readonly plan: CiPlan
  /** Absent where Debian could not be asked. */
  readonly cost?: readonly JobCost[]
  readonly readme: string
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** Minutes as CI systems bill them: each job's begun ones. */
const minutes = (jobs: readonly number[]): number => sum(jobs.map((seconds) => Math.ceil(seconds / 60)))

/** The job that makes the table: programs, and nothing else where all is well. */
const REPORT_SECONDS = 45

function costLines(cost: readonly JobCost[]): string[] {
  const cells = cost.map((tree) => [
    tree.name,
    tree.version,
    bytes(tree.downloadBytes),
    bytes(tree.cacheBytes),
    waiting(tree.jobColdSeconds),
    waiting(tree.jobWarmSeconds),
  ])
  const cold = minutes([...cost.map((tree) => tree.jobColdSeconds), REPORT_SECONDS])
  const warm = minutes([...cost.map((tree) => tree.jobWarmSeconds), REPORT_SECONDS])
  return [
    table(
      [
        { title: 'kernel' },
        { title: 'now' },
        { title: 'download', align: 'right' },
        { title: 'cache', align: 'right' },
        { title: 'first run', align: 'right' },
        { title: 'later', align: 'right' },
      ],
      cells,
    ),
    '',
    `about ${cold} minutes of CI for the first run of a week, ${warm} for each later one; jobs run side by side`,
    `${bytes(sum(cost.map((tree) => tree.downloadBytes)))} of kernels downloaded once a week, ${bytes(sum(cost.map((tree) => tree.cacheBytes)))} of cache; compiler and dependencies in every job`,
  ]
}

/** Shorter, where it lies below. */
function fromHere(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') ? file : relative
}

function render({ file, state, cost, plan, readme }: CiDocument): string {
  const { origin } = plan
  const todo =
    origin.kind === 'folder'
      ? [
          '',
          `drvport is expected in the folder ${origin.folder} of the repository: git submodule add URL ${origin.folder}`,
          'or name where to clone it from: --drvport URL#REVISION',
        ]
      : []
  return [
    `${state === 'written' ? 'wrote' : 'unchanged:'} ${fromHere(file)}`,
    '',
    ...(cost === undefined ? ['Debian could not be asked what it costs'] : costLines(cost)),
    ...todo,
    '',
    'for the README:',
    readme,
  ].join('\n')
}

/** Whether a file that says something else may be overwritten: asked of a person, refused to a script. */
async function mayOverwrite({ json }: Context, file: string): Promise<boolean> {
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${file} is there already. Overwrite it? [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

async function write(context: Context, file: string, text: string, force: boolean): Promise<CiDocument['state']> {
  const there = await fs.readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new UsageError('cannot write the workflow', { where: file, found: error.message, todo: 'give --output FILE' })
  })
  if (there === text) return 'unchanged'
  if (there !== undefined && !force && !(await mayOverwrite(context, file)))
    throw new UsageError('the file is there already, and says something else', {
      where: file,
      todo: 'give --force to overwrite it, or --output FILE to write another one',
    })
  await writeAtomic(file, text)
  return 'written'
}

async function planOf(context: Context, argv: Record<string, unknown>, repository: Repository): Promise<CiPlan> {
  const trees = treesOf(context)
  const unknown = trees.filter((tree) => !isFetchable(tree))
  if (unknown.length > 0)
    throw new UsageError(`a CI system cannot fetch ${unknown.join(', ')}`, {
      expected: 'kernels by name: linux-6.1, linux-6.1@6.1.176, linux-unstable',
      todo: '`drvport fetch --list` shows what can be had',
    })
  const { driver, branch } = repository
  // Both systems put values in place of what begins so.
  if (driver.includes('$'))
    throw new UsageError("a folder's name with a dollar cannot stand in a workflow", { found: driver })
  const origin = await originOf(argv['drvport'] as string | undefined)
  return { driver, trees, until: argv['until'] as Rung, origin, branch }
}

export const ci: Command = {
  usage: 'ci <system> <folder>',
  describe: 'write a workflow that tries a driver on many kernels, and say what it will cost',
  options: (argv) =>
    argv
      .positional('system', { choices: Object.keys(SYSTEMS), describe: 'whose workflow' })
      .positional('folder', { type: 'string', describe: "the driver's folder, in its repository" })
      .option('tree', { type: 'string', default: TREES, describe: 'the kernels: A,B,C' })
      .option('until', { choices: RUNG_CHOICES, default: 'link', describe: 'the rung that every module must reach' })
      .option('drvport', { type: 'string', describe: 'where CI gets drvport from: URL#REVISION, or a folder' })
      .option('output', { type: 'string', requiresArg: true, describe: 'another file than the usual one' })
      .option('force', { type: 'boolean', default: false, describe: 'overwrite a file that says something else' }),
  async run(context, argv) {
    const name = String(argv['system'])
    const system = SYSTEMS[name] as System
    const folder = String(argv['folder'])
    const repository = await repositoryOf(folder)
    const plan = await planOf(context, argv, repository)
    const output = argv['output'] as string | undefined
    const file = output ?? path.join(repository.root, system.file)
    const files = await sourcesBelow(path.resolve(folder))
    const cost = await costsOf(
      plan.trees,
      { files, until: plan.until },
      { signal: context.signal, onProgress: ({ text }) => context.progress.update(text) },
    ).catch((error: unknown) => {
      if (error instanceof InfrastructureError) return undefined
      throw error
    })
    const state = await write(context, file, system.text(plan), argv['force'] === true)
    const document: CiDocument = {
      schema: 'drvport.ci/1',
      system: name,
      file,
      state,
      plan,
      ...(cost && { cost: cost.map(jobCost) }),
      readme: system.readme(repository.name ?? system.someone, plan.branch),
    }
    context.result(document, render)
    return 0
  },
}
