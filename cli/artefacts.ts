/** `run --optimized`: packages whose module is the artefact made of it for this computer. */
import { UsageError } from '../pipeline/errors.ts'
import { thisBinding } from '../pipeline/optimize/binding.ts'
import type { Manifest, OnCoreFacts } from '../pipeline/package.ts'
import { boundArtefact, type ArtefactFiles, type Binding } from '../pipeline/store/artefacts.ts'
import type { DriverPackage, OnCore } from '../machine/load/package.ts'

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
  const { wasm, lines } = found
  const { core, on } = await modulesOf(manifest.core, pack.on, binding)
  return { manifest: { ...manifest, wasm: fileOf(manifest.wasm, found), core }, wasm, lines, on }
}

type FileFacts = Manifest['wasm']

const fileOf = (file: FileFacts, { artefact: { wasm } }: ArtefactFiles): FileFacts => ({
  ...file,
  sha256: wasm.sha256,
  bytes: wasm.bytes,
})

/** The modules of a package on a kernel, each as its artefact where there is one. */
async function modulesOf(facts: OnCoreFacts, on: OnCore, binding: Binding): Promise<{ core: OnCoreFacts; on: OnCore }> {
  const found = await Promise.all(on.modules.map(({ sha256 }) => boundArtefact(sha256, binding)))
  const modules = on.modules.map((module, i) => {
    const made = found[i]
    return made === undefined ? module : { ...module, sha256: made.artefact.wasm.sha256, ...filesOf(made) }
  })
  const claimed = facts.modules.map((module, i) => {
    const made = found[i]
    return made === undefined ? module : { ...module, wasm: fileOf(module.wasm, made) }
  })
  return { core: { ...facts, modules: claimed }, on: { ...on, modules } }
}

const filesOf = ({ wasm, lines }: ArtefactFiles) => ({ wasm, lines })
