/** Files of the product's own as parts of keys: found and read at once, for asking the event loop for each takes several times as long. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'

/** Files of a folder whose names match, and with `deep` of those below it; sorted by path. */
export function filesIn(folder: string, names: RegExp, deep = false): string[] {
  const found: string[] = []
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, item.name)
    if (item.isDirectory()) {
      if (deep) found.push(...filesIn(at, names, deep))
    } else if (names.test(item.name)) found.push(at)
  }
  return found.toSorted()
}

/** One hash over the names and contents of files; wherever `root` is, it is the same. */
export function filesKey(files: readonly string[], root: string): string {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`${path.relative(root, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}
