/**
 * What the configuration of a tree leaves out, and why: docs/matrix/left-out-TREE.tsv and .md.
 *
 *   node pipeline/kbuild/left-out/left-out.ts linux-6.1 linux-6.12
 *
 * left-out.c, linked with the tree's own kconfig, says which options are off and what makes them so; the tree's makefiles
 * say which modules an option builds. Run by a maintainer after a change of the overlay's Kconfig, of base.config or of a
 * tree; the files are committed.
 */

import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { findHostCompiler, tryMake } from '../make.ts'
import { packageRoot } from '../../root.ts'
import { probeClang } from '../../toolchain/clang.ts'
import { openTreeOnly } from '../../workspace.ts'

const run = promisify(execFile)
const HERE = import.meta.dirname
const OUT = path.join(packageRoot, 'docs', 'matrix')

interface LeftOut {
  readonly option: string
  /** Kconfig file and line. */
  readonly where: string
  readonly condition: string
  readonly behind: readonly string[]
  /** On offer if only 64BIT were on. */
  readonly wants64: boolean
  /** What its makefiles name, `.o` less: module or part of one. */
  readonly builds: readonly string[]
}

/** Build left-out.c against a view's kconfig and run it as the tree's make runs kconfig. */
async function ask(view: string): Promise<string> {
  const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-left-out-'))
  try {
    const [sources, objects] = [path.join(view, 'scripts/kconfig'), path.join(view, 'build/scripts/kconfig')]
    const searchPath = process.env['PATH'] ?? ''
    const hostcc = (await findHostCompiler(searchPath)) ?? 'cc'
    const named = (await fs.readFile(path.join(sources, 'expr.h'), 'utf8')).includes('const char *filename')
    const parts = ['confdata', 'expr', 'lexer.lex', 'menu', 'parser.tab', 'preprocess', 'symbol', 'util']
    const program = path.join(work, 'left-out')
    const includes = [sources, path.join(view, 'scripts/include'), objects].map((dir) => `-I${dir}`)
    const define = named ? ['-DMENU_HAS_FILENAME'] : []
    const linked = parts.map((part) => path.join(objects, `${part}.o`))
    await run(hostcc, ['-O1', ...define, ...includes, '-o', program, path.join(HERE, 'left-out.c'), ...linked])
    const makefile = path.join(work, 'left-out.mk')
    await fs.copyFile(path.join(HERE, 'left-out.mk'), makefile)
    const setup = { view, cc: (await probeClang()).path ?? 'clang', hostcc, searchPath }
    const said = await tryMake(setup, ['drvport-left-out'], { MAKEFILES: makefile, DRVPORT_LEFT_OUT: program })
    if (said.status !== 0) throw new Error(said.stderr)
    return said.stdout
  } finally {
    await fs.rm(work, { recursive: true, force: true })
  }
}

const MAKEFILES = ['block', 'crypto', 'drivers', 'fs', 'init', 'io_uring', 'kernel', 'lib', 'mm', 'net', 'samples']
const MORE_MAKEFILES = ['security', 'sound', 'virt']

