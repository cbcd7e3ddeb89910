/**
 * Writes the products of linux-api/capabilities.ts: the C headers for the shim, the TypeScript module for the machine,
 * and the reference page. `node linux-api/generate.ts` writes them, `--check` fails when one is out of date.
 *
 * Knows the table's shape and nothing of who uses the products.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { wasi, type Amount, type Bounds, type WasiBounds } from './bounds.ts'
import { ABI_VERSION, constants, declared, entries, globals, groups, shared, structs } from './capabilities.ts'
import type { Call, Entry, Field, Param, Struct } from './capabilities.ts'

const NOTE = 'Generated from linux-api/capabilities.ts by linux-api/generate.ts. Do not edit.'

const cType = (type: string): string =>
  ({
    u8: 'unsigned char',
    u16: 'unsigned short',
    u32: 'unsigned int',
    i32: 'int',
    u64: 'unsigned long long',
    ptr: 'unsigned int',
    void: 'void',
  })[type] ?? type

const sizes: Record<Field['type'], number> = { u8: 1, u16: 2, u32: 4, i32: 4, u64: 8 }

/** Field offsets under wasm32's natural alignment, and the total size in bytes. */
export function layout(struct: Struct): { offsets: Map<string, number>; size: number } {
  const offsets = new Map<string, number>()
  let at = 0
  let widest = 1
  for (const field of struct.fields) {
    const size = sizes[field.type]
    widest = Math.max(widest, size)
    at = Math.ceil(at / size) * size
    offsets.set(field.name, at)
    at += size * (field.count ?? 1)
  }
  return { offsets, size: Math.ceil(at / widest) * widest }
}

const cParams = (params: readonly Param[]): string =>
  params.length === 0 ? 'void' : params.map((param) => `${cType(param.type)} ${param.name}`).join(', ')

type Declared = (typeof declared)[number]

const cCall = (group: string, call: Declared['calls'][number]): string =>
  `/* ${call.doc} */\n__attribute__((import_module("${group}"), import_name("${call.name}")${call.noreturn ? ', noreturn' : ''}))\n` +
  `${cType(call.result)} drvport_${group}_${call.name}(${cParams(call.params)});\n`

const cEntry = (entry: Entry): string =>
  `/* ${entry.context}: ${entry.doc} */\n` +
  `__attribute__((export_name("${entry.name}"), used)) ${cType(entry.result)} drvport_entry_${entry.name}(${cParams(entry.params)});\n`

function cStruct(struct: Struct): string {
  const fields = struct.fields.map(
    (f) => `\t${cType(f.type)} ${f.name}${f.count ? `[${f.count}]` : ''};${f.doc ? ` /* ${f.doc} */` : ''}`,
  )
  return `/* ${struct.doc} */\nstruct drvport_${struct.name} {\n${fields.join('\n')}\n};\n_Static_assert(sizeof(struct drvport_${struct.name}) == ${layout(struct).size}, "${struct.name}");\n`
}

/** Calls of a group for one of the two headers. */
const declarations = (group: Declared, inline: boolean): string[] =>
  group.calls.filter((call) => (group.inline ?? call.inline ?? false) === inline).map((call) => cCall(group.name, call))

const sections = (inline: boolean): string[] =>
  declared
    .map((group) => [group, declarations(group, inline)] as const)
    .filter(([, calls]) => calls.length > 0)
    .map(([group, calls]) => `/* ---- ${group.name}: ${group.doc} ---- */\n${calls.join('\n')}`)

/**
 * What the shim is written against: all of the ABI, in a header of its own, since every object of a tree reads the other
 * one, and a change there compiles whole trees again.
 */
