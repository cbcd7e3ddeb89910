/**
 * What of a configuration a compile depends on: the options that what it read mentions, as Kbuild's own fixdep has it.
 *
 * Every file of a kernel reads one header with all options. Held against the whole of it, one option changed would have every
 * object made again; held against the options that are mentioned by name, only those that could tell. An option whose
 * name is put together by the preprocessor is not seen, here as in Kbuild. Knows nothing of objects.
 */

import { sha256 } from '../cache.ts'
import type { Input } from './input-table.ts'

/** The header with all options, by its name as an input. */
export const OPTIONS_HEADER = 'build/include/generated/autoconf.h'

const MENTIONED = /\b(IS_ENABLED\()?CONFIG_(\w+)/g
const DEFINED = /^#define CONFIG_(\w+) .*$/gm

/** IS_ENABLED(CONFIG_X) asks for CONFIG_X_MODULE too, which the preprocessor puts together. */
const plain = (option: string): string => (option.endsWith('_MODULE') ? option.slice(0, -'_MODULE'.length) : option)

/** Behind the name of an option of which it is only asked whether it is on: `y` and `m` are the same to whoever asks so. */
const WHETHER = '?'

/** Options that a file mentions, each once. */
export function optionsMentioned(text: string): readonly string[] {
  const found = new Set<string>()
  for (const [, whether, option] of text.matchAll(MENTIONED))
    found.add(`${plain(option as string)}${whether === undefined ? '' : WHETHER}`)
  return [...found]
}

/** Lines of the header, by the option that they are of. */
export function optionLines(header: string): ReadonlyMap<string, string> {
  const lines = new Map<string, string>()
  for (const [line, option] of header.matchAll(DEFINED)) {
    const name = plain(option as string)
    lines.set(name, `${lines.get(name) ?? ''}${line}\n`)
  }
  return lines
}

/** What the header says to a mention. */
function answer(header: ReadonlyMap<string, string>, mention: string): string {
  if (!mention.endsWith(WHETHER)) return header.get(mention) ?? ''
  return / 1$/m.test(header.get(mention.slice(0, -WHETHER.length)) ?? '') ? 'on\n' : ''
}

/**
 * One hash over the contents of inputs, of the header with all options only those that another of them mentions; undefined
 * when it is not among them.
 */
export function contentByOptions(inputs: readonly Input[]): string | undefined {
  const header = inputs.find(({ name }) => name === OPTIONS_HEADER)?.lines
  if (header === undefined) return undefined
  const mentioned = new Set<string>()
  const hashes: string[] = []
  for (const { name, sha256: hash, options } of inputs) {
    if (name === OPTIONS_HEADER) continue
    hashes.push(hash)
    for (const option of options) mentioned.add(option)
  }
  const lines = [...mentioned].toSorted().map((option) => answer(header, option))
  return sha256(`${hashes.join('')}\n${lines.join('')}`)
}
