/**
 * What a driver may touch, told from what it names: the exported functions and the macros and inline functions of the kernel's
 * headers, by the table linux-api/authority.tsv.
 *
 * Two readers, one table: a package's manifest asks for what the undefined symbols of its modules take; `analyze` says of each
 * group who asks for it, where. Knows no module.
 */
import { readFile } from 'node:fs/promises'
import { groups } from '../../linux-api/capabilities.ts'
import { AUTHORITY_FILE } from '../tables.ts'

const HEAD = 'group\tnames\twhy'
/** Groups beside those of the ABI that can be granted. */
const FILES = 'wasi'

interface Row {
  readonly group: string
  readonly names: RegExp
}

export interface Authority {
  /** Groups that the use of this name takes; none for a name that takes nothing. */
  groupsOf(name: string): readonly string[]
}

/** `pci_*`, `in[bwl]`. */
const expression = (glob: string): string => glob.replaceAll('*', '\\w*')

/** Parse the table. Throws Error with the line that cannot be read. */
export function parseAuthority(text: string): Authority {
  const [head, ...lines] = text.trimEnd().split('\n')
  if (head !== HEAD) throw new Error(`${AUTHORITY_FILE}: the first line must be ${JSON.stringify(HEAD)}`)
  const known = new Set([...groups.map(({ name }) => name), FILES])
  const rows = lines.map((line, i): Row => {
    const [group = '', names = '', why = '', ...more] = line.split('\t')
    const bad = (what: string): never => {
      throw new Error(`${AUTHORITY_FILE}:${i + 2}: ${what}`)
    }
    if (!known.has(group)) bad(`no call group ${group}`)
    if (why === '' || more.length > 0) bad('group, names and why expected')
    if (!/^[\w*[\] ]+$/.test(names)) bad(`names expected, with * and [ ]: ${names}`)
    return { group, names: new RegExp(`^(?:${names.split(' ').map(expression).join('|')})$`) }
  })
  const answers = new Map<string, readonly string[]>()
  const groupsOf = (name: string): readonly string[] => {
    let found = answers.get(name)
    if (found === undefined) {
      found = [...new Set(rows.filter(({ names }) => names.test(name)).map(({ group }) => group))]
      answers.set(name, found)
    }
    return found
  }
  return { groupsOf }
}

let table: Promise<Authority> | undefined

export const readAuthority = (): Promise<Authority> => (table ??= readFile(AUTHORITY_FILE, 'utf8').then(parseAuthority))
