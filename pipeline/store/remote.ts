/**
 * The shared store: what several computers know together, behind each one's own cache.
 *
 * Two kinds of thing are kept in a *bucket* (a directory or an S3 service, which know nothing of this): **blobs**, named by
 * the SHA-256 of their content, and **records**, small sealed documents under a key, which name blobs. A record appears
 * after the blobs it names, so whoever can read it can read them. Everything read is held against its hash; what is
 * damaged is told, counts as absent, and is written again by the next who has it.
 *
 * Reading is done when asked for (read-through); writing goes on behind, a bounded number at a time, until `settled`.
 * Knows nothing of objects, packages or rows.
 */

import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { sha256 } from '../cache.ts'
import { DrvportError, InfrastructureError } from '../errors.ts'

/** Named bytes somewhere else. Names are relative paths; a put appears whole or not at all. Throws InfrastructureError. */
export interface Bucket {
  /** Its address: an absolute directory, or s3://bucket/prefix. */
  readonly where: string
  get(name: string): Promise<Uint8Array | undefined>
  has(name: string): Promise<boolean>
  put(name: string, bytes: Uint8Array): Promise<void>
}

export interface Blob {
  readonly sha256: string
  read(): Promise<Uint8Array>
}

export interface PublishRequest {
  readonly kind: string
  readonly key: string
  /** JSON. */
  readonly value: unknown
  /** What the value names; written first. */
  readonly blobs?: readonly Blob[]
  /** Write over a record that is there: it may say more than before. */
  readonly replace?: boolean
}

export interface SharedStore {
  readonly where: string
  /** Checked content of a hash; undefined when it is not there, is damaged, or cannot be reached. */
  blob(sha256: string): Promise<Uint8Array | undefined>
  /** Checked value of a record; undefined as for blobs. */
  record(kind: string, key: string): Promise<unknown>
  /** Write behind. Resolves when there is room for more; failures come out of `settled`. */
  publish(request: PublishRequest): Promise<void>
  /** All that was published so far is there. Throws InfrastructureError when some of it could not be written. */
  settled(): Promise<void>
}

export interface SharedStoreOptions {
  /** Told what is damaged or cannot be reached, once each. */
  readonly onNote?: (text: string) => void
}

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Objects shrink to a third at the lowest level, faster than any network takes them. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Writes under way at once, and how many may wait before `publish` makes its caller wait. */
const WRITES_AT_ONCE = 8
const WRITES_WAITING = 256

const MARKER = 'drvport-store.json'
const SCHEMA = 'drvport.store/1'

const blobName = (sha: string) => `blobs/${sha.slice(0, 2)}/${sha}.zst`
const recordName = (kind: string, key: string) => `records/${kind}/${key.slice(0, 2)}/${key}.json`

/** A document that can tell whether it is whole. */
export function seal(body: unknown): Uint8Array {
  const text = JSON.stringify(body)
  return Buffer.from(`${sha256(text)}\n${text}\n`)
}

/** What was sealed, or undefined when it is damaged. */
export function unseal(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('utf8')
  const body = text.slice(65, -1)
  return text.at(-1) === '\n' && text.slice(0, 64) === sha256(body) ? JSON.parse(body) : undefined
}

/** Open a bucket as a shared store, making it one when it is empty. Throws InfrastructureError, UsageError. */
export async function openSharedStore(bucket: Bucket, options: SharedStoreOptions = {}): Promise<SharedStore> {
  const marker = await bucket.get(MARKER)
  if (marker === undefined) await bucket.put(MARKER, Buffer.from(`${JSON.stringify({ schema: SCHEMA })}\n`))
  else if (!Buffer.from(marker).toString('utf8').includes(SCHEMA))
    throw new InfrastructureError('not a store that this drvport can use', {
      where: `${MARKER} in ${bucket.where}`,
      expected: SCHEMA,
      found: Buffer.from(marker).toString('utf8').trim().slice(0, 80),
      todo: 'give another --store, or use the same version of drvport everywhere',
    })
  return new Store(bucket, options.onNote ?? (() => undefined))
}

