/** The CI examples: valid YAML, and every drvport command line in them one that our own parser takes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parse as parseYaml } from 'yaml'
import { commandsFor } from '../../cli/commands/index.ts'
import type { Asked } from '../../cli/options.ts'
import { parse } from '../../cli/parser.ts'
import { parseShard } from '../../pipeline/matrix/shard.ts'
import { DIFF_REPORT_KINDS, REPORT_KINDS } from '../../pipeline/report/index.ts'
import { packageRoot } from '../../pipeline/root.ts'

const guide = readFileSync(join(packageRoot, 'docs/ci.md'), 'utf8')
const workflowText = readFileSync(join(packageRoot, 'docs/examples/github-workflow.yml'), 'utf8')
const fenced = (language: string): string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text as string)

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[]; readonly needs?: string }>>
}
const workflow = parseYaml(workflowText) as Workflow
const gitlab = parseYaml(fenced('yaml')[0] ?? '') as Readonly<Record<string, { readonly script?: readonly string[] }>>

const scripts: Readonly<Record<string, readonly string[]>> = {
  'docs/examples/github-workflow.yml': Object.values(workflow.jobs).flatMap(({ steps }) =>
    steps.flatMap(({ run }) => run ?? []),
  ),
  'the GitLab example': Object.values(gitlab).flatMap(({ script }) => script ?? []),
  'docs/ci.md': fenced('sh'),
}

/** What the shell and the CI system put in place of what they know and we do not. */
const VALUES: readonly (readonly [RegExp, string])[] = [
  [/\$\{\{ matrix\.part \}\}|\$CI_NODE_INDEX/g, '2'],
  [/\$CI_NODE_TOTAL/g, '4'],
  [/"?\$TREE"?/g, 'linux-6.1'],
  [/"?\$UNTIL"?/g, 'verify'],
  [/\$SELECTORS/g, 'drivers/net/ethernet/**'],
  [/"\$@"/g, '--baseline baseline.json'],
]

/** Words of each drvport command in a script: lines joined, variables in place, quotes off. */
function commandLines(script: string): string[][] {
  const lines = script.replaceAll(/\\\n\s*/g, ' ').split('\n')
  return lines.flatMap((line) => {
    const [, rest] = /^(?:\.\/drvport\/)?drvport (.*)$/.exec(line.trim()) ?? []
    if (rest === undefined) return []
    const filled = VALUES.reduce((text, [pattern, value]) => text.replaceAll(pattern, value), rest)
    return [(filled.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll(/^'|'$/g, ''))]
  })
}

/** What the parser makes of a command line; throws what it refuses. */
async function dryRun(words: readonly string[]): Promise<Asked> {
  const asked = await parse(await commandsFor(words), words)
  if (asked === undefined) throw new Error(`no command in: ${words.join(' ')}`)
  return asked
}

for (const [where, texts] of Object.entries(scripts)) {
  const lines = texts.flatMap(commandLines)
  test(`${where}: every drvport command line is one`, async (t) => {
    t.true(lines.length >= 2, 'there are some')
    for (const words of lines) {
      t.notRegex(words.join(' '), /\$/, 'every variable is known here')
      const { command, argv } = await dryRun(words)
      t.regex(command.usage, /^(matrix|ci) /)
      const [first] = (argv['selectors'] as string[] | undefined) ?? []
      const kinds: readonly string[] = first === 'diff' ? DIFF_REPORT_KINDS : REPORT_KINDS
      for (const report of (argv['report'] as string[] | undefined) ?? [])
        t.true(kinds.includes(report.split('=')[0] as string), report)
      if (argv['shard'] !== undefined) t.notThrows(() => parseShard(argv['shard'] as string))
    }
  })
}

test('the dry run refuses what is no command line', async (t) => {
  await t.throwsAsync(dryRun(['matrix', 'all', '--untill', 'link']))
  await t.throwsAsync(dryRun(['matrix', 'all', '--until', 'sky']))
  await t.throwsAsync(dryRun(['matrix']))
})

test('the workflow: jobs that are needed exist, what is uploaded is downloaded, parts are cached apart', (t) => {
  const { jobs } = workflow
  for (const { needs } of Object.values(jobs)) if (needs !== undefined) t.true(needs in jobs)
  const steps = Object.values(jobs).flatMap(({ steps }) => steps)
  for (const step of steps) t.true((step.run === undefined) !== (step.uses === undefined))
  for (const { uses } of steps) if (uses !== undefined) t.regex(uses, /^actions\/[a-z-]+(\/[a-z]+)?@v\d+$/)
  const caches = steps.filter(({ uses }) => uses?.startsWith('actions/cache')).map((step) => step.with ?? {})
  t.is(caches[0]?.['path'], '~/.cache/drvport')
  t.regex(String(caches[0]?.['key']), /matrix\.part/)
  for (const cache of caches.filter((c) => 'restore-keys' in c))
    t.true(
      String(cache['key']).startsWith(String(cache['restore-keys']).trim()),
      'a cache is restored by what its name begins with',
    )
})

test('every kind of report is told of', (t) => {
  for (const kind of REPORT_KINDS) t.regex(guide, new RegExp(`^\\| \`${kind}\` \\|`, 'm'))
})
