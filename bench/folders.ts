/**
 * What a driver of somebody's own costs on many kernels: the second run with nothing changed, one line changed in a driver
 * of 150 files, and with --cold the first run on a computer that has nothing.
 *
 * `node bench/folders.ts [--tree A,B,...] [--rounds 3] [--until compile] [--cold linux-6.1]`. Drivers are written here, into a
 * temporary directory. Medians over rounds; processor time is that of everything that ran, so it says the same on a busy
 * computer. A cold run downloads a kernel.
 */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../pipeline/root.ts'
import { cost, type Cost } from './measure.ts'

const { values } = parseArgs({
  options: {
    tree: { type: 'string', default: 'linux-5.10,linux-6.1,linux-6.12,linux-7.2,linux-7.3' },
    rounds: { type: 'string', default: '3' },
    until: { type: 'string', default: 'compile' },
    files: { type: 'string', default: '150' },
    cold: { type: 'string' },
  },
})
const trees = values.tree.split(',')
const say = (text: string): void => console.error(text)

const LICENSE = 'MODULE_LICENSE("GPL");\n'

/** One file that compiles everywhere, and with `broken` one call that newer kernels have not. */
async function smallDriver(dir: string, broken: boolean): Promise<void> {
  await fs.mkdir(dir, { recursive: true })
  await fs.writeFile(path.join(dir, 'Kbuild'), 'obj-m := small.o\n')
  const copy = broken ? 'strlcpy(name, "small", sizeof(name));' : 'strscpy(name, "small", sizeof(name));'
  await fs.writeFile(
    path.join(dir, 'small.c'),
    `#include <linux/module.h>\n#include <linux/platform_device.h>\n#include <linux/string.h>
static int small_probe(struct platform_device *pdev)
{
	char name[8];
	${copy}
	dev_info(&pdev->dev, "%s\\n", name);
	return 0;
}
static struct platform_driver small_driver = { .probe = small_probe, .driver = { .name = "small" } };
module_platform_driver(small_driver);
${LICENSE}`,
  )
}

const partText = (i: number, change: number): string => `#include <linux/module.h>
#include <linux/pci.h>
#include <linux/netdevice.h>
#include <linux/etherdevice.h>
#include <linux/interrupt.h>
#include "large.h"

static u32 part${i}_sum(const struct large_state *state, unsigned int count)
{
	u32 sum = ${change};
	unsigned int at;

	for (at = 0; at < count && at < ARRAY_SIZE(state->words); at++)
		sum += ioread32(state->registers + 4 * at) ^ state->words[at];
	return sum;
}

int part${i}_run(struct large_state *state, struct net_device *dev, struct sk_buff *skb)
{
	if (!netif_running(dev) || skb->len < ETH_HLEN)
		return -EINVAL;
	state->words[${i} % ARRAY_SIZE(state->words)] = part${i}_sum(state, skb->len);
	netdev_dbg(dev, "part ${i}: %u\\n", state->words[0]);
	return 0;
}
`

async function largeDriver(dir: string, files: number): Promise<void> {
  await fs.mkdir(dir, { recursive: true })
  const parts = Array.from({ length: files - 1 }, (_, i) => i)
  const names = parts.map((i) => `part${i}.o`).join(' ')
  await fs.writeFile(path.join(dir, 'Kbuild'), `obj-m := large.o\nlarge-y := main.o ${names}\n`)
  const calls = parts.map((i) => `int part${i}_run(struct large_state *, struct net_device *, struct sk_buff *);`)
  const header = `struct net_device;\nstruct sk_buff;\nstruct large_state { void __iomem *registers; u32 words[64]; };\n${calls.join('\n')}\n`
  await fs.writeFile(path.join(dir, 'large.h'), header)
  for (const i of parts) await fs.writeFile(path.join(dir, `part${i}.c`), partText(i, 0))
  const run = parts.map((i) => `	failed |= part${i}_run(&state, dev, skb);`).join('\n')
  await fs.writeFile(
    path.join(dir, 'main.c'),
    `#include <linux/module.h>\n#include <linux/types.h>\n#include "large.h"\nstatic struct large_state state;
int large_all(struct net_device *dev, struct sk_buff *skb);
int large_all(struct net_device *dev, struct sk_buff *skb)
{
	int failed = 0;

${run}
	return failed;
}
${LICENSE}`,
  )
}

async function matrix(driver: string, tree: string, env: NodeJS.ProcessEnv = process.env): Promise<Cost> {
  const words = ['matrix', driver, '--tree', tree, '--until', values.until, '--json']
  const run = await cost([path.join(packageRoot, 'drvport'), ...words], { env })
  if (run.status !== 0) throw new Error(`drvport matrix ended with ${run.status}:\n${run.stderr.slice(-2000)}`)
  return run
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[(numbers.length - 1) >> 1] as number

const lines: string[] = []
function tell(what: string, runs: readonly Cost[], wanted: string): void {
  const [wall, cpu] = [runs.map(({ wallMs }) => wallMs), runs.map(({ cpuMs }) => cpuMs)].map(median)
  lines.push(`| ${what} | ${seconds(wall as number)} | ${seconds(cpu as number)} | ${wanted} |`)
  say(lines.at(-1) as string)
}

async function repeated(run: (round: number) => Promise<Cost>): Promise<Cost[]> {
  const runs: Cost[] = []
  for (let round = 0; round < Number(values.rounds); round++) runs.push(await run(round))
  return runs
}

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-bench-'))
try {
  const [good, bad, large] = ['good', 'bad', 'large'].map((name) => path.join(work, name)) as [string, string, string]
  await smallDriver(good, false)
  await smallDriver(bad, true)
  await largeDriver(large, Number(values.files))
  for (const driver of [good, bad]) await matrix(driver, values.tree)
  tell(`nothing changed, ${trees.length} trees`, await repeated(() => matrix(good, values.tree)), '3')
  const failing = `nothing changed, ${trees.length} trees, some of which it does not compile for`
  tell(failing, await repeated(() => matrix(bad, values.tree)), '3')
  for (const tree of trees) {
    tell(`${values.files} files, ${tree}, first time`, [await matrix(large, tree)], '')
    tell(`${values.files} files, ${tree}, nothing changed`, await repeated(() => matrix(large, tree)), '')
    const changed = await repeated(async (round) => {
      await fs.writeFile(path.join(large, 'part7.c'), partText(7, (Date.now() + round) % 1_000_000_000))
      return matrix(large, tree)
    })
    tell(`${values.files} files, ${tree}, one line changed`, changed, '10')
  }
  if (values.cold !== undefined) {
    const env = { ...process.env, DRVPORT_CACHE: path.join(work, 'cache') }
    tell(`first run with an empty cache, ${values.cold}`, [await matrix(good, values.cold, env)], '180')
  }
} finally {
  await cost(['sh', '-c', `chmod -R u+w '${work}' && rm -rf '${work}'`])
}
console.log(`${os.cpus()[0]?.model}, ${os.cpus().length} cores, load ${os.loadavg()[0]?.toFixed(0)}, Node ${process.version}, until ${values.until}, ${values.rounds} rounds

| what | wall, s | processor, s | wanted, wall |
|---|---:|---:|---:|
${lines.join('\n')}`)
