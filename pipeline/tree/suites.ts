/**
 * Which kernel sources Debian's archive has, suite by suite, whatever release this machine runs.
 *
 * Each suite is read by apt with sources, lists and state of its own in the cache, signatures checked against Debian's
 * keyring; the machine's sources and package lists are neither read nor written, and no root is needed. What a suite
 * offers is a few lines, which are kept for a day; its lists, some 20 MB, are not.
 *
 * Terms: a *release* is named by its age (`stable`), as it was last year and will be next year; its security archive
 * by its code name, which the release itself tells. Knows nothing of trees.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, readKept, withLock, writeAtomic } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import { makeAptState, privateApt } from '../toolchain/host-packages.ts'
import { findProgram, runTool, type ToolOutput } from '../toolchain/process.ts'

export interface SuiteOffer {
  /** `linux-source-6.1` */
  readonly package: string
  /** Debian's: `6.1.176-1`. */
  readonly version: string
  /** `bookworm-security` */
  readonly suite: string
  readonly url: string
  /** Of the .deb. */
  readonly bytes: number
  readonly sha256: string
}

/** A suite as it is kept. */
interface Suite {
  readonly format: typeof FORMAT
  /** `bookworm`; empty when the archive has no such suite. */
  readonly codename: string
  readonly offers: readonly SuiteOffer[]
}

const FORMAT = 1
const DAY_MS = 24 * 60 * 60 * 1000

/** Releases, oldest first; each may have backports and a security archive beside it. */
const RELEASES = ['oldoldstable', 'oldstable', 'stable', 'testing', 'unstable'] as const
const OTHERS = ['oldstable-backports', 'stable-backports', 'experimental'] as const

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** A mirror: `DRVPORT_DEBIAN=http://mirror.example/debian`, with its `debian-security` beside it. */
function archiveOf(suite: string): string {
  const base = (process.env['DRVPORT_DEBIAN'] ?? 'http://deb.debian.org/debian').replace(/\/+$/, '')
  return suite.endsWith('-security') ? `${base}-security` : base
}

export interface SuiteOptions {
  readonly signal?: AbortSignal
  readonly say?: (text: string) => void
  /** Ask the archive even when what is kept is not a day old. */
  readonly refresh?: boolean
}

/** Kernel sources in `apt-cache show` output. */
export function parseSuiteOffers(text: string, suite: string, archive: string): SuiteOffer[] {
  const offers: SuiteOffer[] = []
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim() ?? ''
    const name = field('Package')
    const file = field('Filename')
    if (!/^linux-source-\d+\.\d+$/.test(name) || file === '') continue
    const url = `${archive}/${file}`
    offers.push({
      package: name,
      version: field('Version'),
      suite,
      url,
      bytes: Number(field('Size')),
      sha256: field('SHA256'),
    })
  }
  return offers
}

/** What one suite offers. Throws InfrastructureError when it cannot be read and nothing of it is kept. */
export async function suiteOffers(name: string, options: SuiteOptions = {}): Promise<readonly SuiteOffer[]> {
  return (await openSuite(name, options)).offers
}

/** What all suites offer. Throws InfrastructureError when none can be read. */
export async function allOffers(options: SuiteOptions = {}): Promise<readonly SuiteOffer[]> {
  const releases = await inSuites([...RELEASES, ...OTHERS], options)
  const codenames = releases.suites.slice(0, 3).map((suite) => suite?.codename ?? '')
  const security = await inSuites(
    codenames.filter((codename) => codename !== '').map((codename) => `${codename}-security`),
    options,
  )
  const read = [...releases.suites, ...security.suites].filter((suite) => suite !== undefined)
  const [problem] = [...releases.problems, ...security.problems]
  if (read.length === 0) throw problem
  if (problem !== undefined) options.say?.(`not every suite could be read: ${problem.found ?? problem.message}`)
  return read.flatMap(({ offers }) => offers)
}

/** Suites side by side, in the order of their names; undefined is one that could not be read. */
async function inSuites(names: readonly string[], options: SuiteOptions) {
  const results = await Promise.allSettled(names.map((name) => openSuite(name, options)))
  const problems: InfrastructureError[] = []
  const suites = results.map((result) => {
    if (result.status === 'fulfilled') return result.value
    if (!(result.reason instanceof InfrastructureError)) throw result.reason
    problems.push(result.reason)
    return undefined
  })
  return { suites, problems }
}

