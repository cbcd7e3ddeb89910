/**
 * Precompiled headers for many compiles: each object made in less time, and byte for byte as without.
 *
 * A file may use a precompiled header only if it surely reads all of its headers itself, and if nothing it does before
 * changes what they mean: see conflict(). Which headers are precompiled is planned for a directory at a time, from the
 * files there that must be compiled (pch-plan.ts). What cannot be shown to be equal is compiled the plain way. Knows
 * nothing of caches of objects or of modules.
 */

import * as fs from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { cachePath, contentKey, exists, writeAtomic } from '../cache.ts'
import type { Toolchain } from '../toolchain/types.ts'
import {
  HeaderGraph,
  Reader,
  scanSource,
  sectionAt,
  type Form,
  type Header,
  type Reading,
  type Search,
} from './headers.ts'
import { parseDependencies } from '../toolchain/diagnostics.ts'
import { planClusters, type Cluster } from './pch-plan.ts'

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

/** A source that may be compiled; `unit` is asked late, and answers undefined for what need not be compiled. */
export interface Planned {
  readonly source: string
  readonly unit: () => Promise<Unit | undefined>
}

/** Sources that are planned together, when the first of them is compiled. */
interface Group {
  readonly members: Planned[]
  plan?: Promise<void>
}

/** A command line taken apart. */
interface Command {
  readonly search: Search
  /** -D and -U arguments. */
  readonly defines: readonly string[]
  /** Files of -include, in order. */
  readonly forced: readonly string[]
  /** Equal for command lines that can share a precompiled header. */
  readonly kind: string
}

interface ReadUnit extends Unit {
  readonly command: Command
  readonly reading: Reading
}

/** A section of a header that asks for or defines a macro. */
interface Place {
  readonly file: number
  readonly section: number
}

/** What the headers of a set mean depends on these. */
interface Meaning {
  /** Numbers of all files. */
  readonly files: ReadonlySet<number>
  /** Where a macro is asked for, defined or undefined. */
  readonly sensitive: ReadonlyMap<string, readonly Place[]>
  /** Files that define a macro, by default or always. */
  readonly definers: ReadonlyMap<string, readonly number[]>
}

interface Precompiled extends Meaning {
  /** Path of the precompiled header. */
  readonly file: string
  readonly roots: readonly Header[]
  readonly defines: readonly string[]
  /** Files that define what another asks for, and whether they are read before. */
  readonly ordered: readonly { readonly definer: number; readonly place: Place; readonly before: boolean }[]
  /** Macros shown to be without effect on it. */
  readonly harmless: ReadonlySet<string>
  /** Macros that would only rename something that the headers declare, with its declaration. */
  readonly renamed: ReadonlyMap<string, string>
  /** Macros that are texts of each unit's own, for which others stand in these headers. */
  readonly deferred: ReadonlySet<string>
  /** Text that is in an object when code whose texts a macro changes is. */
  readonly witnesses: ReadonlyMap<string, readonly string[]>
}

interface Node {
  readonly cluster: Cluster<ReadUnit>
  state: 'planned' | 'making' | 'ready' | 'failed'
  result?: Precompiled
  /** Files that may still use it, through it or a larger one. */
  left: number
}

/** Files of one directory are planned together, up to so many. */
const GROUP_MAX = 800
/** Neighbouring directories are planned together, up to so many files. */
const SMALL_MAX = 400
const FLAG_WITH_VALUE = new Set(['-mllvm', '-Xclang', '-x', '-target'])
/** Other ways of finding headers: not understood, so not used. */
const OTHER_SEARCH = /^-(isystem|iquote|idirafter|imacros|include-pch|iprefix|isysroot)/
const MARK = 'drvport_marker_'

