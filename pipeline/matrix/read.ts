/**
 * Matrix files: whatever `--report json=` and `--report compact=` wrote, gzipped or not, checked before it is believed.
 *
 * A file is refused with what was found where. Fields and reasons of a newer drvport are kept as they are.
 */

import * as fs from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { asInfrastructure, DrvportError, UsageError } from '../errors.ts'
import { COMPACT_SCHEMA, expand } from './expand.ts'
import { byPath, digestOf } from './summary.ts'
import { RUNGS } from '../ladder.ts'
import type { MatrixDocument, MatrixRow } from './types.ts'

const MAKE_ONE = 'make one with `drvport matrix SELECTOR... --report json=FILE`'

function refuse(where: string, expected: string, found: string, cause?: unknown): UsageError {
  return new UsageError('cannot use the matrix file', { where, expected, found, todo: MAKE_ONE, cause })
}

const CLIP = 60
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > CLIP ? `${text.slice(0, CLIP)}...` : text
}

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, readonly [expected: string, check: Check]>>

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isString: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const isNames: Check = (value) => Array.isArray(value) && value.every(isString)
const isRung: Check = (value) => (RUNGS as readonly unknown[]).includes(value)
const isCount: Check = (value) => Number.isInteger(value) && (value as number) > 0
const isNamed: Check = (value) => isObject(value) && isString(value['name']) && isString(value['version'])
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

const NAMES = ['a list of names', isNames] as const
const NAMED = ['{"name": ..., "version": ...}', isNamed] as const
const RUNG = [`one of ${RUNGS.join(', ')}`, isRung] as const
const NUMBER = ['a number', isNumber] as const
const TEXT = ['text', isString] as const

const HEAD: Fields = {
  tree: NAMED,
  toolchain: NAMED,
  drvport: TEXT,
  selectors: NAMES,
  until: RUNG,
  seed: NUMBER,
  shard: [
    '{"index": I, "of": N} with 1 <= I <= N',
    optional((v) => isObject(v) && isCount(v['index']) && isCount(v['of']) && Number(v['index']) <= Number(v['of'])),
  ],
  sample: [
    '{"size": N, "of": M} with N <= M',
    optional((v) => isObject(v) && isCount(v['size']) && isCount(v['of']) && Number(v['size']) <= Number(v['of'])),
  ],
  interrupted: ['true or false', (value) => typeof value === 'boolean'],
  summary: ['{"modules": ..., "digest": ...}', (value) => isObject(value) && isString(value['digest'])],
  rows: ['a list of rows', Array.isArray],
  ms: NUMBER,
}

const isDiagnostic: Check = (value) =>
  isObject(value) && isString(value['file']) && isNumber(value['line']) && isString(value['message'])
const isCase: Check = (value) =>
  isObject(value) && ['suite', 'name', 'outcome', 'detail'].every((key) => isString(value[key]))
const isTally: Check = (value) =>
  isObject(value) &&
  ['passed', 'failed', 'skipped'].every((key) => isNumber(value[key])) &&
  Array.isArray(value['cases']) &&
  value['cases'].every(isCase)
const isWasm: Check = (value) => isObject(value) && isString(value['sha256']) && isNumber(value['bytes'])

const ROW: Fields = {
  module: TEXT,
  path: TEXT,
  rung: RUNG,
  reason: TEXT,
  detail: TEXT,
  ms: ['numbers by step', (value) => isObject(value) && Object.values(value).every(isNumber)],
  buses: NAMES,
  classes: NAMES,
  licenses: NAMES,
  spdx: NAMES,
  gplOnly: NAMES,
  missing: NAMES,
  stubs: NAMES,
  traps: NAMES,
  imports: NAMES,
  capabilities: NAMES,
  diagnostics: ['a list of diagnostics', (value) => Array.isArray(value) && value.every(isDiagnostic)],
  sources: NUMBER,
  changedBytes: NUMBER,
  wasm: ['{"sha256": ..., "bytes": ...}', optional(isWasm)],
  parameters: ['a list of parameters', optional(isNames)],
  tests: ['{"passed": ..., "failed": ..., "skipped": ..., "cases": [...]}', optional(isTally)],
}

function checkFields(value: unknown, fields: Fields, where: string): void {
  if (!isObject(value)) throw refuse(where, 'an object', show(value))
  for (const [name, [expected, check]] of Object.entries(fields))
    if (!check(value[name])) throw refuse(`${where}: ${name}`, expected, show(value[name]))
}

/** A matrix from what a file holds. `where` names the file in errors. Throws UsageError. */
export function checkMatrix(value: unknown, where: string): MatrixDocument {
  if (!isObject(value)) throw refuse(where, 'a matrix document', show(value))
  const plain = value['schema'] === COMPACT_SCHEMA ? expand(value) : value
  if (!isObject(plain) || plain['schema'] !== 'drvport.matrix/1')
    throw refuse(where, `a document of schema drvport.matrix/1 or ${COMPACT_SCHEMA}`, `schema ${show(value['schema'])}`)
  checkFields(plain, HEAD, where)
  const document = plain as unknown as MatrixDocument
  const seen = new Set<string>()
  for (const [i, row] of document.rows.entries()) {
    checkFields(row, ROW, `${where}: rows[${i}]`)
    if (seen.has(row.path)) throw refuse(`${where}: rows[${i}]`, 'one row for a path', `${row.path} a second time`)
    seen.add(row.path)
  }
  const digest = digestOf(document.rows)
  if (digest !== document.summary.digest)
    throw refuse(
      `${where}: summary.digest`,
      `${digest}, which is what the rows give`,
      `${show(document.summary.digest)}: the file was changed after it was written`,
    )
  return { ...document, rows: sorted(document.rows) }
}

const sorted = (rows: readonly MatrixRow[]): readonly MatrixRow[] =>
  rows.every((row, i) => i === 0 || byPath(rows[i - 1] as MatrixRow, row) < 0) ? rows : rows.toSorted(byPath)

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await fs.readFile(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw refuse(file, 'a matrix file', 'no such file', error)
    if (code === 'EISDIR') throw refuse(file, 'a matrix file', 'a directory', error)
    throw asInfrastructure(error, file)
  }
}

async function readText(file: string): Promise<string> {
  const bytes = await readBytes(file)
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8')
  try {
    return (await promisify(gunzip)(bytes)).toString('utf8')
  } catch (cause) {
    throw refuse(file, 'a whole gzip file', 'a damaged one', cause)
  }
}

/** Read a matrix of one tree: json or compact, gzipped or not. Throws UsageError when it is none. */
export async function readMatrix(file: string): Promise<MatrixDocument> {
  return checkMatrix(await readJson(file), file)
}

/** Read a matrix of one tree or of several, as columns. Throws UsageError. */
export async function readColumns(file: string): Promise<readonly MatrixDocument[]> {
  const value = await readJson(file)
  if (!isObject(value) || value['schema'] !== 'drvport.matrix/2') return [checkMatrix(value, file)]
  const columns = value['columns']
  if (!Array.isArray(columns) || columns.length === 0)
    throw refuse(`${file}: columns`, 'a list of matrices', show(columns))
  return columns.map((column, i) => checkMatrix(column, `${file}: columns[${i}]`))
}

async function readJson(file: string): Promise<unknown> {
  const text = await readText(file)
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof DrvportError) throw cause
    throw refuse(file, 'a JSON document', text.trim() === '' ? 'an empty file' : `${show(text.slice(0, CLIP))}`, cause)
  }
}
