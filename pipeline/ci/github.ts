/**
 * A workflow for GitHub Actions. Pure.
 *
 * Values reach the shell through the environment only, never as an expression within a script: a folder's or a tree's
 * name is data.
 */

import { bringing, COLUMN, heading, IMAGE, JOIN, list, scalar } from './text.ts'
import type { CiPlan } from './types.ts'

export const GITHUB_FILE = '.github/workflows/kernels.yml'

const indent = (lines: readonly string[], by: number): string =>
  lines.map((line) => `${' '.repeat(by)}${line}`).join('\n')

/** The page and the badge at addresses that stay. */
export const RESULTS_BRANCH = 'kernels'

const checkout = ({ origin }: CiPlan): string =>
  origin.kind === 'folder'
    ? `      - uses: actions/checkout@v4
        with:
          submodules: true`
    : '      - uses: actions/checkout@v4'

const bring = ({ origin }: CiPlan): string =>
  `      - name: Bring drvport
        run: |
${indent(bringing(origin), 10)}`

export function githubWorkflow(plan: CiPlan): string {
  const { driver, trees, until, branch } = plan
  return `${heading('github', plan).join('\n')}
name: kernels

on:
  push:
    branches: ${list([branch])}
  pull_request:
  # Kernels change when nobody pushes.
  schedule:
    - cron: '17 4 * * 1'
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: kernels-\${{ github.ref }}
  cancel-in-progress: true

env:
  DRIVER: ${scalar(driver)}
  UNTIL: ${until}

jobs:
  kernel:
    name: \${{ matrix.tree }}
    runs-on: ubuntu-latest
    container: ${IMAGE}
    timeout-minutes: 90
    strategy:
      fail-fast: false
      matrix:
        tree: ${list(trees)}
    env:
      TREE: \${{ matrix.tree }}
    steps:
${checkout(plan)}
${bring(plan)}
      # The tree, its configuration and all objects. A new week begins anew: point releases come in, nothing piles up.
      - name: Which week it is
        id: week
        run: echo "name=$(date -u +%G-%V)" >> "$GITHUB_OUTPUT"
      - uses: actions/cache@v4
        with:
          path: ~/.cache/drvport
          key: drvport-\${{ matrix.tree }}-\${{ steps.week.outputs.name }}
      - name: Climb
        run: |
          ${COLUMN}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: column-\${{ matrix.tree }}
          path: out/*.json
          if-no-files-found: error

  report:
    needs: kernel
    if: \${{ !cancelled() }}
    runs-on: ubuntu-latest
    container: ${IMAGE}
    timeout-minutes: 90
    steps:
${checkout(plan)}
${bring(plan)}
      - uses: actions/download-artifact@v4
        with:
          pattern: column-*
          path: columns
          merge-multiple: true
      # Where a module compiles for one kernel and not for the next, these two are brought to say what changed.
      - name: One table
        run: |
${indent(
  JOIN.map((line, i) => `${i === 0 ? '' : '  '}${line}${i === JOIN.length - 1 ? '' : ' \\'}`),
  10,
)}
      - name: Job summary
        if: always()
        run: if [ -f out/summary.md ]; then cat out/summary.md >> "$GITHUB_STEP_SUMMARY"; fi
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: kernels
          path: out

  # One comment on a pull request of this repository, written anew each time. Leave the job out if nobody wants it.
  comment:
    needs: report
    if: >-
      \${{ !cancelled() && github.event_name == 'pull_request'
      && github.event.pull_request.head.repo.full_name == github.repository }}
    runs-on: ubuntu-latest
    permissions:
      pull-requests: write
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: kernels
          path: out
      - name: Comment
        env:
          GH_TOKEN: \${{ github.token }}
          PULL: \${{ github.event.pull_request.number }}
        run: gh pr comment "$PULL" --repo "$GITHUB_REPOSITORY" --body-file out/comment.md --edit-last --create-if-none

  # The page and the badge at addresses that stay: a branch of its own, of one commit.
  publish:
    needs: report
    if: >-
      \${{ !cancelled() && github.event_name != 'pull_request'
      && github.ref_name == ${quoted(branch)} }}
    runs-on: ubuntu-latest
    permissions:
      contents: write
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: kernels
          path: out
      - name: Publish
        env:
          GH_TOKEN: \${{ github.token }}
        run: |
          cd out
          git init --quiet --initial-branch=${RESULTS_BRANCH}
          git add index.html badge.svg matrix.json
          git -c user.name=drvport -c user.email=drvport@users.noreply.github.com commit --quiet --message="\${GITHUB_SHA:-results}"
          git push --quiet --force "https://x-access-token:$GH_TOKEN@github.com/$GITHUB_REPOSITORY" ${RESULTS_BRANCH}
`
}

/** Text in an expression. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Lines for the README of a repository. */
export function githubReadme(repository: string): string {
  const raw = `https://raw.githubusercontent.com/${repository}/${RESULTS_BRANCH}`
  return `[![kernels](${raw}/badge.svg)](https://github.com/${repository}/actions/workflows/kernels.yml)`
}
