/**
 * What this machine's own apt offers of a package, and getting the file of it, without installing it and without root.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, withLock } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import { makeAptState, privateApt } from '../toolchain/host-packages.ts'
import { runTool } from '../toolchain/process.ts'

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

export interface AptSource {
  /** apt's options under which it is on offer. */
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

/** What the machine's package lists have as they are, however old. Throws InfrastructureError where there is no apt. */
export async function machineOffers(pkg: string, signal?: AbortSignal): Promise<AptSource> {
  return { args: [], offers: await offersWith([], pkg, signal) }
}

/**
 * What the machine's sources have now, by lists in the cache. Several may want some at once, and apt's own lock is off
 * (host-packages.ts).
 */
export function refreshedOffers(pkg: string, say: (line: string) => void, signal?: AbortSignal): Promise<AptSource> {
  const onWait = () => say('waiting for another drvport that is bringing packages')
  const work = async () => {
    await makeAptState(cachePath('debs', 'apt'))
    const args = privateApt()
    say("updating lists of this machine's package sources in the cache")
    // One unreachable third-party archive must not stop us: what matters is whether the package is then on offer.
    await runTool('apt-get', [...args, '-q', 'update'], {
      env: { ...process.env, LC_ALL: 'C' },
      ...(signal && { signal }),
    })
    return { args, offers: await offersWith(args, pkg, signal) }
  }
  return withLock('host-packages', work, { onWait, ...(signal && { signal }) })
}

/** The machine's lists where they have what is wanted (a version; anything), else such lists as they are now. */
export async function findOffers(
  pkg: string,
  wanted: string | undefined,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<AptSource> {
  const own = await machineOffers(pkg, signal)
  const good = own.offers.some(({ version }) => wanted === undefined || version === wanted)
  return good ? own : refreshedOffers(pkg, say, signal)
}

/** Download a package file into a directory; returns its path. */
export async function downloadPackage(
  source: AptSource,
  pkg: string,
  version: string,
  dir: string,
  signal?: AbortSignal,
): Promise<string> {
  await fs.mkdir(dir, { recursive: true })
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
}

/** Bytes of the files in a directory, for progress. */
export async function directoryBytes(dir: string): Promise<number> {
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