class Store implements SharedStore {
  readonly where: string
  private readonly bucket: Bucket
  private readonly note: (text: string) => void
  /** Names known to be there and whole, as far as this process wrote or read them. */
  private readonly known = new Set<string>()
  /** Names that are there and no good: to be written over. */
  private readonly damaged = new Set<string>()
  private readonly running = new Set<Promise<void>>()
  private readonly waiting: (() => void)[] = []
  private failure: unknown
  private toldUnreachable = false

  constructor(bucket: Bucket, note: (text: string) => void) {
    this.where = bucket.where
    this.bucket = bucket
    this.note = note
  }

  async blob(sha: string): Promise<Uint8Array | undefined> {
    return this.read(blobName(sha), async (bytes) => {
      const content = await decompress(bytes).catch(() => undefined)
      return content !== undefined && sha256(content) === sha ? content : undefined
    })
  }

  async record(kind: string, key: string): Promise<unknown> {
    return this.read(recordName(kind, key), (bytes) => unseal(bytes))
  }

  private async read<T>(name: string, check: (bytes: Uint8Array) => T | Promise<T>): Promise<T | undefined> {
    const bytes = await this.bucket.get(name).catch((error: unknown) => this.unreachable(error))
    if (bytes === undefined) return undefined
    const content = await check(bytes)
    if (content === undefined) {
      this.note(`damaged in the shared store, made again: ${name} in ${this.where}`)
      this.damaged.add(name)
    }
    return content
  }

  /** Not being able to read costs time, never a result: it is made here instead. */
  private unreachable(error: unknown): undefined {
    if (!this.toldUnreachable) this.note(`the shared store cannot be read: ${describe(error)}`)
    this.toldUnreachable = true
    return undefined
  }

  async publish(request: PublishRequest): Promise<void> {
    while (this.running.size >= WRITES_WAITING) await Promise.race(this.running)
    const task = this.limited(() => this.write(request)).catch((error: unknown) => {
      this.failure ??= error
    })
    this.running.add(task)
    void task.finally(() => this.running.delete(task))
  }

  async settled(): Promise<void> {
    await Promise.all(this.running)
    // For good: whoever relies on what was published here cannot know which part of it is missing.
    if (this.failure !== undefined) throw this.failure
  }

  private active = 0

  private async limited(work: () => Promise<void>): Promise<void> {
    if (this.active >= WRITES_AT_ONCE) await new Promise<void>((go) => this.waiting.push(go))
    else this.active++
    try {
      await work()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.active--
      else next()
    }
  }

  private async write({ kind, key, value, blobs = [], replace = false }: PublishRequest): Promise<void> {
    const name = recordName(kind, key)
    if (!replace && (await this.isThere(name))) return
    for (const { sha256: sha, read } of blobs)
      await this.put(blobName(sha), async () => {
        const content = await read()
        if (sha256(content) !== sha)
          throw new InfrastructureError('a file of the cache is not what its name says', {
            expected: `SHA-256 ${sha}`,
            found: `SHA-256 ${sha256(content)}`,
            todo: 'remove it from the cache and run this again',
          })
        return compress(content, ZSTD)
      })
    await this.put(name, async () => seal(value), replace)
  }

  private async isThere(name: string): Promise<boolean> {
    if (this.damaged.has(name)) return false
    if (!this.known.has(name) && (await this.bucket.has(name))) this.known.add(name)
    return this.known.has(name)
  }

  private async put(name: string, content: () => Promise<Uint8Array>, replace = false): Promise<void> {
    if (!replace && (await this.isThere(name))) return
    await this.bucket.put(name, await content())
    this.damaged.delete(name)
    this.known.add(name)
  }
}

const describe = (error: unknown): string =>
  error instanceof DrvportError
    ? [error.message, error.where, error.found].filter((part) => part !== undefined).join(', ')
    : String(error)
