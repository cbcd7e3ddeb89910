/**
 * Kernel trees: fetched from Debian, unpacked from a tarball, or taken where they lie. Always read-only.
 *
 * A fetched tree is `<cache>/trees/<name>/` with `source/` (the tree), `files` (a SHA-256 for each file, as fetched) and
 * `origin.json`. It appears whole or not at all. What fetches and unpacks is read when something is to be fetched. Knows nothing of
 * Kconfig or of building.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, exists, makeDirectoryAtomic, readText, sha256, sha256File, withLock } from '../cache.ts'
import { asInfrastructure, InfrastructureError, UsageError } from '../errors.ts'
import type { Wanted } from './debian.ts'
import { lockedTrees, type LockedTree } from './lock.ts'
import { compareVersions, isPoint, NAMES_FOR_PEOPLE, parseTreeName, suiteOfName, upstreamOf } from './names.ts'
import type { SourceTree } from './types.ts'

export type { SourceTree } from './types.ts'

export interface FetchProgress {
  readonly step: 'lists' | 'download' | 'unpack' | 'seal' | 'wait'
  /** For people. */
  readonly text: string
  /** Bytes done and to do (files, when sealing); total 0 when unknown. */
  readonly done: number
  readonly total: number
}

export interface FetchOptions {
  readonly onProgress?: (progress: FetchProgress) => void
  readonly signal?: AbortSignal
}

export interface FetchResult {
  readonly tree: SourceTree
  /** It was there already. */
  readonly cached: boolean
  /** What a person should know: not the locked version, say. */
  readonly warnings: readonly string[]
}

interface Origin {
  readonly name: string
  readonly version: string
  readonly origin: string
  /** Hash over the hashes of all files; for a path, empty. */
  readonly id: string
  /** Set for a tree that is used where it lies. */
  readonly dir?: string
  readonly warnings?: readonly string[]
}

const home = (name: string) => cachePath('trees', name)

/** Read VERSION, PATCHLEVEL and SUBLEVEL from a top Makefile. Undefined when it is not a kernel's. */
export function parseVersion(makefile: string): string | undefined {
  const value = (name: string) => new RegExp(`^${name}[ \\t]*=[ \\t]*(\\S*)`, 'm').exec(makefile)?.[1]
  const [version, patchlevel, sublevel] = [value('VERSION'), value('PATCHLEVEL'), value('SUBLEVEL')]
  if (version === undefined || patchlevel === undefined) return undefined
  return `${version}.${patchlevel}${sublevel ? `.${sublevel}` : ''}${value('EXTRAVERSION') ?? ''}`
}

const PARTS_OF_A_TREE = ['Kconfig', 'Makefile', 'arch', 'drivers', 'include', 'scripts/Makefile.build']

/** Version of the tree in a directory. Throws UsageError, saying what is missing, when there is none. */
async function treeVersion(dir: string): Promise<string> {
  const missing: string[] = []
  for (const part of PARTS_OF_A_TREE) if (!(await exists(path.join(dir, part)))) missing.push(part)
  const makefile = await fs.readFile(path.join(dir, 'Makefile'), 'utf8').catch(() => '')
  const version = parseVersion(makefile)
  if (missing.length === 0 && version !== undefined) return version
  throw new UsageError('not a Linux kernel tree', {
    where: dir,
    expected: PARTS_OF_A_TREE.join(', '),
    found: missing.length > 0 ? `no ${missing.join(', no ')}` : 'a Makefile without a kernel version',
    todo: 'give the directory that holds the top Makefile',
  })
}

/** A name for a path or tarball: its last part, less what archives are called. */
export function nameOfPath(file: string): string {
  return path.basename(file).replace(/\.(tar(\.\w+)?|t[gbx]z)$/, '')
}

export interface StoredTree {
  readonly name: string
  /** From its Makefile. */
  readonly version: string
  /** A package and its version, or a path. */
  readonly origin: string
}

