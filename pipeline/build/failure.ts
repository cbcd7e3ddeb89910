/**
 * Why a module did not compile, as a result says it: the same words on every computer, with the source lines that a reader
 * wants to see.
 */

import * as fs from 'node:fs/promises'
import { exists } from '../cache.ts'
import { absenceOf, lackingIn } from '../api/absent.ts'
import { versionTestsAt } from '../api/subjects.ts'
import type { ApiTree } from '../api/tree.ts'
import type { BuiltModule } from './compiler.ts'
import type { BuildRung, SourceDiagnostic } from './document.ts'
import type { Root } from './flags.ts'

/** What of a result tells of the failure. */
export interface CompileFailure {
  readonly rung: BuildRung
  readonly reason: string
  readonly detail: string
  readonly diagnostics: readonly SourceDiagnostic[]
}

const NO_FILE = /no such file or directory/i

/** More than a reader looks at; one wrong header can give thousands. */
const DIAGNOSTICS_MAX = 20

/** Nothing of this computer in a message. */
const portable = (roots: readonly Root[], text: string): string =>
  roots.reduce((result, { dir, as }) => result.replaceAll(`${dir}/`, as), text)

async function withSources({ diagnostics, inputs }: BuiltModule, roots: readonly Root[]): Promise<SourceDiagnostic[]> {
  const files = new Map(inputs.map(({ name, file }) => [name, file]))
  const told = diagnostics.slice(0, DIAGNOSTICS_MAX).map(async ({ file, line, message }) => {
    const found = files.get(file)
    const text = found === undefined || line === 0 ? '' : await fs.readFile(found, 'utf8').catch(() => '')
    const source = text.split('\n')[line - 1]?.trim()
    // A message of the compiler about no file at all.
    const name = file === '.' ? '' : file
    return {
      file: name,
      line,
      message: portable(roots, message),
      ...(source !== undefined && source !== '' && { source }),
    }
  })
  return Promise.all(told)
}

/**
 * The failure of a module that has no objects. It was parsed when the compiler read all of its source, headers included,
 * and had something against what it says; a compiler that found no file, or died, has shown nothing.
 */
export async function compileFailure(
  compiled: BuiltModule,
  roots: readonly Root[],
  tree: ApiTree,
): Promise<CompileFailure> {
  const diagnostics = await withSources(compiled, roots)
  const { reason = 'compile-error' } = compiled
  const other = await otherLanguage(compiled)
  if (other !== undefined) return { rung: 'none', reason: 'not-c', detail: portable(roots, other), diagnostics }
  const absent = reason === 'compile-error' ? diagnostics.find(({ message }) => NO_FILE.test(message)) : undefined
  if (absent !== undefined) return { rung: 'none', reason: 'no-source', detail: described(absent), diagnostics }
  const known = reason === 'compile-error' ? await absenceIn(tree, diagnostics) : undefined
  if (known !== undefined) {
    const rung = lackingIn(known.diagnostic.message)?.kind === 'header' ? 'none' : 'parse'
    return { rung, reason: known.reason, detail: `${described(known.diagnostic)}; ${known.why}`, diagnostics }
  }
  const [first] = diagnostics
  const said =
    reason === 'compile-error' && first !== undefined
      ? described(first) + (await elsewhereIn(tree, first, compiled)) + (await versionTestAt(first, compiled))
      : compiled.detail
  const detail = portable(roots, said ?? 'does not compile')
  const read = reason === 'compile-error' || reason === 'wrong-output'
  return { rung: read ? 'parse' : 'none', reason, detail, diagnostics }
}

/** What stands where a C file would: what Kbuild makes objects of besides, by how its name ends. */
const LANGUAGES = [
  ['.S', 'assembler'],
  ['.rs', 'Rust'],
  ['.o_shipped', 'an object without a source'],
  ['.o_binary', 'an object without a source'],
  ['.cpp', 'C++'],
  ['.cc', 'C++'],
] as const

/** The first of a module's parts that is not in C, and what it is. */
async function otherLanguage({ module }: BuiltModule): Promise<string | undefined> {
  for (const { source, cwd } of module.objects) {
    if (source.endsWith('.S')) return `${source} is assembler`
    if (await exists(source)) continue
    for (const [ending, language] of LANGUAGES) {
      const file = source.replace(/\.[^./]+$/, ending)
      if (await exists(file)) return `${file} is ${language}`
    }
    // The tree itself lacks nothing: what has no source there, and none that is generated, is made by a rule of its own (objcopy).
    if (module.external === undefined && !source.startsWith(`${cwd}/`))
      return `${source.replace(/c$/, 'o')} is made from no C file, but by a rule of its Makefile`
  }
  return undefined
}

/** The first message whose cause the tree itself can tell. */
async function absenceIn(tree: ApiTree, diagnostics: readonly SourceDiagnostic[]) {
  for (const diagnostic of diagnostics) {
    const lacking = lackingIn(diagnostic.message)
    const absence = lacking && (await absenceOf(tree, lacking))
    if (absence !== undefined) return { ...absence, diagnostic }
  }
  return undefined
}

/** Where a name is that the compiler does not know; `inputs` are those of all files of the module. */
async function elsewhereIn(tree: ApiTree, { message }: SourceDiagnostic, { inputs }: BuiltModule): Promise<string> {
  const lacking = lackingIn(message)
  const declared = lacking?.kind === 'name' ? (await tree.declarations(lacking.name))[0] : undefined
  if (declared === undefined) return ''
  const { file, line } = declared
  const conditions = declared.conditions.filter((condition) => !/__KERNEL__|__ASSEMBLY__/.test(condition))
  const where = conditions.length > 0 ? ` under ${conditions.join(' and ')}` : ''
  const included = inputs.some(({ name }) => name === file) ? '' : ' and is not included'
  return `; ${file}:${line} declares it${where}${included}`
}

/** The driver's own test of the kernel's version that led to a line. */
async function versionTestAt({ file, line }: SourceDiagnostic, { inputs }: BuiltModule): Promise<string> {
  const found = inputs.find(({ name }) => name === file)
  const text = found === undefined ? '' : await fs.readFile(found.file, 'utf8').catch(() => '')
  const [test] = versionTestsAt(text, line)
  return test === undefined ? '' : `; line ${test.line} tests the version: ${test.text}`
}

const described = ({ file, line, message }: SourceDiagnostic): string =>
  `${line > 0 ? `${file}:${line}: ` : file === '' ? '' : `${file}: `}${message}`
