/**
 * Why a compile failed, or a symbol is missing, where the tree alone can say: a header or a function that only another
 * architecture has, one that needs 64 bits or an option that is off, a header that is nowhere. What another kernel version
 * has is not asked here (explain.ts).
 */

import * as path from 'node:path'
import { exportsIn } from '../kbuild/exports.ts'
import type { ApiTree, Found } from './tree.ts'

export interface Absence {
  readonly reason: 'needs-x86' | 'needs-architecture' | 'needs-64-bit' | 'needs-option' | 'missing-header'
  /** What is known more, for one line. */
  readonly why: string
}

/** What a compiler said of something that is not there. */
export interface Lacking {
  readonly kind: 'header' | 'name' | 'type'
  readonly name: string
}

/** The header or name that a message says is not there; undefined for any other message. */
export function lackingIn(message: string): Lacking | undefined {
  const header = /^'([^']+)' file not found/.exec(message)?.[1]
  if (header !== undefined) return { kind: 'header', name: header }
  const type = /^(?:incomplete definition of type|variable has incomplete type) '(?:struct|union) (\w+)'/.exec(
    message,
  )?.[1]
  if (type !== undefined) return { kind: 'type', name: type }
  const name =
    /^(?:call to undeclared (?:library )?function|implicit declaration of function|use of undeclared identifier|unknown type name) '(\w+)'/.exec(
      message,
    )?.[1]
  return name === undefined ? undefined : { kind: 'name', name }
}

/** What the tree says of it; undefined when it says nothing: a mistake, or another version's. */
export async function absenceOf(tree: ApiTree, { kind, name }: Lacking): Promise<Absence | undefined> {
  return kind === 'header' ? headerAbsence(tree, name) : nameAbsence(tree, name, kind)
}

/** A few names, and how many more. */
const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`

function ofArchitectures(name: string, architectures: readonly string[]): Absence {
  // User-Mode Linux borrows from x86.
  const others = architectures.filter((arch) => arch !== 'um')
  if (others.length === 1 && others[0] === 'x86') return { reason: 'needs-x86', why: `only arch/x86 has ${name}` }
  const where = others.length === 1 ? others[0] : `{${some(others)}}`
  return { reason: 'needs-architecture', why: `only arch/${where} has ${name}` }
}

async function headerAbsence(tree: ApiTree, name: string): Promise<Absence> {
  const { files, architectures } = await tree.header(name)
  if (files.length === 0 && architectures.length > 0) return ofArchitectures(name, architectures)
  return {
    reason: 'missing-header',
    why: files.length > 0 ? `${files[0]} is in the tree, and no -I leads to it` : `${tree.name} has no ${name}`,
  }
}

const WORDS_64 = /\bCONFIG_64BIT\b|BITS_PER_LONG\s*(?:==|>=)\s*64/

async function nameAbsence(tree: ApiTree, name: string, kind: 'name' | 'type'): Promise<Absence | undefined> {
  const all = await tree.declarations(name)
  const declared = kind === 'type' ? all.filter(({ fields }) => fields !== undefined) : all
  if (declared.length > 0) {
    // Beside it there may be substitutes, which are conditional too: linux/io-64-nonatomic-lo-hi.h.
    const wide = declared.find(({ conditions }) => conditions.some((c) => WORDS_64.test(c) && !c.startsWith('!')))
    const always = declared.some(({ conditions }) => conditions.length === 0)
    if (wide === undefined || always) return optionAbsence(tree, name, declared)
    return { reason: 'needs-64-bit', why: `${wide.file}:${wide.line} has ${name} for 64-bit kernels only` }
  }
  const architectures = await tree.architecturesWith(name)
  return architectures.length > 0 ? ofArchitectures(name, architectures) : undefined
}

/** A condition that is one option: `defined(CONFIG_X)`, `IS_ENABLED(CONFIG_X)`. */
const ONE_OPTION = /^\s*(?:defined\s*\(|defined\s|IS_(?:ENABLED|BUILTIN|REACHABLE)\s*\()\s*(CONFIG_\w+)\s*\)?\s*$/

/** Declared, each time for kernels with an option that this one has not. */
function optionAbsence(tree: ApiTree, name: string, declared: readonly Found[]): Absence | undefined {
  const off = declared.map(({ conditions }) =>
    conditions.map((text) => ONE_OPTION.exec(text)?.[1]).find((option) => option !== undefined && tree.isOff(option)),
  )
  const [first] = declared
  if (first === undefined || off.includes(undefined)) return undefined
  return { reason: 'needs-option', why: `${first.file}:${first.line} has ${name} with ${off[0]}, which is off` }
}

/** A symbol that is declared and that nothing of this configuration exports: who would, in another one. */
export async function exportAbsence(tree: ApiTree, symbol: string): Promise<Absence | undefined> {
  for (const file of await tree.sources(symbol)) {
    const text = (await tree.text(file)) ?? ''
    if (!exportsIn(text).some((one) => one.symbol === symbol)) continue
    const architecture = /^arch\/(\w+)\//.exec(file)?.[1]
    if (architecture !== undefined) return ofArchitectures(symbol, [architecture])
    const option = await optionOf(tree, file)
    const which = option === undefined ? 'which this configuration leaves out' : `with ${option}, which is off`
    return { reason: 'needs-option', why: `${file}:${lineOf(text, symbol)} exports it, ${which}` }
  }
  return undefined
}

function lineOf(text: string, symbol: string): number {
  const at = text.search(new RegExp(`^[ \\t]*EXPORT_\\w+\\s*\\(\\s*${symbol}\\b`, 'm'))
  return at < 0 ? 1 : text.slice(0, at).split('\n').length
}

/** The option that is off by which the makefiles leave a file out: its own, or that of a folder above it. */
async function optionOf(tree: ApiTree, file: string): Promise<string | undefined> {
  for (let at = file.replace(/\.c$/, '.o'); path.dirname(at) !== '.'; at = path.dirname(at)) {
    const what = at.endsWith('.o') ? path.basename(at) : `${path.basename(at)}/`
    const makefile = (await tree.text(`${path.dirname(at)}/Makefile`)) ?? ''
    for (const line of makefile.replaceAll(/\\\r?\n/g, ' ').split('\n')) {
      const option = /^\s*[\w-]+-\$[({](CONFIG_\w+)[)}]/.exec(line)?.[1]
      if (option !== undefined && tree.isOff(option) && line.split(/\s+/).includes(what)) return option
    }
  }
  return undefined
}
