/** A driver package from the directory the pipeline wrote it to. The one part of the machine that needs files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import type { Manifest, OnCoreFacts } from '../../pipeline/package.ts'
import type { CorePackage } from './core.ts'
import { imageFiles } from './image-files.ts'
import { boundFrom, coreFrom, type DriverPackage, type OnCore, PackageError } from './package.ts'

/** Cores read in this process: every driver of a tree stands on the same. */
const cores = new Map<string, CorePackage>()

/** In one piece: through the event loop, a large file is read in many, each into a copy. */
function read(...path: string[]): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = readFileSync(join(...path))
  return new Uint8Array(buffer, byteOffset, length)
}

function readCore(directory: string, facts: OnCoreFacts): CorePackage {
  const wasm = read(directory, 'core.wasm')
  const { sha256, tableEnd, moduleBytes } = coreFrom(facts, wasm, undefined)
  const images = imageFiles(join(directory, '..', '..', 'images', facts.sha256))
  let lines: Uint8Array | undefined
  return {
    sha256,
    wasm,
    // As large as the code, and wanted only where something went wrong.
    get lines() {
      return (lines ??= read(directory, 'core.lines'))
    },
    tableEnd,
    moduleBytes,
    images,
    compile: compileTrusting,
  }
}

/**
 * Of a core, whose functions the verifier has had the engine check when it was made: each is checked once more when it is first
 * called, and not all of them before the first.
 */
function compileTrusting(wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  setFlagsFromString('--wasm-lazy-validation')
  try {
    return new WebAssembly.Module(wasm)
  } finally {
    setFlagsFromString('--no-wasm-lazy-validation')
  }
}

function readOnCore(directory: string, facts: OnCoreFacts): OnCore {
  const at = join(directory, '..', '..', 'cores', facts.key)
  const core = cores.get(at) ?? readCore(at, facts)
  cores.set(at, core)
  const modules = facts.modules.map((module) =>
    boundFrom(module, {
      wasm: read(directory, module.wasm.file),
      lines: read(directory, module.lines.file),
      image: read(directory, module.image.file),
    }),
  )
  return { core, modules }
}

/** Read NAME.json and what it names from a package directory. Throws PackageError. */
export async function readPackage(directory: string, name: string): Promise<DriverPackage> {
  try {
    const manifest = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as Manifest
    const wasm = read(directory, manifest.wasm.file)
    const lines = manifest.lines === null ? undefined : read(directory, manifest.lines.file)
    return { manifest, wasm, lines, on: readOnCore(directory, manifest.core) }
  } catch (error) {
    throw new PackageError(`package ${name} in ${directory} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
