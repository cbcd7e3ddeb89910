/**
 * Why a compile failed, where the tree alone can say: a header or a function that only another architecture has, one that
 * needs 64 bits, a header that is nowhere. What another kernel version has is not asked here (explain.ts).
 */

import type { ApiTree } from './tree.ts'

export interface Absence {
  readonly reason: 'needs-x86' | 'needs-architecture' | 'needs-64-bit' | 'missing-header'
  /** What is known more, for one line. */
  readonly why: string
}

/** What a compiler said of something that is not there. */
export interface Lacking {
  readonly kind: 'header' | 'name'
  readonly name: string
}

/** The header or name that a message says is not there; undefined for any other message. */
export function lackingIn(message: string): Lacking | undefined {
  const header = /^'([^']+)' file not found/.exec(message)?.[1]
  if (header !== undefined) return { kind: 'header', name: header }
  const name =
    /^(?:call to undeclared (?:library )?function|implicit declaration of function|use of undeclared identifier|unknown type name) '(\w+)'/.exec(
      message,
    )?.[1]
  return name === undefined ? undefined : { kind: 'name', name }
}

/** What the tree says of it; undefined when it says nothing: a mistake, or another version's. */
export async function absenceOf(tree: ApiTree, { kind, name }: Lacking): Promise<Absence | undefined> {
  return kind === 'header' ? headerAbsence(tree, name) : nameAbsence(tree, name)
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

async function nameAbsence(tree: ApiTree, name: string): Promise<Absence | undefined> {
  const declared = await tree.declarations(name)
  if (declared.length > 0) {
    // Beside it there may be substitutes, which are conditional too: linux/io-64-nonatomic-lo-hi.h.
    const wide = declared.find(({ conditions }) => conditions.some((c) => WORDS_64.test(c) && !c.startsWith('!')))
    const always = declared.some(({ conditions }) => conditions.length === 0)
    if (wide === undefined || always) return undefined
    return { reason: 'needs-64-bit', why: `${wide.file}:${wide.line} has ${name} for 64-bit kernels only` }
  }
  const architectures = await tree.architecturesWith(name)
  return architectures.length > 0 ? ofArchitectures(name, architectures) : undefined
}
