/**
 * A compiler whose precompiled headers are there when the test says so, and files that are worth one. As a thread: makes
 * one, and tells where.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { Precompiler, type Unit } from '../../../pipeline/build/pch.ts'
import type { Toolchain, ToolRun } from '../../../pipeline/toolchain/types.ts'

const BULK = Array.from({ length: 20_000 }, (_, i) => `extern int declared_by_the_dozen_${i}(int, char *);\n`)

/** A compiler of so many processes, whose precompiled headers are there when `finish` is called. */
export function precompiling(dir: string, width: number) {
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  const made: string[] = []
  const compile = async (args: readonly string[]): Promise<ToolRun> => {
    const output = args.at(-1) ?? ''
    if (args.includes('c-header')) {
      made.push(output)
      await finished
      await fs.writeFile(args[args.indexOf('-MF') + 1] ?? '', `object: ${dir}/bulk.h\n`)
    }
    await fs.writeFile(output, 'drvport_end_of_headers\n')
    return { ok: true, output: '', ms: 0 }
  }
  const toolchain = { name: 'clang', width, compile } as unknown as Toolchain
  return { precompiler: new Precompiler(toolchain, undefined), finish, made }
}

/** Files that all read one large header. */
export async function units(dir: string, count: number): Promise<Unit[]> {
  await fs.writeFile(path.join(dir, 'bulk.h'), `#pragma once\n${BULK.join('')}`)
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const source = path.join(dir, `${i}.c`)
      await fs.writeFile(source, '#include <bulk.h>\nint x;\n')
      return { key: `unit ${i}`, source, args: ['-nostdinc', `-I${dir}`] }
    }),
  )
}

if (parentPort !== null && typeof workerData?.precompile === 'string') {
  const dir: string = workerData.precompile
  process.env['DRVPORT_CACHE'] = workerData.cache
  const { precompiler, finish, made } = precompiling(dir, 2)
  const all = await units(dir, 10)
  precompiler.prepare(all.map((unit) => ({ source: unit.source, unit: () => Promise.resolve(unit) })))
  finish()
  await precompiler.argsFor(all[0] as Unit)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort.postMessage(made)
}
