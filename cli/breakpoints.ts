/**
 * Breakpoints on lines of C: an observer that runs copies of the modules in which each place calls here.
 *
 * The host learns of a hit from within the module, right before the line runs, with the arguments its function was
 * called with; their names come from the source, where it can be read.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../pipeline/errors.ts'
import {
  BREAK_MODULE,
  findPlaces,
  parseBreak,
  withBreaks,
  type BreakPlace,
  type BreakSpec,
} from '../pipeline/rewrite/breakpoints.ts'
import { parametersOf, type Parameter } from '../pipeline/rewrite/parameters.ts'
import { packageRoot } from '../pipeline/root.ts'
import { openTree } from '../pipeline/tree/index.ts'
import type { Frame } from '../kernel/fault.ts'
import type { MachineState } from '../machine/observe/inspect.ts'
import { partsOf, type Part } from '../machine/load/package.ts'
import { framesOf, type Observer } from '../machine/observe/observer.ts'
import type { ModuleRequest } from '../lab/run.ts'

export interface Hit {
  readonly place: BreakPlace
  readonly running: { readonly domain: string; readonly frames: readonly Frame[] }
  /** By position; of the function whose code it is, into which others may be inlined. */
  readonly arguments: NonNullable<MachineState['arguments']>
}

const SYNTAX = 'FILE:LINE, FUNCTION or FILE:FUNCTION, as in e1000_main.c:1234 or e1000_probe'

/** Read what `--break` takes. Throws UsageError. */
export function breakOf(text: string): BreakSpec {
  const spec = parseBreak(text)
  if (spec === undefined) throw new UsageError('cannot read --break', { expected: SYNTAX, found: text })
  return spec
}

const describe = (spec: BreakSpec): string =>
  spec.by === 'line' ? `${spec.file}:${spec.line}` : `${spec.file === undefined ? '' : `${spec.file}:`}${spec.name}`

/** The places in these parts; parts without any are left out. */
function placesIn(parts: readonly Part[], spec: BreakSpec): Map<Part['wasm'], BreakPlace[]> {
  const places = new Map<Part['wasm'], BreakPlace[]>()
  for (const { wasm, lines } of parts) {
    if (lines === undefined || places.has(wasm)) continue
    const found = findPlaces(lines, spec)
    if (found.length > 0) places.set(wasm, found)
  }
  return places
}

/** An observer that calls `hit` each time one of these modules is about to run the line. Throws UsageError: none has it. */
export async function breakProbe(
  modules: readonly ModuleRequest[],
  spec: BreakSpec,
  hit: (at: Hit) => void,
): Promise<Observer> {
  const places = placesIn(
    modules.flatMap(({ pack }) => partsOf(pack)),
    spec,
  )
  const all = [...places.values()].flat()
  if (all.length === 0) {
    throw new UsageError(
      `no code for ${describe(spec)} in ${modules.map(({ pack }) => pack.manifest.name).join(', ')}`,
      {
        expected: SYNTAX,
        todo: 'a function that was inlined everywhere or left out has no line of its own: try its caller',
      },
    )
  }
  const parameters = await namesOf(modules, all)
  /** Every generation of a driver runs the same copy. */
  const made = new Map<Part['wasm'], ReturnType<typeof withBreaks>>()
  return {
    copy: ({ wasm }, host, symbolize) => {
      const here = places.get(wasm)
      if (here === undefined) return undefined
      const copy = made.get(wasm) ?? withBreaks(wasm, here)
      made.set(wasm, copy)
      const { bytes, original, name } = copy
      const back: typeof symbolize = (offset, index) => symbolize?.(original(offset) ?? 0, index) ?? []
      const passed: (number | bigint)[] = []
      const pass = (value: number | bigint): void => void passed.push(value)
      return {
        wasm: bytes,
        symbolize: back,
        imports: {
          [BREAK_MODULE]: {
            i32: pass,
            i64: pass,
            f32: pass,
            f64: pass,
            hit: (place: number, index: number) => {
              const values = passed.splice(0)
              const running = { domain: host.domain.name, frames: framesOf(host, new Error('breakpoint')) }
              hit({ place: here[place]!, running, arguments: named(values, parameters.get(name(index))) })
            },
          },
        },
      }
    },
  }
}

const show = (value: number | bigint): string =>
  typeof value === 'bigint' ? `0x${BigInt.asUintN(64, value).toString(16)}` : describeWord(value)

/** Small numbers as such; anything else may be an address. */
const describeWord = (value: number): string =>
  !Number.isInteger(value) || (value > -4096 && value < 4096) ? String(value) : `0x${(value >>> 0).toString(16)}`

/** Values with the names the source gives them, if it has as many: the compiler may pass fewer than were written. */
const named = (values: readonly (number | bigint)[], names: readonly Parameter[] | undefined): Hit['arguments'] =>
  values.map((value, i) => ({
    name: names?.length === values.length ? names[i]!.declaration : `argument ${i + 1}`,
    value: show(value),
  }))

/** Parameters by function, of every function defined in the files of the places. */
async function namesOf(
  modules: readonly ModuleRequest[],
  places: readonly BreakPlace[],
): Promise<Map<string, Parameter[]>> {
  const names = new Map<string, Parameter[]>()
  const tree = modules[0]!.pack.manifest.tree.name
  for (const { file, function: name } of places) {
    const text = await sourceOf(tree, file)
    const found = text === undefined || names.has(name) ? undefined : await parametersOf(text, name)
    if (found !== undefined) names.set(name, found)
  }
  return names
}

/** A file of the tree or of drvport as a line table names it; undefined where it cannot be read. */
async function sourceOf(tree: string, file: string): Promise<string | undefined> {
  try {
    const own = file.startsWith('drvport/')
    return await readFile(
      own ? join(packageRoot, file.slice('drvport/'.length)) : join((await openTree(tree)).dir, file),
      'utf8',
    )
  } catch {
    return undefined
  }
}
