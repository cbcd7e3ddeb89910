/**
 * A module without its preemption points, or without the checks of the engine's stack: what they cost is the difference.
 *
 * Each is overwritten with as many `nop`, which an optimizing compiler drops, so everything else of the module stays as
 * it is, byte for byte. Such a module cannot be stopped: for benchmarks only.
 */
import type { DriverPackage } from '../machine/load/package.ts'
import {
  EXHAUSTED_NAME,
  FUEL_GLOBAL,
  ROOM_GLOBAL,
  STACK_OVERFLOW,
  fuelCheck,
  hasPattern,
  roomGiven,
  roomTaken,
} from '../pipeline/wasm/checks.ts'
import { exportedGlobal, readFunctionNames, readModule, type WasmModule } from '../pipeline/wasm/module.ts'

const NOP = 0x01

function workPatterns(module: WasmModule): Uint8Array[] {
  const fuel = module.exports.find(({ name }) => name === FUEL_GLOBAL)
  const exhausted = [...readFunctionNames(module)].find(([, name]) => name === EXHAUSTED_NAME)?.[0]
  const last = module.importedFunctions.length + module.bodies.length - 1
  return [fuelCheck(fuel!.index, exhausted ?? last)]
}

function roomPatterns(module: WasmModule): Uint8Array[] {
  const { index, init } = exportedGlobal(module, ROOM_GLOBAL)!
  const overflow = module.importedFunctions.findIndex(({ name }) => name === STACK_OVERFLOW)
  return [roomTaken(index, init.i32!, overflow), roomGiven(index, init.i32!)]
}

export function uncounted(
  pack: DriverPackage,
  what: 'work' | 'room' = 'work',
): { readonly pack: DriverPackage; readonly points: number } {
  const module = readModule(pack.wasm)
  const patterns = what === 'work' ? workPatterns(module) : roomPatterns(module)
  const wasm = new Uint8Array(pack.wasm)
  let points = 0
  for (const body of module.bodies)
    for (let at = body.start; at < body.end; at++)
      for (const pattern of patterns)
        if (hasPattern(wasm, at, body.end, pattern)) {
          wasm.fill(NOP, at, at + pattern.length)
          points++
        }
  if (points === 0) throw new Error(`${pack.manifest.name} has no checks of ${what}`)
  const { manifest } = pack
  return {
    pack: { ...pack, wasm, manifest: { ...manifest, wasm: { ...manifest.wasm, sha256: `without ${what}` } } },
    points,
  }
}
