/**
 * Getting the package of a kernel's source from Debian: the locked version, a point release, or the newest there is.
 *
 * Asked in this order: what this machine's own package lists have of a locked version (no network), the suite in which
 * it was, all suites, and only when Debian cannot be reached, lists of this machine's own sources.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, sha256File } from '../cache.ts'
import { InfrastructureError, UsageError } from '../errors.ts'
import { directoryBytes, downloadPackage, machineOffers, refreshedOffers, type AptSource } from './apt.ts'
import type { LockedTree } from './lock.ts'
import { compareVersions, isPoint } from './names.ts'
import { allOffers, downloadOffer, suiteOffers, type SuiteOffer } from './suites.ts'

export interface DebianOptions {
  readonly say: (text: string) => void
  readonly onBytes: (text: string, done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** What is wanted of a package: a version as Debian writes it, or one point release; the newest otherwise. */
export interface Wanted {
  readonly package: string
  readonly locked?: LockedTree
  readonly point?: string
}

/** A package file that can be had. */
interface Source {
  readonly version: string
  readonly bytes: number
  readonly sha256: string
  /** For people: a suite, or this machine's apt. */
  readonly from: string
  /** Put it into a directory. */
  download(dir: string): Promise<string>
}

export interface PackageFile {
  readonly deb: string
  readonly version: string
  readonly from: string
  /** What a person should know: not the locked version, say. */
  readonly warnings: readonly string[]
}

/** Download the package file into the cache; its directory is the caller's to remove. */
export async function packageFile(wanted: Wanted, options: DebianOptions): Promise<PackageFile> {
  const { locked } = wanted
  const source = await findSource(wanted, options)
  // Outside of any temporary directory: a download survives an interrupted unpacking.
  const dir = cachePath('downloads', `${wanted.package}_${source.version}`)
  const expected = source.version === locked?.version ? locked.deb : source.sha256
  const kept = await keptPackage(dir, expected)
  const deb = kept ?? (await download(source, dir, wanted.package, options))
  const found = kept === undefined ? await sha256File(deb) : expected
  if (found !== expected) {
    await fs.rm(dir, { recursive: true, force: true })
    throw new InfrastructureError('the downloaded package is not what was expected', {
      where: `${wanted.package} ${source.version}`,
      expected: `SHA-256 ${expected}`,
      found: `SHA-256 ${found}`,
      todo: 'run the same command again; if it stays so, the archive or trees.lock is wrong',
    })
  }
  return { deb, version: source.version, from: source.from, warnings: otherThanLocked(wanted, source, found) }
}

/** What would be fetched, without fetching it. Throws as `packageFile`. */
export async function packageFacts(wanted: Wanted, options: DebianOptions): Promise<Pick<Source, 'version' | 'bytes'>> {
  const { version, bytes } = await findSource(wanted, options)
  return { version, bytes }
}

function otherThanLocked({ locked, ...wanted }: Wanted, { version }: Source, found: string): string[] {
  if (locked === undefined || version === locked.version) return []
  return [
    `${wanted.package} ${locked.version}, the version in trees.lock, is no longer on offer; took ${version} ` +
      `(SHA-256 ${found}). Results may differ from the published ones.`,
  ]
}

async function download(source: Source, dir: string, name: string, options: DebianOptions): Promise<string> {
  await fs.mkdir(dir, { recursive: true })
  const text = `downloading ${name} ${source.version} from ${source.from}`
  options.onBytes(text, 0, source.bytes)
  const tell = () => void directoryBytes(dir).then((done) => options.onBytes(text, done, source.bytes))
  const timer = setInterval(tell, 500)
  try {
    return await source.download(dir)
  } finally {
    clearInterval(timer)
  }
}

/** A package file that an interrupted fetch had finished downloading. */
async function keptPackage(dir: string, expected: string): Promise<string | undefined> {
  const name = (await fs.readdir(dir).catch(() => [])).find((file) => file.endsWith('.deb'))
  if (name === undefined) return undefined
  const file = path.join(dir, name)
  return (await sha256File(file)) === expected ? file : undefined
}

async function findSource(wanted: Wanted, options: DebianOptions): Promise<Source> {
  const exact = wanted.locked === undefined ? undefined : await lockedSource(wanted, wanted.locked, options)
  if (exact !== undefined) return exact
  let offers: readonly SuiteOffer[]
  try {
    offers = await allOffers(suiteOptions(options))
  } catch (error) {
    const source = error instanceof InfrastructureError ? await ownSource(wanted, options) : undefined
    if (source === undefined) throw error
    return source
  }
  const found = newest(
    offers.filter((offer) => offer.package === wanted.package),
    wanted,
  )
  if (found !== undefined) return fromSuite(found, options.signal)
  throw notOffered(wanted, offers)
}

const suiteOptions = ({ say, signal }: DebianOptions) => ({ say, ...(signal && { signal }) })

async function lockedSource(wanted: Wanted, locked: LockedTree, options: DebianOptions): Promise<Source | undefined> {
  const own = await machineOffers(wanted.package, options.signal).catch(() => undefined)
  const ours = own?.offers.find(({ version }) => version === locked.version)
  if (own !== undefined && ours !== undefined) return fromMachine(own, wanted.package, ours, options.signal)
  if (locked.suite === undefined) return undefined
  const offers = await suiteOffers(locked.suite, suiteOptions(options)).catch(() => [])
  const theirs = offers.find((offer) => offer.package === wanted.package && offer.version === locked.version)
  return theirs && fromSuite(theirs, options.signal)
}

/** The machine's own sources, for who has a mirror of them and nothing else. */
async function ownSource(wanted: Wanted, { say, signal }: DebianOptions): Promise<Source | undefined> {
  const own = await refreshedOffers(wanted.package, say, signal).catch(() => undefined)
  const offer = own && newest(own.offers, wanted)
  return own && offer && fromMachine(own, wanted.package, offer, signal)
}

function newest<T extends { readonly version: string }>(offers: readonly T[], wanted: Wanted): T | undefined {
  const { locked, point } = wanted
  const fitting = point === undefined ? offers : offers.filter(({ version }) => isPoint(point, version))
  const exact = fitting.find(({ version }) => version === locked?.version)
  return exact ?? fitting.toSorted((a, b) => compareVersions(b.version, a.version))[0]
}

function notOffered(wanted: Wanted, offers: readonly SuiteOffer[]): UsageError {
  const same = offers.filter((offer) => offer.package === wanted.package)
  const have = [...new Set((same.length > 0 ? same : offers).map(({ package: name, version }) => `${name} ${version}`))]
  return new UsageError(`Debian has no ${wanted.package}${wanted.point === undefined ? '' : ` ${wanted.point}`}`, {
    expected: `one of ${have.toSorted().join(', ')}`,
    todo: '`drvport fetch --list` shows what can be had; any other kernel as a tarball: drvport fetch TARBALL',
  })
}

function fromSuite(offer: SuiteOffer, signal?: AbortSignal): Source {
  const { version, bytes, sha256 } = offer
  const download = async (dir: string) => {
    const file = path.join(dir, `${offer.package}_${version}_all.deb`)
    await downloadOffer(offer, file, signal)
    return file
  }
  return { version, bytes, sha256, from: `Debian ${offer.suite}`, download }
}

function fromMachine(
  own: AptSource,
  name: string,
  offer: Omit<Source, 'from' | 'download'>,
  signal?: AbortSignal,
): Source {
  const download = (dir: string) => downloadPackage(own, name, offer.version, dir, signal)
  return { ...offer, from: "this machine's apt", download }
}
