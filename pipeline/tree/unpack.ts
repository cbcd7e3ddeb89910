/**
 * Unpacking a tarball, whatever it is compressed with, into a directory; and sealing what was unpacked.
 *
 * The compression is told by the first bytes, not by the name. gzip and zstd are Node's; xz and bzip2 are programs of tar's.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, createReadStream, fchmodSync, fstatSync, openSync, readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import * as zlib from 'node:zlib'
import { sha256 } from '../cache.ts'
import { asInfrastructure, checkInterrupted, InfrastructureError, Interrupted } from '../errors.ts'
import { ensureHostTools } from '../toolchain/host-packages.ts'

export type Compression = 'none' | 'gzip' | 'xz' | 'zstd' | 'bzip2'

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
]

/** How a file is compressed, by its first bytes. */
export function compressionOf(head: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0] ?? 'none'
}

async function headOf(file: string): Promise<Uint8Array> {
  const handle = await fs.open(file)
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(16), 0, 16, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

interface Stage {
  readonly child: ChildProcess
  readonly done: Promise<void>
}

/** Start a program in a pipe. `done` rejects when it fails. */
function stage(file: string, args: readonly string[], env: NodeJS.ProcessEnv, signal?: AbortSignal): Stage {
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'], ...(signal && { signal }) })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const done = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) => reject(signal?.aborted === true ? new Interrupted() : cause))
    child.on('close', (status) => {
      if (status === 0) resolve()
      else if (signal?.aborted === true) reject(new Interrupted())
      else
        reject(new InfrastructureError(`${path.basename(file)} failed`, { found: said.trim() || `status ${status}` }))
    })
  })
  // A later stage may fail first; this one's failure is then looked at, or not at all.
  done.catch(() => undefined)
  return { child, done }
}

/**
 * Wait for a pipe into a program. Node destroys a program's input when it exits, sometimes before it says that the
 * input was written: that is no error, the program's exit status tells.
 */
async function fed(pipe: Promise<void>): Promise<void> {
  await pipe.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  })
}

function counter(onBytes: (bytes: number) => void): Transform {
  let total = 0
  return new Transform({
    transform(chunk: Uint8Array, _encoding, next) {
      total += chunk.length
      onBytes(total)
      next(null, chunk)
    },
  })
}

export interface UnpackOptions {
  readonly onBytes: (bytes: number) => void
  readonly signal?: AbortSignal
}

/** Unpack a tarball into `dir`. `onBytes` tells how much of the file was read. */
export async function unpackTarball(file: string, dir: string, options: UnpackOptions): Promise<void> {
  await unpackStream(createReadStream(file), compressionOf(await headOf(file)), dir, options)
}

/** What tar has unpacked by a program that it starts itself, so that no byte of a tree goes through this process. */
const BY_PROGRAM: Partial<Record<Compression, string>> = { xz: '--xz', bzip2: '--bzip2' }

async function unpackStream(input: Readable, kind: Compression, dir: string, options: UnpackOptions): Promise<void> {
  const { env } = await ensureHostTools(kind === 'xz' ? ['xz'] : [], options.signal ? { signal: options.signal } : {})
  const program = BY_PROGRAM[kind]
  const how = program === undefined ? [] : [program]
  const tar = stage('tar', ['-x', ...how, '-f', '-', '--no-same-owner', '-C', dir], env, options.signal)
  const sink = tar.child.stdin
  if (sink === null) throw new Error('tar without standard input')
  const count = counter(options.onBytes)
  const move = async () => {
    if (kind === 'gzip') return pipeline(input, count, zlib.createGunzip(), sink)
    if (kind === 'zstd') return pipeline(input, count, zlib.createZstdDecompress(), sink)
    return pipeline(input, count, sink)
  }
  // tar's own words say more than the broken pipe its end causes.
  const results = await Promise.allSettled([tar.done, fed(move())])
  const failed = results.filter((result) => result.status === 'rejected').map((result) => result.reason as Error)
  const first = failed.find((error) => error instanceof Interrupted) ?? failed[0]
  if (first !== undefined) throw explain(first, dir)
}

function explain(error: Error, dir: string): Error {
  if (error instanceof Interrupted) return error
  const found = error instanceof InfrastructureError ? (error.found ?? '') : error.message
  return new InfrastructureError('cannot unpack the tree', {
    where: dir,
    found,
    todo: /No space left|quota/i.test(found)
      ? 'free about 2 GB or set DRVPORT_CACHE to a directory with room'
      : 'the archive may be damaged: get it again',
    cause: error,
  })
}

/** Run a command whose output is a tarball, and unpack that: `dpkg-deb --fsys-tarfile`, say. */
export async function extractFile(
  command: readonly [string, ...string[]],
  member: string,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const [file, ...args] = command
  const source = stage(file, args, process.env, signal)
  const tar = stage('tar', ['-x', '-O', '-f', '-', '--wildcards', member], process.env, signal)
  const handle = await fs.open(target, 'w')
  try {
    const { stdout: from } = source.child
    const { stdin: into, stdout: out } = tar.child
    if (from === null || into === null || out === null) throw new Error('a pipe without ends')
    source.child.stdin?.end()
    await Promise.all([fed(pipeline(from, into)), pipeline(out, handle.createWriteStream()), source.done, tar.done])
  } catch (error) {
    throw explain(error as Error, target)
  }
}

/** Files between two looks at anything else: a file takes so little that asking for each by itself would take longer. */
const FILES_AT_ONCE = 100

function sealFile(file: string): string {
  const opened = openSync(file, 'r')
  try {
    fchmodSync(opened, fstatSync(opened).mode & 0o555)
    return sha256(readFileSync(opened))
  } finally {
    closeSync(opened)
  }
}

/** Hash every file below `dir` and take away the right to write it. Paths relative to `dir`, sorted. */
export async function sealTree(
  dir: string,
  onFile: (count: number) => void,
  signal?: AbortSignal,
): Promise<(readonly [path: string, sha256: string])[]> {
  const entries = await fs.readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
    .toSorted()
  try {
    const sealed: (readonly [string, string])[] = []
    for (const [at, file] of files.entries()) {
      if (at % FILES_AT_ONCE === 0) {
        await turn()
        checkInterrupted(signal)
        onFile(at)
      }
      sealed.push([file, sealFile(path.join(dir, file))])
    }
    return sealed
  } catch (error) {
    throw asInfrastructure(error, dir)
  }
}
