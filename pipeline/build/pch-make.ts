/**
 * Making one precompiled header, learning what its users must not do before, and compiling with it.
 *
 * Knows nothing of which headers are worth it (pch-plan.ts).
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey, exists, writeAtomic } from '../cache.ts'
import { parseDependencies } from '../toolchain/diagnostics.ts'
import type { RunOptions, Toolchain } from '../toolchain/types.ts'
import { Reader, type Form, type Header, type HeaderFacts, type HeaderGraph, type Reading } from './headers.ts'
import { macroOf, type Command } from './pch-command.ts'
import { findAnswers, findEffects, MARK, markOf, questionsFor, type Effects } from './pch-effects.ts'
import { conflict, hasOrder, lastOf, meaningOf, orderOf, type Meaning, type Ordered, type Shown } from './pch-rules.ts'

/** A compile that may come. */
export interface Unit {
  /** Equal for equal compiles. */
  readonly key: string
  readonly source: string
  readonly args: readonly string[]
}

/** How to compile a unit with a precompiled header. */
export interface Use {
  readonly args: readonly string[]
  /** With one of these texts in it, the object is not what the plain compile makes. */
  readonly witnesses: readonly Buffer[]
}

/** A unit, with what it reads. */
export interface ReadUnit extends Unit {
  readonly command: Command
  readonly reading: Reading
}

export interface Precompiled extends Meaning {
  /** Path of the precompiled header. */
  readonly file: string
  readonly roots: readonly Header[]
  readonly defines: readonly string[]
  readonly ordered: readonly Ordered[]
  /** Macros shown to be without effect on it, wherever they are defined. */
  readonly harmless: ReadonlySet<string>
  /** What may be defined before, as far as the order allows. */
  readonly shown: Shown
  /** Macros that would only rename something that the headers declare, with its declaration. */
  readonly renamed: ReadonlyMap<string, string>
  /** Macros that are texts of each unit's own, for which others stand in these headers. */
  readonly deferred: ReadonlySet<string>
  /** Text that is in an object when code whose texts a macro changes is. */
  readonly witnesses: ReadonlyMap<string, readonly string[]>
}

/** What making one needs. */
export interface Making {
  readonly toolchain: Toolchain
  readonly graph: HeaderGraph
  /** Directory of its own, which exists. */
  readonly dir: string
  readonly options: Omit<RunOptions, 'cwd'>
}

const IGNORELIST = '-fsanitize-ignorelist='

/**
 * Precompile headers (by id) for units that all read them, in the order in which `model`, one of them, does. Undefined
 * when they cannot be precompiled.
 */
export async function makePrecompiled(
  making: Making,
  units: readonly ReadUnit[],
  model: ReadUnit,
  ids: ReadonlySet<number>,
): Promise<Precompiled | undefined> {
  const { toolchain, graph, dir } = making
  const { roots, reader } = chooseRoots(graph, model, ids)
  const defines = model.command.defines.filter((define) =>
    units.every(({ command }) => command.defines.includes(define)),
  )
  const deferred = deferredTexts(units, new Set(defines))
  const names = path.join(dir, 'names.h')
  const stub = path.join(dir, 'headers.h')
  const file = path.join(dir, 'headers.pch')
  const list = path.join(dir, 'headers.d')
  await fs.writeFile(names, deferred.map((name) => `#define ${name} "${MARK}${name}"\n`).join(''))
  const includes = roots.map((root) => `#include "${root.path}"\n`)
  await fs.writeFile(stub, [...includes, ...deferred.map((name) => `#undef ${name}\n`)].join(''))
  const args = ['-include', names, ...baseArgs(model, defines)]
  const output = ['-MD', '-MF', list, '-MT', 'object', '-x', 'c-header', stub, '-o', file]
  const run = await toolchain.compile([...args, ...output], { ...making.options, cwd: dir })
  if (!run.ok) return undefined
  // What a sanitizer leaves alone stands in a file too, which is no header.
  const ignored = args.flatMap((arg) => (arg.startsWith(IGNORELIST) ? [arg.slice(IGNORELIST.length)] : []))
  const read = parseDependencies(await fs.readFile(list, 'utf8')).filter(
    (name) => !name.startsWith(`${dir}/`) && !ignored.includes(name),
  )
  const headers = read.flatMap((name) => graph.at(name) ?? [])
  if (headers.length < read.length || headers.some((header) => header.facts.counts)) return undefined
  const meaning = meaningOf(headers)
  const { marks, asked } = candidates(units, meaning, new Set(defines))
  // The compiler has these itself: a default for one is never taken.
  const builtin = [...marks.keys()].filter((name) => name.startsWith('__has_'))
  for (const name of [...deferred, ...builtin]) marks.delete(name)
  // What asks for a macro each time it is read has no one place in the order.
  for (const { facts } of headers) if (!facts.guarded) for (const name of namesOf(facts)) asked.delete(name)
  const { bad, renamed, witnesses, defined, unused } = await effectsOf(making, args, stub, marks, asked)
  const harmless = new Set([...builtin, ...[...marks.keys()].filter((name) => !bad.has(name) && !renamed.has(name))])
  const defaults = new Set(
    headers.flatMap(({ facts }) => facts.sections.flatMap((section) => [...section.defaults.keys()])),
  )
  return {
    ...meaning,
    file,
    roots,
    defines,
    ordered: orderOf(meaning, reader),
    harmless,
    shown: {
      harmless: new Set([...harmless, ...[...unused].filter((name) => !meaning.definers.has(name))]),
      settled: new Set([...defined].filter((name) => !defaults.has(name))),
    },
    renamed,
    deferred: new Set(deferred),
    witnesses,
  }
}

