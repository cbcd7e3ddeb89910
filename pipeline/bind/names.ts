/**
 * Which thing a symbol of an object is, once the module is bound: the module's own, the core's, another module's, a call of
 * the ABI, or nothing.
 *
 * The order is what Linux has a loader do: the module itself, the core, the modules it depends on. A call of the ABI is
 * one only when none of those has a function of that name. Weak names that nobody has are 0, as ELF has it; a call of one is a
 * stub that traps. Symbols are looked up when something reached refers to them, so what is dropped is never missed.
 */
import type { ObjectSymbol } from '../wasm/object.ts'
import { signatureAt, type LinkableObject } from './object.ts'
import type { DataSymbol, FunctionSymbol, Symbols } from './symbols.ts'

/** A function that the module imports. */
export interface BoundImport {
  /** `core`, `module:NAME`, or a group of the ABI. */
  readonly from: string
  readonly name: string
  /** See signature.ts. */
  readonly type: string
  /** In the table; a call of the ABI has none. */
  readonly slot?: number
}

/** What a symbol that may be anywhere comes to. */
export type Target =
  | { readonly kind: 'function'; readonly object: number; readonly index: number; readonly type: string }
  | { readonly kind: 'import'; readonly item: BoundImport }
  | { readonly kind: 'data'; readonly object: number; readonly segment: number; readonly offset: number }
  | { readonly kind: 'address'; readonly address: number }
  | { readonly kind: 'nothing'; readonly weak: boolean }

/** What a call comes to: a stub traps. */
export type Callee = Extract<Target, { kind: 'function' | 'import' }> | { readonly kind: 'stub'; readonly stub: Stub }

/** A function that nobody has, or not with the type it is called with. */
export interface Stub {
  /** For backtraces: `undefined:NAME`, `weak:NAME`, `mismatched:NAME`. */
  readonly name: string
  readonly type: string
}

export interface Peer extends Symbols {
  readonly name: string
}

const importKey = (from: string, name: string): string => `${from} ${name}`

/** What functions of the core are imported from. */
export const CORE = 'core'

/** What functions of another module are imported from. A module may be called as a group of the ABI is. */
export const importedFrom = (peer: Peer): string => `module:${peer.name}`
/** Whether imports from there are functions of a core or of another module, not calls of the host. */
export const isModule = (from: string): boolean => from === CORE || from.startsWith('module:')

interface Owner extends Symbols {
  readonly from: string
}

export interface NamesInput {
  readonly objects: readonly LinkableObject[]
  readonly core: Symbols
  /** Modules that this one depends on. */
  readonly peers: readonly Peer[]
  /** Addresses of what the binder itself lays out. */
  readonly provided: ReadonlyMap<string, number>
  /** The module's licence is compatible with the GPL. */
  readonly gpl: boolean
}

export class Names {
  /** Nobody defines them. */
  readonly undefined = new Set<string>()
  /** `NAME: FILE has TYPE, OWNER TYPE` */
  readonly mismatched = new Set<string>()
  /** Defined twice, neither weak. */
  readonly duplicate = new Set<string>()
  /** `NAME of OWNER`: GPL-only, and the licence is another. */
  readonly forbidden = new Set<string>()
  /** Functions that are imported and stubs, each once, in the order they were met. */
  readonly imports = new Map<string, Extract<Target, { kind: 'import' }>>()
  readonly stubs = new Map<string, Stub>()
  readonly #input: NamesInput
  readonly #owners: readonly Owner[]
  readonly #own = new Map<string, { readonly object: number; readonly symbol: ObjectSymbol }>()
  readonly #foreign = new Map<string, Target>()
  /** By object and symbol. */
  readonly #targets: (Target | undefined)[][]
  readonly #callees: (Callee | undefined)[][]

