/**
 * The machine as plain JavaScript: the modules an entry imports, types stripped, in a directory that any engine can load
 * them from, be it a browser or a Node that would take long to strip them itself.
 *
 * In a checkout the modules are TypeScript; in the published package they are JavaScript already. A library is taken whole,
 * from the one file its package names for browsers and bundlers. Knows nothing of what the modules do.
 */
import * as fs from 'node:fs/promises'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import * as path from 'node:path'
import { packageRoot } from '../root.ts'

/** Static and dynamic imports, and whether only types cross. */
const IMPORTS =
  /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

export interface ModuleGraph {
  /** Absolute paths of our own modules. */
  readonly files: readonly string[]
  /** Libraries, by name. */
  readonly libraries: readonly string[]
  /** Modules of Node (`node:fs`), with who imports them: what only Node can run. */
  readonly builtins: readonly { readonly name: string; readonly from: string }[]
}

/** Everything that is loaded with these modules. Throws when a file is missing. */
export async function moduleGraph(entries: readonly string[]): Promise<ModuleGraph> {
  const files = new Set(entries)
  const libraries = new Set<string>()
  const builtins: { name: string; from: string }[] = []
  for (const file of files) {
    const text = await fs.readFile(file, 'utf8')
    for (const [, types, named, bare, dynamic] of text.matchAll(IMPORTS)) {
      const target = (named ?? bare ?? dynamic)!
      // `typeof import('x')` in a type is gone after stripping; what is left of it here is harmless.
      if (types !== undefined) continue
      if (target.startsWith('.')) files.add(path.join(path.dirname(file), target))
      else if (target.startsWith('node:')) builtins.push({ name: target, from: file })
      else libraries.add(target)
    }
  }
  return { files: [...files], libraries: [...libraries].toSorted(), builtins }
}

const plainName = (file: string): string => path.relative(codeRoot(), file).replace(/\.ts$/, '.js')

/** Our modules' own root: the checkout, or dist/ in a published package. */
const codeRoot = (): string => path.resolve(import.meta.dirname, '..', '..')

/** A library's file for bundlers: one that imports nothing. */
async function libraryFile(name: string): Promise<string> {
  const require = createRequire(path.join(packageRoot, 'package.json'))
  const manifest = require.resolve(`${name}/package.json`)
  const { module, main } = JSON.parse(await fs.readFile(manifest, 'utf8')) as { module?: string; main: string }
  return path.join(path.dirname(manifest), module ?? main)
}

const vendored = (library: string): string => `vendor/${library.replaceAll(/[^\w.-]/g, '_')}.js`

/** Imports as they are between plain files: our own end in .js, a library is a file too. */
function rewrite(text: string, from: string, libraries: ReadonlySet<string>): string {
  const up = path.relative(path.dirname(from), '.') || '.'
  return text.replaceAll(
    /(\bfrom\s+|\bimport\s*\(\s*|^\s*import\s+)(['"])([^'"\n]+)\2/gm,
    (all, before, quote, target) => {
      if (target.startsWith('.')) return `${before}${quote}${target.replace(/\.ts$/, '.js')}${quote}`
      if (!libraries.has(target)) return all
      return `${before}${quote}${up.startsWith('.') ? up : `./${up}`}/${vendored(target)}${quote}`
    },
  )
}

/** Write the modules of the entries below `dir`. Returns each entry's path below it, in order. */
export async function writePlain(entries: readonly string[], dir: string): Promise<string[]> {
  const graph = await moduleGraph(entries)
  const libraries = new Set(graph.libraries)
  const write = async (name: string, text: string): Promise<void> => {
    const file = path.join(dir, name)
    await fs.mkdir(path.dirname(file), { recursive: true })
    await fs.writeFile(file, text)
  }
  for (const file of graph.files) {
    const text = await fs.readFile(file, 'utf8')
    const plain = file.endsWith('.ts') ? stripTypeScriptTypes(text) : text
    await write(plainName(file), rewrite(plain, plainName(file), libraries))
  }
  for (const name of graph.libraries) await write(vendored(name), await fs.readFile(await libraryFile(name), 'utf8'))
  await write('package.json', '{ "type": "module" }\n')
  return entries.map(plainName)
}
