/**
 * Getting one package file from Debian, without installing it and without being root.
 *
 * The system's package lists are used where they know the package; otherwise lists of our own are fetched into the cache.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, withLock } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import { privateApt } from '../toolchain/host-packages.ts'
import { findProgram, runTool } from '../toolchain/process.ts'

export interface Offer {
  readonly version: string
  /** Bytes of the .deb, 0 when unknown. */
  readonly bytes: number
  readonly sha256: string
}

/** Versions in `apt-cache show` output, newest first as apt lists them. */
export function parseOffers(text: string): Offer[] {
  const offers: Offer[] = []
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim()
    const version = field('Version')
    const sha256 = field('SHA256')
    // A stanza without a file is an installed package that no archive offers.
    if (version !== undefined && sha256 !== undefined && field('Filename') !== undefined)
      offers.push({ version, sha256, bytes: Number(field('Size') ?? 0) })
  }
  return offers
}

interface AptSource {
  readonly args: readonly string[]
  readonly offers: readonly Offer[]
}

async function offersWith(args: readonly string[], pkg: string, signal?: AbortSignal): Promise<Offer[]> {
  const run = await runTool('apt-cache', [...args, 'show', pkg], {
    env: { ...process.env, LC_ALL: 'C' },
    ...(signal && { signal }),
  })
  return parseOffers(run.stdout)
}

/**
 * Lists of our own, brought up to date unless they have what is wanted: several may want some at once, and apt's own lock
 * is off (host-packages.ts).
 */
function refreshedLists(
  pkg: string,
  wanted: string | undefined,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<AptSource> {
  const onWait = () => say('waiting for another drvport that is bringing packages')
  const work = async () => {
    const offers = wanted === undefined ? [] : await offersWith(privateApt(), pkg, signal)
    if (offers.some(({ version }) => version === wanted)) return { args: privateApt(), offers }
    return refreshLists(pkg, say, signal)
  }
  return withLock('host-packages', work, { onWait, ...(signal && { signal }) })
}

async function refreshLists(pkg: string, say: (line: string) => void, signal?: AbortSignal): Promise<AptSource> {
  const at = cachePath('debs', 'apt')
  for (const dir of ['state', 'lists/partial', 'cache', 'archives/partial', 'log'])
    await fs.mkdir(path.join(at, dir), { recursive: true })
  const args = privateApt()
  say('updating package lists in the cache')
  // One unreachable third-party archive must not stop us: what matters is whether the package is then on offer.
  const run = await runTool('apt-get', [...args, '-q', 'update'], {
    env: { ...process.env, LC_ALL: 'C' },
    ...(signal && { signal }),
  })
  const offers = await offersWith(args, pkg, signal)
  if (offers.length === 0)
    throw new InfrastructureError(`${pkg} is not on offer`, {
      expected: `${pkg} in an archive of /etc/apt`,
      found: run.stderr.trim().split('\n').slice(-4).join('; ') || 'lists without it',
      todo:
        'check the network, and that /etc/apt names the main and the security archive of this Debian release; ' +
        'or get a kernel tarball and run: drvport fetch TARBALL',
    })
  return { args, offers }
}

/** What is on offer, and the apt options under which it is. `wanted` is looked for before lists are fetched. */
export async function findOffers(
  pkg: string,
  wanted: string | undefined,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<AptSource> {
  for (const program of ['apt-get', 'apt-cache', 'dpkg-deb']) {
    if ((await findProgram(program)) === undefined)
      throw new InfrastructureError(`cannot get ${pkg}`, {
        expected: 'a Debian system with apt',
        found: `no ${program}`,
        todo: 'get a kernel tarball (kernel.org) and run: drvport fetch TARBALL',
      })
  }
  const system = await offersWith([], pkg, signal)
  const good = wanted === undefined ? system.length > 0 : system.some(({ version }) => version === wanted)
  if (good) return { args: [], offers: system }
  return refreshedLists(pkg, wanted, say, signal)
}

/** Download a package file into a directory; returns its path. Progress in bytes so far. */
export async function downloadPackage(
  source: AptSource,
  pkg: string,
  version: string,
  dir: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  await fs.mkdir(dir, { recursive: true })
  const timer = setInterval(() => void directoryBytes(dir).then(onBytes), 500)
  try {
    const run = await runTool('apt-get', [...source.args, '-q', 'download', `${pkg}=${version}`], {
      cwd: dir,
      env: { ...process.env, LC_ALL: 'C' },
      ...(signal && { signal }),
    })
    const file = (await fs.readdir(dir)).find((name) => name.endsWith('.deb'))
    if (run.status === 0 && file !== undefined) return path.join(dir, file)
    throw new InfrastructureError(`cannot download ${pkg} ${version}`, {
      found: run.stderr.trim().split('\n').slice(-4).join('; '),
      todo: 'check the network and run the same command again',
    })
  } finally {
    clearInterval(timer)
  }
}

async function directoryBytes(dir: string): Promise<number> {
  const names = await fs.readdir(dir).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      fs.stat(path.join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
