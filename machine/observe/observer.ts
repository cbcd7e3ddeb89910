/**
 * Looking into a machine as it runs: the seams for debuggers and tracers.
 *
 * An observer decides at set-up which functions are called, so a machine without one pays nothing. What it puts in between
 * must not change what the machine does: no time passes, nothing is logged, no chance is used.
 */
import { type Frame, type Symbolizer, wasmFrames } from '../../kernel/fault.ts'
import type { DeviceContext } from '../../hw/types.ts'
import type { Host } from '../abi/host.ts'
import type { Part } from '../load/package.ts'

/** A call of the driver ABI, as the module makes it. */
export type Call = (...args: number[]) => unknown

/** A wasm module with calls put in. */
export interface ModuleCopy {
  readonly wasm: Uint8Array<ArrayBuffer>
  /** What the calls put in are. */
  readonly imports: WebAssembly.Imports
  /** For offsets of the copy. */
  readonly symbolize: Symbolizer | undefined
  /** Called with what was made of it, before anything of it has run: a restarted driver is another instance. */
  readonly instantiated?: (instance: WebAssembly.Instance) => void
}

export interface Observer {
  /** Run this in place of a package's wasm module, which has passed every check. Its work counts the same. */
  copy?(part: Part, host: Host, symbolize: Symbolizer | undefined): ModuleCopy | undefined
  /** Call this in place of an ABI call: with the same arguments, for the same result. `blocking` calls may give promises. */
  call?(host: Host, group: string, name: string, blocking: boolean, call: Call): Call
  /** A device is plugged in: give it this. `location` names its function. */
  device?(location: string, context: DeviceContext): DeviceContext
}

/** The C frames of a domain that an error was made in, innermost first. */
export const framesOf = ({ symbolize }: Host, error: Error): Frame[] =>
  symbolize === undefined
    ? []
    : wasmFrames(error).flatMap(({ offset, index, module }) => symbolize(offset, index, module))

/** What several observers do together: each call passes the first one first. */
export function together(observers: readonly Observer[]): Observer {
  return {
    copy: (...what) => {
      const copies = observers.flatMap((observer) => observer.copy?.(...what) ?? [])
      if (copies.length > 1) throw new Error('only one observer can put calls into a module')
      return copies[0]
    },
    call: (host, group, name, blocking, call) =>
      observers.reduceRight((inner, observer) => observer.call?.(host, group, name, blocking, inner) ?? inner, call),
    device: (location, context) =>
      observers.reduceRight((inner, observer) => observer.device?.(location, inner) ?? inner, context),
  }
}
