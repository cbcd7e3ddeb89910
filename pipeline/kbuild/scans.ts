/**
 * What takes reading all sources, headers, Makefiles or Kconfig files of a configured tree: its exports, which modules are
 * tests, and which modules an option brings along. Done once for a configuration; index.ts keeps the answers.
 *
 * Knows where to look and how answers of many files make one; what a single text says is for the modules that it asks.
 */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { either, exportMacrosIn, exportsIn, namespaceFrom, type Export } from './exports.ts'
import { exportedBy, exportingHeaders, sourcesWith, type ExportingHeader } from './header-exports.ts'
import type { ExportedSymbol, KbuildModule, KbuildObject } from './index.ts'
import type { MakeSetup } from './make.ts'
import { optionsIn, partsOf, selectedBy, selectedByParts, selectsIn } from './selects.ts'
import { includedSources, isTest } from './tests.ts'
import { exportHeaders, readTexts, withIncluded } from './texts.ts'

/** A configured tree, as it is read here. */
export interface Scanned {
  readonly view: string
  readonly modules: readonly KbuildModule[]
  /** Of each object: its C file relative to the view, and the names of the modules that it is part of. */
  readonly objects: readonly { readonly source: string; readonly modules: readonly string[] }[]
  objectAt(index: number): KbuildObject
  config(option: string): string | undefined
  setup(): Promise<MakeSetup>
}

/** Every export of the tree, by symbol. What is generated and exports something is to be there. */
export async function scanExports(tree: Scanned): Promise<Map<string, ExportedSymbol>> {
  const headers = await exportHeaders(tree.view)
  const macros = exportMacrosIn(headers.map(({ text }) => text))
  const byHeaders = await exportsOfHeaders(tree, exportingHeaders(headers, tree.view, macros))
  const found = new Map<string, ExportedSymbol>()
  let index = 0
  for await (const text of readTexts(tree.objects.map(({ source }) => path.join(tree.view, source)))) {
    const more = byHeaders.get(index) ?? []
    const namespace = namespaceFrom(tree.objectAt(index).args)
    const { source, modules } = tree.objects[index++] as Scanned['objects'][number]
    const whole = await withIncluded(text, path.join(tree.view, source))
    for (const item of [...exportsIn(whole, macros, namespace), ...more]) {
      // The kernel's own export wins: a second one is an alternative implementation that is not linked.
      const known = found.get(item.symbol)
      if (known === undefined || (known.modules.length > 0 && modules.length === 0))
        found.set(item.symbol, { ...item, source, modules })
      // A name that a macro makes another one of, or that two modules have which are never loaded together.
      else if (known.modules.length > 0)
        found.set(item.symbol, { ...either(known, item), modules: [...new Set([...known.modules, ...modules])] })
    }
  }
  return found
}

/** What sources export by including a header that does, by the object's index. */
async function exportsOfHeaders(
  tree: Scanned,
  headers: ReadonlyMap<string, ExportingHeader>,
): Promise<ReadonlyMap<number, readonly Export[]>> {
  const files = tree.objects.map(({ source }) => path.join(tree.view, source))
  const found = new Map<number, readonly Export[]>()
  for (const { index, read } of await sourcesWith([...headers.keys()], files)) {
    const those = read.flatMap((header) => headers.get(header) ?? [])
    const gplOnly = those.every((header) => header.gplOnly)
    const composed = await exportedBy(await tree.setup(), tree.objectAt(index), gplOnly)
    found.set(index, [...those.flatMap(({ named }) => named), ...composed])
  }
  return found
}

/** Paths of the modules that are the tree's own tests. */
export async function scanTests({ view, modules, config }: Scanned): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  // What only a module's sources see (CONFIG_X_MODULE) no #ifdef of a test asks for.
  const isOn = (option: string): boolean => config(option.replace(/^CONFIG_/, '')) === 'y'
  for (const { path: ko, sources } of modules) {
    const texts: string[] = []
    const files = sources.map((source) => path.join(view, source))
    let index = 0
    for await (const text of readTexts(files)) {
      const dir = path.dirname(files[index++] as string)
      const included = includedSources(text, isOn).map((name) => path.resolve(dir, name))
      texts.push(text)
      for await (const more of readTexts(included)) texts.push(more)
    }
    if (isTest(ko, texts, isOn)) found.add(ko)
  }
  return found
}

