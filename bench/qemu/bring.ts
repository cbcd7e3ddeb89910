/**
 * What the comparison with QEMU needs and nothing else of drvport does: QEMU, a Debian kernel of the tree's version with
 * its modules, and a static busybox. All of it comes from Debian's archive into the cache, with or without root; nothing
 * is installed. Knows nothing of what the guest is to do.
 */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, exists, makeDirectoryAtomic } from '../../pipeline/cache.ts'
import { InfrastructureError } from '../../pipeline/errors.ts'
import { ensureHostTools } from '../../pipeline/toolchain/host-packages.ts'
import { findProgram, runTool } from '../../pipeline/toolchain/process.ts'
import { findOffers } from '../../pipeline/tree/apt.ts'
import { unpackPackage } from '../deb.ts'

export interface GuestFiles {
  /** Path of qemu-system-x86_64, and the first line of what it says of itself. */
  readonly qemu: string
  readonly qemuVersion: string
  readonly env: NodeJS.ProcessEnv
  /** The kernel image, Debian's version of it, and the folder that holds `kernel/` with its modules. */
  readonly kernel: string
  readonly kernelVersion: string
  readonly modules: string
  /** A statically linked busybox. */
  readonly busybox: string
}

type Say = (line: string) => void

const KERNEL = 'linux-image-amd64'
const BUSYBOX = 'busybox-static'

/** Of `apt-cache show`: the package that a version of the metapackage brings. Undefined when it names none. */
export function imageOf(stanzas: string, version: string): string | undefined {
  const stanza = stanzas.split(/\n\n+/).find((text) => text.includes(`\nVersion: ${version}\n`))
  return stanza && /^Depends:.*?\b(linux-image-\d[^\s,]*)/m.exec(stanza)?.[1]
}

/** The newest kernel on offer whose version is the tree's, as the package that holds the image, and its version. */
async function chooseKernel(tree: string, say: Say): Promise<[pkg: string, version: string]> {
  const of = async (wanted: string | undefined): Promise<[string, string] | undefined> => {
    const { args, offers } = await findOffers(KERNEL, wanted, say)
    const version = offers.find((offer) => offer.version.startsWith(`${tree}-`))?.version
    if (version === undefined) return undefined
    const { stdout } = await runTool('apt-cache', [...args, 'show', KERNEL])
    const pkg = imageOf(stdout, version)
    return pkg === undefined ? undefined : [pkg, version]
  }
  // A version that no list has makes lists be fetched that are newer than the system's.
  const found = (await of(undefined)) ?? (await of('none'))
  if (found !== undefined) return found
  throw new InfrastructureError(`Debian offers no kernel ${tree}`, {
    expected: `${KERNEL} ${tree} in an archive of /etc/apt`,
    todo: 'run drvport fetch, so that the tree is of the version Debian has now, or give --kernel',
  })
}

/** Bring everything for a tree of this version, as 6.1.192. Throws InfrastructureError. */
export async function bringGuest(tree: string, say: Say): Promise<GuestFiles> {
  const { env } = await ensureHostTools(['qemu-x86'], { progress: say, unprivileged: true })
  const qemu = (await findProgram('qemu-system-x86_64', env['PATH'] ?? ''))!
  const { stdout } = await runTool(qemu, ['--version'], { env })
  const dir = cachePath('debs', `guest-${tree}`)
  if (!(await exists(dir))) {
    const [pkg, version] = await chooseKernel(tree, say)
    await makeDirectoryAtomic(dir, async (into) => {
      await unpackPackage(pkg, version, into, say)
      await unpackPackage(BUSYBOX, undefined, into, say)
      await fs.writeFile(path.join(into, 'version'), version)
    })
  }
  const image = (await fs.readdir(path.join(dir, 'boot'))).find((name) => name.startsWith('vmlinuz-'))!
  return {
    qemu,
    qemuVersion: stdout.split('\n')[0]!,
    env,
    kernel: path.join(dir, 'boot', image),
    kernelVersion: await fs.readFile(path.join(dir, 'version'), 'utf8'),
    modules: path.join(dir, 'lib', 'modules', image.slice('vmlinuz-'.length)),
    busybox: path.join(dir, 'bin', 'busybox'),
  }
}
