/** `run --optimized`: packages whose module is the artefact made of it for this computer. */
import { UsageError } from '../pipeline/errors.ts'
import { thisBinding } from '../pipeline/optimize/binding.ts'
import { boundArtefact } from '../pipeline/store/artefacts.ts'
import type { DriverPackage } from '../machine/load/package.ts'

/** A package with its artefact in place of its bytecode; everything it claims stays. Throws UsageError without one. */
export async function withArtefact(pack: DriverPackage): Promise<DriverPackage> {
  const { manifest } = pack
  const binding = await thisBinding()
  let why = 'none'
  const found = await boundArtefact(manifest.wasm.sha256, binding, (damage) => (why = damage))
  if (found === undefined)
    throw new UsageError(`no artefact of ${manifest.name} for this computer`, {
      expected: `one made of bytecode ${manifest.wasm.sha256} for ${binding.engine} on ${binding.cpu}`,
      found: why,
      todo: `drvport run ${manifest.name} --profile FILE, then drvport optimize ${manifest.name} --profile FILE`,
    })
  const { wasm, lines, artefact } = found
  const own = { ...manifest.wasm, sha256: artefact.wasm.sha256, bytes: artefact.wasm.bytes }
  return { manifest: { ...manifest, wasm: own }, wasm, lines }
}
