/**
 * A module without its preemption points, or without the checks of the engine's stack: what they cost is the difference.
 *
 * Each is overwritten with as many `nop`, which an optimizing compiler drops, so everything else of the module stays as
 * it is, byte for byte. Such a module cannot be stopped: for benchmarks only.
 */
import type { DriverPackage } from '../machine/load/package.ts'
import {
  STACK_OVERFLOW,
  fuelCheck,
  handlesOf,
  hasPattern,
  roomGiven,
  roomTaken,
  unitsAt,
} from '../pipeline/wasm/checks.ts'
import { readModule, type WasmModule } from '../pipeline/wasm/module.ts'

const NOP = 0x01

/** Length of the check at an offset, 0 when there is none. */
type Finder = (at: number, end: number) => number

function workChecks(module: WasmModule): Finder {
  const last = module.importedFunctions.length + module.bodies.length - 1
  const check = fuelCheck(handlesOf(module).fuel, last)
  return (at, end) => (unitsAt(check, module.bytes, at, end) > 0 ? check.bytes.length : 0)
}

function roomChecks(module: WasmModule): Finder {
  const { room } = handlesOf(module)
  const overflow = module.importedFunctions.findIndex(({ name }) => name === STACK_OVERFLOW)
  const patterns = [roomTaken(room, overflow), roomGiven(room)]
  return (at, end) => patterns.find((pattern) => hasPattern(module.bytes, at, end, pattern))?.length ?? 0
}

export function uncounted(
  pack: DriverPackage,
  what: 'work' | 'room' = 'work',
): { readonly pack: DriverPackage; readonly points: number } {
  const module = readModule(pack.wasm)
  const find = what === 'work' ? workChecks(module) : roomChecks(module)
  const wasm = new Uint8Array(pack.wasm)
  let points = 0
  for (const body of module.bodies)
    for (let at = body.start; at < body.end; at++) {
      const length = find(at, body.end)
      if (length === 0) continue
      wasm.fill(NOP, at, at + length)
      points++
    }
  if (points === 0) throw new Error(`${pack.manifest.name} has no checks of ${what}`)
  const { manifest, on } = pack
  const modules = on?.modules.map((bound, i, { length }) => (i === length - 1 ? { ...bound, wasm } : bound))
  return {
    pack: {
      ...pack,
      wasm,
      manifest: { ...manifest, wasm: { ...manifest.wasm, sha256: `without ${what}` } },
      ...(on && modules && { on: { ...on, modules } }),
    },
    points,
  }
}
