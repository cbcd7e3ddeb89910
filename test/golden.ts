/**
 * Golden files: what a report looked like when somebody last looked at it. `DRVPORT_BLESS=1 npx ava FILE` writes them
 * anew, for a person to read the difference in git.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** `file` is relative to the folder of golden files, `dir`. */
export function golden(t: ExecutionContext, dir: string, file: string, actual: string): void {
  const path = join(dir, file)
  if (process.env['DRVPORT_BLESS'] === '1') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, actual)
  }
  t.is(actual, readFileSync(path, 'utf8'), `${path}: look at the difference, then bless it with DRVPORT_BLESS=1`)
}
