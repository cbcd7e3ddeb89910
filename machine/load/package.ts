/**
 * A driver package as the machine loads it: manifest, module, line table. Knows nothing of how they were made, nor of
 * where they lie: a machine in a browser has no files (package-files.ts).
 */
import type { Manifest, OnCoreFacts } from '../../pipeline/package.ts'
import type { BoundPackage, CorePackage } from './core.ts'

/** A driver that stands on a kernel linked once: that, and its modules in the order in which they are loaded. */
export interface OnCore {
  readonly core: CorePackage
  readonly modules: readonly BoundPackage[]
}

/** A wasm module of a package: a kernel, or a module that was bound to one. */
export interface Part {
  readonly role: 'core' | 'module'
  /** As it is called in the package; engines show that of a module. */
  readonly name: string
  readonly sha256: string
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly lines: Uint8Array | undefined
  /** See CorePackage. */
  readonly compile?: CorePackage['compile'] | undefined
}

export interface DriverPackage {
  readonly manifest: Manifest
  /** Of the module asked for, as among those in `on`. */
  readonly wasm: Uint8Array<ArrayBuffer>
  /** Its line table, undefined when the package has none. */
  readonly lines: Uint8Array | undefined
  readonly on: OnCore
}

type ModuleFacts = OnCoreFacts['modules'][number]

/** A core from what a manifest says of it and its files. */
export const coreFrom = (
  { sha256, tableEnd, moduleBytes }: OnCoreFacts,
  wasm: CorePackage['wasm'],
  lines: CorePackage['lines'],
): CorePackage => ({ sha256, wasm, lines, tableEnd, moduleBytes })

/** and a module bound to one. */
export const boundFrom = (
  { name, along, onCall, wasm: { sha256 }, memory, table, imports }: ModuleFacts,
  files: Pick<BoundPackage, 'wasm' | 'lines' | 'image'>,
): BoundPackage => ({ name, along, onCall: onCall === true, sha256, ...files, memory, table, imports })

export const corePart = (core: CorePackage): Part => ({
  role: 'core',
  name: 'core',
  sha256: core.sha256,
  wasm: core.wasm,
  // It may have to be read first.
  get lines() {
    return core.lines
  },
  compile: core.compile,
})

export const modulePart = ({ name, sha256, wasm, lines }: BoundPackage): Part => ({
  role: 'module',
  name,
  sha256,
  wasm,
  lines,
})

/** What a package's code is made of: the kernel first, then its modules in the order of loading. */
export const partsOf = ({ on }: DriverPackage): Part[] => [corePart(on.core), ...on.modules.map(modulePart)]

/** A package that cannot be loaded, and why. */
export class PackageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PackageError'
  }
}
