/**
 * What the instrumenter has to know of all functions before it rewrites the first: which calls must count the stack they
 * may use, which functions their entry, and how much work lies behind each check.
 *
 * Weights are those of the code as it will be, with the checks in it (work.ts). Must not know how the checks look.
 */
import { CHECK_WEIGHT, isBulk, isFree } from './checks.ts'
import { CodeWalker, readLocals } from './code.ts'
import { descend, Frame, type DirectCall } from './descent.ts'
import type { WasmModule } from './module.ts'
import { OP } from './opcodes.ts'
import { LEAF, Regions, unitsFor, weightOf } from './work.ts'

/** The longest way down, in bytes, from an imported function that is another module's; undefined when it is the host's. */
export type Foreign = (functionIndex: number) => number | undefined

export interface Survey {
  /** Offsets of direct calls that count the stack they may use. */
  readonly countedCalls: ReadonlySet<number>
  /** By function: units that the check at its entry charges, 0 when it needs none; then those at the heads of its loops, in order. */
  readonly units: readonly (readonly number[])[]
}

interface FunctionSurvey {
  readonly frame: number
  readonly calls: readonly DirectCall[]
  /** Region of each of `calls`. */
  readonly regionOf: readonly number[]
  readonly regions: Regions
  /** It calls functions of the module, of another one, or indirectly. */
  readonly isCaller: boolean
}

/** `depthMax` is the longest way down between two counted calls, bytes. */
export function survey(module: WasmModule, stackGlobal: number, foreign: Foreign, depthMax: number): Survey {
  const functions = module.bodies.map((_, index) => surveyFunction(module, index, stackGlobal, foreign))
  const { back, long } = descend(
    functions.map(({ frame }) => frame),
    functions.map(({ calls }) => calls),
    depthMax,
  )
  const countedCalls = new Set([...back, ...long].map(({ at }) => at))
  const isCounted = functions.map(({ isCaller, regions }) => isCaller || regions.weights[0]! > LEAF)
  const units = functions.map(({ calls, regionOf, regions }, index) => {
    calls.forEach(({ callee, at }, i) => {
      if (countedCalls.has(at)) regions.add(regionOf[i]!, CHECK_WEIGHT.room)
      if (callee >= 0 && !isCounted[callee]!) regions.add(regionOf[i]!, LEAF)
    })
    if (isCounted[index]!) regions.add(0, CHECK_WEIGHT.fuel)
    const [entry = 0, ...loops] = regions.weights
    return [isCounted[index]! ? unitsFor(entry) : 0, ...loops.map(unitsFor)]
  })
  return { countedCalls, units }
}

function surveyFunction(module: WasmModule, index: number, stackGlobal: number, foreign: Foreign): FunctionSurvey {
  const { start, end } = module.bodies[index]!
  const imported = module.importedFunctions.length
  const { count, codeStart } = readLocals(module.bytes, start, end)
  const frame = new Frame(module, index, count)
  const regions = new Regions()
  const calls: DirectCall[] = []
  const regionOf: number[] = []
  const walker = new CodeWalker(module.bytes, codeStart, end)
  let isCaller = false
  let free = false
  while (walker.next()) {
    const { opcode, a } = walker
    frame.see(walker)
    let weight = weightOf(opcode)
    if (opcode === OP.call) {
      const call = directCall(imported, walker, foreign)
      if (call !== undefined) {
        calls.push(call)
        regionOf.push(regions.current)
        isCaller = true
        if (call.callee < 0) weight += LEAF
      }
    } else if (opcode === OP.callIndirect) {
      weight += CHECK_WEIGHT.room
      isCaller = true
    } else if (opcode === OP.globalSet && a === stackGlobal) weight += CHECK_WEIGHT.stack
    else if (isBulk(opcode) && !free) weight += CHECK_WEIGHT.bulk
    regions.see(walker, weight)
    if (opcode === OP.loop) regions.add(regions.current, CHECK_WEIGHT.fuel)
    free = isFree(opcode, a)
  }
  return { frame: frame.bytes, calls, regionOf, regions, isCaller }
}

/** The call at hand, unless it is one of the host. */
export function directCall(imported: number, { a, start }: CodeWalker, foreign: Foreign): DirectCall | undefined {
  if (a >= imported) return { callee: a - imported, at: start }
  const depth = foreign(a)
  return depth === undefined ? undefined : { callee: -1, depth, at: start }
}
