/** Turns built packages into a machine's modules: verified before load, faults named by C line. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../pipeline/cache.ts'
import { UsageError } from '../pipeline/errors.ts'
import { verify } from '../pipeline/verify/index.ts'
import type { Allowance } from '../pipeline/verify/index.ts'
import type { DriverPackage, Part } from '../machine/load/package.ts'
import { accept, acceptParts, DEVICE_ALLOWANCE } from './trust.ts'

export { symbolizerOf } from './trust.ts'

/** Refuses a package that its binary does not honour. Runs before anything of it is compiled. */
export function verifyPackage(pack: DriverPackage, allowance: Allowance = DEVICE_ALLOWANCE): void {
  if (pack.on === undefined) accept(pack, verify(pack.wasm, pack.manifest, allowance))
  else acceptParts(pack, hashOf, allowance)
}

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
