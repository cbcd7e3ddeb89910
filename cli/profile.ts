/** `run --profile FILE`: the machine runs copies of its modules that count, and what they counted becomes a document. */
import type { Observer } from '../machine/observe/observer.ts'
import type { Part } from '../machine/load/package.ts'
import { profileOf, PROFILE_SCHEMA, type ProfileDocument } from '../pipeline/optimize/profile.ts'
import { COUNTER, countCalls, type CounterPlan } from '../pipeline/rewrite/count.ts'
import { readLines, symbolize } from '../pipeline/wasm/lines.ts'
import { relocateLines } from '../pipeline/rewrite/relocate.ts'
import type { Symbolizer } from '../kernel/fault.ts'

interface Counted {
  readonly part: Part
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly plan: CounterPlan
  readonly symbolize: Symbolizer | undefined
  /** Every generation of the driver. */
  readonly instances: WebAssembly.Instance[]
}

function counted(part: Part): Counted {
  const { rewritten, plan } = countCalls(part.wasm)
  const lines = part.lines && readLines(relocateLines(part.lines, rewritten))
  return {
    part,
    wasm: rewritten.bytes as Uint8Array<ArrayBuffer>,
    plan,
    symbolize:
      lines &&
      ((offset) =>
        symbolize(lines, offset).map(({ function: name, file, line }) => ({ function: name, file, line, offset }))),
    instances: [],
  }
}

export interface Profiling {
  readonly observer: Observer
  /** What was counted until now. */
  document(seed: number, eventHash: string): ProfileDocument
}

export function profiling(): Profiling {
  const modules = new Map<string, Counted>()
  return {
    observer: {
      copy(part) {
        let module = modules.get(part.sha256)
        if (module === undefined) modules.set(part.sha256, (module = counted(part)))
        const { wasm, symbolize: named, instances } = module
        return { wasm, imports: {}, symbolize: named, instantiated: (instance) => void instances.push(instance) }
      },
    },
    document: (seed, eventHash) => ({
      schema: PROFILE_SCHEMA,
      seed,
      eventHash,
      modules: [...modules.values()].map(({ part: { name, sha256 }, plan, instances }) =>
        profileOf(name, sha256, plan, (counter) =>
          instances.reduce(
            (sum, { exports }) => sum + Number((exports[COUNTER + counter] as WebAssembly.Global).value),
            0,
          ),
        ),
      ),
    }),
  }
}
