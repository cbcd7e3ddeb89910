/**
 * A driver package as the machine loads it: manifest, module, line table. Knows nothing of how they were made, nor of
 * where they lie: a machine in a browser has no files (package-files.ts).
 */
import type { Manifest } from '../../pipeline/package.ts'
import type { BoundPackage, CorePackage } from './core.ts'
import { withMemory } from './memory-limit.ts'

/** A driver that stands on a kernel linked once: that, and its modules in the order in which they are loaded. */
export interface OnCore {
  readonly core: CorePackage
  readonly modules: readonly BoundPackage[]
}

export interface DriverPackage {
  readonly manifest: Manifest
  readonly wasm: Uint8Array<ArrayBuffer>
  /** Line table, undefined when the package has none. */
  readonly lines: Uint8Array | undefined
  /** Absent for a driver that was linked in one piece. */
  readonly on?: OnCore
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
