/**
 * The page's script as one text: our own modules, types stripped, imports followed, put one after the other.
 *
 * Needs no build step: in a checkout the modules are TypeScript and Node strips their types; in the published package
 * they are JavaScript already. Because all share one scope, a module of the page may only import names as they are
 * (no renaming, no namespace, no default), and no two may declare the same top-level name; both are refused here.
 */
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, extname, join } from 'node:path'

const IMPORT = /^import\s+([^'"]*?)\s*from\s*['"](\.[^'"]+)['"];?[ \t]*$/gm
const DECLARATION = /^(?:export )?(?:async )?(?:const|let|function\*?|class) +([A-Za-z_$][\w$]*)/gm

function readModule(file: string): string {
  const text = readFileSync(file, 'utf8')
  return extname(file) === '.ts' ? stripTypeScriptTypes(text) : text
}

/** Text of `entry` after everything it imports, each module once. Throws when a module cannot share a scope. */
export function bundle(entry: string): string {
  const done = new Set<string>()
  const owners = new Map<string, string>()
  const parts: string[] = []
  const add = (file: string): void => {
    if (done.has(file)) return
    done.add(file)
    const text = readModule(file)
    for (const [statement, names, target] of text.matchAll(IMPORT)) {
      if (/\*|\bas\b|^[^{]/.test(names!)) throw new Error(`${file}: the page cannot have \`${statement}\``)
      add(join(dirname(file), target!))
    }
    const body = text.replaceAll(IMPORT, '').replaceAll(/^export (?=async |const |let |function|class )/gm, '')
    if (/^(?:import|export)\b/m.test(body)) throw new Error(`${file}: an import or export that the page cannot have`)
    for (const [, name] of body.matchAll(DECLARATION)) {
      const owner = owners.get(name!)
      if (owner !== undefined) throw new Error(`${name} is declared by both ${owner} and ${file}`)
      owners.set(name!, file)
    }
    parts.push(body.replaceAll(/^[ \t]+$/gm, '').replaceAll(/\n{3,}/g, '\n\n'))
  }
  add(entry)
  return parts.join('\n')
}