  constructor(input: NamesInput) {
    this.#input = input
    const { core, peers } = input
    this.#owners = [
      { from: CORE, functions: core.functions, data: core.data },
      ...peers.map((peer) => ({ from: importedFrom(peer), functions: peer.functions, data: peer.data })),
    ]
    this.#targets = input.objects.map(() => [])
    this.#callees = input.objects.map(() => [])
    input.objects.forEach(({ symbols }, object) => {
      for (const symbol of symbols)
        if (symbol.defined && !symbol.local && (symbol.kind === 'function' || symbol.kind === 'data'))
          this.#define(object, symbol)
    })
  }

  #define(object: number, symbol: ObjectSymbol): void {
    const known = this.#own.get(symbol.name)
    if (known === undefined || (known.symbol.weak && !symbol.weak)) this.#own.set(symbol.name, { object, symbol })
    else if (!symbol.weak) this.duplicate.add(symbol.name)
  }

  /** What the module itself defines under a name that all its objects see. */
  own(name: string): Target | undefined {
    const known = this.#own.get(name)
    return known && this.#defined(known.object, known.symbol)
  }

  /** What symbol `index` of an object defines there, whoever else is preferred. */
  definition(object: number, index: number): Target | undefined {
    const symbol = this.#input.objects[object]!.symbols[index]
    return symbol?.defined === true ? this.#defined(object, symbol) : undefined
  }

  /** What symbol `index` of an object refers to. */
  target(object: number, index: number): Target {
    const known = this.#targets[object]![index]
    if (known !== undefined) return known
    return (this.#targets[object]![index] = this.#find(object, this.#input.objects[object]!.symbols[index]!))
  }

  #find(object: number, symbol: ObjectSymbol): Target {
    if (symbol.defined && symbol.local) return this.#defined(object, symbol)
    return this.own(symbol.name) ?? this.#lookUp(object, symbol)
  }

  #defined(object: number, symbol: ObjectSymbol): Target {
    if (symbol.data !== undefined) return { kind: 'data', object, ...symbol.data }
    const input = this.#input.objects[object]!
    const index = symbol.index ?? 0
    return {
      kind: 'function',
      object,
      index: index - input.module.importedFunctions.length,
      type: signatureAt(input, index),
    }
  }

  /** A symbol the module does not define. What is found is the same for all its objects, what is not is told once. */
  #lookUp(object: number, symbol: ObjectSymbol): Target {
    const key = `${symbol.kind} ${symbol.name}`
    const known = this.#foreign.get(key)
    if (known !== undefined) return known
    const found = symbol.kind === 'function' ? this.#function(object, symbol) : this.#data(symbol)
    if (found !== undefined) {
      this.#foreign.set(key, found)
      return found
    }
    if (!symbol.weak) this.undefined.add(symbol.name)
    return { kind: 'nothing', weak: symbol.weak }
  }

  #function(object: number, symbol: ObjectSymbol): Target | undefined {
    const { name } = symbol
    for (const owner of this.#owners) {
      const found = owner.functions.get(name)
      if (found !== undefined && this.#allowed(name, owner, found))
        return { kind: 'import', item: { from: owner.from, name, type: found.type, slot: found.slot } }
      if (found === undefined && owner.data.has(name))
        this.mismatched.add(`${name}: a function is expected, ${owner.from} has data`)
    }
    if (symbol.importModule === undefined) return undefined
    const input = this.#input.objects[object]!
    const item = input.module.importedFunctions[symbol.index!]!
    const type = signatureAt(input, symbol.index!)
    // Other objects may know it by another name.
    return (
      this.imports.get(importKey(item.module, item.name)) ?? {
        kind: 'import',
        item: { from: item.module, name: item.name, type },
      }
    )
  }

  #data({ name }: ObjectSymbol): Target | undefined {
    const address = this.#input.provided.get(name)
    if (address !== undefined) return { kind: 'address', address }
    for (const owner of this.#owners) {
      const found = owner.data.get(name)
      if (found !== undefined && this.#allowed(name, owner, found)) return { kind: 'address', address: found.address }
      if (found === undefined && owner.functions.has(name))
        this.mismatched.add(`${name}: data is expected, ${owner.from} has a function`)
    }
    return undefined
  }

  #allowed(name: string, owner: Owner, { gplOnly }: FunctionSymbol | DataSymbol): boolean {
    if (this.#input.gpl || !gplOnly) return true
    this.forbidden.add(`${name} of ${owner.from}`)
    return false
  }

  /** A function that has to be imported: it is called, or its address is taken and it has no slot of its own. */
  use(target: Extract<Target, { kind: 'import' }>): void {
    this.imports.set(importKey(target.item.from, target.item.name), target)
  }

  /** What a call of symbol `index` goes to. The types of both sides have to be the same. */
  callee(object: number, index: number): Callee {
    const known = this.#callees[object]![index]
    if (known !== undefined) return known
    return (this.#callees[object]![index] = this.#call(object, index))
  }

  #call(object: number, index: number): Callee {
    const input = this.#input.objects[object]!
    const symbol = input.symbols[index]!
    const target = this.target(object, index)
    const type = signatureAt(input, symbol.index ?? 0)
    if (target.kind === 'nothing') return this.#stub(target.weak ? 'weak' : 'undefined', symbol.name, type)
    if (target.kind === 'data' || target.kind === 'address') {
      this.mismatched.add(`${symbol.name}: ${input.file} calls it, it is data`)
      return this.#stub('mismatched', symbol.name, type)
    }
    const found = target.kind === 'function' ? target.type : target.item.type
    if (found === type) {
      if (target.kind === 'import') this.use(target)
      return target
    }
    const owner = target.kind === 'function' ? this.#input.objects[target.object]!.file : target.item.from
    this.mismatched.add(`${symbol.name}: ${input.file} has ${type}, ${owner} ${found}`)
    return this.#stub('mismatched', symbol.name, type)
  }

  #stub(why: string, name: string, type: string): Callee {
    const key = `${why} ${name} ${type}`
    let stub = this.stubs.get(key)
    if (stub === undefined) this.stubs.set(key, (stub = { name: `${why}:${name}`, type }))
    return { kind: 'stub', stub }
  }
}
