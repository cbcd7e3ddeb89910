/**
 * Files that compiles read: each named, hashed and held once, however many compiles read it.
 *
 * A name is relative to a root (flags.ts), so that it serves a tree wherever it lies. Knows nothing of objects.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { sha256 } from '../cache.ts'
import { OPTIONS_HEADER, optionLines, optionsMentioned } from './options-read.ts'
import type { Root } from './flags.ts'

/** A file the compiler read. */
export interface Input {
  /** Relative to its root, with the root's short name in front. */
  readonly name: string
  /** Absolute. */
  readonly file: string
  /** Of its content; '' when it is not there. */
  readonly sha256: string
  /** Options of a configuration that it mentions. */
  readonly options: readonly string[]
  /** Of the header with all options: its lines, by option. */
  readonly lines?: ReadonlyMap<string, string>
}

/** The name of a file in results: relative to the innermost root that holds it; roots are longest first. */
export function nameOf(roots: readonly Root[], file: string): string {
  const root = roots.find(({ dir }) => file.startsWith(`${dir}/`))
  return root === undefined ? file : root.as + file.slice(root.dir.length + 1)
}

/**
 * Files that a name may stand for, the inverse of nameOf. Names of the root '' are those no other root claims; beside the
 * tree's there may be one of links into it (folder/stand-ins.ts), which has some files under names of its own.
 */
function filesOf(roots: readonly Root[], name: string): readonly string[] {
  if (path.isAbsolute(name)) return [name]
  const named = roots.find(({ as }) => as !== '' && name.startsWith(as))
  const unnamed = () =>
    roots.filter(({ as }) => as === '').toSorted((a, b) => Number(a.local === true) - Number(b.local === true))
  const candidates = named === undefined ? unnamed() : [named]
  return candidates.length === 0 ? [name] : candidates.map(({ dir, as }) => path.join(dir, name.slice(as.length)))
}

export class InputTable {
  private readonly roots: readonly Root[]
  private readonly known = new Map<string, Input>()
  private readonly pending = new Map<string, Promise<Input>>()

  constructor(roots: readonly Root[]) {
    this.roots = roots
  }

  /** Inputs by name, in the order given. Content is read once in the life of the table. */
  async byName(names: readonly string[]): Promise<Input[]> {
    const missing = names.filter((name) => !this.known.has(name))
    if (missing.length > 0) await Promise.all(missing.map((name) => this.read(name)))
    return names.map((name) => this.known.get(name) as Input)
  }

  /** Inputs by path as the compiler gave it, sorted by name, each once. */
  async byFile(files: readonly string[]): Promise<Input[]> {
    const unique = new Set(files.map((file) => path.normalize(file)))
    const inputs = await Promise.all([...unique].map((file) => this.ofFile(file)))
    return inputs.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  private ofFile(file: string): Input | Promise<Input> {
    const name = nameOf(this.roots, file)
    const known = this.known.get(name)
    if (known?.file === file) return known
    // Two outside directories may have one name.
    return filesOf(this.roots, name)[0] === file ? this.read(name) : readInput(name, [file])
  }

  private read(name: string): Promise<Input> {
    let reading = this.pending.get(name)
    if (reading === undefined) {
      reading = readInput(name, filesOf(this.roots, name)).then((input) => {
        this.known.set(name, input)
        this.pending.delete(name)
        return input
      })
      this.pending.set(name, reading)
    }
    return reading
  }
}

/** The first of these files that is there. */
async function readInput(name: string, files: readonly string[]): Promise<Input> {
  const [file = name, ...others] = files
  const bytes = await fs.readFile(file).catch(() => undefined)
  if (bytes === undefined) return others.length > 0 ? readInput(name, others) : { name, file, sha256: '', options: [] }
  const text = bytes.toString('latin1')
  if (name === OPTIONS_HEADER) return { name, file, sha256: sha256(bytes), options: [], lines: optionLines(text) }
  return { name, file, sha256: sha256(bytes), options: optionsMentioned(text) }
}

/** One hash over the contents of inputs; with their names it stands for all of them. */
export function contentOf(inputs: readonly Input[]): string {
  return sha256(inputs.map((input) => input.sha256).join(''))
}