/** Take a command line apart; undefined when it finds headers in ways that are not understood. */
export function parseCommand(args: readonly string[]): Command | undefined {
  const dirs: string[] = []
  const defines: string[] = []
  const forced: string[] = []
  const rest: string[] = []
  let common = 0
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string
    if (OTHER_SEARCH.test(arg)) return undefined
    if (arg === '-I') dirs.push(args[++i] ?? '')
    else if (arg.startsWith('-I')) {
      if (rest.every((other) => other === '-nostdinc') && forced.length + defines.length === 0) common = dirs.length + 1
      dirs.push(arg.slice(2))
    } else if (arg === '-include') forced.push(args[++i] ?? '')
    else if (/^-[DU]/.test(arg)) defines.push(arg)
    else if (FLAG_WITH_VALUE.has(arg)) rest.push(arg, args[++i] ?? '')
    else if (!/^-W(?!a,|p,|l,)|^-f(file|macro|debug)-prefix-map=/.test(arg)) rest.push(arg)
  }
  const key = dirs.slice(0, common).join('\n')
  // A bare -DDEBUG is there to be asked for: it makes a kind. Others have values of a module's own.
  const switches = defines.filter((define) => !define.includes('='))
  const kind = [...rest, '', ...switches, '', ...forced, '', key].join('\n')
  return { search: { dirs, common, key }, defines, forced, kind }
}

