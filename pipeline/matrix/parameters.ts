/**
 * Parameters that a row gives its modules, because without them there is nothing to be seen: the table
 * drivers-src/parameters.tsv, each with its reason.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import { packageRoot } from '../root.ts'

const FILE: string = path.join(packageRoot, 'drivers-src', 'parameters.tsv')
const normal = (name: string): string => name.replaceAll('-', '_')

/** Of each module, `module.parameter=value`. Throws UsageError with the line of a row that makes no sense. */
export function parseParameters(text: string): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  text.split('\n').forEach((line, index) => {
    if (index === 0 || line === '') return
    const [module = '', parameters = '', reason = ''] = line.split('\t')
    const words = parameters.split(' ')
    if (reason.length < 20 || !words.every((word) => /^\w+=\S+$/.test(word)))
      throw new UsageError('drivers-src/parameters.tsv makes no sense', {
        where: `line ${index + 1}`,
        found: line.slice(0, 80),
        expected: 'a module, its parameters as name=value, and a reason',
      })
    found.set(
      normal(module),
      words.map((word) => `${normal(module)}.${word}`),
    )
  })
  return found
}

let known: Promise<ReadonlyMap<string, readonly string[]>> | undefined

/** For the modules of a package. */
export async function parametersOf(modules: readonly string[]): Promise<string[]> {
  known ??= fs.readFile(FILE, 'utf8').then(parseParameters)
  const table = await known
  return modules.flatMap((name) => table.get(normal(name)) ?? [])
}
