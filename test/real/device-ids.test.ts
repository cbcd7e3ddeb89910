/** The layouts of id tables, held against what two releases' own devicetable-offsets.c says of them for wasm32. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { TABLES } from '../../pipeline/build/device-ids.ts'
import { probeClang } from '../../pipeline/toolchain/clang.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'

const run = promisify(execFile)

for (const name of ['linux-6.1', 'linux-6.12'])
  test.serial(`${name}: every size and offset that is used is the tree's`, async (t) => {
    const { tree } = await openTreeOnly({ tree: name })
    const { args, cwd, source } = await tree.builtin('scripts/mod/devicetable-offsets.c')
    const clang = (await probeClang()).path as string
    const { stdout } = await run(clang, ['--target=wasm32-unknown-unknown', ...args, '-w', '-S', '-o', '-', source], {
      cwd,
    })
    const said = new Map([...stdout.matchAll(/->(\w+) (\d+) /g)].map(([, key, value]) => [key, Number(value)]))
    t.true(said.size > 50)
    for (const { struct, bytes, at } of Object.values(TABLES)) {
      t.is(said.get(`SIZE_${struct}`), bytes, struct)
      for (const [member, offset] of Object.entries(at))
        t.is(said.get(`OFF_${struct}_${member}`), offset, `${struct}.${member}`)
    }
  })
