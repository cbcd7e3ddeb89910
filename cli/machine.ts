/** Turns built packages into a machine's modules: verified before load, faults named by C line. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../pipeline/cache.ts'
import { keepProof, proofFile } from '../pipeline/core/proofs.ts'
import { UsageError } from '../pipeline/errors.ts'
import type { Allowance } from '../pipeline/verify/index.ts'
import type { DriverPackage, OnCore, Part } from '../machine/load/package.ts'
import { acceptParts, DEVICE_ALLOWANCE } from './trust.ts'

export { symbolizerOf } from './trust.ts'

/** Refuses a package that its binary does not honour. Runs before anything of it is compiled. */
export async function verifyPackage(pack: DriverPackage, allowance: Allowance = DEVICE_ALLOWANCE): Promise<void> {
  acceptParts(pack, hashOf, allowance)
  const { manifest, on } = pack
  if (proved.has(on)) return
  const kept = proofFile({ core: manifest.core, imports: manifest.imports, modules: on.modules })
  if (kept === undefined || !existsSync(kept)) {
    const { prove } = await import('./prove.ts')
    prove(pack)
    if (kept !== undefined) keepProof(kept, manifest.name)
  }
  proved.add(on)
}

/** Packages proved in this process: those of the next generation are the same. */
const proved = new WeakSet<OnCore>()

/** Of a core, taken once: every driver on it is verified. */
const hashes = new WeakMap<Uint8Array, string>()

function hashOf({ role, wasm }: Part): string {
  const known = hashes.get(wasm)
  if (known !== undefined) return known
  const hash = sha256(wasm)
  if (role === 'core') hashes.set(wasm, hash)
  return hash
}

/** Firmware files of a folder, by path below it: what drivers find under /lib/firmware. */
export function readFirmware(folder: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  const visit = (path: string): void => {
    for (const item of readdirSync(join(folder, path))) {
      const name = path === '' ? item : `${path}/${item}`
      if (statSync(join(folder, name)).isDirectory()) visit(name)
      else files[name] = readFileSync(join(folder, name))
    }
  }
  try {
    visit('')
  } catch (cause) {
    throw new UsageError('cannot read the firmware folder', { where: folder, cause })
  }
  return files
}
