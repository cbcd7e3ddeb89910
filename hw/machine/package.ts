/**
 * A driver package as the machine loads it: manifest, module, line table. Knows nothing of how they were made, nor of
 * where they lie: a machine in a browser has no files (package-files.ts).
 */
import type { Manifest } from '../../pipeline/package.ts'

export interface DriverPackage {
  readonly manifest: Manifest
  readonly wasm: Uint8Array<ArrayBuffer>
  /** Line table, undefined when the package has none. */
  readonly lines: Uint8Array | undefined
}

/** A package that cannot be loaded, and why. */
export class PackageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PackageError'
  }
}

/** Modules compiled in this process, by hash: the second boot of a driver compiles nothing. */
const compiled = new Map<string, Promise<WebAssembly.Module>>()

/** Compile a package's module, once. Throws PackageError for bytes the engine refuses. */
export async function compilePackage(pack: DriverPackage): Promise<WebAssembly.Module> {
  const { sha256 } = pack.manifest.wasm
  let module = compiled.get(sha256)
  if (module === undefined) {
    module = WebAssembly.compile(pack.wasm)
    compiled.set(sha256, module)
  }
  try {
    return await module
  } catch (error) {
    compiled.delete(sha256)
    throw new PackageError(`${pack.manifest.name}: the module is not valid: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
