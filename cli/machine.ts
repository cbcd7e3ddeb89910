/** Turns built packages into a machine's modules: verified before load, faults named by C line. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../pipeline/cache.ts'
import { provedCore } from '../pipeline/core/kept.ts'
import { PackageProof } from '../pipeline/core/proof.ts'
import { DriverFailure, UsageError } from '../pipeline/errors.ts'
import type { Allowance } from '../pipeline/verify/index.ts'
import type { DriverPackage, OnCore, Part } from '../machine/load/package.ts'
import { accept, acceptParts, DEVICE_ALLOWANCE } from './trust.ts'

export { symbolizerOf } from './trust.ts'

/** Refuses a package that its binary does not honour. Runs before anything of it is compiled. */
export function verifyPackage(pack: DriverPackage, allowance: Allowance = DEVICE_ALLOWANCE): void {
  acceptParts(pack, hashOf, allowance)
  if (proved.has(pack.on)) return
  prove(pack, pack.on)
  proved.add(pack.on)
}

/** Packages proved in this process: those of the next generation are the same. */
const proved = new WeakSet<OnCore>()

/** Prove the modules of a package against the core that is kept here. Throws DriverFailure. */
function prove(pack: DriverPackage, on: OnCore): void {
  const facts = pack.manifest.core
  const core = provedCore(facts.key)
  if (core === undefined || core.sha256 !== facts.sha256)
    throw new DriverFailure(`${pack.manifest.name} is refused: its kernel is not known here`, {
      expected: `core ${facts.key}, linked and proved on this computer`,
      found: core === undefined ? 'none of that name' : `one with sha256 ${core.sha256}`,
      todo: 'build the driver here',
    })
  const problems = new PackageProof(facts, on.modules, core).problems(pack.manifest.imports)
  if (problems.length > 0) accept(pack, { ok: false, problems })
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
