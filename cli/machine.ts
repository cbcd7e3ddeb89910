/** Turns built packages into a machine's modules: verified before load, faults named by C line. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../pipeline/cache.ts'
import { DriverFailure, UsageError } from '../pipeline/errors.ts'
import { policyProblems, verify } from '../pipeline/verify/index.ts'
import type { Allowance } from '../pipeline/verify/index.ts'
import type { DriverPackage, OnCore } from '../machine/load/package.ts'
import { accept, DEVICE_ALLOWANCE } from './trust.ts'

export { symbolizerOf } from './trust.ts'

/** Refuses a package that its binary does not honour. Runs before anything of it is compiled. */
export function verifyPackage(pack: DriverPackage, allowance: Allowance = DEVICE_ALLOWANCE): void {
  if (pack.on === undefined) return accept(pack, verify(pack.wasm, pack.manifest, allowance))
  const problems = policyProblems(pack.manifest, allowance)
  if (problems.length > 0) accept(pack, { ok: false, problems })
  holdToHashes(pack, pack.on)
}

/** Cores whose bytes were held against their hash. */
const held = new WeakSet<Uint8Array>()

/**
 * A core and the modules bound to it were proved as a pair when they were bound; here their bytes are held against the hashes of
 * what was proved. Throws DriverFailure.
 */
function holdToHashes({ manifest }: DriverPackage, { core, modules }: OnCore): void {
  const facts = manifest.core
  const wanted = new Map(facts?.modules.map(({ name, wasm }) => [name, wasm.sha256]))
  const parts = modules.map(({ name, wasm }) => ({ name, wasm, sha256: wanted.get(name) }))
  if (!held.has(core.wasm)) parts.push({ name: 'core', wasm: core.wasm, sha256: facts?.sha256 })
  for (const { name, wasm, sha256: expected } of parts) {
    const found = sha256(wasm)
    if (found === expected) continue
    throw new DriverFailure(`${manifest.name} is refused: ${name}.wasm is not what was proved`, {
      expected: `sha256 ${expected ?? 'in the manifest'}`,
      found,
      todo: 'a package changed by hand is not trusted: delete its directory (`drvport build --json` names it) and build again',
    })
  }
  held.add(core.wasm)
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
