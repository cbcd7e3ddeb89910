/**
 * What a domain runs in: memory, table, and the instances of its core and modules. When it has ended, the next domain of the same
 * parts moves in, for making them anew takes longer than all the rest of a start.
 *
 * It finds what a new one would have: memory as it is laid, globals as they began, a table that no code can write, and every call
 * served by its own host. Whatever holds more state than that is not handed on.
 */
import { CALLS, FORWARD, type Line } from '../../linux-api/generated/abi.ts'
import type { ProcessEntry } from '../../kernel/fiber.ts'
import type { Word } from '../../kernel/program.ts'
import type { EntryName, Exported } from '../abi/group.ts'
import type { Call } from '../observe/observer.ts'
import { giveMemory, type LentMemory } from './memories.ts'
import { variablesOf } from './data-segments.ts'
import { wordOf } from './words.ts'

interface Jspi {
  promising(f: unknown): ProcessEntry
  Suspending: new (f: unknown) => WebAssembly.ImportValue
}

const jspi = WebAssembly as unknown as Jspi

/** Globals that a domain's kernel and the machine share. */
const HANDLES = ['__stack_pointer', 'drvport_fuel', 'drvport_stack_limit', 'drvport_room']

/** Calls by group and name. */
export type CallTable = Readonly<Record<string, Readonly<Record<string, Call>>>>

export class Housing implements Exported {
  readonly lent: LentMemory
  readonly table: WebAssembly.Table
  /** Every call, passed on to whoever serves it. */
  readonly calls: Record<string, WebAssembly.ModuleImports> = {}
  /** Whether another domain may have it. */
  lasting = true
  /** What a module brought when it was instantiated, by the module. */
  readonly modules = new Map<object, { lay(): void }>()
  #exports: WebAssembly.Exports = {}
  #began: readonly (readonly [WebAssembly.Global, unknown])[] = []
  readonly #lines = new Map<string, Line>()
  readonly #wrapped = new Map<string, ProcessEntry>()
  readonly #words = new Map<string, Word>()

  /** `files`: names of the calls that are no group of the table, and what they are imported from. */
  constructor(lent: LentMemory, table: WebAssembly.Table, files: readonly [group: string, names: readonly string[]]) {
    this.lent = lent
    this.table = table
    for (const [group, calls] of Object.entries(CALLS)) {
      const into: WebAssembly.ModuleImports = {}
      for (const [name, { blocking }] of Object.entries<{ blocking: boolean }>(calls)) {
        const call = FORWARD[group]![name]!(this.#line(group, name))
        into[name] = blocking ? new jspi.Suspending(call) : call
      }
      this.calls[group] = into
    }
    const [group, names] = files
    const passing = (name: string): Call => {
      const line = this.#line(group, name)
      return (...words) => line.call(...words)
    }
    this.calls[group] = Object.fromEntries(names.map((name) => [name, passing(name)]))
  }

  #line(group: string, name: string): Line {
    const line: Line = {
      call: () => {
        throw new Error(`${group}.${name} is served by nobody`)
      },
    }
    this.#lines.set(`${group}.${name}`, line)
    return line
  }

  /** The core's instance, and its code. */
  set core([instance, wasm]: readonly [WebAssembly.Instance, Uint8Array]) {
    this.#exports = instance.exports
    const handles = HANDLES.flatMap((name) => (this.#exports[name] === undefined ? [] : [this.global(name)]))
    this.#began = handles.map((global) => [global, global.value as unknown] as const)
    if (variablesOf(wasm) !== handles.length) this.lasting = false
  }

  /** A domain moves in: its calls, and every global as it began. Memory is still to be laid. */
  enter(calls: CallTable): void {
    for (const [group, served] of Object.entries(calls))
      for (const [name, call] of Object.entries(served)) {
        const line = this.#lines.get(`${group}.${name}`)
        if (line !== undefined) line.call = call
      }
    for (const [global, value] of this.#began) global.value = value
  }

  global(name: string): WebAssembly.Global {
    return this.#exports[name] as WebAssembly.Global
  }

  /** One that the machine reads and writes while the domain runs. */
  word(name: string): Word {
    const word = this.#words.get(name) ?? wordOf(this.global(name))
    this.#words.set(name, word)
    return word
  }

  has(name: string): boolean {
    return this.#exports[name] !== undefined
  }

  /** Globals that a module shares with its core. */
  get handles(): WebAssembly.ModuleImports {
    return Object.fromEntries(HANDLES.flatMap((name) => (this.has(name) ? [[name, this.global(name)]] : [])))
  }

  readonly atomic = (name: EntryName): ((...args: number[]) => number) =>
    this.#exports[name] as (...args: number[]) => number

  readonly address = (name: string): number => this.global(name).value as number

  readonly process = (name: EntryName): ProcessEntry => {
    const entry = this.#wrapped.get(name) ?? jspi.promising(this.#exports[name])
    this.#wrapped.set(name, entry)
    return entry
  }
}

/** Of one kind: the core's code, pages of memory, entries of the table, and the modules. */
export interface Kind {
  readonly core: Uint8Array
  readonly pages: number
  readonly tableEnd: number
  readonly modules: readonly object[]
}

interface Empty {
  readonly kind: Kind
  readonly housing: Housing
  /** Its domain failed. */
  readonly failed: boolean
  /** Nothing of the last domain is on the engine's stack any more. */
  readonly quiet: () => boolean
}

/** Kept at most: as many drivers as fail at once without one waiting for a new one. */
const EMPTY_MAX = 2
/** The latest first. */
let empty: readonly Empty[] = []

const alike = (a: Kind, b: Kind): boolean =>
  a.core === b.core &&
  a.pages === b.pages &&
  a.tableEnd === b.tableEnd &&
  a.modules.length === b.modules.length &&
  a.modules.every((module, i) => module === b.modules[i])

/**
 * One that a domain of this kind has left; undefined when there is none. Best is one whose memory was laid again since. When the only
 * one is that of a domain that failed just now, another is made, once: a driver that failed may fail again, and then that is ready.
 */
export function takeHousing(kind: Kind): Housing | undefined {
  const left = empty.filter((one) => alike(one.kind, kind) && one.quiet())
  const found = left.find(({ housing }) => housing.lent.ready) ?? left.at(-1)
  if (found === undefined || (left.length === 1 && found.failed && !found.housing.lent.ready)) return undefined
  empty = empty.filter((one) => one !== found)
  found.housing.lent.taken()
  return found.housing
}

/** A domain has ended: the next may have what it ran in, or its memory at least. */
export function leaveHousing(kind: Kind, housing: Housing, failed: boolean, quiet: () => boolean): void {
  if (!housing.lasting) return giveMemory(housing.lent, quiet)
  housing.lent.returned(quiet)
  empty = [{ kind, housing, failed, quiet }, ...empty]
  for (const one of empty.slice(EMPTY_MAX)) giveMemory(one.housing.lent, one.quiet)
  empty = empty.slice(0, EMPTY_MAX)
}
