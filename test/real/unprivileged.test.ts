/**
 * Debian's suites, read by a user without any rights: apt's own sources, lists and state are neither needed nor touched.
 *
 * Run by root, the command becomes `nobody`, who may read what root may (the checkout may lie in root's home) and write
 * nothing but its own cache.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { packageRoot } from '../../pipeline/root.ts'

const home = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-nobody-'))

const NOBODY = 65534
const READ = '-all,+dac_read_search'
const becoming =
  process.getuid?.() === 0
    ? [
        'setpriv',
        `--reuid=${NOBODY}`,
        `--regid=${NOBODY}`,
        '--clear-groups',
        `--bounding-set=${READ}`,
        `--inh-caps=${READ}`,
        `--ambient-caps=${READ}`,
      ]
    : []
if (becoming.length > 0) await fs.chown(home, NOBODY, NOBODY)

test.after.always(() => fs.rm(home, { recursive: true, force: true }))

function run(...command: string[]) {
  const [program = '', ...words] = [...becoming, ...command]
  const env = { PATH: process.env['PATH'], HOME: home, DRVPORT_CACHE: path.join(home, 'cache') }
  return spawnSync(program, words, { cwd: home, env, encoding: 'utf8' })
}

/** Every file of apt's: name, size, time of its last change. */
async function state(): Promise<string[]> {
  const found: string[] = []
  for (const dir of ['/etc/apt', '/var/lib/apt', '/var/cache/apt'])
    for (const entry of await fs.readdir(dir, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name)
      const { size, mtimeMs } = await fs.lstat(file)
      found.push(`${file} ${size} ${mtimeMs}`)
    }
  return found.toSorted()
}

test('who has no rights reads every suite, and nothing of apt is touched', async (t) => {
  t.timeout(15 * 60_000, 'ten suites are asked')
  t.not(run('touch', '/etc/apt/written').status, 0, 'it has no rights')
  const before = await state()
  const { status, stdout, stderr } = run(
    process.execPath,
    path.join(packageRoot, 'cli/main.ts'),
    'fetch',
    '--list',
    '--json',
  )
  t.is(status, 0, stderr)
  t.deepEqual(await state(), before)
  const { trees } = JSON.parse(stdout) as { trees: { name: string; from: string[]; downloadBytes?: number }[] }
  const suites = new Set(trees.flatMap(({ from }) => from))
  // Of whatever release this machine is, some of these are no source of its own.
  for (const suite of ['oldstable', 'stable', 'unstable']) t.true(suites.has(suite), suite)
  t.true(trees.some(({ name, downloadBytes = 0 }) => /^linux-\d+\.\d+$/.test(name) && downloadBytes > 50e6))
  // Nothing of it belongs to anybody else, or could be written by one.
  for (const name of await fs.readdir(path.join(home, 'cache'), { recursive: true }))
    t.is((await fs.lstat(path.join(home, 'cache', name))).uid, becoming.length > 0 ? NOBODY : (process.getuid?.() ?? 0))
})