/** What Makefiles and Kconfig files say of options; each list by a name without CONFIG_, of modules by their path. */
interface Options {
  readonly selects: Map<string, string[]>
  /** Options that an option's parts want. */
  readonly partsWant: Map<string, string[]>
  readonly modulesOf: Map<string, string[]>
  /** Options behind a module. */
  readonly optionsOf: Map<string, string[]>
}

/** Modules that the option behind a module selects, by its path. */
export async function scanSelections(tree: Scanned): Promise<Map<string, readonly string[]>> {
  const isOn = (option: string): boolean => tree.config(option) !== undefined
  const { selects, partsWant, modulesOf, optionsOf } = await readOptions(tree, isOn)
  const found = new Map<string, readonly string[]>()
  for (const [ko, options] of optionsOf) {
    const byParts = options.flatMap((option) => partsWant.get(option) ?? [])
    const all = [...selectedBy(options, selects, isOn), ...byParts]
    const wanted = all.flatMap((option) => modulesOf.get(option) ?? [])
    const others = [...new Set(wanted)].filter((other) => other !== ko).toSorted()
    if (others.length > 0) found.set(ko, others)
  }
  return found
}

const add = (map: Map<string, string[]>, key: string, ...values: string[]) =>
  map.set(key, [...(map.get(key) ?? []), ...values])

async function readOptions(tree: Scanned, isOn: (option: string) => boolean): Promise<Options> {
  const selects = new Map<string, string[]>()
  const partsWant = new Map<string, string[]>()
  const modulesOf = new Map<string, string[]>()
  const optionsOf = new Map<string, string[]>()
  const known = new Set(tree.modules.map((module) => module.path))
  for (const { path: file, text } of await makefilesAndKconfigs(tree.view)) {
    if (path.basename(file).startsWith('Kconfig')) {
      for (const [option, names] of selectsIn(text)) add(selects, option, ...names)
      for (const [option, parts] of partsOf(text))
        for (const { part, needs } of parts) if (isOn(part)) add(partsWant, option, ...needs)
      continue
    }
    const { own, parts } = optionsIn(text)
    const at = (stem: string) => path.join(path.dirname(file), `${stem}.ko`)
    for (const [stem, option] of own) if (known.has(at(stem))) add(modulesOf, option, at(stem))
    for (const [stem, option] of [...own, ...parts]) if (known.has(at(stem))) add(optionsOf, at(stem), option)
  }
  const isBuiltIn = (part: string): boolean => tree.config(part) === 'y'
  for (const [option, names] of selectedByParts(selects, new Set(modulesOf.keys()), isBuiltIn))
    add(selects, option, ...names)
  return { selects, partsWant, modulesOf, optionsOf }
}

/** Directories of a tree that have Makefiles of modules, and Kconfig files. */
const SOURCE_DIRS = [
  'block',
  'certs',
  'crypto',
  'drivers',
  'fs',
  'init',
  'ipc',
  'kernel',
  'lib',
  'mm',
  'net',
  'samples',
  'security',
  'sound',
  'virt',
  'arch/wasm',
]

async function makefilesAndKconfigs(view: string): Promise<{ path: string; text: string }[]> {
  const found: { path: string; text: string }[] = []
  for (const dir of SOURCE_DIRS) {
    const real = (await fs.realpath(path.join(view, dir)).catch(() => undefined)) ?? ''
    const names = (await fs.readdir(real, { recursive: true }).catch(() => []))
      .filter((name) => /^(?:Makefile|Kbuild|Kconfig.*)$/.test(path.basename(name)))
      .toSorted()
    let index = 0
    for await (const text of readTexts(names.map((name) => path.join(real, name))))
      found.push({ path: path.join(dir, names[index++] as string), text })
  }
  return found
}