const macroOf = (define: string): string => /^-[DU](\w+)/.exec(define)?.[1] ?? ''
const push = <K, V>(map: Map<K, V[]>, key: K, value: V) => {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

function meaningOf(headers: Iterable<Header>): Meaning {
  const files = new Set<number>()
  const sensitive = new Map<string, Place[]>()
  const definers = new Map<string, number[]>()
  for (const { file, facts } of headers) {
    if (files.has(file)) continue
    files.add(file)
    facts.sections.forEach(({ tested, defines, defaults }, section) => {
      for (const name of tested) push(sensitive, name, { file, section })
      for (const name of defines.keys()) {
        push(sensitive, name, { file, section })
        push(definers, name, file)
      }
      for (const name of defaults.keys()) push(definers, name, file)
    })
  }
  return { files, sensitive, definers }
}

type Order = Pick<Reading, 'entered' | 'firsts' | 'marks' | 'starts'>

/** How many headers are entered before a section of one; undefined when it is not read. */
function positionOf(order: Order, { file, section }: Place): number | undefined {
  const first = order.firsts.get(file)
  return first === undefined ? undefined : sectionAt(order, first, section)
}

/**
 * What keeps a unit from having these headers read first, or undefined when nothing does: a macro that somebody else
 * defines before one of them asks for it, or a condition elsewhere that comes before one of them defines its macro.
 */
export function conflict(reading: Reading, meaning: Meaning, harmless?: ReadonlySet<string>): string | undefined {
  const { entered, firsts, defines, tests } = reading
  const last = entered.findLastIndex((header) => meaning.files.has(header.file))
  const changes = (name: string, at: number): boolean =>
    (harmless !== undefined && !harmless.has(name)) ||
    (meaning.sensitive.get(name)?.some((place) => (positionOf(reading, place) ?? -1) > at) ?? false)
  /** The macro is defined, but only later. */
  const asksEarly = (name: string, at: number): boolean => {
    const read = (meaning.definers.get(name) ?? []).flatMap((file) => firsts.get(file) ?? [])
    return read.length > 0 && read.every((first) => first >= at)
  }
  for (const { name, at } of defines)
    if (at <= last && (name.startsWith('CONFIG_') || changes(name, at))) return `defines ${name}`
  for (const { name, at } of tests) if (at <= last && asksEarly(name, at)) return `asks for ${name}`
  for (let i = 0; i < last; i++) {
    const { file, path: name, facts } = entered[i] as Header
    if (meaning.files.has(file)) continue
    if (facts.counts) return `${name} counts`
    for (const [k, section] of facts.sections.entries()) {
      const at = sectionAt(reading, i, k)
      if (at > last) break
      for (const macro of section.defines.keys()) if (changes(macro, at)) return `${name} defines ${macro}`
      for (const macro of section.defaults.keys())
        if (changes(macro, at) || asksEarly(macro, at)) return `${name} gives ${macro} a default`
      for (const macro of section.tested) if (asksEarly(macro, at)) return `${name} asks for ${macro}`
    }
  }
  return undefined
}

/** Files whose order matters among themselves: one defines what the other asks for. */
function orderedPairs(meaning: Meaning, order: Order): Precompiled['ordered'] {
  const pairs = new Map<string, Precompiled['ordered'][number]>()
  for (const [name, places] of meaning.sensitive) {
    for (const definer of meaning.definers.get(name) ?? []) {
      for (const place of places) {
        const at = positionOf(order, place)
        if (definer === place.file || at === undefined) continue
        const before = (order.firsts.get(definer) ?? Infinity) < at
        pairs.set(`${definer} ${place.file} ${place.section}`, { definer, place, before })
      }
    }
  }
  return [...pairs.values()]
}

/** Whether a unit may use a precompiled header, and if not, why. */
function refusal(unit: ReadUnit, pch: Precompiled): string | undefined {
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
  for (const { definer, place, before } of pch.ordered)
    if ((unit.reading.firsts.get(definer) ?? Infinity) < (positionOf(unit.reading, place) ?? -1) !== before)
      return `has another order: ${definer} ${place.file}/${place.section} ${before}`
  return conflict(unit.reading, pch, pch.harmless)
}

/** Counters, for reports and experiments. */
export interface PchFigures {
  made: number
  failed: number
  used: number
  plain: number
  again: number
  readonly refused: Map<string, number>
}

/** Precompiled headers of one process. */
export class Precompiler {
  readonly figures: PchFigures = { made: 0, failed: 0, used: 0, plain: 0, again: 0, refused: new Map() }
  private readonly toolchain: Toolchain
  private readonly signal: AbortSignal | undefined
  private readonly dir: string
  private readonly graphs = new Map<string, HeaderGraph>()
  private readonly groups = new Map<string, Group[]>()
  private readonly assigned = new Map<string, { unit: ReadUnit; node: Node }>()
  private made = 0

  constructor(toolchain: Toolchain, signal: AbortSignal | undefined) {
    this.toolchain = toolchain
    this.signal = signal
    this.dir = cachePath('pch', String(process.pid))
  }

  /** Say what will be compiled. */
  prepare(sources: readonly Planned[]): void {
    for (const members of groupByDirectory(sources)) {
      const group: Group = { members }
      for (const source of new Set(members.map((member) => member.source))) push(this.groups, source, group)
    }
  }

  /**
   * Arguments for compiling a unit with the largest precompiled header that it may use, made now if need be; undefined
   * for compiling it the plain way.
   */
  async argsFor(unit: Unit): Promise<Use | undefined> {
    for (const group of this.groups.get(unit.source) ?? []) {
      group.plan ??= this.plan(group.members.splice(0))
      await group.plan
    }
    const place = this.assigned.get(unit.key)
    if (place === undefined) {
      this.figures.plain++
      return undefined
    }
    for (let node: Node | undefined = place.node; node !== undefined; node = this.parentOf(node)) {
      if (node.state === 'planned') await this.make(node)
      if (node.state !== 'ready' || node.result === undefined) continue
      const why = refusal(place.unit, node.result)
      if (why === undefined) {
        this.figures.used++
        return { args: await argsWith(place.unit, node.result), witnesses: witnessesFor(place.unit, node.result) }
      }
      this.figures.refused.set(why, (this.figures.refused.get(why) ?? 0) + 1)
    }
    this.figures.plain++
    return undefined
  }

  /** A unit is compiled: what was made for it alone can go. */
  async done(key: string): Promise<void> {
    const place = this.assigned.get(key)
    if (place === undefined) return
    this.assigned.delete(key)
    for (let node: Node | undefined = place.node; node !== undefined; node = this.parentOf(node)) {
      node.left--
      if (node.left > 0) continue
      this.nodes.delete(node.cluster)
      if (node.result !== undefined) await fs.rm(path.dirname(node.result.file), { recursive: true, force: true })
    }
  }

  /** A compile with a precompiled header failed, and is done again without. */
  failed(): void {
    this.figures.again++
  }

  /** Whether a file is part of a precompiled header itself, and so no input. */
  owns(file: string): boolean {
    return file.startsWith(`${this.dir}/`)
  }

  private readonly nodes = new Map<Cluster<ReadUnit>, Node>()
  private parentOf(node: Node): Node | undefined {
    return node.cluster.parent && this.nodes.get(node.cluster.parent)
  }

  private graphOf(command: Command): HeaderGraph {
    const key = `${command.search.key}\n${command.defines.includes('-DMODULE')}`
    let graph = this.graphs.get(key)
    if (graph === undefined) {
      graph = new HeaderGraph(knownMacros(command))
      this.graphs.set(key, graph)
    }
    return graph
  }

  private async plan(members: readonly Planned[]): Promise<void> {
    const kinds = new Map<string, ReadUnit[]>()
    const seen = new Set<string>()
    for (const member of members) {
      const unit = await member.unit()
      if (unit === undefined || seen.has(unit.key)) continue
      seen.add(unit.key)
      const command = parseCommand(unit.args)
      if (command === undefined) continue
      const read = await this.readUnit(unit, command)
      if (read !== undefined) push(kinds, command.kind, read)
    }
    for (const units of kinds.values()) this.planKind(units)
  }

  private async readUnit(unit: Unit, command: Command): Promise<ReadUnit | undefined> {
    const graph = this.graphOf(command)
    const text = await fs.readFile(unit.source, 'latin1').catch(() => undefined)
    if (text === undefined) return undefined
    const reading = graph.read(unit.source, command.forced, scanSource(text, graph.known), command.search)
    return { ...unit, command, reading }
  }

  private planKind(units: readonly ReadUnit[]): void {
    const [first] = units
    if (first === undefined) return
    const graph = this.graphOf(first.command)
    const closures = new Map<number, readonly number[]>()
    const closure = (id: number): readonly number[] => {
      let found = closures.get(id)
      if (found === undefined) {
        const reader = new Reader(graph, first.command.search)
        reader.enter(graph.headers[id] as Header, true)
        found = [...reader.sure]
        closures.set(id, found)
      }
      return found
    }
    const meanings = new Map<ReadonlySet<number>, Meaning>()
    const accepts = (unit: ReadUnit, headers: ReadonlySet<number>): boolean => {
      const meaning = meanings.get(headers) ?? meaningOf(chooseRoots(graph, unit, headers).reader.entered)
      meanings.set(headers, meaning)
      const why = conflict(unit.reading, meaning)
      if (why !== undefined) this.figures.refused.set(why, (this.figures.refused.get(why) ?? 0) + 1)
      return why === undefined
    }
    const clusters = planClusters({
      units,
      headersOf: (unit) => unit.reading.sure,
      headers: graph.headers,
      closure,
      accepts,
    })
    for (const cluster of clusters) this.nodes.set(cluster, { cluster, state: 'planned', left: 0 })
    for (const cluster of clusters) {
      const node = this.nodes.get(cluster) as Node
      for (const unit of cluster.members) this.assigned.set(unit.key, { unit, node })
      for (let up: Node | undefined = node; up !== undefined; up = this.parentOf(up)) up.left += cluster.members.length
    }
  }

  private async make(node: Node): Promise<void> {
    node.state = 'making'
    const dir = path.join(this.dir, String(++this.made))
    try {
      await fs.mkdir(dir, { recursive: true })
      const result = await this.precompile(node.cluster, dir)
      if (result !== undefined) node.result = result
    } catch {
      // Whatever is wrong is met again, and told, by the plain compile.
    }
    node.state = node.result === undefined ? 'failed' : 'ready'
    this.figures[node.state === 'ready' ? 'made' : 'failed']++
    if (node.result === undefined) await fs.rm(dir, { recursive: true, force: true }).catch(() => undefined)
  }

  /** All units that might use a cluster's header. */
  private membersOf(cluster: Cluster<ReadUnit>): ReadUnit[] {
    const isUnder = (other: Cluster<ReadUnit> | undefined): boolean =>
      other !== undefined && (other === cluster || isUnder(other.parent))
    return [...this.nodes.keys()].filter(isUnder).flatMap(({ members }) => members)
  }

  private async precompile(cluster: Cluster<ReadUnit>, dir: string): Promise<Precompiled | undefined> {
    const units = this.membersOf(cluster)
    const [model] = cluster.members.length > 0 ? cluster.members : units
    if (model === undefined) return undefined
    const graph = this.graphOf(model.command)
    const { roots, reader } = chooseRoots(graph, model, cluster.headers)
    const defines = model.command.defines.filter((define) =>
      units.every(({ command }) => command.defines.includes(define)),
    )
    const deferred = deferredTexts(units, new Set(defines))
    const names = path.join(dir, 'names.h')
    await fs.writeFile(names, deferred.map((name) => `#define ${name} "${MARK}${name}"\n`).join(''))
    const args = ['-include', names, ...baseArgs(model, defines)]
    const stub = path.join(dir, 'headers.h')
    await fs.writeFile(
      stub,
      [...roots.map((root) => `#include "${root.path}"\n`), ...deferred.map((name) => `#undef ${name}\n`)].join(''),
    )
    const options = { cwd: dir, ...(this.signal && { signal: this.signal }) }
    const file = path.join(dir, 'headers.pch')
    const list = path.join(dir, 'headers.d')
    const run = await this.toolchain.compile(
      [...args, '-MD', '-MF', list, '-MT', 'object', '-x', 'c-header', stub, '-o', file],
      options,
    )
    if (!run.ok) return undefined
    const read = parseDependencies(await fs.readFile(list, 'utf8')).filter((name) => !this.owns(name))
    const headers = read.map((name) => graph.at(name))
    if (headers.some((header) => header === undefined || header.facts.counts)) return undefined
    const meaning = meaningOf(headers as Header[])
    const marks = this.candidates(units, meaning, new Set(defines))
    for (const name of deferred) marks.delete(name)
    const { bad, renamed, witnesses } = await this.effects(args, dir, stub, marks)
    return {
      ...meaning,
      file,
      roots,
      defines,
      ordered: orderedPairs(meaning, reader),
      harmless: new Set([...marks.keys()].filter((name) => !bad.has(name) && !renamed.has(name))),
      renamed,
      deferred: new Set(deferred),
      witnesses,
    }
  }

  /** Macros that units, or headers they read before, define, and that no condition of these headers asks for. */
  private candidates(units: readonly ReadUnit[], meaning: Meaning, common: ReadonlySet<string>): Map<string, Form> {
    const found = new Map<string, Form>()
    const add = (name: string, form: Form) => {
      if (!meaning.sensitive.has(name)) found.set(name, found.get(name) === 'plain' ? 'plain' : form)
    }
    for (const { reading, command } of units) {
      const last = reading.entered.findLastIndex((header) => meaning.files.has(header.file))
      for (const { name, form, at } of reading.defines) if (at <= last) add(name, form)
      for (const define of command.defines) if (!common.has(define)) add(macroOf(define), 'plain')
      for (const { file, facts } of reading.entered.slice(0, Math.max(last, 0))) {
        if (meaning.files.has(file)) continue
        for (const { defines, defaults } of facts.sections)
          for (const [name, form] of [...defines, ...defaults]) add(name, form)
      }
    }
    return found
  }

  /**
   * Which of these macros would change the text of the headers: preprocessed once with all of them defined as something
   * that can be found again. One that shows only as the name in a declaration renames what is declared.
   */
  private async effects(
    args: readonly string[],
    dir: string,
    stub: string,
    names: ReadonlyMap<string, Form>,
  ): Promise<Effects> {
    const marks = path.join(dir, 'marks.h')
    const output = path.join(dir, 'headers.i')
    await fs.writeFile(marks, [...names].map(([name, form]) => markOf(name, form)).join(''))
    const options = { cwd: dir, ...(this.signal && { signal: this.signal }) }
    const run = await this.toolchain.compile(
      ['-include', marks, ...args, '-E', '-P', '-x', 'c', stub, '-o', output],
      options,
    )
    if (!run.ok) return { bad: new Set(names.keys()), renamed: new Map(), witnesses: new Map() }
    const text = await fs.readFile(output, 'latin1')
    await fs.rm(output, { force: true })
    return findEffects(text)
  }
}

interface Effects {
  /** Macros that change the text. */
  readonly bad: ReadonlySet<string>
  /** Macros that only rename something the text declares as extern, with its declaration. */
  readonly renamed: ReadonlyMap<string, string>
  /** Macros that only change string literals of functions, with a part of each of those. */
  readonly witnesses: ReadonlyMap<string, readonly string[]>
}

const markOf = (name: string, form: Form): string =>
  form === 'call' ? `#define ${name}(...) ${MARK}${name}(__VA_ARGS__)\n` : `#define ${name} ${MARK}${name}\n`

/** Shorter ones could be anywhere. */
const WITNESS_MIN = 10

/** What of a C string literal is in an object as it stands: its longest part without escapes. */
function witnessOf(literal: string): string | undefined {
  const parts = literal.slice(1, -1).split(/\\(?:[0-7]{1,3}|x[0-9a-fA-F]+|.)/)
  const longest = parts.reduce((best, part) => (part.length > best.length ? part : best), '')
  return longest.length >= WITNESS_MIN ? longest : undefined
}

/** Marked macros in preprocessed text. */
export function findEffects(text: string): Effects {
  const bad = new Set<string>()
  const renamed = new Map<string, string>()
  const witnesses = new Map<string, string[]>()
  const marked = (part: string) => [...part.matchAll(/drvport_marker_(\w+)/g)].map((match) => match[1] as string)
  const free = text.replaceAll(
    /drvport_marker_(\w+)\(\s*("(?:[^"\\\n]|\\.)*")\s*\)/g,
    (whole, name: string, literal: string) => {
      const witness = witnessOf(literal)
      if (witness === undefined) return whole
      push(witnesses, name, witness)
      return '""'
    },
  )
  const code = free.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, (literal) => {
    for (const name of marked(literal)) bad.add(name)
    return '""'
  })
  for (const match of code.matchAll(/(?<=[;}]\s*)extern\b[^;{}=]*drvport_marker_(\w+)[^;{}=]*;/g)) {
    const names = marked(match[0])
    const statement = match[0].replace(MARK, '')
    if (names.length === 1) renamed.set(names[0] as string, statement)
  }
  for (const name of marked(code)) if (!renamed.has(name)) bad.add(name)
  for (const name of bad) renamed.delete(name)
  return { bad, renamed, witnesses }
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

