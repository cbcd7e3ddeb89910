/** Turns built packages into a machine's modules: verified before load, faults named by C line. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DriverFailure, UsageError } from '../pipeline/errors.ts'
import { policyFor, verify } from '../pipeline/verify/index.ts'
import type { Policy } from '../pipeline/verify/index.ts'
import { readLines, symbolize } from '../pipeline/wasm/lines.ts'
import type { LineTable } from '../pipeline/wasm/lines.ts'
import type { Symbolizer } from '../kernel/fault.ts'
import type { DriverPackage } from '../hw/machine/package.ts'

/** What a network driver on PCI may ask for: the policy of `run` and `demo`. */
const NIC_POLICY = policyFor(['pci', 'net'])

/** Refuses a package that its binary does not honour. Runs before anything of it is compiled. */
export function verifyPackage(pack: DriverPackage, policy: Policy = NIC_POLICY): void {
  const verdict = verify(pack.wasm, pack.manifest, policy)
  if (verdict.ok) return
  const [first, ...rest] = verdict.problems
  const more = rest.length > 0 ? ` (and ${rest.length} more problems)` : ''
  const what = first === undefined ? 'unknown' : `${first.where}: ${first.message}`
  throw new DriverFailure(`${pack.manifest.name} is refused: ${what}${more}`, {
    ...(first && { where: first.where }),
    expected: 'a module that stays within its manifest, and a manifest within policy',
    todo: 'a package changed by hand is not trusted: delete its directory (`drvport build --json` names it) and build again',
  })
}

/** Symbolizer of a package from its line table; function numbers only when it has none. */
export function symbolizerOf(pack: DriverPackage): Symbolizer {
  if (pack.lines === undefined) return () => []
  let table: LineTable | undefined
  const { lines } = pack
  return (offset) => {
    table ??= readLines(lines)
    return symbolize(table, offset).map(({ function: name, file, line }) => ({ function: name, file, line, offset }))
  }
}

/** Firmware files of a folder, by path below it: what drivers find under /lib/firmware. */
export function readFirmware(folder: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  const visit = (path: string): void => {
    for (const item of readdirSync(join(folder, path))) {
      const name = path === '' ? item : `${path}/${item}`
      if (statSync(join(folder, name)).isDirectory()) visit(name)
      else files[name] = readFileSync(join(folder, name))
    }
  }
  try {
    visit('')
  } catch (cause) {
    throw new UsageError('cannot read the firmware folder', { where: folder, cause })
  }
  return files
}