/** Names of the trees that are there. */
export async function listTrees(): Promise<StoredTree[]> {
  const names = await fs.readdir(cachePath('trees')).catch(() => [])
  const origins = await Promise.all(names.filter((name) => !name.startsWith('.')).map((name) => readOrigin(name)))
  return origins.filter((origin) => origin !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

async function readOrigin(name: string): Promise<Origin | undefined> {
  const text = readText(path.join(home(name), 'origin.json'))
  return text === undefined ? undefined : (JSON.parse(text) as Origin)
}

/**
 * Open a tree by name, or by the path of one. Throws InfrastructureError when it was not fetched, UsageError when the
 * path holds no kernel tree.
 */
export async function openTree(spec: string): Promise<SourceTree> {
  const name = suiteOfName(spec) === undefined ? await resolveName(spec) : spec
  const origin = /^[.~]?\//.test(name) || name === '.' ? undefined : await readOrigin(name)
  if (origin?.dir !== undefined) return pathTree(origin.dir, origin.name)
  if (origin !== undefined) return fetchedTree(origin)
  if (await exists(path.join(name, 'Makefile'))) return pathTree(path.resolve(name))
  if (name.includes('/')) await treeVersion(path.resolve(name))
  const have = (await listTrees()).map((tree) => tree.name)
  if (!isFetchable(name)) throw unknownTree(name, have)
  throw new InfrastructureError(`no kernel tree ${name}`, {
    expected: `a fetched tree or the path of one`,
    found: have.length > 0 ? `only ${have.join(', ')}` : 'none fetched yet',
    todo: `drvport fetch ${name}`,
  })
}

/** Whether `fetchTree` can get a tree by this name. */
export const isFetchable = (name: string): boolean =>
  parseTreeName(name) !== undefined || suiteOfName(name) !== undefined

function unknownTree(name: string, have: readonly string[]): UsageError {
  return new UsageError(`unknown tree ${name === '' ? "''" : name}`, {
    expected: `${NAMES_FOR_PEOPLE}, a tarball, or a path to a tree`,
    found: have.length > 0 ? `fetched so far: ${have.join(', ')}` : 'none fetched yet',
    todo: '`drvport fetch --list` shows what can be had; or check the name',
  })
}

function fetchedTree(origin: Origin): SourceTree {
  const dir = path.join(home(origin.name), 'source')
  let files: Promise<Map<string, string>> | undefined
  const hashes = async () => {
    const text = await fs.readFile(path.join(home(origin.name), 'files'), 'utf8')
    return new Map(text.split('\n').map((line) => [line.slice(65), line.slice(0, 64)]))
  }
  return {
    name: origin.name,
    version: origin.version,
    dir,
    id: origin.id,
    sealed: true,
    origin: origin.origin,
    pristine: async (file) => (await (files ??= hashes())).get(file),
  }
}

/** A tree where it lies: its user may change it, so its id is taken from the build files as they are now. */
async function pathTree(dir: string, name = nameOfPath(dir)): Promise<SourceTree> {
  const version = await treeVersion(dir)
  return {
    name,
    version,
    dir,
    id: await buildFilesId(dir),
    origin: dir,
    pristine: (file) => fs.readFile(path.join(dir, file)).then(sha256, () => undefined),
  }
}

const BUILD_FILE = /^(Kconfig|Makefile|Kbuild)/

async function buildFilesId(dir: string): Promise<string> {
  const parts: (string | number)[] = []
  const visit = async (below: string) => {
    const entries = await fs.readdir(path.join(dir, below), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(below, entry.name)
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.') && !(below === '' && entry.name === 'Documentation')) await visit(file)
      } else if (BUILD_FILE.test(entry.name)) {
        const { size, mtimeMs } = await fs.stat(path.join(dir, file))
        parts.push(file, size, mtimeMs)
      }
    }
  }
  await visit('')
  return contentKey(parts)
}

/** Get a tree by name (`linux-6.1`), or register a path, or unpack a tarball. What is there already is left alone. */
export async function fetchTree(spec: string, options: FetchOptions = {}): Promise<FetchResult> {
  const stat = await fs.stat(spec).catch(() => undefined)
  if (stat?.isDirectory() === true) return registerPath(path.resolve(spec))
  if (stat?.isFile() === true) {
    const file = path.resolve(spec)
    return fetchOnce(nameOfPath(file), options, (temporary) => fromTarball(file, nameOfPath(file), temporary, options))
  }
  if (spec.includes('/'))
    throw new UsageError(`no such file or directory: ${spec}`, {
      where: path.resolve(spec),
      expected: 'a tarball or a tree',
      todo: 'check the path',
    })
  if (!isFetchable(spec))
    throw unknownTree(
      spec,
      (await listTrees()).map(({ name }) => name),
    )
  const name = await resolveName(spec, options)
  return fetchOnce(name, options, async (temporary) => fromDebian(name, await wantedOf(name), temporary, options))
}

/** What Debian would send for a name. */
export interface TreeOffer {
  readonly name: string
  readonly version: string
  /** Of the package. */
  readonly bytes: number
}

/** What fetching a tree by name would download. Throws UsageError for a name that nobody offers, InfrastructureError. */
export async function treeOffer(spec: string, options: FetchOptions = {}): Promise<TreeOffer> {
  if (!isFetchable(spec)) throw unknownTree(spec, [])
  const name = await resolveName(spec, options)
  const { packageFacts } = await import('./debian.ts')
  const facts = await packageFacts(await wantedOf(name), {
    say: (text) => options.onProgress?.({ step: 'lists', text, done: 0, total: 0 }),
    onBytes: () => undefined,
    ...(options.signal && { signal: options.signal }),
  })
  return { name: spec, ...facts }
}

/** Whether a tree needs no fetching: it is here, or lies where a path says. */
export async function isHere(spec: string): Promise<boolean> {
  if (suiteOfName(spec) === undefined && !isFetchable(spec)) return true
  return (await readOrigin(await resolveName(spec))) !== undefined
}

async function wantedOf(name: string): Promise<Wanted> {
  const { release = name, point } = parseTreeName(name) ?? {}
  const named = (await lockedTrees()).find((tree) => tree.name === release)
  const locked = named !== undefined && (point === undefined || isPoint(point, named.version)) ? named : undefined
  return {
    package: locked?.package ?? release.replace('linux-', 'linux-source-'),
    ...(locked && { locked }),
    ...(point !== undefined && { point }),
  }
}

async function registerPath(dir: string): Promise<FetchResult> {
  const tree = await pathTree(dir)
  const known = await readOrigin(tree.name)
  if (known !== undefined && known.dir !== dir)
    throw new UsageError(`a tree named ${tree.name} is there already`, {
      where: home(tree.name),
      found: known.origin,
      todo: `use the path itself: --tree ${dir}`,
    })
  const origin: Origin = { name: tree.name, version: tree.version, origin: dir, id: '', dir }
  if (known === undefined) await makeDirectoryAtomic(home(tree.name), (at) => writeOrigin(at, origin))
  return { tree, cached: known !== undefined, warnings: [] }
}

const writeOrigin = (at: string, origin: Origin) =>
  fs.writeFile(path.join(at, 'origin.json'), `${JSON.stringify(origin, null, 2)}\n`)

type Fill = (temporary: string) => Promise<Origin>

async function fetchOnce(name: string, options: FetchOptions, fill: Fill): Promise<FetchResult> {
  const there = await readOrigin(name)
  if (there !== undefined) return { tree: await openTree(name), cached: true, warnings: there.warnings ?? [] }
  const onWait = () => options.onProgress?.({ step: 'wait', text: 'waiting for another fetch', done: 0, total: 0 })
  return withLock(
    `tree-${name}`,
    async () => {
      const meanwhile = await readOrigin(name)
      if (meanwhile !== undefined)
        return { tree: fetchedTree(meanwhile), cached: true, warnings: meanwhile.warnings ?? [] }
      await clearLeftovers(name)
      let origin: Origin | undefined
      await makeDirectoryAtomic(home(name), async (temporary) => {
        origin = await fill(temporary)
      })
      if (origin === undefined) throw new Error('a fetch that made nothing')
      return { tree: fetchedTree(origin), cached: false, warnings: origin.warnings ?? [] }
    },
    { onWait, ...(options.signal && { signal: options.signal }) },
  )
}

/** What a fetch that was killed left behind; the lock says that nobody is at it. */
async function clearLeftovers(name: string): Promise<void> {
  const trees = cachePath('trees')
  for (const entry of await fs.readdir(trees).catch(() => []))
    if (entry.startsWith(`.${name}.`) && entry.endsWith('.tmp'))
      await fs.rm(path.join(trees, entry), { recursive: true, force: true })
}

async function fromTarball(
  file: string,
  name: string,
  temporary: string,
  options: FetchOptions,
  origin?: Partial<Origin>,
): Promise<Origin> {
  const { sealTree, unpackTarball } = await import('./unpack.ts')
  const { size } = await fs.stat(file)
  const unpacked = path.join(temporary, 'unpacked')
  await fs.mkdir(unpacked, { recursive: true })
  const text = `unpacking ${path.basename(file)}`
  await unpackTarball(file, unpacked, {
    onBytes: (done) => options.onProgress?.({ step: 'unpack', text, done, total: size }),
    ...(options.signal && { signal: options.signal }),
  })
  const source = path.join(temporary, 'source')
  await fs.rename(await topDirectory(unpacked), source)
  await fs.rm(unpacked, { recursive: true, force: true })
  const version = await treeVersion(source)
  const seal = (done: number) =>
    options.onProgress?.({ step: 'seal', text: 'hashing and write-protecting', done, total: 0 })
  const files = await sealTree(source, seal, options.signal)
  const list = files.map(([member, hash]) => `${hash} ${member}\n`).join('')
  await fs.writeFile(path.join(temporary, 'files'), list)
  const result: Origin = { name, version, origin: file, ...origin, id: sha256(list) }
  await writeOrigin(temporary, result)
  return result
}

/** The tree in an unpacked archive: its one top directory, or all of it. */
async function topDirectory(unpacked: string): Promise<string> {
  const names = await fs.readdir(unpacked)
  const only = names.length === 1 ? path.join(unpacked, names[0] as string) : unpacked
  return (await fs.stat(only)).isDirectory() ? only : unpacked
}

async function fromDebian(name: string, wanted: Wanted, temporary: string, options: FetchOptions): Promise<Origin> {
  const { locked } = wanted
  const installed = await installedTarball(wanted.package, locked)
  if (locked !== undefined && installed !== undefined)
    return fromTarball(installed, name, temporary, options, { origin: `${wanted.package} ${locked.version}` })
  const [{ packageFile }, { extractFile }] = await Promise.all([import('./debian.ts'), import('./unpack.ts')])
  try {
    const { deb, version, from, warnings } = await packageFile(wanted, {
      say: (text) => options.onProgress?.({ step: 'lists', text, done: 0, total: 0 }),
      onBytes: (text, done, total) => options.onProgress?.({ step: 'download', text, done, total }),
      ...(options.signal && { signal: options.signal }),
    })
    const tarball = path.join(temporary, 'tarball')
    await extractFile(['dpkg-deb', '--fsys-tarfile', deb], './usr/src/*.tar.*', tarball, options.signal)
    const facts = { origin: `${wanted.package} ${version}, ${from}`, warnings }
    const origin = await fromTarball(tarball, name, temporary, options, facts)
    await fs.rm(tarball, { force: true })
    await fs.rm(path.dirname(deb), { recursive: true, force: true })
    return origin
  } catch (error) {
    throw asInfrastructure(error, temporary)
  }
}

/** The tarball of an installed package, if it is the locked one by its hash. */
async function installedTarball(pkg: string, locked: LockedTree | undefined): Promise<string | undefined> {
  const file = `/usr/src/${pkg}.tar.xz`
  if (locked === undefined || !(await exists(file))) return undefined
  return (await sha256File(file)) === locked.tarball ? file : undefined
}

/**
 * The name under which a tree is kept: a suite's newest kernel by its version (asks Debian), a point release that the
 * plain name has by that. Any other name is its own.
 */
export async function resolveName(spec: string, options: FetchOptions = {}): Promise<string> {
  const suite = suiteOfName(spec)
  const name = suite === undefined ? spec : await newestOf(spec, suite, options)
  const parsed = parseTreeName(name)
  if (parsed?.point === undefined) return name
  const { release, point } = parsed
  const locked = (await lockedTrees()).find((tree) => tree.name === release)
  const plain = (await readOrigin(release))?.version
  // What is here decides; the lock only while nothing is.
  return isPoint(point, plain ?? locked?.version ?? '') ? release : name
}

async function newestOf(spec: string, suite: string, options: FetchOptions): Promise<string> {
  const { suiteOffers } = await import('./suites.ts')
  const offers = await suiteOffers(suite, {
    say: (text) => options.onProgress?.({ step: 'lists', text, done: 0, total: 0 }),
    ...(options.signal && { signal: options.signal }),
  })
  const [newest] = offers.toSorted((a, b) => compareVersions(b.version, a.version))
  if (newest === undefined)
    throw new UsageError(`no kernel is called ${spec}`, {
      found: `Debian's ${suite} offers no kernel source`,
      todo: '`drvport fetch --list` shows what can be had',
    })
  return `${newest.package.replace('linux-source-', 'linux-')}@${upstreamOf(newest.version)}`
}
