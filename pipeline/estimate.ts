/**
 * What a first run will cost, told before it is made: what is fetched, how big it is, about how long it takes.
 *
 * Sizes of packages are Debian's own; everything else is a model, whose figures were measured (bench/README.md, "First
 * runs") on two processors. Good to a factor of two, which is what "about" says. The model is pure.
 */

import { rungIndex, type Rung } from './ladder.ts'
import { treeOffer, type FetchOptions, type TreeOffer } from './tree/index.ts'

/** What of drvport and Debian's compiler a computer without them downloads: packages, dependencies from npm. */
export const PROGRAMS_BYTES = 125e6
export const DEPENDENCIES_BYTES = 90e6

const DOWNLOAD_BYTES_PER_SECOND = 10e6
/** Unpacking, hashing and write-protecting, by the size of the package. */
const UNPACK_BYTES_PER_SECOND = 3.2e6
const CONFIGURE_SECONDS = 35
/** The first file of a tree parses all headers, and makes the precompiled ones. */
const FIRST_FILE_SECONDS = 6
const FILE_SECONDS = 0.5
/** The tree's own kernel, for the rungs from verify on. */
const KERNEL_SECONDS = 480
export const PROGRAMS_SECONDS = 35
/** A run in which nothing changed. */
const WARM_SECONDS = 3

/** By the size of the package. */
const DISK_FACTOR = 10.5
/** Of an archive of all that is kept of a tree, packed as CI systems pack a cache. */
const CACHE_FACTOR = 1.55
const KERNEL_CACHE_BYTES = 60e6

export interface TreeCost {
  readonly name: string
  /** As Debian has it. */
  readonly version: string
  readonly downloadBytes: number
  readonly diskBytes: number
  /** Packed: what CI keeps of it. */
  readonly cacheBytes: number
  /** From nothing, and with everything kept. */
  readonly coldSeconds: number
  readonly warmSeconds: number
}

export interface Work {
  /** C files of the driver. */
  readonly files: number
  readonly until: Rung
}

const needsKernel = (until: Rung): boolean => rungIndex(until) >= rungIndex('verify')

/** Pure. */
export function costOf({ name, version, bytes }: TreeOffer, { files, until }: Work): TreeCost {
  const compiling = FIRST_FILE_SECONDS + files * FILE_SECONDS + (needsKernel(until) ? KERNEL_SECONDS : 0)
  const fetching = bytes / DOWNLOAD_BYTES_PER_SECOND + bytes / UNPACK_BYTES_PER_SECOND
  return {
    name,
    version,
    downloadBytes: bytes,
    diskBytes: bytes * DISK_FACTOR,
    cacheBytes: bytes * CACHE_FACTOR + (needsKernel(until) ? KERNEL_CACHE_BYTES : 0),
    coldSeconds: fetching + CONFIGURE_SECONDS + compiling,
    warmSeconds: WARM_SECONDS,
  }
}

/** What each tree costs on a computer that has none of them. Asks Debian; throws as `treeOffer`. */
export async function costsOf(trees: readonly string[], work: Work, options: FetchOptions = {}): Promise<TreeCost[]> {
  const offers = await Promise.all(trees.map((tree) => treeOffer(tree, options)))
  return offers.map((offer) => costOf(offer, work))
}

/** A job on a computer of a CI system's, which has no program of ours. */
export interface JobCost extends TreeCost {
  readonly jobColdSeconds: number
  readonly jobWarmSeconds: number
}

/** Restoring a cache takes about as long as downloading and unpacking the archive. */
const RESTORE_BYTES_PER_SECOND = 8e6

export function jobCost(tree: TreeCost): JobCost {
  const setup = PROGRAMS_SECONDS + (PROGRAMS_BYTES + DEPENDENCIES_BYTES) / DOWNLOAD_BYTES_PER_SECOND
  const keep = tree.cacheBytes / RESTORE_BYTES_PER_SECOND
  return {
    ...tree,
    jobColdSeconds: setup + tree.coldSeconds + keep,
    jobWarmSeconds: setup + tree.warmSeconds + keep,
  }
}