export function shimHeader(): string {
  return [
    `/* SPDX-License-Identifier: GPL-2.0-only */\n/* ${NOTE} */`,
    '#ifndef DRVPORT_SHIM_ABI_H\n#define DRVPORT_SHIM_ABI_H\n\n#include <drvport_abi.h>',
    `#define DRVPORT_ABI_VERSION ${ABI_VERSION}`,
    defines().join('\n'),
    structs.map(cStruct).join('\n'),
    ...sections(false),
    '#ifdef DRVPORT_SHIM /* entries: defined by the shim, in one place each */',
    entries.map(cEntry).join('\n'),
    shared.map((data) => `/* ${data.doc} */\nextern ${cType(data.type)} ${data.name};`).join('\n'),
    '#endif\n\n#endif\n',
  ].join('\n\n')
}

const hex = (value: number): string => (value > 0xffff ? `0x${value.toString(16)}u` : String(value))

const defines = (): string[] =>
  constants.flatMap((set) =>
    set.values.map(
      ([name, value, doc]) =>
        `#define DRVPORT_${set.name}_${name} ${value < 0 ? `(${value})` : hex(value)}${doc ? ` /* ${doc} */` : ''}`,
    ),
  )

/** What every object of a tree may call, through functions that the overlay's headers define. */
export function cHeader(): string {
  return [
    `/* SPDX-License-Identifier: GPL-2.0-only */\n/* ${NOTE} */`,
    '#ifndef DRVPORT_ABI_H\n#define DRVPORT_ABI_H',
    '#ifndef __ASSEMBLY__',
    ...sections(true),
    '#endif\n#endif\n',
  ].join('\n\n')
}

const tsParams = (params: readonly Param[]): string => params.map((param) => `${param.name}: number`).join(', ')
const tsResult = (call: Call): string => {
  const plain = call.noreturn ? 'never' : call.result === 'void' ? 'void' : 'number'
  return call.blocking ? `${plain} | Promise<${plain}>` : plain
}

function tsStruct(struct: Struct): string {
  const { offsets, size } = layout(struct)
  const rows = struct.fields.map(
    (f) => `  ${f.name}: { offset: ${offsets.get(f.name)}, type: '${f.type}', count: ${f.count ?? 1} },`,
  )
  return `/** ${struct.doc} */\nexport const ${struct.name} = {\n  size: ${size},\n${rows.join('\n')}\n} as const\n`
}

export function tsModule(): string {
  const sets = constants.map(
    (set) =>
      `/** ${set.doc} */\nexport const ${set.name} = {\n${set.values.map(([name, value, doc]) => `${doc ? `  /** ${doc} */\n` : ''}  ${name}: ${value},`).join('\n')}\n} as const\n`,
  )
  const interfaces = groups.map(
    (group) =>
      `/** ${group.doc} */\nexport interface ${pascal(group.name)}Calls {\n` +
      group.calls
        .map((call) => `  /** ${call.doc} */\n  ${call.name}(${tsParams(call.params)}): ${tsResult(call)}`)
        .join('\n') +
      '\n}\n',
  )
  const table = groups.map(
    (group) =>
      `  ${group.name}: {\n${group.calls.map((call) => `    ${call.name}: { params: ${call.params.length}, result: ${call.result !== 'void'}, blocking: ${call.blocking === true} },`).join('\n')}\n  },`,
  )
  const entryTypes = entries.map(
    (entry) =>
      `  /** ${entry.context}: ${entry.doc} */\n  ${entry.name}(${tsParams(entry.params)}): ${entry.result === 'void' ? 'void' : 'number'}`,
  )
  return [
    `/** ${NOTE} */`,
    `export const ABI_VERSION = ${ABI_VERSION}\n`,
    ...sets,
    ...structs.map(tsStruct),
    ...interfaces,
    `/** Every call group, by import module name. */\nexport interface Calls {\n${groups.map((group) => `  ${group.name}: ${pascal(group.name)}Calls`).join('\n')}\n}\n`,
    `/** Shape of every call: the linker and the verifier check signatures against it. */\nexport const CALLS = {\n${table.join('\n')}\n} as const\n`,
    FORWARD_TYPES,
    forwarders(),
    BOUND_TYPES,
    `/** Every call within its bounds, by \`group.call\`: each written out, so that the engine learns of each by itself. */\nexport const BOUNDS: Readonly<Record<string, (by: Bounder, call: Words) => Words>> = {\n${[
      ...groups.flatMap((group) => group.calls.map((call) => boundCode(group.name, boundsAt(group.name, call)))),
      ...Object.entries(wasi).map(([name, rules]) => boundCode('wasi', wasiBoundsAt(name, rules))),
    ].join('\n')}\n}\n`,
    `/** What a core exports. */\nexport interface Entries {\n${entryTypes.join('\n')}\n}\n`,
    `export const SHARED = [${shared.map((data) => `'${data.name}'`).join(', ')}] as const`,
    `export const GLOBALS = [${globals.map((global) => `'${global.name}'`).join(', ')}] as const\n`,
  ].join('\n')
}

