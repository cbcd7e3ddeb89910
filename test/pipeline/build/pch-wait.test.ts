/** Who waits for a precompiled header that another is making, and where it is made: with no real compiler. */

import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { Worker } from 'node:worker_threads'
import { precompiling, units } from './_precompiling.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-pch-wait-'))
process.env['DRVPORT_CACHE'] = path.join(dir, 'cache')
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

// One after the other: they look into one folder.
test.serial(
  'as many go on without it as there are processors to keep busy, others wait, and take a place that gets free',
  async (t) => {
    const { precompiler, finish } = precompiling(dir, 2)
    const all = await units(dir, 10)
    precompiler.prepare(all.map((unit) => ({ source: unit.source, unit: () => Promise.resolve(unit) })))
    const ended = new Map<number, boolean>()
    const asked = all.map(async (unit, i) => {
      const use = await precompiler.argsFor(unit)
      ended.set(i, use !== undefined)
    })
    const soon = async (count: number) => {
      while (ended.size < count) await sleep(1)
      await sleep(20)
      return [...ended]
    }
    const [first] = await soon(1)
    t.deepEqual(first?.[1], false, 'one keeps the other processor busy')
    t.is(ended.size, 1)
    await precompiler.done(`unit ${first?.[0]}`)
    t.is((await soon(2)).length, 2)
    finish()
    await Promise.all(asked)
    t.is([...ended.values()].filter((used) => !used).length, 2)
    t.is(precompiler.figures.made, 1)
    for (const unit of all) await precompiler.done(unit.key)
    t.deepEqual(await fs.readdir(path.join(dir, 'cache', 'pch')), [], 'what nobody needs any more is gone')
  },
)

test.serial('threads of one process never share a directory: their headers may be of two configurations', async (t) => {
  const thread = async (name: string): Promise<string[]> => {
    const precompile = path.join(dir, name)
    await fs.mkdir(precompile)
    const workerData = { precompile, cache: path.join(dir, 'cache') }
    const worker = new Worker(new URL('_precompiling.ts', import.meta.url), { workerData })
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  }
  const made = (await Promise.all(['one', 'two', 'three'].map(thread))).flat()
  t.is(made.length, 3)
  t.is(new Set(made).size, 3, made.join(' '))
})
