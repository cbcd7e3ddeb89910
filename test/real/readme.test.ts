/** What README.md shows of a driver on many kernels is what the commands print now, but for times. */
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import test from 'ava'
import { kernelsSection, replaceKernels, withoutTimes } from '../../pipeline/report/readme-kernels.ts'
import { packageRoot } from '../../pipeline/root.ts'

test('the commands in README.md print what it shows', (t) => {
  t.timeout(40 * 60_000, 'four kernels may have to be configured')
  const readme = readFileSync(path.join(packageRoot, 'README.md'), 'utf8')
  const section = kernelsSection()
  t.regex(section, /acme_fan on linux-6\.12: api-/)
  t.is(withoutTimes(replaceKernels(readme, section)), withoutTimes(readme))
})
