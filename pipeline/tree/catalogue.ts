/**
 * Which trees can be had, which are here and how big they are; and taking one away with all that was made for it alone.
 *
 * Objects compiled from a tree stay: they go by content, and other trees share them.
 */

import * as fs from 'node:fs/promises'
import { cachePath, withLock } from '../cache.ts'
import { UsageError } from '../errors.ts'
import { runTool } from '../toolchain/process.ts'
import { listTrees, type StoredTree } from './index.ts'
import { lockedTrees } from './lock.ts'
import { compareVersions, upstreamOf } from './names.ts'
import { allOffers, type SuiteOffer, type SuiteOptions } from './suites.ts'

export interface CatalogueEntry {
  /** As `--tree` takes it. */
  readonly name: string
  /** Of what is here: from its Makefile; of what can be had: the package's. */
  readonly version: string
  /** Suites that offer it, or where it came from. */
  readonly from: readonly string[]
  /** To download; undefined for what is here only. */
  readonly downloadBytes?: number
  /** On disk, configurations included; undefined for what is not here. */
  readonly diskBytes?: number
  /** It is the version that published results are about. */
  readonly locked: boolean
}

/** Everything by name and version, oldest first. Asks Debian. */
export async function catalogue(options: SuiteOptions = {}): Promise<CatalogueEntry[]> {
  const locked = new Map((await lockedTrees()).map((tree) => [tree.name, tree.version]))
  const here = await listTrees()
  const sizes = new Map(await Promise.all(here.map(async ({ name }) => [name, await diskBytes(name)] as const)))
  const entries = new Map<string, CatalogueEntry>()
  for (const tree of here)
    entries.set(tree.name, {
      name: tree.name,
      version: tree.version,
      from: [tree.origin],
      diskBytes: sizes.get(tree.name) ?? 0,
      locked: tree.origin.startsWith(`${tree.name.replace('linux-', 'linux-source-')} ${locked.get(tree.name)}`),
    })
  for (const [name, offers] of nameOffers(await allOffers(options), locked, here)) {
    const [offer] = offers
    if (offer === undefined || entries.get(name)?.diskBytes !== undefined) continue
    entries.set(name, {
      name,
      version: offer.version,
      from: offers.map(({ suite }) => suite),
      downloadBytes: offer.bytes,
      locked: locked.get(name) === offer.version,
    })
  }
  return [...entries.values()].toSorted((a, b) => compareVersions(a.name, b.name))
}

/**
 * The names of what Debian offers. The plain name of a release is the locked version where that is on offer, else the
 * newest; the others are point releases.
 */
export function nameOffers(
  offers: readonly SuiteOffer[],
  locked: ReadonlyMap<string, string>,
  here: readonly Pick<StoredTree, 'name' | 'version'>[],
): Map<string, SuiteOffer[]> {
  const releases = Map.groupBy(offers, (offer) => offer.package.replace('linux-source-', 'linux-'))
  const named = new Map<string, SuiteOffer[]>()
  for (const [release, all] of [...releases].toSorted(([a], [b]) => compareVersions(a, b))) {
    const versions = Map.groupBy(all, ({ version }) => version)
    const newest = [...versions.keys()].toSorted((a, b) => compareVersions(b, a))
    const wanted = locked.get(release)
    const plain = wanted !== undefined && versions.has(wanted) ? wanted : newest[0]
    const have = here.find(({ name }) => name === release)?.version
    const plainPoint = have ?? upstreamOf(plain ?? '')
    for (const version of newest) {
      const point = upstreamOf(version)
      if (version === plain && point === plainPoint) named.set(release, versions.get(version) ?? [])
      else if (point !== plainPoint && !named.has(`${release}@${point}`))
        named.set(`${release}@${point}`, versions.get(version) ?? [])
    }
  }
  return named
}

/** A tree and its configurations, in bytes of the disk. */
async function diskBytes(name: string): Promise<number> {
  const run = await runTool('du', ['-sk', cachePath('trees', name), ...(await configurationsOf(name))])
  const lines = run.stdout.split('\n').filter((line) => line !== '')
  return lines.reduce((sum, line) => sum + Number(line.split('\t')[0]) * 1024, 0)
}

/** What configure() made of a tree: `kbuild/NAME-KEY`. */
async function configurationsOf(name: string): Promise<string[]> {
  const prefix = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}-`
  const entries = await fs.readdir(cachePath('kbuild')).catch(() => [])
  const ours = entries.filter((entry) => entry.startsWith(prefix) && /^[0-9a-f]{16}$/.test(entry.slice(prefix.length)))
  return ours.map((entry) => cachePath('kbuild', entry))
}

/** Take trees away; returns how many bytes each took. A tree of the user's own is forgotten and left alone. */
export async function removeTrees(names: readonly string[]): Promise<{ name: string; bytes: number }[]> {
  const here = new Set((await listTrees()).map(({ name }) => name))
  const missing = names.filter((name) => !here.has(name))
  if (missing.length > 0)
    throw new UsageError(`no tree ${missing.join(', ')} here`, {
      expected: here.size > 0 ? [...here].join(', ') : 'a fetched tree',
      found: here.size > 0 ? 'another name' : 'no tree was fetched yet',
      todo: '`drvport fetch --list` shows what is here',
    })
  const removed = []
  for (const name of new Set(names)) {
    const bytes = await diskBytes(name)
    await withLock(`tree-${name}`, () => removeTree(name))
    removed.push({ name, bytes })
  }
  return removed
}

async function removeTree(name: string): Promise<void> {
  // Renamed first: whoever looks meanwhile finds no half a tree, and the next fetch clears what a kill leaves.
  const going = cachePath('trees', `.${name}.removed.tmp`)
  await fs.rename(cachePath('trees', name), going)
  for (const dir of [going, ...(await configurationsOf(name))]) await fs.rm(dir, { recursive: true, force: true })
}
