/** A driver package from the directory the pipeline wrote it to. The one part of the machine that needs files. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../../pipeline/package.ts'
import { type DriverPackage, PackageError } from './package.ts'

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
