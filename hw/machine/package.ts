/**
 * A driver package as the machine loads it: manifest, module, line table. Reads the pipeline's files, knows nothing of
 * how they were made.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
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

/** Read NAME.json and what it names from a package directory. Throws PackageError. */
export async function readPackage(directory: string, name: string): Promise<DriverPackage> {
  try {
    const manifest = JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')) as Manifest
    const wasm = new Uint8Array(await readFile(join(directory, manifest.wasm.file)))
    const lines = manifest.lines === null ? undefined : await readFile(join(directory, manifest.lines.file))
    return { manifest, wasm, lines }
  } catch (error) {
    throw new PackageError(`package ${name} in ${directory} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
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
