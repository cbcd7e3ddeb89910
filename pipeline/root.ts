/**
 * Where this package's own files are (shim, overlay, tables), in a checkout and in an installed package, whose
 * code runs from dist/.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error(`no package.json above ${import.meta.url}`)
    folder = parent
  }
  return folder
}

/** Absolute path of the package's root folder. */
export const packageRoot: string = findRoot()
