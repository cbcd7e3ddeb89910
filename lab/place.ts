/** Where a driver failed, as a person looks for it. */
import type { DriverFault, Frame } from '../kernel/fault.ts'
import type { DriverPackage } from '../machine/load/package.ts'

/** The innermost frame in one of the driver's own files, else in any file. */
export function placeOf({ frames }: DriverFault, { manifest }: DriverPackage): Frame | undefined {
  const own = new Set(manifest.sources.map((source) => source.path))
  return frames.find((frame) => own.has(frame.file)) ?? frames.find((frame) => frame.file !== '')
}

export function describePlace(fault: DriverFault | undefined, pack: DriverPackage): string {
  if (fault === undefined) return 'no fault'
  const at = placeOf(fault, pack)
  return at === undefined ? fault.kind : `${fault.kind} in ${at.function} (${at.file}:${at.line})`
}
