/**
 * How often a file of a driver is, preprocessed, the same text in two kernel trees: what compiling it once for both could
 * save at most.
 *
 * `node bench/equal-text.ts [--tree linux-6.1,linux-6.12] [--sample 60] [--seed 1]`. Modules that both trees have, drawn by a
 * seed. Texts are compared without line marks, and once more without blanks.
 */
import { execFile } from 'node:child_process'
import { parseArgs, promisify } from 'node:util'
import { adoptKernelFlags, commonFlags, moduleFlags } from '../pipeline/build/flags.ts'
import { inParallel, sha256 } from '../pipeline/cache.ts'
import type { KbuildModule } from '../pipeline/kbuild/index.ts'
import { drawSample } from '../pipeline/matrix/sample.ts'
import { probeClang } from '../pipeline/toolchain/clang.ts'
import { openTreeOnly } from '../pipeline/workspace.ts'

const { values } = parseArgs({
  options: {
    tree: { type: 'string', default: 'linux-6.1,linux-6.12' },
    sample: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    modules: { type: 'string', default: 'drivers/**' },
  },
})
const say = (text: string): void => console.error(text)
const { path: clang } = await probeClang()
if (clang === undefined) throw new Error('no clang')

interface Text {
  readonly plain: string
  readonly dense: string
}

const opened = []
for (const name of values.tree.split(',')) {
  const { tree, source } = await openTreeOnly({ tree: name, onNote: say, onProgress: say })
  opened.push({ tree, source, modules: new Map((await tree.select(values.modules)).map((one) => [one.path, one])) })
}
const [first, second] = opened
if (first === undefined || second === undefined) throw new Error('--tree A,B')

/** Preprocessed texts of a module's files, by name; nothing of those that cannot be. */
async function textsOf(module: KbuildModule, view: string): Promise<Map<string, Text>> {
  const found = new Map<string, Text>()
  for (const { source, args, cwd } of module.objects) {
    const flags = [...adoptKernelFlags(args, cwd), ...moduleFlags(module.name), ...commonFlags([{ dir: view, as: '' }])]
    const run = promisify(execFile)(clang as string, [...flags, '-E', '-P', source], { maxBuffer: 1 << 28 })
    const text = await run.then(
      ({ stdout }) => stdout.replaceAll(view, ''),
      () => undefined,
    )
    if (text === undefined) continue
    found.set(source.slice(view.length), { plain: sha256(text), dense: sha256(text.replaceAll(/\s+/g, '')) })
  }
  return found
}

const both = [...first.modules.values()].filter(({ path: ko }) => second.modules.has(ko))
const sample = drawSample(both, Number(values.sample), Number(values.seed))
const count = { modules: 0, files: 0, sameSource: 0, plain: 0, dense: 0 }
await inParallel(sample, 2, async (module) => {
  const other = second.modules.get(module.path) as KbuildModule
  const [a, b] = [await textsOf(module, first.tree.view), await textsOf(other, second.tree.view)]
  count.modules++
  for (const [file, text] of a) {
    const theirs = b.get(file)
    if (theirs === undefined) continue
    count.files++
    const own = file.replace(/^\//, '')
    if ((await first.source.pristine(own)) === (await second.source.pristine(own))) count.sameSource++
    if (text.plain === theirs.plain) count.plain++
    if (text.dense === theirs.dense) count.dense++
  }
})
console.log(
  `${first.tree.version} and ${second.tree.version}: ${count.modules} modules of ${both.length}, seed ${values.seed}; ` +
    `${count.files} files that both have, ${count.sameSource} of them the same source; ` +
    `preprocessed the same text: ${count.plain}, without blanks ${count.dense}`,
)
