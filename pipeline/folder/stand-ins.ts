/**
 * What a driver's own makefile, or its dkms.conf, finds where it expects a kernel to be installed: a directory as
 * distributions lay out a kernel's headers, and programs that stand before the real ones on the search path.
 *
 * The stand-in for make writes a call of the kernel's make down instead of making it, so that the folder itself says
 * which folder, options and flags its modules are built with. Knows nothing of what is built.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey, makeDirectoryAtomic } from '../cache.ts'

/** A kernel as a makefile outside of it sees it. */
export interface InstalledKernel {
  /** As /lib/modules/VERSION/build is. */
  readonly headers: string
  /** First on the search path of a makefile that is asked: make, and what no makefile shall do. */
  readonly programs: string
  /** First on the search path of whoever looks at a folder: what tells which computer this is. */
  readonly facts: string
  /** `uname -r` */
  readonly release: string
}

/** Writes calls of the kernel's make down as files `N` (directory and words) and `N.env`, each with NUL between. */
const MAKE = `#!/bin/sh
# Stands in for make: see pipeline/folder/stand-ins.ts.
moves= folder= before= release=
for word do
  case $before in -C|--directory) moves=$word;; esac
  case $word in
    -C?*) moves=\${word#-C};;
    --directory=*) moves=\${word#--directory=};;
    M=?*|KBUILD_EXTMOD=?*) folder=1;;
    SUBDIRS=?*) subdirs=1;;
    kernelversion|kernelrelease) release=1;;
  esac
  before=$word
done
case $moves/ in "$DRVPORT_HEADERS"/*) folder=1;; esac
[ -n "$moves" ] && [ -n "$subdirs" ] && folder=1
if [ -n "$release" ] && [ -n "$moves" ]; then echo "$DRVPORT_RELEASE"; exit 0; fi
if [ -z "$folder" ]; then
  real=$(PATH=$DRVPORT_PATH; command -v make) || exit 127
  exec "$real" MAKE="$0" $DRVPORT_MAKE_WORDS "$@"
fi
number=0
while [ -e "$DRVPORT_CALLS/$number" ]; do number=$((number + 1)); done
env -0 > "$DRVPORT_CALLS/$number.env"
printf '%s\\0' "$PWD" "$@" > "$DRVPORT_CALLS/$number"
# What follows the last call wants what it would have made.
[ "$number" -lt "\${DRVPORT_CALLS_LAST:-1000000}" ]
`

/** The release of the kernel that is asked about, not of the computer that asks. */
const UNAME = `#!/bin/sh
case $* in -r) echo "$DRVPORT_RELEASE";; -m) echo x86_64;; *) PATH=$DRVPORT_PATH; exec uname "$@";; esac
`

/** Nothing of a build of a driver; a makefile's default goal may call them all the same. */
const REFUSED = [
  'sudo',
  'depmod',
  'insmod',
  'rmmod',
  'modprobe',
  'dkms',
  'systemctl',
  'apt-get',
  'apt',
  'dnf',
  'reboot',
]
const REFUSE = `#!/bin/sh
echo "$(basename "$0"): not while drvport reads a makefile" >&2
exit 1
`

/** A directory with programs, made if it is not there. */
async function programsIn(home: string, what: string, programs: Readonly<Record<string, string>>): Promise<string> {
  const dir = path.join(home, `${what}-${contentKey([JSON.stringify(programs)]).slice(0, 8)}`)
  if (await isThere(dir)) return dir
  await makeDirectoryAtomic(dir, async (to) => {
    for (const [name, text] of Object.entries(programs)) await fs.writeFile(path.join(to, name), text, { mode: 0o755 })
  })
  return dir
}

const isThere = (file: string): Promise<boolean> =>
  fs.lstat(file).then(
    () => true,
    () => false,
  )

async function linkAll(from: string, to: string, skip: readonly string[] = []): Promise<void> {
  await fs.mkdir(to, { recursive: true })
  for (const name of await fs.readdir(from)) {
    if (skip.includes(name)) continue
    await fs.symlink(path.join(from, name), path.join(to, name))
  }
}

/** A directory in which sources of the tree and what its configuration generates lie together. */
async function layHeaders(view: string, build: string, dir: string): Promise<void> {
  await makeDirectoryAtomic(dir, async (to) => {
    await linkAll(view, to, ['include', 'build', 'Makefile', 'Makefile.linux', 'drvport-graph.mk'])
    await fs.symlink(path.join(view, 'Makefile.linux'), path.join(to, 'Makefile'))
    await fs.symlink(path.join(build, '.config'), path.join(to, '.config'))
    await linkAll(path.join(view, 'include'), path.join(to, 'include'))
    await linkAll(path.join(build, 'include'), path.join(to, 'include'))
  })
}

/** The kernel of a view as if it were installed. `home` is the configuration's own directory. */
export async function installedKernel(home: string, view: string, release: string): Promise<InstalledKernel> {
  const headers = path.join(home, 'headers')
  if (!(await isThere(headers))) await layHeaders(view, path.join(view, 'build'), headers)
  const refused = Object.fromEntries(REFUSED.map((name) => [name, REFUSE]))
  const programs = await programsIn(home, 'programs', { make: MAKE, gmake: MAKE, ...refused })
  return { headers, programs, facts: await programsIn(home, 'facts', { uname: UNAME }), release }
}
