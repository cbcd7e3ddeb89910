/** A package of Debian's, unpacked for a bench alone, with or without root. Nothing is installed, and what it depends on is not followed. */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { InfrastructureError } from '../pipeline/errors.ts'
import { runTool } from '../pipeline/toolchain/process.ts'
import { downloadPackage, findOffers } from '../pipeline/tree/apt.ts'

/** Download a package, the newest unless told, and unpack it into `dir`. Throws InfrastructureError. */
export async function unpackPackage(
  pkg: string,
  version: string | undefined,
  dir: string,
  say: (line: string) => void,
): Promise<void> {
  const source = await findOffers(pkg, version, say)
  const chosen = version ?? source.offers[0]!.version
  say(`downloading ${pkg} ${chosen}`)
  const at = path.join(dir, 'download')
  const deb = await downloadPackage(source, pkg, chosen, at)
  const run = await runTool('dpkg-deb', ['-x', deb, dir])
  if (run.status !== 0)
    throw new InfrastructureError('cannot unpack a package', { where: deb, found: run.stderr.trim() })
  await fs.rm(at, { recursive: true })
}
