/** Keys of the product's own files, which a start would take each time: a bundle has them of the files that it was made of. */
import { knowMachineKey, machineFiles, takeMachineKey } from '../machine/load/image-files.ts'
import { OWN_CODE } from '../pipeline/build/own-code.ts'
import { OWN_SOURCES } from '../pipeline/core/basis.ts'

export interface OwnKeys {
  readonly code: string
  readonly sources: string
  readonly machine: string
}

/** Of the files as they are now. */
export const takeOwnKeys = (): OwnKeys => ({
  code: OWN_CODE.take(),
  sources: OWN_SOURCES.take(),
  machine: takeMachineKey(),
})

/** All that they depend on: files, and folders in which others may be found. */
export const ownKeyFiles = (): string[] => [
  ...new Set([...OWN_CODE.files(), ...OWN_SOURCES.files(), ...machineFiles()]),
]

export function knowOwnKeys({ code, sources, machine }: OwnKeys): void {
  OWN_CODE.know(code)
  OWN_SOURCES.know(sources)
  knowMachineKey(machine)
}
