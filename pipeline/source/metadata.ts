/**
 * What a module says of itself in macros outside functions: MODULE_LICENSE and relatives, parameters.
 *
 * A driver's own macros that wrap them (one macro per parameter is common) are expanded first.
 * Source: include/linux/module.h, include/linux/moduleparam.h.
 */
import { expand, type Macro, type MacroLookup } from './macros.ts'
import { valueOf } from './tables.ts'
import { closing, splitArguments, textOf, tokenize, type Token } from './tokens.ts'
import type { Analysis, Place, SourceParam } from './types.ts'
import type { TopCall } from './walk.ts'

/** A metadata macro and its arguments, expanded. */
export interface MetaCall extends Place {
  readonly name: string
  readonly args: readonly Token[][]
}

const META = /^(?:MODULE_[A-Z_]+|module_param\w*|EXPORT_\w+)$/

/** Whether a macro only describes the module. */
export function isMetadata(name: string): boolean {
  return META.test(name)
}

/** Metadata calls behind the top-level calls of one file. */
export function metaCalls(file: string, text: string, calls: readonly TopCall[], macros: MacroLookup): MetaCall[] {
  const found: MetaCall[] = []
  for (const call of calls) {
    const place = { file, line: call.line }
    const args = tokenize(text.slice(call.start, call.end))
    if (META.test(call.name)) {
      found.push({ ...place, name: call.name, args: splitArguments(args.slice(1, closing(args, 0))) })
      continue
    }
    const macro: Macro | undefined = macros(call.name)
    if (macro === undefined || !macro.body.some((token) => META.test(token.text))) continue
    const own: MacroLookup = (name) => (META.test(name) ? undefined : macros(name))
    const tokens = expand([{ kind: 'id', text: call.name, at: 0 }, ...args], own)
    tokens.forEach((token, i) => {
      if (!META.test(token.text) || tokens[i + 1]?.text !== '(') return
      const end = closing(tokens, i + 1)
      found.push({ ...place, name: token.text, args: splitArguments(tokens.slice(i + 2, end)) })
    })
  }
  return found
}

const TEXTS: Record<string, keyof Analysis['metadata']> = {
  MODULE_LICENSE: 'licenses',
  MODULE_AUTHOR: 'authors',
  MODULE_DESCRIPTION: 'descriptions',
  MODULE_VERSION: 'versions',
  MODULE_FIRMWARE: 'firmware',
  MODULE_ALIAS: 'aliases',
  MODULE_IMPORT_NS: 'imports',
}

/** Strings of the metadata macros, by kind, in order of appearance. */
export function readMetadata(calls: readonly MetaCall[], lookup: MacroLookup): Analysis['metadata'] {
  const result: Record<keyof Analysis['metadata'], string[]> = {
    licenses: [],
    authors: [],
    descriptions: [],
    versions: [],
    firmware: [],
    aliases: [],
    imports: [],
  }
  for (const call of calls) {
    const kind = TEXTS[call.name]
    if (kind === undefined) continue
    const text = String(valueOf(stringify(call.args.flat(), lookup)))
    if (!result[kind].includes(text)) result[kind].push(text)
  }
  return result
}

/** Expanded, with __stringify(x) as the string it makes. */
function stringify(tokens: readonly Token[], lookup: MacroLookup): Token[] {
  const expanded = expand(tokens, lookup)
  const out: Token[] = []
  for (let i = 0; i < expanded.length; i++) {
    const token = expanded[i] as Token
    if (/^(?:__stringify|__MODULE_STRING)$/.test(token.text) && expanded[i + 1]?.text === '(') {
      const end = closing(expanded, i + 1)
      out.push({ ...token, kind: 'string', text: `"${textOf(expanded.slice(i + 2, end))}"` })
      i = end
    } else out.push(token)
  }
  return out
}

/** Where each macro has the parameter's name, type, and whether it is an array. */
const PARAM_MACROS: Record<string, [name: number, type: number | string, array?: true]> = {
  module_param: [0, 1],
  module_param_unsafe: [0, 1],
  module_param_named: [0, 2],
  module_param_named_unsafe: [0, 2],
  module_param_hw: [0, 1],
  module_param_hw_named: [0, 2],
  module_param_array: [0, 1, true],
  module_param_array_named: [0, 2, true],
  module_param_hw_array: [0, 1, true],
  module_param_string: [0, 'string'],
  module_param_call: [0, 'callback'],
  module_param_cb: [0, 'callback'],
  module_param_cb_unsafe: [0, 'callback'],
}

export function readParams(calls: readonly MetaCall[], lookup: MacroLookup): SourceParam[] {
  const descriptions = new Map<string, string>()
  for (const { name, args } of calls)
    if (name === 'MODULE_PARM_DESC')
      descriptions.set(textOf(args[0] ?? []), String(valueOf(stringify(args.slice(1).flat(), lookup))))
  const params: SourceParam[] = []
  for (const { file, line, name: macro, args } of calls) {
    const shape = Object.hasOwn(PARAM_MACROS, macro) ? PARAM_MACROS[macro] : undefined
    if (shape === undefined) continue
    const name = textOf(args[shape[0]] ?? [])
    const type = typeof shape[1] === 'string' ? shape[1] : textOf(args[shape[1]] ?? [])
    const description = descriptions.get(name)
    params.push({ file, line, name, type, array: shape[2] === true, ...(description !== undefined && { description }) })
  }
  return params
}
