/**
 * Artefacts: what was made of a bytecode for one engine on one kind of processor, kept beside it.
 *
 * `<cache>/store/artefacts/<sha256 of the bytecode>/<key>/` holds artefact.json, NAME.wasm and NAME.lines and appears whole
 * or not at all; the key is a hash over everything the artefact was made from. `bound-<hash of engine and processor>`
 * beside it names the newest for them. All of it can be deleted and made again: the bytecode and its manifest stay what they
 * are. What is read is held against its hashes; what is damaged counts as absent. Knows nothing of how artefacts are made.
 */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, exists, readKept, replaceDirectory, sha256, writeAtomic } from '../cache.ts'

export const ARTEFACT_SCHEMA = 'drvport.artefact/1'

/** What an artefact is made for. */
export interface Binding {
  /** Name and version. */
  readonly engine: string
  /** Architecture and a hash of the processor's features. */
  readonly cpu: string
}

/** All that decides an artefact. */
export interface ArtefactSource extends Binding {
  /** Hash of the bytecode it is made of. */
  readonly bytecode: string
  readonly optimiser: string
  /** Hash of the profile's part about the bytecode. */
  readonly profile: string
}

export interface Artefact {
  readonly schema: typeof ARTEFACT_SCHEMA
  readonly name: string
  readonly source: ArtefactSource
  readonly wasm: { readonly file: string; readonly sha256: string; readonly bytes: number }
  readonly lines: { readonly file: string; readonly sha256: string } | null
  /** Calls replaced by the bodies they called. */
  readonly inlined: number
}

export interface ArtefactFiles {
  readonly artefact: Artefact
  readonly dir: string
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly lines: Uint8Array | undefined
}

export const artefactKey = (source: ArtefactSource): string =>
  contentKey([source.bytecode, source.engine, source.cpu, source.optimiser, source.profile])

const folder = (bytecode: string): string => cachePath('store', 'artefacts', bytecode)
const pointer = (bytecode: string, { engine, cpu }: Binding): string =>
  path.join(folder(bytecode), `bound-${contentKey([engine, cpu]).slice(0, 16)}`)

/** Keep an artefact and make it the one its engine and processor use. Returns its directory. */
export async function putArtefact(
  name: string,
  source: ArtefactSource,
  files: { readonly wasm: Uint8Array; readonly lines: Uint8Array | undefined; readonly inlined: number },
): Promise<ArtefactFiles> {
  const { wasm, lines, inlined } = files
  const key = artefactKey(source)
  const dir = path.join(folder(source.bytecode), key)
  const artefact: Artefact = {
    schema: ARTEFACT_SCHEMA,
    name,
    source,
    wasm: { file: `${name}.wasm`, sha256: sha256(wasm), bytes: wasm.length },
    lines: lines === undefined ? null : { file: `${name}.lines`, sha256: sha256(lines) },
    inlined,
  }
  await replaceDirectory(dir, async (at) => {
    await fs.writeFile(path.join(at, artefact.wasm.file), wasm)
    if (lines !== undefined) await fs.writeFile(path.join(at, `${name}.lines`), lines)
    await fs.writeFile(path.join(at, 'artefact.json'), `${JSON.stringify(artefact, null, 2)}\n`)
  })
  await writeAtomic(pointer(source.bytecode, source), `${key}\n`)
  return { artefact, dir, wasm: new Uint8Array(wasm), lines }
}

/** The artefact of these sources, if it is kept and whole. `onDamage` hears why one that is there is not. */
export async function getArtefact(
  source: ArtefactSource,
  onDamage?: (why: string) => void,
): Promise<ArtefactFiles | undefined> {
  const found = await readArtefact(source.bytecode, artefactKey(source), source, onDamage)
  if (found !== undefined) await writeAtomic(pointer(source.bytecode, source), `${artefactKey(source)}\n`)
  return found
}

/** The newest artefact of a bytecode for an engine and processor. */
export async function boundArtefact(
  bytecode: string,
  binding: Binding,
  onDamage?: (why: string) => void,
): Promise<ArtefactFiles | undefined> {
  const key = (await fs.readFile(pointer(bytecode, binding), 'utf8').catch(() => '')).trim()
  return /^[0-9a-f]{64}$/.test(key) ? readArtefact(bytecode, key, binding, onDamage) : undefined
}

async function readArtefact(
  bytecode: string,
  key: string,
  wanted: Binding,
  onDamage: ((why: string) => void) | undefined,
): Promise<ArtefactFiles | undefined> {
  const dir = path.join(folder(bytecode), key)
  if (!(await exists(dir))) return undefined
  const damaged = (why: string): undefined => void onDamage?.(`${dir}: ${why}`)
  const artefact = await readKept<Artefact>(path.join(dir, 'artefact.json'))
  if (artefact?.schema !== ARTEFACT_SCHEMA) return damaged('no description that can be read')
  const { source, wasm, lines } = artefact
  // A description under another's key would bind the wrong code.
  if (artefactKey(source) !== key || source.bytecode !== bytecode) return damaged('it is of other sources')
  if (source.engine !== wanted.engine || source.cpu !== wanted.cpu) return damaged('it is for another engine')
  const part = async (file: string, hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    const bytes = await fs.readFile(path.join(dir, path.basename(file))).catch(() => undefined)
    return bytes !== undefined && sha256(bytes) === hash ? new Uint8Array(bytes) : undefined
  }
  const code = await part(wasm.file, wasm.sha256)
  if (code === undefined) return damaged(`${wasm.file} is not what its hash says`)
  const table = lines === null ? undefined : await part(lines.file, lines.sha256)
  if (lines !== null && table === undefined) return damaged(`${lines.file} is not what its hash says`)
  return { artefact, dir, wasm: code, lines: table }
}
