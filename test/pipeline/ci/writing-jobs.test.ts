/**
 * The jobs of a workflow that write to GitHub, done: the comment with a `gh` that writes down what it is told, and the
 * publishing with a repository of this computer in the place of github.com. What is downloaded is three files here: which
 * there are, and what is in them, test/real/ci.test.ts asks.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { parse as parseYaml } from 'yaml'
import { githubWorkflow } from '../../../pipeline/ci/github.ts'
import { PLAN } from './plan.ts'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, string>>
}
const { jobs } = parseYaml(githubWorkflow(PLAN)) as { jobs: Record<string, { steps: Step[] }> }

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-jobs-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

/** What GitHub tells of a pull request. */
const EVENT: Readonly<Record<string, string>> = { 'github.token': 's3cret', 'github.event.pull_request.number': '17' }
const filled = (text: string): string =>
  text.replaceAll(/\$\{\{ ([\w.]+) \}\}/g, (_, name: string) => {
    if (EVENT[name] === undefined) throw new Error(`no value of ${name}`)
    return EVENT[name]
  })

/** A job's steps in a directory of its own, each with nothing but its own variables and GitHub's. */
async function runJob(name: string, page: string, env: Readonly<Record<string, string>>): Promise<string> {
  const dir = await fs.mkdtemp(path.join(work, `${name}-`))
  for (const { uses, run, env: own = {}, with: input = {} } of jobs[name]?.steps ?? []) {
    if (uses?.startsWith('actions/download-artifact@')) {
      const into = path.join(dir, input['path'] ?? '')
      await fs.mkdir(into, { recursive: true })
      for (const file of ['index.html', 'badge.svg', 'matrix.json', 'comment.md'])
        await fs.writeFile(path.join(into, file), `${file} ${page}\n`)
      continue
    }
    const variables = Object.fromEntries(Object.entries(own).map(([key, value]) => [key, filled(value)]))
    const { status, stderr } = spawnSync('bash', ['-e'], {
      cwd: dir,
      input: run ?? 'false',
      encoding: 'utf8',
      env: { HOME: dir, PATH: process.env['PATH'], GITHUB_REPOSITORY: 'some/acme', ...env, ...variables },
    })
    if (status !== 0) throw new Error(stderr)
  }
  return dir
}

test('the comment is written anew, from the file that says it in few words', async (t) => {
  const bin = path.join(work, 'bin')
  await fs.mkdir(bin)
  const gh = '#!/bin/sh\nfor word do printf "%s\\n" "$word"; done > said\necho "$GH_TOKEN" > token\ntest -f "$7"\n'
  await fs.writeFile(path.join(bin, 'gh'), gh, { mode: 0o755 })
  const dir = await runJob('comment', 'one', { PATH: `${bin}:${process.env['PATH']}` })
  const said = (await fs.readFile(path.join(dir, 'said'), 'utf8')).trim().split('\n')
  const words = ['pr', 'comment', '17', '--repo', 'some/acme', '--body-file', 'out/comment.md']
  t.deepEqual(said, [...words, '--edit-last', '--create-if-none'])
  t.is(await fs.readFile(path.join(dir, 'token'), 'utf8'), 's3cret\n')
})

test('the page and the badge are a branch of one commit, each time', async (t) => {
  const bare = path.join(work, 'acme.git')
  const git = (...words: string[]) => spawnSync('git', ['-C', bare, ...words], { encoding: 'utf8' }).stdout.trim()
  spawnSync('git', ['init', '--quiet', '--bare', bare])
  // The address that the step pushes to, with its token, leads here.
  const instead = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.${bare}.insteadOf`,
    GIT_CONFIG_VALUE_0: 'https://x-access-token:s3cret@github.com/some/acme',
    GIT_CONFIG_NOSYSTEM: '1',
  }
  for (const page of ['one', 'two']) {
    await runJob('publish', page, { ...instead, GITHUB_SHA: `commit of ${page}` })
    t.is(git('log', '--format=%s', 'kernels'), `commit of ${page}`)
    t.deepEqual(git('ls-tree', '--name-only', 'kernels').split('\n'), ['badge.svg', 'index.html', 'matrix.json'])
    t.is(git('show', 'kernels:index.html'), `index.html ${page}`)
  }
})
