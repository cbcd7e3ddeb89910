/**
 * A pipeline for GitLab. Pure.
 *
 * GitLab caches below the checkout only, and names a cache by nothing that a week changes: the jobs empty it themselves.
 */

import { bringing, COLUMN, heading, IMAGE, JOIN, list, scalar } from './text.ts'
import type { CiPlan } from './types.ts'

export const GITLAB_FILE = '.gitlab-ci.yml'

/** A line of a list of commands. A colon or a quote in it means nothing to YAML in a block. */
const command = (...lines: readonly string[]): string =>
  lines.length === 1 && !/: |^["'&*!|>%@`{[]| #/.test(lines[0] ?? '')
    ? `    - ${lines[0]}`
    : ['    - |', ...lines.map((line) => `      ${line}`)].join('\n')

export function gitlabPipeline(plan: CiPlan): string {
  const { driver, trees, until, origin } = plan
  return `${heading('gitlab', plan).join('\n')}
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_PIPELINE_SOURCE == "schedule"
    - if: $CI_PIPELINE_SOURCE == "web"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

stages: [kernels, report]

variables:
  DRIVER: ${scalar(driver)}
  UNTIL: ${until}
  DRVPORT_CACHE: $CI_PROJECT_DIR/.drvport-cache
${origin.kind === 'folder' ? '  GIT_SUBMODULE_STRATEGY: recursive\n' : ''}
default:
  image: ${IMAGE}

kernel:
  stage: kernels
  parallel:
    matrix:
      - TREE: ${list(trees)}
  # The tree, its configuration and all objects. A new week begins anew: point releases come in, nothing piles up.
  cache:
    key: drvport-$TREE
    paths: [.drvport-cache]
  script:
${bringing(origin)
  .map((line) => command(line))
  .join('\n')}
${command(
  'week=$(date -u +%G-%V)',
  'if [ "$(cat "$DRVPORT_CACHE/week" 2>/dev/null)" != "$week" ]; then rm -rf "$DRVPORT_CACHE"; fi',
  'mkdir -p "$DRVPORT_CACHE" out && echo "$week" > "$DRVPORT_CACHE/week"',
)}
${command(COLUMN)}
  artifacts:
    when: always
    paths: [out]

report:
  stage: report
  # Also when a kernel's job is red.
  when: always
  needs: [kernel]
  script:
${bringing(origin)
  .map((line) => command(line))
  .join('\n')}
${command('mv out columns')}
${command(...JOIN.map((line, i) => `${i === 0 ? '' : '  '}${line}${i === JOIN.length - 1 ? '' : ' \\'}`))}
  artifacts:
    when: always
    expose_as: kernels
    paths: [out/]
    reports:
      junit: out/junit.xml

# A note on a merge request, with a token of yours that may write one (scope api) in DRVPORT_COMMENT_TOKEN.
comment:
  stage: report
  needs: [report]
  rules:
    - if: $CI_MERGE_REQUEST_IID && $DRVPORT_COMMENT_TOKEN
      when: always
  script:
${command(
  'curl --fail --silent --show-error --header "PRIVATE-TOKEN: $DRVPORT_COMMENT_TOKEN" --data-urlencode body@out/comment.md \\',
  '  "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"',
)}
`
}

/** Lines for the README of a project. */
export function gitlabReadme(project: string, branch: string): string {
  const of = (file: string) => `https://gitlab.com/${project}/-/jobs/artifacts/${branch}/raw/out/${file}?job=report`
  return `[![kernels](${of('badge.svg')})](${of('index.html').replace('/raw/', '/file/')})`
}
