/**
 * What a toolchain is: the bytes of the programs that decide what it makes, and of the libraries of LLVM's that do their work. A
 * version text says less: a distribution's patches and a build of one's own have the same.
 *
 * Hashing all that takes a good part of a second, so what was found is kept for as long as a file stays what it is. Where files lie is no
 * part of it: the same package is the same toolchain on every computer. Knows nothing of what the programs do.
 */

import { readFileSync, realpathSync, statSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, contentKey, readText, sha256File, writeAtomic } from '../cache.ts'
import { isNative, runTool } from './process.ts'

/** Long enough that two toolchains never have the same, short enough to read. */
const DIGITS = 16

/** What a version says and what the files are, as one text. */
export async function identityOf(named: string, programs: readonly string[]): Promise<string> {
  const files = (await Promise.all(programs.map(filesOf))).flat()
  return `${named} ${contentKey(await Promise.all(files.map(hashOf))).slice(0, DIGITS)}`
}

/** What is found out about a file, once as long as its path, inode, size and time of change stay the same. */
async function kept(what: string, file: string, find: () => Promise<string>): Promise<string> {
  const { size, mtimeMs, ino } = statSync(file)
  const place = cachePath('flags', `${contentKey([what, file, size, mtimeMs, ino])}.identity`)
  const known = readText(place)
  if (known !== undefined) return known
  const found = await find()
  // It works all the same where nothing can be kept.
  await writeAtomic(place, found).catch(() => undefined)
  return found
}

const hashOf = (file: string): Promise<string> => kept('hash', file, () => sha256File(file))

interface Program {
  readonly file: string
  /** Where its libraries are looked for first, as LD_LIBRARY_PATH has it. */
  readonly libraries: string
}

/** The program that is run in the end: what was unpacked starts through a script that names it (host-packages.ts). */
function programOf(file: string): Program {
  const real = realpathSync(file)
  const plain = { file: real, libraries: '' }
  // A program is no text that is worth reading whole.
  if (statSync(real).size > 1 << 16) return plain
  const text = readFileSync(real, 'utf8')
  const started = text.startsWith('#!') ? /\bexec '([^']+)'/.exec(text)?.[1] : undefined
  if (started === undefined) return plain
  return { file: realpathSync(started), libraries: /\bLD_LIBRARY_PATH='([^']*)'/.exec(text)?.[1] ?? '' }
}

/** Libraries that compile and link, and not those of the system. */
const OWN = /^\s*lib(?:LLVM|clang|lld)\S* => (\/\S+)/gm

/** A program, and what it is linked to; a library that is replaced has another hash, whoever names it. */
async function filesOf(program: string): Promise<string[]> {
  const { file, libraries } = programOf(program)
  const text = await kept(`linked, from ${libraries}`, file, async () => (await linkedTo(file, libraries)).join('\n'))
  return [file, ...text.split('\n').filter((library) => library !== '')]
}

async function linkedTo(file: string, libraries: string): Promise<string[]> {
  if (!(await isNative(file))) return []
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', ...(libraries !== '' && { LD_LIBRARY_PATH: libraries }) }
  // Where nothing can tell, and for what is linked into one piece, the program is all there is.
  const told = await runTool('ldd', [file], { env }).catch(() => undefined)
  const found = [...(told?.stdout ?? '').matchAll(OWN)].map(([, library]) => library!)
  const real = await Promise.all(found.map((library) => fs.realpath(path.normalize(library))))
  return real.toSorted((a, b) => (path.basename(a) < path.basename(b) ? -1 : 1))
}
