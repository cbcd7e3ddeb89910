/**
 * What the proofs of a core (core.ts) and of a module bound to one (bound.ts) have in common: reading, size and hash, the engine's own
 * validation. Corrupt input gives problems, never an exception and never a hang.
 *
 * Must not know: Linux, what any particular driver needs, or Node: it is repeated by whoever loads, in a browser too.
 */
import { WasmError } from '../wasm/bytes.ts'
import { functionNamer, readModule, type WasmModule } from '../wasm/module.ts'
import type { Allowance } from './allowance.ts'
import type { Problem } from './problem.ts'

export type Verdict =
  | { readonly ok: true; /** Compiled, ready to instantiate. */ readonly module: WebAssembly.Module }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Problems listed for one module; a module with more is no better understood by reading them all. */
export const PROBLEMS_MAX = 50

/** Read a module that is not too large and check it; what cannot be read is a problem. False when it was not read. */
export function readChecked(
  bytes: Uint8Array,
  allowance: Allowance,
  problems: Problem[],
  check: (module: WasmModule, report: (problem: Problem) => void) => void,
): boolean {
  if (bytes.length > allowance.bytesMax) return false
  const report = (problem: Problem): void => {
    if (problems.length < PROBLEMS_MAX) problems.push(problem)
  }
  try {
    check(readModule(bytes), report)
  } catch (error) {
    if (!(error instanceof WasmError)) throw error
    const code = error.name === 'FeatureError' ? 'feature' : 'malformed'
    report({ code, where: `offset 0x${error.offset.toString(16)}`, message: error.message })
  }
  return true
}

export function checkCount(module: WasmModule, allowance: Allowance, problems: Problem[]): void {
  if (module.functions.length <= allowance.functionsMax) return
  const message = `${module.functions.length} functions; policy allows ${allowance.functionsMax}`
  problems.push({ code: 'too-large', where: 'function section', message })
}

/** The manifest belongs to these bytes, and they are not too many. */
export function checkClaims(
  bytes: Uint8Array,
  sha256: string,
  claimed: string,
  allowance: Allowance,
  problems: Problem[],
): void {
  if (bytes.length > allowance.bytesMax)
    problems.push({
      code: 'too-large',
      where: 'file',
      message: `${bytes.length} bytes; policy allows ${allowance.bytesMax}`,
    })
  if (sha256 !== claimed) {
    const message = `the manifest describes ${claimed}, the file is ${sha256}`
    problems.push({ code: 'hash', where: 'file', message })
  }
}

/** Types and everything else that only the engine's validation knows. */
export function compile(bytes: Uint8Array): Verdict {
  try {
    return { ok: true, module: new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>) }
  } catch (error) {
    const { message } = error as Error
    return { ok: false, problems: [{ code: 'invalid', where: engineWhere(bytes, message), message }] }
  }
}

/** V8 says `function #N` and `@+OFFSET`; where an engine says less, so do we. */
function engineWhere(bytes: Uint8Array, message: string): string {
  const offset = /@\+(\d+)/.exec(message)?.[1]
  const where = offset === undefined ? 'module' : `offset 0x${Number(offset).toString(16)}`
  const index = /function #(\d+)/.exec(message)?.[1]
  return index === undefined ? where : `${functionNamer(readModule(bytes))(Number(index))} at ${where}`
}
