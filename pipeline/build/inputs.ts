/** What the compiler read: which of it is a module's own source, and whether it is the tree's, unchanged. */

import * as fs from 'node:fs/promises'
import type { SourceFile } from '../package.ts'
import type { BuiltObject } from './compiler.ts'
import type { MissingSymbol } from './document.ts'
import type { KernelTree } from './kernel.ts'
import type { Input } from './objects.ts'
import type { Resolution } from './resolve.ts'

/** Inputs that are no part of the tree: generated headers, the overlay, our own files, the system's. */
const NOT_THE_TREES = /^(build|drvport|generated|external|arch\/wasm)\/|^\//

/** Inputs that are nobody's own source: the kernel's headers, and what is not the tree's. */
const NOT_OWN = /^(include|arch|build|drvport|generated|\/)/

/** Sources of the modules themselves: what was read of the tree less the kernel's own headers. */
export function ownSources(inputs: readonly Input[]): SourceFile[] {
  const own = inputs.filter(({ name }) => !NOT_OWN.test(name))
  return uniqueByName(own).map(({ name, sha256: sha }) => ({ path: name, sha256: sha }))
}

function uniqueByName(inputs: readonly Input[]): Input[] {
  return [...new Map(inputs.map((input) => [input.name, input])).values()].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )
}

/** Bytes of everything the compiler read as the tree's that is not as the tree was fetched. */
export async function changedBytes(tree: KernelTree, inputs: readonly Input[]): Promise<number> {
  let changed = 0
  for (const input of uniqueByName(inputs)) {
    if (NOT_THE_TREES.test(input.name)) continue
    if ((await tree.pristine(input.name)) !== input.sha256) changed += (await fs.stat(input.file)).size
  }
  return changed
}

/** Where a module's own source first uses a symbol. */
async function firstUse(symbol: string, inputs: readonly Input[]): Promise<{ file: string; line: number } | undefined> {
  const word = new RegExp(`\\b${symbol}\\b`)
  for (const input of inputs) {
    const lines = (await fs.readFile(input.file, 'utf8').catch(() => '')).split('\n')
    const line = lines.findIndex((text) => word.test(text)) + 1
    if (line > 0) return { file: input.name, line }
  }
  return undefined
}

/** Each unresolved symbol with its first use and everyone who needs it. */
export async function describeMissing(
  unresolved: readonly string[],
  resolution: Resolution<BuiltObject>,
  inputs: readonly Input[],
): Promise<MissingSymbol[]> {
  const sources = uniqueByName(inputs).filter(({ name }) => !NOT_OWN.test(name))
  return Promise.all(
    unresolved.map(async (symbol) => {
      const all = [...resolution.moduleObjects, ...resolution.support]
      const neededBy = [
        ...new Set(all.filter((object) => object.needs.includes(symbol)).map((object) => object.origin)),
      ]
      return { symbol, ...((await firstUse(symbol, sources)) ?? { file: '', line: 0 }), neededBy }
    }),
  )
}