function openSuite(name: string, options: SuiteOptions): Promise<Suite> {
  const file = cachePath('suites', `${name}.json`)
  const signal = options.signal && { signal: options.signal }
  return withLock(
    `suite-${name}`,
    async () => {
      const kept = await readKept<Suite>(file)
      const usable = kept?.format === FORMAT ? kept : undefined
      if (usable !== undefined && options.refresh !== true && (await ageMs(file)) < DAY_MS) return usable
      options.say?.(`asking Debian what ${name} has`)
      try {
        const suite = await readSuite(name, options)
        await writeAtomic(file, JSON.stringify(suite))
        return suite
      } catch (error) {
        if (usable !== undefined && error instanceof InfrastructureError) return usable
        throw error
      }
    },
    { ...signal },
  )
}

const ageMs = async (file: string): Promise<number> => Date.now() - (await fs.stat(file)).mtimeMs

async function readSuite(name: string, options: SuiteOptions): Promise<Suite> {
  await requirePrograms()
  const at = cachePath('suites', `.${name}`)
  await fs.rm(at, { recursive: true, force: true })
  await makeAptState(at)
  try {
    const archive = archiveOf(name)
    const sources = path.join(at, 'sources.list')
    await fs.writeFile(sources, `deb [signed-by=${KEYRING}] ${archive} ${name} main\n`)
    const args = [
      ...privateApt(at),
      ...[`Dir::Etc::sourcelist=${sources}`, 'Dir::Etc::sourceparts=/dev/null', 'Acquire::Languages=none'].flatMap(
        (setting) => ['-o', setting],
      ),
    ]
    const update = await apt('apt-get', [...args, '-q', 'update'], options)
    if (update.status !== 0 && !isAbsent(update)) throw unreadable(name, archive, update)
    if (update.status !== 0) return { format: FORMAT, codename: '', offers: [] }
    // A pattern that matches nothing is an error of apt-cache's, and no offer.
    const shown = await apt('apt-cache', [...args, 'show', 'linux-source-*'], options)
    return {
      format: FORMAT,
      codename: await codenameIn(path.join(at, 'lists')),
      offers: parseSuiteOffers(shown.stdout, name, archive),
    }
  } finally {
    await fs.rm(at, { recursive: true, force: true })
  }
}

const apt = (program: string, args: readonly string[], options: SuiteOptions): Promise<ToolOutput> =>
  runTool(program, args, {
    env: { ...process.env, LC_ALL: 'C' },
    ...(options.signal && { signal: options.signal }),
  })

/** The archive was reached and has no such suite: backports of an old release end one day. */
const isAbsent = ({ stderr, stdout }: ToolOutput): boolean => /\b404\b/.test(stderr + stdout)

function unreadable(name: string, archive: string, { stderr }: ToolOutput): InfrastructureError {
  return new InfrastructureError(`cannot read what Debian's ${name} has`, {
    where: archive,
    found: stderr.trim().split('\n').slice(-3).join('; '),
    todo: 'check the network, or name a mirror: DRVPORT_DEBIAN=http://MIRROR/debian',
  })
}

async function requirePrograms(): Promise<void> {
  const missing: string[] = []
  for (const program of ['apt-get', 'apt-cache', 'dpkg-deb'])
    if ((await findProgram(program)) === undefined) missing.push(program)
  const hasKeyring = await fs.access(KEYRING).then(
    () => true,
    () => false,
  )
  if (missing.length === 0 && hasKeyring) return
  throw new InfrastructureError("cannot read Debian's archive", {
    expected: `apt, dpkg and ${KEYRING}`,
    found: missing.length > 0 ? `no ${missing.join(', ')}` : 'no keyring',
    todo:
      missing.length > 0
        ? 'get a kernel tarball (kernel.org) and run: drvport fetch TARBALL'
        : 'apt-get install debian-archive-keyring',
  })
}

async function codenameIn(lists: string): Promise<string> {
  const name = (await fs.readdir(lists)).find((file) => file.endsWith('InRelease'))
  const text = name === undefined ? '' : await fs.readFile(path.join(lists, name), 'utf8')
  return /^Codename: (\S+)$/m.exec(text)?.[1] ?? ''
}

/** Where Debian keeps it; not on the search path. */
const APT_HELPER = '/usr/lib/apt/apt-helper'

/** Download an offer's package file and have apt check its hash. Throws InfrastructureError. */
export async function downloadOffer(offer: SuiteOffer, file: string, signal?: AbortSignal): Promise<void> {
  const args = ['-o', 'APT::Sandbox::User=', 'download-file', offer.url, file, `SHA256:${offer.sha256}`]
  const run = await apt(APT_HELPER, args, signal ? { signal } : {})
  if (run.status === 0) return
  throw new InfrastructureError(`cannot download ${offer.package} ${offer.version}`, {
    where: offer.url,
    found: run.stderr.trim().split('\n').slice(-4).join('; '),
    todo: 'check the network and run the same command again; `drvport fetch --list` asks Debian anew',
  })
}
