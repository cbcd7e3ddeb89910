/** Every report of one small matrix in which everything occurs, as somebody last looked at it. */
import { join } from 'node:path'
import test from 'ava'
import { compact } from '../../../pipeline/matrix/compact.ts'
import { diffMatrices } from '../../../pipeline/matrix/diff.ts'
import { json } from '../../../pipeline/report/json.ts'
import { junit } from '../../../pipeline/report/junit.ts'
import { kcidbText } from '../../../pipeline/report/kcidb.ts'
import { ktap } from '../../../pipeline/report/ktap.ts'
import { markdown, markdownDiff, markdownMissing } from '../../../pipeline/report/markdown.ts'
import { missingJson, missingTsv, rankMissing } from '../../../pipeline/report/missing.ts'
import { renderDiff } from '../../../cli/matrix-diff-text.ts'
import { golden } from '../../golden.ts'
import { matrix, row, sample } from '../matrix/_rows.ts'

const dir = join(import.meta.dirname, 'golden')

/** The sample, some weeks ago and on another kernel. */
const earlier = matrix(
  sample.rows
    .filter(({ module }) => module !== 'snd-pcm')
    .map((now) => {
      if (now.module === 'e1000') return { ...now, rung: 'traffic' as const, reason: '' as const, detail: '' }
      if (now.module === '8139cp')
        return { ...now, rung: 'link' as const, reason: 'refused' as const, detail: 'import env.y' }
      if (now.module === 'ext4') return { ...now, reason: 'internal-error' as const, detail: 'TypeError' }
      if (now.module === 'ice')
        return { ...now, missing: ['bpf_prog_put', 'xdp_do_flush'], detail: '2 missing: bpf_prog_put, xdp_do_flush' }
      if (now.module === 'dummy') return { ...now, path: 'drivers/net/virtual/dummy.ko' }
      return now
    })
    .concat(row('drivers/net/slip/slip.ko', { rung: 'traffic' })),
  { until: 'traffic', drvport: '0.1.0', tree: { name: 'linux-6.0', version: '6.0.9' } },
)
const diff = diffMatrices(earlier, sample)
const ranking = rankMissing(sample, {
  exportedIn: (symbol) => (symbol === 'xdp_do_flush' ? 'net/core/filter.c' : undefined),
})

const reports: Readonly<Record<string, () => string>> = {
  'matrix.json': () => json(sample),
  'matrix.compact.json': () => compact(sample),
  'matrix.junit.xml': () => junit(sample),
  'matrix.ktap': () => ktap(sample),
  'matrix.md': () => markdown(sample),
  'matrix-baseline.md': () => markdown(sample, diff),
  'matrix.kcidb.json': () => kcidbText(sample),
  'missing.tsv': () => missingTsv(ranking),
  'missing.json': () => missingJson(ranking),
  'missing.md': () => markdownMissing(ranking),
  'diff.json': () => `${JSON.stringify(diff, null, 1)}\n`,
  'diff.md': () => markdownDiff(diff),
  'diff.txt': () => `${renderDiff(diff, false)}\n`,
  'diff-verbose.txt': () => `${renderDiff(diff, true)}\n`,
}

for (const [file, report] of Object.entries(reports)) test(file, (t) => golden(t, dir, file, report()))
