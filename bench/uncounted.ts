/**
 * A module without its preemption points: what they cost is the difference.
 *
 * Each is overwritten with as many `nop`, which an optimizing compiler drops, so everything else of the module stays as
 * it is, byte for byte. Such a module cannot be stopped: for benchmarks only.
 */
import type { DriverPackage } from '../hw/machine/package.ts'
import { EXHAUSTED_NAME, FUEL_GLOBAL, fuelCheck, hasPattern } from '../pipeline/wasm/checks.ts'
import { readFunctionNames, readModule } from '../pipeline/wasm/module.ts'

const NOP = 0x01

export function uncounted(pack: DriverPackage): { readonly pack: DriverPackage; readonly points: number } {
  const module = readModule(pack.wasm)
  const fuel = module.exports.find(({ name }) => name === FUEL_GLOBAL)
  const exhausted = [...readFunctionNames(module)].find(([, name]) => name === EXHAUSTED_NAME)?.[0]
  const last = module.importedFunctions.length + module.bodies.length - 1
  const pattern = fuelCheck(fuel!.index, exhausted ?? last)
  const wasm = new Uint8Array(pack.wasm)
  let points = 0
  for (const body of module.bodies)
    for (let at = body.start; at < body.end; at++)
      if (hasPattern(wasm, at, body.end, pattern)) {
        wasm.fill(NOP, at, at + pattern.length)
        points++
      }
  if (points === 0) throw new Error(`${pack.manifest.name} has no preemption points`)
  const { manifest } = pack
  return { pack: { ...pack, wasm, manifest: { ...manifest, wasm: { ...manifest.wasm, sha256: 'uncounted' } } }, points }
}