/** What each option builds: `obj-$(CONFIG_X) += a.o` anywhere in the tree but under arch/. */
async function built(view: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const top of [...MAKEFILES, ...MORE_MAKEFILES]) {
    const real = await fs.realpath(path.join(view, top)).catch(() => undefined)
    if (real === undefined) continue
    for (const name of await fs.readdir(real, { recursive: true })) {
      if (!/(?:^|\/)(?:Makefile|Kbuild)$/.test(name)) continue
      const text = (await fs.readFile(path.join(real, name), 'utf8')).replaceAll('\\\n', ' ')
      for (const [, option = '', parts = ''] of text.matchAll(/^\s*obj-\$[({]CONFIG_(\w+)[)}]\s*[+:]?=(.*)$/gm))
        for (const part of parts.replace(/#.*/, '').split(/\s+/))
          if (part.endsWith('.o'))
            found.set(option, [...(found.get(option) ?? []), path.join(top, path.dirname(name), part.slice(0, -2))])
    }
  }
  return found
}

async function leftOut(tree: string): Promise<{ version: string; modules: number; rows: LeftOut[] }> {
  const { tree: kbuild } = await openTreeOnly({ tree })
  const [text, builds] = [await ask(kbuild.view), await built(kbuild.view)]
  const rows = new Map<string, LeftOut>()
  for (const line of text.trim().split('\n')) {
    const [option = '', where = '', condition = '', behind = '', wants = ''] = line.split('\t')
    const names = builds.get(option)
    // Defined twice, or builds nothing itself.
    if (rows.has(option) || names === undefined) continue
    const facts = { condition, behind: behind.split(' ').filter((name) => name !== ''), wants64: wants === '64' }
    rows.set(option, { option, where, ...facts, builds: names })
  }
  const sorted = [...rows.values()].toSorted((a, b) => (a.option < b.option ? -1 : 1))
  return { version: kbuild.version, modules: kbuild.modules().length, rows: sorted }
}

const HEADER = ['option', 'where', 'false part of its condition', 'options behind it', '64-bit only', 'builds']

const tableOf = (rows: readonly LeftOut[]): string =>
  [
    HEADER,
    ...rows.map(({ option, where, condition, behind, wants64, builds }) => [
      option,
      where,
      condition,
      behind.join(' '),
      wants64 ? 'yes' : '',
      builds.join(' '),
    ]),
  ]
    .map((cells) => cells.join('\t'))
    .join('\n')

/** What stands behind most of them, for a reader who wonders what to add. */
const SHOWN = 40

const total = (rows: readonly LeftOut[]): number => new Set(rows.flatMap(({ builds }) => builds)).size

function summary(tree: string, version: string, modules: number, rows: readonly LeftOut[]): string {
  const alone = new Map<string, LeftOut[]>()
  for (const row of rows) {
    const cause =
      row.behind.length === 1 ? (row.behind[0] as string) : row.behind.length === 0 ? 'not selected' : 'several'
    alone.set(cause, [...(alone.get(cause) ?? []), row])
  }
  const causes = [...alone].map(([cause, list]) => ({ cause, options: list.length, builds: total(list) }))
  const shown = causes.toSorted((a, b) => b.builds - a.builds || (a.cause < b.cause ? -1 : 1)).slice(0, SHOWN)
  const only64 = rows.filter(({ wants64 }) => wants64)
  return `# What the configuration leaves out: ${tree} (${version})

Made by \`node pipeline/kbuild/left-out/left-out.ts ${tree}\`; do not edit. Every option with its reason is in [left-out-${tree}.tsv](left-out-${tree}.tsv).

${modules} modules are on offer. ${rows.length} options that could be modules are off; the makefiles name ${total(rows)} modules and objects for them.
\`X?\` means that nothing defines X for wasm (another architecture's option, most often), \`!X\` that X is on and must not be, \`X-\` that X could be on
and the configuration says no. An option with one thing behind it comes on with that thing; \`several\` have more than one, or alternatives.

| behind it | options | modules and objects |
|---|---:|---:|
${shown.map(({ cause, options, builds }) => `| ${cause} | ${options} | ${builds} |`).join('\n')}

## 64-bit only

${only64.length} options (${total(only64)} modules and objects) would be on offer if only \`64BIT\` were on:

${only64.map(({ option, builds }) => `- ${option}: ${builds.join(', ')}`).join('\n')}
`
}

await fs.mkdir(OUT, { recursive: true })
for (const tree of process.argv.slice(2)) {
  const { version, modules, rows } = await leftOut(tree)
  await fs.writeFile(path.join(OUT, `left-out-${tree}.tsv`), `${tableOf(rows)}\n`)
  await fs.writeFile(path.join(OUT, `left-out-${tree}.md`), summary(tree, version, modules, rows))
  process.stderr.write(`${tree}: ${rows.length} options, ${total(rows)} modules and objects\n`)
}
