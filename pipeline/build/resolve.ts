/**
 * Which code a module needs besides its own: for every symbol nobody in the link defines, a provider.
 *
 * The order is the architecture's: the shim, a file of the tree, another module. Works on symbol names only; what has to
 * be compiled is asked for through `Sources`, so it can be tried without a compiler.
 */

import type { ProviderUse } from '../package.ts'
import type { SymbolTable } from './symbols.ts'

/** One object as the resolver sees it. */
export interface LinkObject {
  /** `shim:FILE`, `tree:PATH`, or `module:NAME`. */
  readonly origin: string
  readonly defines: readonly string[]
  readonly needs: readonly string[]
}

export interface Sources<O extends LinkObject> {
  /** The shim object that defines a symbol. */
  shim(symbol: string): O | undefined
  /** These files of the tree will be asked for: a time to start on them, together. */
  expect(paths: readonly string[]): void
  /** The compiled file of the tree; undefined when it does not compile. */
  tree(path: string): Promise<O | undefined>
  /** The file of portable code that exports a symbol, for symbols without a row. */
  portable(symbol: string): string | undefined
  /** The objects of another module; undefined when it does not compile. */
  module(name: string): Promise<readonly O[] | undefined>
  /** The module that exports a symbol. */
  exporter(symbol: string): string | undefined
}

export interface Resolution<O extends LinkObject> {
  /** Names of the modules, in dependency order, the one asked for last. */
  readonly modules: readonly string[]
  /** Objects of those modules, in the same order. */
  readonly moduleObjects: readonly O[]
  /** Shim and tree objects that are needed, by origin. */
  readonly support: readonly O[]
  readonly providers: readonly ProviderUse[]
  /** Symbols nobody provides, with the origins that need them. */
  readonly missing: ReadonlyMap<string, readonly string[]>
  /** Of those, the ones whose provider does not compile: `module:NAME` or `tree:PATH`. */
  readonly blocked: ReadonlyMap<string, string>
  /** Symbols whose row says `trap`, or whose provider does not compile. */
  readonly traps: readonly string[]
}

/** Symbols the linker itself defines. */
const LINKER =
  /^(__start_|__stop_|__heap_base$|__heap_end$|__data_end$|__global_base$|__stack_pointer$|__stack_low$|__stack_high$|__memory_base$|__table_base$|__indirect_function_table$|__dso_handle$|__wasm_call_ctors$)/

/** Find the closure over providers from a module's own objects and the symbols every package has (`roots`). */
export async function resolve<O extends LinkObject>(
  name: string,
  own: readonly O[],
  table: SymbolTable,
  sources: Sources<O>,
  roots: readonly string[] = [],
): Promise<Resolution<O>> {
  const modules = new Map<string, readonly O[]>([[name, own]])
  const dependsOn = new Map<string, Set<string>>([[name, new Set()]])
  const support = new Map<string, O>()
  const defined = new Set<string>()
  const providers = new Map<string, ProviderUse>()
  const missing = new Map<string, Set<string>>()
  const blocked = new Map<string, string>()
  const traps = new Set<string>()
  const queue: { object: O; module: string | undefined }[] = []
  /** Objects whose needs are not announced yet. */
  const fresh: O[] = []

  const add = (object: O, module: string | undefined) => {
    object.defines.forEach((symbol) => defined.add(symbol))
    queue.push({ object, module })
    fresh.push(object)
  }
  const addSupport = (object: O) => {
    if (support.has(object.origin)) return
    support.set(object.origin, object)
    add(object, undefined)
  }
  const addModule = async (other: string): Promise<boolean> => {
    if (modules.has(other)) return true
    const objects = await sources.module(other)
    if (objects === undefined) return false
    modules.set(other, objects)
    dependsOn.set(other, new Set())
    objects.forEach((object) => add(object, other))
    return true
  }
  const use = (symbol: string, provider: string) => {
    const status = table.get(symbol)?.status ?? 'full'
    providers.set(symbol, { symbol, provider, status })
  }
  const owner = new Map<string, string>()

  const treeFile = (symbol: string): string | undefined => {
    const row = table.get(symbol)
    if (row === undefined) return sources.portable(symbol)
    return row.provider.startsWith('tree:') ? row.provider.slice('tree:'.length) : undefined
  }
  /** Start compiling what new objects will ask for; the order of decisions stays that of the loop below. */
  const announce = () => {
    const symbols = fresh.splice(0).flatMap(({ needs }) => needs)
    const open = symbols.filter((symbol) => !defined.has(symbol) && !missing.has(symbol))
    const files = open.flatMap((symbol) => (sources.shim(symbol) === undefined ? (treeFile(symbol) ?? []) : []))
    if (files.length > 0) sources.expect(files)
  }
  const provide = async (symbol: string, module: string | undefined): Promise<boolean> => {
    const row = table.get(symbol)
    const fromShim = sources.shim(symbol)
    if (fromShim !== undefined) {
      addSupport(fromShim)
      use(symbol, fromShim.origin)
      return true
    }
    const portable = treeFile(symbol)
    if (portable !== undefined) {
      const object = await sources.tree(portable)
      if (object === undefined) blocked.set(symbol, `tree:${portable}`)
      if (object?.defines.includes(symbol) !== true) return false
      addSupport(object)
      use(symbol, object.origin)
      return true
    }
    if (row?.status === 'trap') {
      traps.add(symbol)
      return true
    }
    const other =
      row?.provider.startsWith('module:') === true ? row.provider.slice('module:'.length) : sources.exporter(symbol)
    if (other === undefined) return false
    if (!(await addModule(other))) {
      blocked.set(symbol, `module:${other}`)
      return false
    }
    owner.set(symbol, other)
    if (module !== undefined && module !== other) dependsOn.get(module)?.add(other)
    use(symbol, `module:${other}`)
    return true
  }

  own.forEach((object) => add(object, name))
  // What every package has, also one whose modules ask for nothing.
  for (const root of roots) {
    const object = sources.shim(root)
    if (object !== undefined) addSupport(object)
  }
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    announce()
    for (const symbol of item.object.needs) {
      if (LINKER.test(symbol) || traps.has(symbol)) continue
      if (defined.has(symbol)) {
        // A second module that needs an already linked one must still start after it.
        const other = owner.get(symbol)
        if (other !== undefined && item.module !== undefined && other !== item.module)
          dependsOn.get(item.module)?.add(other)
        continue
      }
      const before = missing.get(symbol)
      if (before !== undefined) before.add(item.object.origin)
      else if (!(await provide(symbol, item.module))) missing.set(symbol, new Set([item.object.origin]))
    }
  }
  const order = inOrder(name, dependsOn)
  return {
    modules: order,
    moduleObjects: order.flatMap((module) => modules.get(module) ?? []),
    support: [...support.values()].toSorted((a, b) => (a.origin < b.origin ? -1 : 1)),
    providers: [...providers.values()].toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1)),
    missing: new Map(
      [...missing]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([symbol, origins]) => [symbol, [...origins].toSorted()]),
    ),
    blocked,
    traps: [...traps].toSorted(),
  }
}

/** Dependencies before dependants; a cycle (the kernel has none) is cut where it is met. */
function inOrder(name: string, dependsOn: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const order: string[] = []
  const seen = new Set<string>()
  const visit = (module: string) => {
    if (seen.has(module)) return
    seen.add(module)
    ;[...(dependsOn.get(module) ?? [])].toSorted().forEach(visit)
    order.push(module)
  }
  visit(name)
  ;[...dependsOn.keys()].toSorted().forEach((module) => seen.has(module) || order.splice(-1, 0, module))
  return order
}