const structSize = (name: string): number => {
  const found = structs.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no structure ${name}`)
  return layout(found).size
}

/** A parameter in the code of a bounded call, unsigned. */
const wordAt = (place: number): string => `${'abcdef'[place]!} >>> 0`

/** So many by a word, in that code. */
interface AmountAt extends Omit<Amount, 'by'> {
  readonly by: number
}

const amountCode = ({ by, shift = 0, times = 1, more = 0 }: AmountAt): string => {
  if (by < 0) return `${more}`
  const part = shift === 0 ? `(${wordAt(by)})` : `(${'abcdef'[by]!} >>> ${shift})`
  return `${part}${times === 1 ? '' : ` * ${times}`}${more === 0 ? '' : ` + ${more}`}`
}

/** A call's bounds with parameters by their place, -1 for none. */
interface BoundsAt {
  readonly name: string
  readonly params: number
  readonly units: AmountAt
  readonly looks: boolean
  readonly anyone: boolean
  readonly pieces: readonly {
    readonly at: number
    readonly bytes: number
    readonly count: number
    readonly width: number
  }[]
  readonly most: readonly { readonly param: number; readonly most: number; readonly answer: number | undefined }[]
  readonly keeps: readonly (AmountAt & { readonly resource: string })[]
  readonly refused: number
}

function boundsAt(group: string, { name, params, bounds: rules }: Call): BoundsAt {
  const place = (param: string | undefined): number => {
    if (param === undefined) return -1
    const at = params.findIndex((one) => one.name === param)
    if (at < 0) throw new Error(`${group}.${name} has no parameter ${param}`)
    return at
  }
  const amount = (of: Amount): AmountAt => ({ ...of, by: place(of.by) })
  return {
    name,
    params: params.length,
    units: amount(rules.units),
    looks: rules.looks === true,
    anyone: rules.anyone === true,
    pieces: (rules.pieces ?? []).map(({ at, of, count, width }) => ({
      at: place(at),
      bytes: of === undefined ? 1 : structSize(of),
      count: place(count),
      width: place(width),
    })),
    most: (rules.most ?? []).map(({ param, most, answer }) => ({ param: place(param), most, answer })),
    keeps: Object.entries(rules.keeps ?? {}).map(([resource, much]) => ({ resource, ...amount(much) })),
    refused: rules.refused ?? 0,
  }
}

/** The same for a WASI call, whose parameters have no names. */
const wasiBoundsAt = (name: string, { units, pieces = [], most = [], keeps, refused = 0 }: WasiBounds): BoundsAt => ({
  name,
  params: 6,
  units: { by: -1, more: units },
  looks: false,
  anyone: false,
  pieces: pieces.map(([at, bytes, count = -1]) => ({ at, bytes, count, width: -1 })),
  most: most.map(([param, limit, answer]) => ({ param, most: limit, answer })),
  keeps: keeps === undefined ? [] : [{ resource: keeps, by: -1, more: 1 }],
  refused,
})

/** Everything there is to look at, in this order: authority, memory, lengths, quotas; then the charge, and the call. */
function boundCode(group: string, call: BoundsAt): string {
  const { units, looks, pieces, most, keeps, refused } = call
  const lines: string[] = []
  if (!call.anyone) lines.push(`by.grip?.need('${call.name}')`)
  for (const { at, bytes, count, width } of pieces) {
    const each = width < 0 ? `${bytes}` : `by.width(${wordAt(width)})`
    lines.push(`by.within('${group}.${call.name}', ${wordAt(at)}, ${each}${count < 0 ? '' : ` * (${wordAt(count)})`})`)
  }
  const refusal = (answer: number): string =>
    units.more ? `{ by.charge(${units.more}); return ${answer} }` : `return ${answer}`
  const cut = most.find(({ answer }) => answer === undefined)
  for (const { param, most: limit, answer } of most)
    if (answer !== undefined) lines.push(`if ((${wordAt(param)}) > ${limit}) ${refusal(answer)}`)
  for (const keep of keeps) lines.push(`if (!by.may.${keep.resource}(${amountCode(keep)})) ${refusal(refused)}`)
  const work = cut === undefined ? amountCode(units) : `Math.min(${amountCode(units)}, ${cut.most + (units.more ?? 0)})`
  const charged = [...(work === '0' ? [] : [work]), ...(looks ? ['by.looks()'] : [])].join(' + ')
  if (charged !== '') lines.push(`by.charge(${charged})`)
  const words = Array.from({ length: call.params }, (_, i) => 'abcdef'[i]!)
  const passed = words.map((word, i) => (i === cut?.param ? `Math.min(${word} >>> 0, ${cut.most})` : word))
  const typed = words.map((word) => `${word}: number`).join(', ')
  const key = `  '${group}.${call.name}': (by: Bounder, call: Words) =>`
  if (lines.length === 0) return `${key} call,`
  return `${key} (${typed}) => {\n    ${[...lines, `return call(${passed.join(', ')})`].join('\n    ')}\n  },`
}

/** What calls keep, in any row. */
const KEPT = [
  ...new Set([
    ...groups.flatMap(({ calls }) => calls.flatMap(({ bounds: { keeps } }) => Object.keys(keeps ?? {}))),
    ...Object.values(wasi).flatMap(({ keeps }) => keeps ?? []),
  ]),
].toSorted()

const BOUND_TYPES = `/** A call as a module makes it: words. */
export type Words = (...words: number[]) => unknown

/** What bounds ask of a domain. */
export interface Bounder {
  /** Its hold on the group, where that has one capability behind it. Ends the domain that has none. */
  readonly grip: { need(call: string): void } | undefined
  /** Ends the domain whose memory that is not. */
  within(call: string, at: number, bytes: number): void
  /** 1, 2 or 4; 0 for anything else. */
  width(width: number): number
  /** Whether it may have so much more of each. */
  readonly may: Readonly<Record<${KEPT.map((name) => `'${name}'`).join(' | ')}, (more: number) => boolean>>
  /** Work for the capabilities it holds. */
  looks(): number
  charge(units: number): void
}
`

const FORWARD_TYPES = `/** Who serves a call now. */
export interface Line {
  call: (...words: number[]) => unknown
}
`

/** A function a call, each written out: the engine learns of each by itself whom it passes its words on to. */
function forwarders(): string {
  const one = ({ name, params }: Call): string => {
    const words = params.map((_, i) => 'abcdef'[i]).join(', ')
    const typed = params.map((_, i) => `${'abcdef'[i]}: number`).join(', ')
    return `    ${name}: (line: Line) => (${typed}) => line.call(${words}),`
  }
  const rows = groups.map((group) => `  ${group.name}: {\n${group.calls.map(one).join('\n')}\n  },`)
  const type = 'Readonly<Record<string, Readonly<Record<string, (line: Line) => (...words: number[]) => unknown>>>>'
  return `/** Every call as a function that passes its words on, to whoever serves it at that time. */\nexport const FORWARD: ${type} = {\n${rows.join('\n')}\n}\n`
}

const pascal = (name: string): string => name[0]!.toUpperCase() + name.slice(1)
const cell = (text: string): string => text.replaceAll('|', '\\|')

const amountIn = ({ by, shift = 0, times = 1, more = 0 }: Amount): string => {
  const scaled =
    by === undefined ? '' : `${times === 1 ? '' : `${times} `}${by}${shift === 0 ? '' : ` / ${2 ** shift}`}`
  return [scaled, more === 0 && scaled !== '' ? '' : String(more)].filter((part) => part !== '').join(' + ')
}

const workIn = ({ units, looks }: Bounds): string =>
  [amountIn(units), looks === true ? '4 times the capabilities held' : ''].filter((part) => part !== '').join(' + ')

const keptIn = ({ keeps }: Bounds): string =>
  Object.entries(keeps ?? {})
    .map(([resource, much]) => `${amountIn(much)} ${resource}`)
    .join(', ')

export function page(): string {
  const signature = (item: { name: string; params: readonly Param[]; result: string }): string =>
    `\`${item.name}(${item.params.map((param) => param.name).join(', ')})${item.result === 'void' ? '' : ` -> ${item.result}`}\``
  const paramDocs = (params: readonly Param[]): string =>
    params
      .filter((param) => param.doc)
      .map((param) => `${param.name}: ${param.doc}`)
      .join('; ')
  return [
    `<!-- ${NOTE} -->\n# The driver ABI, version ${ABI_VERSION}\n`,
    'A core imports calls and exports entries; a module bound to it imports calls, of groups that its domain was granted.\n',
    ...groups.flatMap((group) => [
      `## Calls: ${group.name}\n\n${group.doc}\n\n| call | what it does | parameters | units of work, at most | keeps |\n|---|---|---|---|---|`,
      ...group.calls.map(
        (call) =>
          `| ${signature(call)}${call.blocking ? ' (blocks)' : ''}${call.noreturn ? ' (never returns)' : ''} | ${cell(call.doc)} | ${cell(paramDocs(call.params))} | ${workIn(call.bounds)} | ${keptIn(call.bounds)} |`,
      ),
      '',
    ]),
    '## Entries\n\n| entry | context | what it does |\n|---|---|---|',
    ...entries.map((entry) => `| ${signature(entry)} | ${entry.context} | ${cell(entry.doc)} |`),
    '\n## Shared data and globals\n\n| name | what it is |\n|---|---|',
    ...[...shared, ...globals].map((item) => `| \`${item.name}\` | ${item.doc} |`),
    '\n## Structures\n',
    ...structs.flatMap((struct) => {
      const { offsets, size } = layout(struct)
      return [
        `### ${struct.name} (${size} bytes)\n\n${struct.doc}\n\n| offset | type | field | |\n|---|---|---|---|`,
        ...struct.fields.map(
          (f) => `| ${offsets.get(f.name)} | ${f.type}${f.count ? `[${f.count}]` : ''} | ${f.name} | ${f.doc ?? ''} |`,
        ),
        '',
      ]
    }),
    '## Constants\n',
    ...constants.flatMap((set) => [
      `### ${set.name}\n\n${set.doc}\n\n| name | value | |\n|---|---|---|`,
      ...set.values.map(([name, value, doc]) => `| ${set.name}_${name} | ${hex(value)} | ${doc} |`),
      '',
    ]),
  ].join('\n')
}

/** The products: path from the package's root, and text. */
export const products = (): readonly (readonly [path: string, text: string])[] => [
  ['linux-api/generated/drvport_abi.h', cHeader()],
  ['linux-api/generated/drvport_shim_abi.h', shimHeader()],
  ['linux-api/generated/abi.ts', tsModule()],
  ['docs/abi.md', page()],
]

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = new URL('../', import.meta.url)
  let stale = 0
  for (const [path, text] of products()) {
    if (!process.argv.includes('--check')) writeFileSync(new URL(path, root), text)
    else if (readFileSync(new URL(path, root), 'utf8') !== text) {
      console.error(`${path} is out of date: run \`node linux-api/generate.ts\``)
      stale++
    }
  }
  process.exitCode = stale > 0 ? 1 : 0
}
