/**
 * Precompiled headers for many compiles: each object made in less time, and byte for byte as without.
 *
 * A file may use a precompiled header only if it surely reads all of its headers itself, and if nothing it does before
 * changes what they mean (pch-rules.ts). Which headers are precompiled is planned for a directory at a time, from the
 * files there that must be compiled (pch-plan.ts). What cannot be shown to be equal is compiled the plain way. Knows
 * nothing of caches of objects or of modules.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, writerName } from '../cache.ts'
import type { RunOptions, Toolchain } from '../toolchain/types.ts'
import { HeaderGraph, Reader, scanSource, type Header } from './headers.ts'
import { knownMacros, parseCommand, type Command } from './pch-command.ts'
import {
  chooseRoots,
  makePrecompiled,
  refusal,
  useOf,
  type Precompiled,
  type ReadUnit,
  type Unit,
  type Use,
} from './pch-make.ts'
import { groupByDirectory, planClusters, type Cluster } from './pch-plan.ts'
import { conflict, meaningOf, push, TRACE_SWITCH, type Meaning } from './pch-rules.ts'
import { sweepDirectories } from './work-directory.ts'

export type { Unit } from './pch-make.ts'

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

interface Node {
  readonly cluster: Cluster<ReadUnit>
  state: 'planned' | 'making' | 'ready' | 'failed'
  made?: Promise<void>
  result?: Precompiled
  /** Files that may still use it, through it or a larger one. */
  left: number
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

const homeOf = () => cachePath('pch')

let swept: string | undefined

/** One that nobody else has: not another thread of this process either, whose headers may be of another configuration. */
async function newDirectory(): Promise<string> {
  await fs.mkdir(homeOf(), { recursive: true })
  if (swept !== homeOf()) {
    swept = homeOf()
    await sweepDirectories(swept)
  }
  return fs.mkdtemp(path.join(homeOf(), `${writerName()}-`))
}

/** Precompiled headers of one build. */
export class Precompiler {
  readonly figures: PchFigures = { made: 0, failed: 0, used: 0, plain: 0, again: 0, refused: new Map() }
  private readonly toolchain: Toolchain
  private readonly signal: AbortSignal | undefined
  private readonly graphs = new Map<string, HeaderGraph>()
  private readonly groups = new Map<string, Group[]>()
  private readonly assigned = new Map<string, { unit: ReadUnit; node: Node }>()
  /** Units that are compiled, or that a header is made for. */
  private readonly working = new Set<string>()
  /** Each has a unit go on that waits for a header. */
  private readonly waiting = new Set<(isMade: boolean) => void>()

  constructor(toolchain: Toolchain, signal: AbortSignal | undefined) {
    this.toolchain = toolchain
    this.signal = signal
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
    this.working.add(unit.key)
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
      if (!(await this.awaited(node, unit.key))) continue
      if (node.state !== 'ready' || node.result === undefined) continue
      const why = refusal(place.unit, node.result)
      if (why === undefined) {
        this.figures.used++
        return await useOf(place.unit, node.result)
      }
      this.figures.refused.set(why, (this.figures.refused.get(why) ?? 0) + 1)
    }
    this.figures.plain++
    return undefined
  }

  /** Until a header is made, by this unit or another; false when the unit should not wait for that. */
  private async awaited(node: Node, key: string): Promise<boolean> {
    if (node.made !== undefined) return node.state !== 'making' || (await this.comesSoon(node.made, key))
    node.made = this.make(node)
    await node.made
    return true
  }

  /**
   * Until a header that is being made is there; false as soon as a processor would be idle. A file is better compiled
   * without it than not at all, and better later than without.
   */
  private comesSoon(made: Promise<void>, key: string): Promise<boolean> {
    if (this.working.size <= this.toolchain.width) return Promise.resolve(false)
    this.working.delete(key)
    return new Promise((resolve) => {
      const goOn = (isMade: boolean) => {
        if (!this.waiting.delete(goOn)) return
        this.working.add(key)
        resolve(isMade)
      }
      this.waiting.add(goOn)
      void made.then(() => goOn(true))
    })
  }

  /** A unit is compiled: what was made for it alone can go. */
  async done(key: string): Promise<void> {
    this.working.delete(key)
    for (const goOn of this.waiting) if (this.working.size < this.toolchain.width) goOn(false)
    const place = this.assigned.get(key)
    if (place === undefined) return
    this.assigned.delete(key)
    for (let node: Node | undefined = place.node; node !== undefined; node = this.parentOf(node)) {
      node.left--
      if (node.left > 0) continue
      this.nodes.delete(node.cluster)
      // One that is being made goes when it is.
      if (node.result !== undefined) await fs.rm(path.dirname(node.result.file), { recursive: true, force: true })
    }
  }

  /** A compile with a precompiled header failed, and is done again without. */
  failed(): void {
    this.figures.again++
  }

  /** Whether a file is part of a precompiled header itself, and so no input. */
  owns(file: string): boolean {
    return file.startsWith(`${homeOf()}/`)
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
    const steps = scanSource(text, graph.known)
    const end = steps.findIndex((step) => step.kind === 'define' && step.name === TRACE_SWITCH)
    // From there on headers are read again in ways of their own.
    const read = end < 0 ? steps : steps.slice(0, end)
    const reading = graph.read(unit.source, command.forced, read, command.search)
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
    const { cluster } = node
    const units = this.membersOf(cluster)
    const model = cluster.members[0] ?? units[0]
    let dir: string | undefined
    try {
      dir = await newDirectory()
      const options: Omit<RunOptions, 'cwd'> = { ...(this.signal && { signal: this.signal }) }
      const graph = model && this.graphOf(model.command)
      const making = graph && { toolchain: this.toolchain, graph, dir, options }
      const result = making && (await makePrecompiled(making, units, model, cluster.headers))
      if (result !== undefined) node.result = result
    } catch {
      // Whatever is wrong is met again, and told, by the plain compile.
    }
    node.state = node.result === undefined ? 'failed' : 'ready'
    this.figures[node.state === 'ready' ? 'made' : 'failed']++
    if (dir !== undefined && (node.result === undefined || node.left <= 0))
      await fs.rm(dir, { recursive: true, force: true }).catch(() => undefined)
  }

  /** All units that might use a cluster's header. */
  private membersOf(cluster: Cluster<ReadUnit>): ReadUnit[] {
    const isUnder = (other: Cluster<ReadUnit> | undefined): boolean =>
      other !== undefined && (other === cluster || isUnder(other.parent))
    return [...this.nodes.keys()].filter(isUnder).flatMap(({ members }) => members)
  }
}
