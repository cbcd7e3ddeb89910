/** Exports as we read them from source, held against what the preprocessor makes of the same files, in two releases. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import type { Kbuild } from '../../pipeline/kbuild/index.ts'
import { probeClang } from '../../pipeline/toolchain/clang.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'

const run = promisify(execFile)

/** Files that export through macros of their own or of a header, and one in this many of all others. */
const WRAPPED = [
  'kernel/params.c',
  'kernel/sched/build_utility.c',
  'drivers/char/random.c',
  'drivers/net/wireless/intel/iwlwifi/iwl-io.c',
  'net/core/net-traces.c',
  'net/core/dev.c',
  'drivers/pci/access.c',
  'drivers/ata/libata-core.c',
]
const ONE_IN = 300

interface Found {
  readonly symbol: string
  readonly gplOnly: boolean
}

/** What EXPORT_SYMBOL leaves in the preprocessed text: a ksymtab entry (6.1), an .export_symbol one (6.12). */
const LEFT = /"___ksymtab"\s*"(_gpl)?"\s*"\+"\s*"(\w+)"|__export_symbol_(\w+):[^;]*;\s*\.asciz \\+"(GPL)?/g

/** `module`: the one that it is part of, when it is no part of the kernel itself. */
async function preprocessed(clang: string, tree: Kbuild, source: string, module?: string): Promise<Found[]> {
  const command = module === undefined ? tree.builtin(source) : tree.compileCommand(source, module)
  const { args, cwd, source: file } = await command
  const flags = args.filter((arg) => arg !== '-D__DISABLE_EXPORTS')
  const { stdout } = await run(clang, ['--target=wasm32-unknown-unknown', ...flags, '-w', '-E', '-P', file], {
    cwd,
    maxBuffer: 64 << 20,
  })
  return [...stdout.matchAll(LEFT)].map(([, gpl, old = '', now = '', gplNow]) => ({
    symbol: old || now,
    gplOnly: gpl !== undefined || gplNow !== undefined,
  }))
}

for (const name of ['linux-6.1', 'linux-6.12'])
  test.serial(`${name}: every export the preprocessor sees is known, with its licence`, async (t) => {
    t.timeout(5 * 60_000)
    const { tree } = await openTreeOnly({ tree: name })
    const clang = (await probeClang()).path as string
    const exports = await tree.exports()
    t.deepEqual(exports.get('raid6_gfexp')?.modules, ['raid6_pq'], 'a file that is made')
    const modules = new Map([...exports.values()].map(({ source, modules }) => [source, modules[0]]))
    const sources = [...modules.keys()].toSorted()
    const sample = [...WRAPPED, ...sources.filter((_, i) => i % ONE_IN === 0)]
    let seen = 0
    for (const source of sample)
      for (const { symbol, gplOnly } of await preprocessed(clang, tree, source, modules.get(source))) {
        seen++
        t.is(exports.get(symbol)?.gplOnly, gplOnly, `${source}: ${symbol}`)
      }
    t.true(seen > 300, `only ${seen} exports seen: is the pattern for this release right?`)
    t.log(`${seen} exports in ${sample.length} files`)
  })
