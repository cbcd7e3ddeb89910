/** Generated workflows are what the plan says, whatever names stand in it. */
import test from 'ava'
import { parse as parseYaml } from 'yaml'
import { githubReadme, githubWorkflow } from '../../../pipeline/ci/github.ts'
import { gitlabPipeline, gitlabReadme } from '../../../pipeline/ci/gitlab.ts'
import { nameOfRemote } from '../../../pipeline/ci/repository.ts'
import { PLAN, PLANS } from './plan.ts'

for (const [i, plan] of PLANS.entries())
  test(`plan ${i + 1}: its names stand in both, as they are`, (t) => {
    const github = parseYaml(githubWorkflow(plan)) as {
      env: unknown
      on: { push: { branches: string[] } }
      jobs: { kernel: { strategy: { matrix: unknown } } }
    }
    t.deepEqual(github.env, { DRIVER: plan.driver, UNTIL: plan.until })
    t.deepEqual(github.on.push.branches, [plan.branch])
    t.deepEqual(github.jobs.kernel.strategy.matrix, { tree: plan.trees })
    const gitlab = parseYaml(gitlabPipeline(plan)) as { variables: object; kernel: { parallel: { matrix: unknown } } }
    t.like(gitlab.variables, { DRIVER: plan.driver, UNTIL: plan.until })
    t.deepEqual(gitlab.kernel.parallel.matrix, [{ TREE: plan.trees }])
  })

test('no script of the workflow holds an expression: names come in as variables', (t) => {
  const { jobs } = parseYaml(githubWorkflow(PLAN)) as { jobs: Record<string, { steps: { run?: string }[] }> }
  const scripts = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run: script }) => script ?? []))
  t.true(scripts.length >= 6)
  for (const script of scripts) t.false(script.includes('${{'), script)
})

test('a repository is known by what its remote says, in every way of saying it', (t) => {
  for (const url of [
    'git@github.com:some/acme.git',
    'https://github.com/some/acme',
    'ssh://git@host:22/some/acme.git',
    'https://user@host/some/acme/',
  ])
    t.is(nameOfRemote(url), 'some/acme', url)
  t.is(nameOfRemote('https://gitlab.com/group/sub/acme.git'), 'group/sub/acme')
  t.is(nameOfRemote('/srv/git/acme'), undefined)
  t.regex(githubReadme('some/acme'), /^\[!\[kernels\]\(https:\/\/raw\.githubusercontent\.com\/some\/acme\/kernels\//)
  t.regex(gitlabReadme('group/acme', 'main'), /jobs\/artifacts\/main\/raw\/out\/badge\.svg\?job=report/)
})
