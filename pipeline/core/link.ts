/**
 * Linking the core: the lower half and the tree's own kernel, in one wasm module over an imported memory and table.
 *
 * Memory from 0 up: the first C stack, an area for modules (so that what is above does not depend on them), the kernel's
 * data, the heap. Exports are for the pipeline only: pipeline/bind turns those that modules may bind to into table slots.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { ExportedName } from '../bind/index.ts'
import { adoptKernelFlags } from '../build/flags.ts'
import { STACK_BYTES, TABLE_BASE } from '../build/flags.ts'
import { withWorkDirectory } from '../build/work-directory.ts'
import { InfrastructureError } from '../errors.ts'
import type { KernelTree } from '../build/kernel.ts'
import { packageRoot } from '../root.ts'
import type { Toolchain } from '../toolchain/types.ts'
import { renameSegments, weaken } from '../wasm/object.ts'
import { MODULE_AREA } from './kept.ts'
import { layoutSource } from './layout.ts'
import type { CoreObject } from './objects.ts'
import type { Overrides } from './overrides.ts'

/** Pages of 64 KiB that every core may have at most. */
const MEMORY_PAGES_MAX = 16384

const SCRIPT = path.join(packageRoot, 'linux-api', 'arch', 'wasm', 'kernel', 'vmlinux.lds.S')

/** The tree's link-time tables, in order: arch/wasm/kernel/vmlinux.lds.S after the preprocessor. */
async function linkerScript(tree: KernelTree, toolchain: Toolchain, dir: string): Promise<string> {
  const { args, cwd } = await tree.builtin(SCRIPT)
  const flags = forPreprocessor(adoptKernelFlags(args, cwd))
  const output = path.join(dir, 'vmlinux.lds')
  const run = await toolchain.compile(
    ['--target=wasm32-wasi', '-E', '-P', '-x', 'assembler-with-cpp', '-D__ASSEMBLY__', ...flags, SCRIPT, '-o', output],
    { cwd: dir },
  )
  if (!run.ok) throw linkFailure("the kernel's table of sections cannot be read", SCRIPT, run.output)
  return fs.readFile(output, 'utf8')
}

/** Of a compile's flags, those that say where headers are and which macros hold; types mean nothing to an assembler. */
function forPreprocessor(args: readonly string[]): string[] {
  const kept: string[] = []
  args.forEach((arg, i) => {
    const value = args[i + 1] ?? ''
    if (/^-(I|D|U)./.test(arg) || arg === '-nostdinc') kept.push(arg)
    else if (arg === '-isystem' || arg === '-I') kept.push(arg, value)
    else if (arg === '-include' && !value.endsWith('compiler_types.h')) kept.push(arg, value)
  })
  return kept
}

const linkFailure = (what: string, where: string, said: string): InfrastructureError =>
  new InfrastructureError(what, { where, found: said.trim().split('\n').slice(-8).join('\n            ') })

/** Undefined in some object and defined in none. */
function undefinedIn(objects: readonly CoreObject[]): Set<string> {
  const defined = new Set(objects.flatMap(({ defines }) => defines))
  return new Set(objects.flatMap(({ needs }) => needs).filter((name) => !defined.has(name)))
}

/**
 * Constants and data of the lower half lie behind all of the tree's: where these are does not change when the lower half does, and
 * so modules that are bound to them need not be bound anew. Tables and what has a place of its own keep their names.
 */
const behind = (segment: string): string =>
  /^\.(rodata(\.|$)|data(\.[^.]|$))/.test(segment) ? '.drvport.lower' : segment

const isLowerHalf = (name: string): boolean => name.startsWith('drvport/')

/** Objects with the symbols that give way made weak, and those of the lower half with their data behind. */
async function prepare(objects: readonly CoreObject[], overrides: Overrides, dir: string): Promise<string[]> {
  return Promise.all(
    objects.map(async ({ name, object }, i) => {
      const names = overrides.symbols.get(name)
      if (names === undefined && !isLowerHalf(name)) return object
      const file = path.join(dir, `prepared-${i}.o`)
      const bytes = await fs.readFile(object)
      await fs.writeFile(file, isLowerHalf(name) ? renameSegments(bytes, behind) : weaken(bytes, names!))
      return file
    }),
  )
}

export interface LinkedCore {
  readonly wasm: Uint8Array
  /** Names that nobody defines, and code that is reached uses. */
  readonly unresolved: readonly string[]
}

/** Exports the machine uses itself. */
export const CORE_EXPORTS: readonly string[] = ['__stack_pointer', '__heap_base']

/** Link. Throws InfrastructureError when the linker does not. */
export function linkCore(
  tree: KernelTree,
  toolchain: Toolchain,
  objects: readonly CoreObject[],
  exported: readonly ExportedName[],
  overrides: Overrides,
): Promise<LinkedCore> {
  return withWorkDirectory(async (dir) => {
    const layout = path.join(dir, 'layout.s')
    const wanted = undefinedIn(objects)
    await fs.writeFile(layout, layoutSource(await linkerScript(tree, toolchain, dir), wanted))
    const layoutObject = path.join(dir, 'layout.o')
    const assembled = await toolchain.compile(['--target=wasm32-wasi', '-c', layout, '-o', layoutObject], { cwd: dir })
    if (!assembled.ok)
      throw linkFailure("the order of the kernel's tables cannot be assembled", layout, assembled.output)
    const output = path.join(dir, 'core.wasm')
    const response = path.join(dir, 'core.rsp')
    const inputs = [layoutObject, ...(await prepare(objects, overrides, dir))]
    const exports = exported.map(({ symbol }) => `--export-if-defined=${symbol}`)
    await fs.writeFile(response, [...inputs, ...exports].join('\n'))
    const run = await toolchain.link([...linkArguments(), `@${response}`, '-o', output], { cwd: dir })
    if (!run.ok) throw linkFailure('the core cannot be linked', output, run.output)
    const unresolved = [
      ...new Set([...run.output.matchAll(/undefined symbol: (\S+)/g)].map(([, name]) => name as string)),
    ]
    return { wasm: await fs.readFile(output), unresolved: unresolved.toSorted() }
  })
}

function linkArguments(): string[] {
  return [
    '--no-entry',
    '--stack-first',
    '-z',
    `stack-size=${STACK_BYTES}`,
    `--global-base=${MODULE_AREA.end}`,
    `--max-memory=${MEMORY_PAGES_MAX * 65536}`,
    '--import-memory',
    '--import-table',
    `--table-base=${TABLE_BASE}`,
    '--gc-sections',
    '--warn-unresolved-symbols',
    ...CORE_EXPORTS.map((name) => `--export=${name}`),
  ]
}
