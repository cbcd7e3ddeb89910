/**
 * The last step of a build: a linked module with debug sections in, what ships out: instrumented module and line table.
 */
import { extractLines, type PathPrefix } from './extract.ts'
import { instrument, type BoundTo, type Instrumented } from './instrument.ts'

export interface Finished {
  /** NAME.wasm */
  readonly wasm: Uint8Array
  /** NAME.lines */
  readonly lines: Uint8Array
  readonly checks: Instrumented['checks']
  /** Parts of the debug information that could not be read; the module is good without them. */
  readonly problems: readonly string[]
}

/**
 * `prefixes` turn the compiler's paths into paths of the kernel tree; `core` is what a module is bound to. Throws WasmError on a malformed
 * module.
 */
export function finish(linked: Uint8Array, prefixes: readonly PathPrefix[] = [], core?: BoundTo): Finished {
  const { bytes, offsets, checks } = instrument(linked, core)
  const { bytes: lines, problems } = extractLines(linked, offsets, prefixes)
  return { wasm: bytes, lines, checks, problems }
}
