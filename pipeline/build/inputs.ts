/** What the compiler read: which of it is a module's own source, and whether it is the tree's, unchanged. */

import * as fs from 'node:fs/promises'
import { contentKey } from '../cache.ts'
import type { MissingSymbol } from './document.ts'
import type { KernelTree } from './kernel.ts'
import type { Input } from './input-table.ts'

/** Inputs that are no part of the tree: generated headers, the overlay, our own files, the system's. */
const NOT_THE_TREES = /^(build|drvport|generated|external|arch\/wasm)\/|^\//

/** Inputs that are nobody's own source: the kernel's headers, and what is not the tree's. */
const NOT_OWN = /^(include|arch|build|drvport|generated|\/)/

/** What has read the same files: an object, or a module that did not compile. */
export interface Reader {
  readonly inputs: readonly Input[]
}

/** A fact of what was read, found out once for each reader: thousands of modules share the objects they need. */
function remembered<T>(find: (reader: Reader) => T): (reader: Reader) => T {
  const known = new WeakMap<readonly Input[], T>()
  return (reader) => {
    const { inputs } = reader
    const found = known.get(inputs) ?? find(reader)
    known.set(inputs, found)
    return found
  }
}

const ownOf = remembered(({ inputs }) => inputs.filter(({ name }) => !NOT_OWN.test(name)))

/** Names and contents of everything that was read, as one hash. */
export const inputsDigest = remembered(({ inputs }) => contentKey(inputs.flatMap(({ name, sha256 }) => [name, sha256])))

/** Sources of the modules themselves: what was read of the tree less the kernel's own headers. */
export const ownInputs = (readers: readonly Reader[]): Input[] => uniqueByName(readers.flatMap(ownOf))

function uniqueByName(inputs: readonly Input[]): Input[] {
  return [...new Map(inputs.map((input) => [input.name, input])).values()].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )
}

const changedInputs = new WeakMap<KernelTree, (reader: Reader) => Promise<readonly Input[]>>()

/** Inputs that are the tree's by name and not by content; each file is compared once for each content. */
function changedIn(tree: KernelTree): (reader: Reader) => Promise<readonly Input[]> {
  const verdicts = new Map<string, boolean>()
  const find = async ({ inputs }: Reader): Promise<readonly Input[]> => {
    const changed: Input[] = []
    for (const input of inputs) {
      const key = `${input.sha256} ${input.name}`
      let verdict = verdicts.get(key)
      if (verdict === undefined) {
        verdict = !NOT_THE_TREES.test(input.name) && (await tree.pristine(input.name)) !== input.sha256
        verdicts.set(key, verdict)
      }
      if (verdict) changed.push(input)
    }
    return changed
  }
  return remembered(find)
}

/** Bytes of everything the compiler read as the tree's that is not as the tree was fetched. */
export async function changedBytes(tree: KernelTree, readers: readonly Reader[]): Promise<number> {
  const find = changedInputs.get(tree) ?? changedIn(tree)
  changedInputs.set(tree, find)
  let bytes = 0
  // A file that is not there was not compiled: its module says so itself.
  for (const { file, sha256 } of uniqueByName((await Promise.all(readers.map(find))).flat()))
    if (sha256 !== '') bytes += (await fs.stat(file)).size
  return bytes
}

interface Use {
  readonly file: string
  readonly line: number
}

/** Where these sources first use each symbol: the first of the files, by name, and its first line. */
async function firstUses(symbols: readonly string[], sources: readonly Input[]): Promise<Map<string, Use>> {
  const wanted = new Set(symbols)
  const found = new Map<string, Use>()
  for (const source of sources) {
    if (wanted.size === 0) break
    const text = await fs.readFile(source.file, 'utf8').catch(() => '')
    for (const match of text.matchAll(/\b[A-Za-z_]\w*\b/g)) {
      if (!wanted.delete(match[0])) continue
      found.set(match[0], { file: source.name, line: lineOf(text, match.index) })
    }
  }
  return found
}

function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** Each unresolved symbol of one module with its first use there. */
export async function describeMissing(
  unresolved: readonly string[],
  name: string,
  objects: readonly Reader[],
): Promise<MissingSymbol[]> {
  const uses = await firstUses(unresolved, ownInputs(objects))
  return unresolved.map((symbol) => ({
    symbol,
    ...(uses.get(symbol) ?? { file: '', line: 0 }),
    neededBy: [`module:${name}`],
  }))
}