/** Witnesses of the macros that a unit defines before, itself or through others' headers. */
function witnessesFor({ reading }: ReadUnit, pch: Precompiled): Buffer[] {
  const own = new Set(reading.defines.map(({ name }) => name))
  for (const { file, facts } of reading.entered) {
    if (pch.files.has(file)) continue
    for (const { defines, defaults } of facts.sections)
      for (const name of [...defines.keys(), ...defaults.keys()]) own.add(name)
  }
  const placeholders = [...pch.deferred].map((name) => Buffer.from(MARK + name))
  const texts = [...pch.witnesses].flatMap(([name, texts]) =>
    own.has(name) ? texts.map((text) => Buffer.from(text)) : [],
  )
  return [...placeholders, ...texts]
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
function chooseRoots(
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

/** Options of the kernel's configuration, from the header that Kbuild makes of them, and what holds for any C file. */
function knownMacros({ search, defines }: Command): (macro: string) => boolean | undefined {
  const always = new Map<string, boolean>([
    ['__KERNEL__', true],
    ['__clang__', true],
    ['__GNUC__', true],
    ['__ASSEMBLY__', false],
    ['__ASSEMBLER__', false],
    ['__cplusplus', false],
    ['_MSC_VER', false],
    ['__INTEL_COMPILER', false],
    ...['attribute', 'builtin', 'feature', 'extension', 'include'].map((what) => [`__has_${what}`, true] as const),
    ['MODULE', defines.includes('-DMODULE')],
  ])
  const text = search.dirs
    .map((dir) => textOf(path.join(dir, 'generated', 'autoconf.h')))
    .find((found) => found !== undefined)
  const options = new Set((text ?? '').match(/(?<=^#define )CONFIG_\w+/gm))
  return (macro) => (macro.startsWith('CONFIG_') && text !== undefined ? options.has(macro) : always.get(macro))
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

/**
 * The highest directories that hold at most GROUP_MAX of the sources, or hold them themselves; small neighbours together,
 * because what a few files share is hardly worth precompiling.
 */
export function groupByDirectory<T extends { readonly source: string }>(sources: readonly T[]): T[][] {
  const counts = new Map<string, number>()
  const parents = (source: string): string[] => {
    const dirs: string[] = []
    for (let dir = path.dirname(source); dir !== path.dirname(dir); dir = path.dirname(dir)) dirs.push(dir)
    return dirs
  }
  for (const { source } of sources) for (const dir of parents(source)) counts.set(dir, (counts.get(dir) ?? 0) + 1)
  const byDir = new Map<string, T[]>()
  for (const item of sources) {
    const dirs = parents(item.source)
    push(byDir, dirs.findLast((dir) => (counts.get(dir) ?? 0) <= GROUP_MAX) ?? dirs[0] ?? '', item)
  }
  const groups: T[][] = []
  for (const [, items] of [...byDir].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const last = groups.at(-1)
    if (last !== undefined && last.length + items.length <= SMALL_MAX) last.push(...items)
    else groups.push(items)
  }
  return groups
}
