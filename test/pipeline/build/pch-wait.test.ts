/** Who waits for a precompiled header that another is making, with a compiler that ends when the test says so. */

import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { Precompiler, type Unit } from '../../../pipeline/build/pch.ts'
import type { Toolchain, ToolRun } from '../../../pipeline/toolchain/types.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-pch-wait-'))
process.env['DRVPORT_CACHE'] = path.join(dir, 'cache')
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

const BULK = Array.from({ length: 20_000 }, (_, i) => `extern int declared_by_the_dozen_${i}(int, char *);\n`)

/** A compiler of so many processes, whose precompiled header is there when `finish` is called. */
function compiler(width: number) {
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  const compile = async (args: readonly string[]): Promise<ToolRun> => {
    if (args.includes('c-header')) {
      await finished
      await fs.writeFile(args[args.indexOf('-MF') + 1] ?? '', `object: ${dir}/bulk.h\n`)
    }
    await fs.writeFile(args.at(-1) ?? '', 'drvport_end_of_headers\n')
    return { ok: true, output: '', ms: 0 }
  }
  const toolchain = { name: 'clang', width, compile } as unknown as Toolchain
  return { precompiler: new Precompiler(toolchain, undefined), finish }
}

async function units(count: number): Promise<Unit[]> {
  await fs.writeFile(path.join(dir, 'bulk.h'), `#pragma once\n${BULK.join('')}`)
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const source = path.join(dir, `${i}.c`)
      await fs.writeFile(source, '#include <bulk.h>\nint x;\n')
      return { key: `unit ${i}`, source, args: ['-nostdinc', `-I${dir}`] }
    }),
  )
}

test('as many go on without it as there are processors to keep busy, others wait, and take a place that gets free', async (t) => {
  const { precompiler, finish } = compiler(2)
  const all = await units(10)
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
})