const namesOf = ({ sections }: HeaderFacts): string[] =>
  sections.flatMap(({ defines, defaults, tested }) => [...defines.keys(), ...defaults.keys(), ...tested])

/** Macros that units, or headers they read before, define: those no condition of these headers asks for, and others. */
function candidates(
  units: readonly ReadUnit[],
  meaning: Meaning,
  common: ReadonlySet<string>,
): { readonly marks: Map<string, Form>; readonly asked: Set<string> } {
  const marks = new Map<string, Form>()
  const asked = new Set<string>()
  const seen = new Set<Header>()
  const add = (name: string, form: Form) => {
    if (meaning.sensitive.has(name)) asked.add(name)
    else marks.set(name, marks.get(name) === 'plain' ? 'plain' : form)
  }
  for (const { reading, command } of units) {
    const last = lastOf(reading, meaning)
    for (const { name, form, at } of reading.defines) if (at <= last) add(name, form)
    for (const define of command.defines) if (!common.has(define)) add(macroOf(define), 'plain')
    for (const header of reading.entered.slice(0, Math.max(last, 0))) {
      if (meaning.files.has(header.file) || seen.has(header)) continue
      seen.add(header)
      for (const { defines, defaults } of header.facts.sections)
        for (const [name, form] of [...defines, ...defaults]) add(name, form)
    }
  }
  return { marks, asked }
}

type Found = Effects & Pick<ReturnType<typeof findAnswers>, 'defined' | 'unused'>

/**
 * Which marked macros would change the text of the headers, and what becomes of those they ask for: preprocessed once,
 * with all marks defined.
 */
async function effectsOf(
  { toolchain, dir, options }: Making,
  args: readonly string[],
  stub: string,
  marked: ReadonlyMap<string, Form>,
  asked: ReadonlySet<string>,
): Promise<Found> {
  const marks = path.join(dir, 'marks.h')
  const source = path.join(dir, 'effects.h')
  const output = path.join(dir, 'headers.i')
  await fs.writeFile(marks, [...marked].map(([name, form]) => markOf(name, form)).join(''))
  await fs.writeFile(source, `#include "${stub}"\n${questionsFor(asked)}`)
  const preprocess = ['-include', marks, ...args, '-E', '-P', '-x', 'c', source, '-o', output]
  const run = await toolchain.compile(preprocess, { ...options, cwd: dir })
  const nothing = new Set<string>()
  if (!run.ok)
    return { bad: new Set(marked.keys()), renamed: new Map(), witnesses: new Map(), defined: nothing, unused: nothing }
  const { headers, defined, unused } = findAnswers(await fs.readFile(output, 'latin1'), asked)
  await Promise.all([output, marks, source].map((file) => fs.rm(file, { force: true })))
  return { ...findEffects(headers), defined, unused }
}

const TEXT_DEFINE = /^-D\w+="[^"]*"$/

/**
 * Macros that every unit defines as a text, each its own, such as its module's name. Another text stands for it in the
 * headers; it is in an object only when code is that has it.
 */
