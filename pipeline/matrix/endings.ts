/**
 * How tests of the tree end that have passed, where that is not by returning 0 without a warning: the table
 * drivers-src/test-endings.tsv, each with its reason.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import { packageRoot } from '../root.ts'

export interface Ending {
  /** The error that init returns, by name. */
  readonly error?: string
  /** Words of a warning that it is to bring about. */
  readonly warns?: string
}

const FILE: string = path.join(packageRoot, 'drivers-src', 'test-endings.tsv')
const normal = (name: string): string => name.replaceAll('-', '_')

/** By module. Throws UsageError with the line of a row that makes no sense. */
export function parseEndings(text: string): Map<string, Ending> {
  const found = new Map<string, Ending>()
  text.split('\n').forEach((line, index) => {
    if (index === 0 || line === '') return
    const [module = '', error = '', warns = '', reason = ''] = line.split('\t')
    if (reason.length < 20 || error + warns === '' || !/^(?:-E[A-Z]+)?$/.test(error))
      throw new UsageError('drivers-src/test-endings.tsv makes no sense', {
        where: `line ${index + 1}`,
        found: line.slice(0, 80),
        expected: 'a module, the error it returns or words of the warning it brings about, and a reason',
      })
    found.set(normal(module), { ...(error !== '' && { error }), ...(warns !== '' && { warns }) })
  })
  return found
}

let known: Promise<ReadonlyMap<string, Ending>> | undefined

export async function endingOf(module: string): Promise<Ending | undefined> {
  known ??= fs.readFile(FILE, 'utf8').then(parseEndings)
  return (await known).get(normal(module))
}
