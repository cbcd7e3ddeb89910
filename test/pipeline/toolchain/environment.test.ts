/** A compiler takes nothing from the environment of who runs it that would change what it makes. */
import { mkdtempSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { nativeRunner } from '../../../pipeline/toolchain/limits.ts'

test('CPATH and its kin do not reach a compiler; a search path does', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'drvport-env-'))
  const tool = join(dir, 'cc')
  writeFileSync(tool, '#!/bin/sh\nenv\n')
  chmodSync(tool, 0o755)
  const run = nativeRunner({
    ...process.env,
    CPATH: '/evil',
    C_INCLUDE_PATH: '/evil',
    CCC_OVERRIDE_OPTIONS: '+-DEVIL',
    LIBRARY_PATH: '/evil',
    HARMLESS: 'kept',
  })
  const { output } = await run(tool, [], { cwd: dir })
  t.notRegex(output, /evil|EVIL/)
  t.regex(output, /^PATH=/m)
  t.regex(output, /^HARMLESS=kept$/m)
})
