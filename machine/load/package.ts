/**
 * A driver package as the machine loads it: manifest, module, line table. Knows nothing of how they were made, nor of
 * where they lie: a machine in a browser has no files (package-files.ts).
 */
import type { Manifest, OnCoreFacts } from '../../pipeline/package.ts'
import type { BoundPackage, CorePackage } from './core.ts'
import { withMemory } from './memory-limit.ts'

/** A driver that stands on a kernel linked once: that, and its modules in the order in which they are loaded. */
export interface OnCore {
  readonly core: CorePackage
  readonly modules: readonly BoundPackage[]
}

/** A wasm module of a package: a whole program, or a kernel, or a module that was bound to one. */
export interface Part {
  readonly role: 'program' | 'core' | 'module'
  /** As it is called in the package; engines show that of a module. */
  readonly name: string
  readonly sha256: string
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly lines: Uint8Array | undefined
  /** See CorePackage. */
  readonly compile?: CorePackage['compile'] | undefined
}

export interface DriverPackage {
  readonly manifest: Manifest
  readonly wasm: Uint8Array<ArrayBuffer>
  /** Line table, undefined when the package has none. */
  readonly lines: Uint8Array | undefined
  /** Absent for a driver that was linked in one piece. */
  readonly on?: OnCore
}

type ModuleFacts = OnCoreFacts['modules'][number]

/** A core from what a manifest says of it and its files. */
export const coreFrom = (
  { sha256, tableEnd, moduleBytes }: OnCoreFacts,
  wasm: CorePackage['wasm'],
  lines: CorePackage['lines'],
): CorePackage => ({ sha256, wasm, lines, tableEnd, moduleBytes })

/** and a module bound to one. */
export const boundFrom = (
  { name, along, onCall, wasm: { sha256 }, memory, table, imports }: ModuleFacts,
  files: Pick<BoundPackage, 'wasm' | 'lines' | 'image'>,
): BoundPackage => ({ name, along, onCall: onCall === true, sha256, ...files, memory, table, imports })

export const corePart = (core: CorePackage): Part => ({
  role: 'core',
  name: 'core',
  sha256: core.sha256,
  wasm: core.wasm,
  // It may have to be read first.
  get lines() {
    return core.lines
  },
  compile: core.compile,
})

export const modulePart = ({ name, sha256, wasm, lines }: BoundPackage): Part => ({
  role: 'module',
  name,
  sha256,
  wasm,
  lines,
})

/** What a package's code is made of: the kernel first, then its modules in the order of loading. */
export function partsOf({ manifest, wasm, lines, on }: DriverPackage): Part[] {
  if (on !== undefined) return [corePart(on.core), ...on.modules.map(modulePart)]
  return [{ role: 'program', name: manifest.name, sha256: manifest.wasm.sha256, wasm, lines }]
}

/** A package that cannot be loaded, and why. */
export class PackageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PackageError'
  }
}

/** Modules compiled in this process, by hash and pages of memory: the second boot of a driver compiles nothing. */
const compiled = new Map<string, Promise<WebAssembly.Module>>()

/** Compile a package's module, once for each size of memory. Throws PackageError for bytes the engine refuses. */
export async function compilePackage(
  pack: DriverPackage,
  pages = pack.manifest.memory.pages,
): Promise<WebAssembly.Module> {
  const { memory, wasm } = pack.manifest
  const key = `${wasm.sha256} ${pages}`
  let module = compiled.get(key)
  if (module === undefined) {
    module = WebAssembly.compile(pages === memory.pages ? pack.wasm : withMemory(pack.wasm, pages))
    compiled.set(key, module)
  }
  try {
    return await module
  } catch (error) {
    compiled.delete(key)
    throw new PackageError(`${pack.manifest.name}: the module is not valid: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
