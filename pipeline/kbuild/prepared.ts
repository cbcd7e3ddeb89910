/**
 * What make has generated, so that it is asked once: a list of names in a file. What it could not make is not on it, and is asked for
 * again by the next run: a host program that was missing may be there then. Knows nothing of what is made.
 */

import * as fs from 'node:fs/promises'

/** Have `make` make those of `names` that the list does not have. It says whether all went well: then they are on it. */
export async function prepareOnce(
  list: string,
  names: readonly string[],
  make: (missing: readonly string[]) => Promise<boolean>,
): Promise<void> {
  const done = new Set((await fs.readFile(list, 'utf8').catch(() => '')).split('\n'))
  const missing = names.filter((name) => !done.has(name))
  if (missing.length === 0 || !(await make(missing))) return
  await fs.appendFile(list, missing.map((name) => `${name}\n`).join(''))
}
