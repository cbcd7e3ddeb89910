/** Files of the product's own as parts of keys: found and read at once, for asking the event loop for each takes several times as long. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'

/** Files as a key. */
export interface OwnKey {
  /** As it is known in this process. */
  key(): string
  /** Taken from the files as they are now. */
  take(): string
  /** Who has it from elsewhere, of the same files, spares taking it. */
  know(key: string): void
  /** Its files, and the folders whose files they are. */
  files(): readonly string[]
}

export function ownKey(root: string, files: () => readonly string[]): OwnKey {
  let known: string | undefined
  const take = (): string => filesKey(files(), root)
  const folders = (): string[] => [...new Set(files().map((file) => path.dirname(file)))]
  return {
    key: () => (known ??= take()),
    take,
    know: (key) => void (known = key),
    files: () => [...files(), ...folders()],
  }
}

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
function filesKey(files: readonly string[], root: string): string {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`${path.relative(root, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}
