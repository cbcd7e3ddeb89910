/** A driver package from the directory the pipeline wrote it to. The one part of the machine that needs files. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import type { Manifest, OnCoreFacts } from '../../pipeline/package.ts'
import type { CorePackage } from './core.ts'
import { imageFiles } from './image-files.ts'
import { boundFrom, coreFrom, type DriverPackage, type OnCore, PackageError } from './package.ts'

/** Cores read in this process: every driver of a tree stands on the same. */
const cores = new Map<string, Promise<CorePackage>>()

async function readCore(directory: string, facts: OnCoreFacts): Promise<CorePackage> {
  const { buffer, byteOffset, length } = await readFile(join(directory, 'core.wasm'))
  const wasm = new Uint8Array(buffer, byteOffset, length)
  const { sha256, tableEnd, moduleBytes } = coreFrom(facts, wasm, undefined)
  const images = imageFiles(join(directory, '..', '..', 'images', facts.sha256))
  let lines: Uint8Array | undefined
  return {
    sha256,
    wasm,
    // As large as the code, and wanted only where something went wrong.
    get lines() {
      return (lines ??= readFileSync(join(directory, 'core.lines')))
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

async function readOnCore(directory: string, facts: OnCoreFacts): Promise<OnCore> {
  const at = join(directory, '..', '..', 'cores', facts.key)
  const core = cores.get(at) ?? readCore(at, facts)
  cores.set(at, core)
  const read = async ({ file }: { readonly file: string }) => new Uint8Array(await readFile(join(directory, file)))
  const modules = facts.modules.map(async (module) =>
    boundFrom(module, {
      wasm: await read(module.wasm),
      lines: await read(module.lines),
      image: await read(module.image),
    }),
  )
  return { core: await core, modules: await Promise.all(modules) }
}

/** Read NAME.json and what it names from a package directory. Throws PackageError. */
export async function readPackage(directory: string, name: string): Promise<DriverPackage> {
  try {
    const manifest = JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')) as Manifest
    const wasm = new Uint8Array(await readFile(join(directory, manifest.wasm.file)))
    const lines = manifest.lines === null ? undefined : await readFile(join(directory, manifest.lines.file))
    return { manifest, wasm, lines, on: await readOnCore(directory, manifest.core) }
  } catch (error) {
    throw new PackageError(`package ${name} in ${directory} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