function deferredTexts(units: readonly ReadUnit[], common: ReadonlySet<string>): string[] {
  const texts = (unit: ReadUnit) =>
    new Set(unit.command.defines.filter((define) => TEXT_DEFINE.test(define) && !common.has(define)).map(macroOf))
  const [first, ...others] = units.map(texts)
  return [...(first ?? [])].filter((name) => others.every((own) => own.has(name)))
}

/** Arguments of the model unit with only these -D. */
function baseArgs(model: ReadUnit, defines: readonly string[]): string[] {
  return model.args.filter((arg) => !/^-[DU]/.test(arg) || defines.includes(arg))
}

/** Whether a unit may use a precompiled header, and if not, why. */
export function refusal(unit: ReadUnit, pch: Precompiled): string | undefined {
  const missing = pch.roots.find((root) => !unit.reading.sure.has(root.id))
  if (missing !== undefined) return `does not surely read ${missing.path}`
  for (const file of pch.files) if (!unit.reading.firsts.has(file)) return `does not read file ${file}`
  const own = new Set(unit.command.defines)
  if (pch.defines.some((define) => !own.has(define))) return 'lacks a -D'
  const common = new Set(pch.defines)
  for (const define of unit.command.defines) {
    const name = macroOf(define)
    const isRenaming = pch.renamed.has(name) && /^-D\w+=[A-Za-z_]\w*$/.test(define)
    const isText = pch.deferred.has(name) && TEXT_DEFINE.test(define)
    if (!common.has(define) && !pch.harmless.has(name) && !isRenaming && !isText) return `has ${define}`
  }
  if (!hasOrder(unit.reading, pch.ordered)) return 'has another order'
  return conflict(unit.reading, pch, pch.shown)
}

/** How to compile a unit with a precompiled header that it may use. */
export async function useOf(unit: ReadUnit, pch: Precompiled): Promise<Use> {
  return { args: await argsWith(unit, pch), witnesses: witnessesFor(unit, pch) }
}

/** Witnesses of the macros that a unit defines before, itself or through others' headers. */
function witnessesFor({ reading }: ReadUnit, pch: Precompiled): Buffer[] {
  const own = new Set(reading.defines.map(({ name }) => name))
  const others = reading.entered.filter((header) => !pch.files.has(header.file))
  const isDefined = (name: string): boolean =>
    own.has(name) ||
    others.some(({ facts }) => facts.sections.some(({ defines, defaults }) => defines.has(name) || defaults.has(name)))
  const texts = [...pch.witnesses].flatMap(([name, parts]) => (isDefined(name) ? parts : []))
  return [...[...pch.deferred].map((name) => MARK + name), ...texts].map((text) => Buffer.from(text))
}

/** Arguments of a unit that starts from a precompiled header. */
async function argsWith({ args, command }: ReadUnit, pch: Precompiled): Promise<string[]> {
  const plain: string[] = []
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '-include') i++
    else plain.push(args[i] as string)
  }
  const renames = command.defines.flatMap((define) => {
    const [, name = '', to = ''] = /^-D(\w+)=(\w+)$/.exec(define) ?? []
    const declaration = pch.renamed.get(name)
    return declaration === undefined ? [] : [renaming(name, to, declaration)]
  })
  const start = ['-include-pch', pch.file, ...plain]
  if (renames.length === 0) return start
  const text = renames.join('')
  const file = path.join(path.dirname(pch.file), `${contentKey([text])}.h`)
  if (!(await exists(file))) await writeAtomic(file, text)
  return [...start, '-include', file]
}

/** The headers were read without a macro that renames what they declare: declare it, and let their own uses mean that. */
const renaming = (name: string, to: string, declaration: string): string =>
  `${declaration}
#pragma push_macro("${name}")
#undef ${name}
#pragma redefine_extname ${name} ${to}
#pragma pop_macro("${name}")
`

/** Headers to include so that all of a cluster's are read, in the order in which a member reads them. */
export function chooseRoots(
  graph: HeaderGraph,
  model: ReadUnit,
  headers: ReadonlySet<number>,
): { roots: Header[]; reader: Reader } {
  const reader = new Reader(graph, model.command.search)
  for (const file of model.command.forced) {
    const header = graph.at(file)
    if (header !== undefined) reader.enter(header, true)
  }
  const roots: Header[] = []
  for (const header of model.reading.entered) {
    if (!headers.has(header.id) || !header.facts.guarded || reader.has(header)) continue
    reader.enter(header, true)
    roots.push(header)
  }
  return { roots, reader }
}
