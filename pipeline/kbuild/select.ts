/**
 * Selectors: how a person names modules. A module name (- and _ alike), a path or glob in the tree, a set from
 * drivers-src/sets (`@nic`), or `all`.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import { packageRoot } from '../root.ts'

/** What a selector is matched against. */
export interface Selectable {
  readonly name: string
  /** `drivers/net/ethernet/realtek/8139too.ko` */
  readonly path: string
  /** Paths of the sources in the tree. */
  readonly sources: readonly string[]
}

const SETS = path.join(packageRoot, 'drivers-src', 'sets')

/** - and _ mean the same in a module's name. */
export const canonicalName = (name: string): string => name.replaceAll('-', '_')

/** Names of the sets there are. */
export async function setNames(): Promise<string[]> {
  const files = await fs.readdir(SETS).catch(() => [])
  return files
    .filter((file) => file.endsWith('.txt'))
    .map((file) => file.slice(0, -4))
    .toSorted()
}

/** Selectors in a set file: one a line, # starts a comment. */
export function parseSet(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
}

/** Sets that a tree answers itself, by name: the paths of their modules. */
export type DerivedSets = Readonly<Record<string, () => Promise<ReadonlySet<string>>>>

async function derivedSet<M extends Selectable>(
  modules: readonly M[],
  paths: () => Promise<ReadonlySet<string>>,
): Promise<M[]> {
  const chosen = await paths()
  return modules.filter((module) => chosen.has(module.path))
}

async function readSet(name: string, others: readonly string[]): Promise<string[]> {
  try {
    return parseSet(await fs.readFile(path.join(SETS, `${name}.txt`), 'utf8'))
  } catch (cause) {
    const names = [...(await setNames()), ...others].toSorted()
    throw new UsageError(`no set @${name}`, {
      expected: `one of ${names.map((n) => `@${n}`).join(', ')}`,
      cause,
    })
  }
}

/** A glob as a regular expression: `*` within a name, `**` across directories, `?` one character. */
export function globPattern(glob: string): RegExp {
  const body = glob.replaceAll(/\*\*\/?|\*|\?|[.+^${}()|[\]\\]/g, (token) => {
    if (token === '**/') return '(?:.*/)?'
    if (token === '**') return '.*'
    if (token === '*') return '[^/]*'
    if (token === '?') return '[^/]'
    return `\\${token}`
  })
  return new RegExp(`^${body}$`)
}

function matcher(selector: string): (module: Selectable) => boolean {
  if (selector === 'all') return () => true
  if (/[*?]/.test(selector)) {
    const pattern = globPattern(selector.replace(/^\.\//, ''))
    if (!selector.includes('/')) return ({ name }) => pattern.test(name)
    return (module) => pattern.test(module.path) || module.sources.some((source) => pattern.test(source))
  }
  if (!selector.includes('/')) {
    const wanted = canonicalName(selector.replace(/\.ko$/, ''))
    return ({ name }) => canonicalName(name) === wanted
  }
  const wanted = selector.replace(/^\.\//, '').replace(/\/+$/, '').replace(/\.o$/, '.ko')
  return (module) =>
    module.path === wanted ||
    module.path === `${wanted}.ko` ||
    module.path.startsWith(`${wanted}/`) ||
    module.sources.includes(wanted)
}

/** Edit distance up to a small limit, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** Names a person may have meant. */
export function similarNames(wanted: string, names: readonly string[]): string[] {
  const target = canonicalName(wanted)
  return names
    .map((name) => ({ name, d: canonicalName(name).includes(target) ? 1 : distance(target, canonicalName(name)) }))
    .filter(({ d }) => d <= 2)
    .toSorted((a, b) => a.d - b.d || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map(({ name }) => name)
}

/**
 * Modules that the selectors name, each once, in the order of the tree. Throws UsageError for a selector that names
 * none. A set's members that this tree lacks are left out, because sets serve several trees; an empty set is an error.
 */
export async function selectModules<M extends Selectable>(
  modules: readonly M[],
  selectors: readonly string[],
  derived: DerivedSets = {},
): Promise<M[]> {
  const chosen = new Set<M>()
  for (const selector of selectors) {
    const isSet = selector.startsWith('@')
    const found =
      isSet && Object.hasOwn(derived, selector.slice(1))
        ? await derivedSet(modules, derived[selector.slice(1)]!)
        : (isSet ? await readSet(selector.slice(1), Object.keys(derived)) : [selector]).flatMap((member) =>
            modules.filter(matcher(member)),
          )
    if (found.length === 0) throw nothingFound(modules, selector)
    for (const module of found) chosen.add(module)
  }
  return modules.filter((module) => chosen.has(module))
}

function nothingFound(modules: readonly Selectable[], selector: string): UsageError {
  const names = modules.map(({ name }) => name)
  const similar = selector.includes('/') || selector.startsWith('@') ? [] : similarNames(selector, names)
  return new UsageError(`no module is named by '${selector}' in this tree`, {
    expected: 'a module name, a path or glob in the tree, @set, or all',
    found: `${modules.length} modules, none of which match`,
    todo: similar.length > 0 ? `did you mean ${similar.join(', ')}?` : 'see `drvport list all`',
  })
}
