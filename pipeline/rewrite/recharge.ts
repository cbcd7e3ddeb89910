/**
 * Has the checks of a rewritten module charge for the code that now lies behind them: where code was put into a function, more of it
 * runs for one check.
 */
import { isModule } from '../bind/names.ts'
import { bulkFunction, setUnits, unitsAt, type FuelCheck } from '../wasm/checks.ts'
import { CodeWalker, readLocals } from '../wasm/code.ts'
import { readModule, type WasmModule } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import { CHARGING, LEAF, Regions, unitsFor, weightOf } from '../wasm/work.ts'
import { fuelCheckOf } from './count.ts'

/** Raise, in place, what checks charge. They keep their length, so nothing moves. Throws WasmError when `bytes` are malformed. */
export function recharge(bytes: Uint8Array): void {
  const module = readModule(bytes)
  const check = fuelCheckOf(module)
  if (check === undefined) return
  const counted = module.bodies.map(
    ({ start, end }) => unitsAt(check, bytes, readLocals(bytes, start, end).codeStart, end) > 0,
  )
  module.bodies.forEach((_, index) => rechargeBody(module, index, check, counted))
}

/** Whether a function may do its work without a check of its own: a short one, and any of another module. */
function mayBeShort({ importedFunctions }: WasmModule, index: number, counted: readonly boolean[]): boolean {
  const imported = importedFunctions[index]
  return imported === undefined ? !counted[index - importedFunctions.length] : isModule(imported.module)
}

function rechargeBody(module: WasmModule, index: number, check: FuelCheck, counted: readonly boolean[]): void {
  const { bytes } = module
  const { start, end } = module.bodies[index]!
  const { codeStart } = readLocals(bytes, start, end)
  const imported = module.importedFunctions.length
  const bulk = bulkFunction(module)
  const last = imported + module.bodies.length - 1
  const regions = new Regions()
  const heads = [codeStart]
  const walker = new CodeWalker(bytes, codeStart, end)
  while (walker.next()) {
    const { opcode, a } = walker
    const isShort = opcode === OP.call && mayBeShort(module, a, counted) && a !== last && a !== bulk
    regions.see(walker, weightOf(opcode) + (isShort ? LEAF : opcode === OP.call && a === bulk ? CHARGING : 0))
    if (opcode === OP.loop) heads.push(walker.end)
  }
  heads.forEach((at, region) => {
    const units = unitsAt(check, bytes, at, end)
    const needed = unitsFor(regions.weights[region]!)
    if (units > 0 && units < needed) setUnits(check, bytes, at, needed)
  })
}
