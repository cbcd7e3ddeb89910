/**
 * Reports of a matrix: `--report KIND=FILE`.
 *
 * What is asked for is checked before the long work begins; afterwards every report is written, whole or not at all, even
 * if another cannot be. Knows no command.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { writeAtomic } from '../cache.ts'
import { asInfrastructure, InfrastructureError, UsageError } from '../errors.ts'
import { compact } from '../matrix/compact.ts'
import { diffMatrices, type MatrixDiff } from '../matrix/diff.ts'
import type { MatricesDocument } from '../matrix/many.ts'
import type { MatrixDocument } from '../matrix/types.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { kcidbText } from './kcidb.ts'
import { ktap } from './ktap.ts'
import { badge } from './badge.ts'
import { manyPage } from './many-page.ts'
import { manyComment, manyJson, manyJunit, manyKcidb, manyKtap, manyMarkdown } from './many.ts'
import { markdown, markdownDiff, markdownMissing } from './markdown.ts'
import { packageRoot } from '../root.ts'
import { parseCauses, testsPage } from './tests.ts'
import { missingJson, missingTsv, rankMissing } from './missing.ts'

export interface ReportOptions {
  /** An earlier matrix: markdown and html say what was lost and gained against it. */
  readonly baseline?: MatrixDocument
  /** File of the tree that exports a symbol, for `missing`. */
  readonly exportedIn?: (symbol: string) => string | undefined
  /** ISO 8601 with a zone, for `kcidb`; no report tells a time on its own. */
  readonly startTime?: string
}

/** The page brings a parser and a bundle with it: loaded only when somebody wants one. */
async function page(document: MatrixDocument, other: MatrixDocument | undefined): Promise<string> {
  const { renderPage } = await import('./page/index.ts')
  return renderPage(document, other === undefined ? {} : { other })
}

/** What a report says, as text. `extension` is the file's, without `.gz`. */
type Writer = (document: MatrixDocument, options: ReportOptions, extension: string) => string | Promise<string>

async function missing(document: MatrixDocument, { exportedIn }: ReportOptions, extension: string): Promise<string> {
  const ranking = rankMissing(document, exportedIn === undefined ? {} : { exportedIn })
  if (extension === '.json') return missingJson(ranking)
  return extension === '.md' ? markdownMissing(ranking) : missingTsv(ranking)
}

const WRITERS = {
  html: (document, { baseline }) => page(document, baseline),
  json,
  compact,
  junit,
  ktap,
  markdown: (document, { baseline }) => markdown(document, baseline && diffMatrices(baseline, document)),
  kcidb: (document, { startTime }) => kcidbText(document, startTime === undefined ? {} : { startTime }),
  missing,
  comment: (document) => manyComment({ schema: 'drvport.matrix/2', columns: [document] }),
  badge: (document) => badge([document]),
  tests: async (document) => testsPage([document], await causes()),
} satisfies Record<string, Writer>

export type ReportKind = keyof typeof WRITERS
export const REPORT_KINDS = Object.keys(WRITERS) as readonly ReportKind[]

type ManyWriter = (document: MatricesDocument, options: ReportOptions) => string | Promise<string>

const causes = async () =>
  parseCauses(await fs.readFile(path.join(packageRoot, 'drivers-src', 'test-causes.tsv'), 'utf8'))

/** The same kinds for several trees; those that say nothing of several are left out. */
const MANY_WRITERS: Readonly<Partial<Record<ReportKind, ManyWriter>>> = {
  html: manyPage,
  json: manyJson,
  junit: manyJunit,
  ktap: manyKtap,
  markdown: manyMarkdown,
  kcidb: (document, { startTime }) => manyKcidb(document, startTime === undefined ? {} : { startTime }),
  comment: manyComment,
  badge: ({ columns }) => badge(columns),
  tests: async ({ columns }) => testsPage(columns, await causes()),
}

/** Refuse reports that there are of one tree only. Throws UsageError: call it before the work begins. */
export function checkManyReports(specs: readonly ReportSpec[]): void {
  const unable = specs.find(({ kind }) => MANY_WRITERS[kind] === undefined)
  if (unable !== undefined)
    throw new UsageError(`--report ${unable.kind} is a report of one tree`, {
      expected: `one of ${Object.keys(MANY_WRITERS).join(', ')}`,
      found: 'several trees',
      todo: 'leave it out, or name one tree',
    })
}

/** Write all reports of a matrix over several trees. Throws as writeReports. */
export function writeManyReports(
  specs: readonly ReportSpec[],
  document: MatricesDocument,
  options: ReportOptions = {},
): Promise<void> {
  return writeAll(specs, async ({ kind, file }) =>
    writeOut(file, (await MANY_WRITERS[kind]?.(document, options)) ?? ''),
  )
}

/** A comparison, and what was compared. */
export interface Compared {
  readonly before: MatrixDocument
  readonly after: MatrixDocument
  readonly diff: MatrixDiff
}

const DIFF_WRITERS = {
  html: ({ before, after }) => page(after, before),
  json: ({ diff }) => `${JSON.stringify(diff, null, 1)}\n`,
  markdown: ({ diff }) => markdownDiff(diff),
} satisfies Record<string, (compared: Compared) => string | Promise<string>>

export type DiffReportKind = keyof typeof DIFF_WRITERS
export const DIFF_REPORT_KINDS = Object.keys(DIFF_WRITERS) as readonly DiffReportKind[]

export interface ReportSpec<K extends string = ReportKind> {
  readonly kind: K
  readonly file: string
}

function parse<K extends string>(texts: readonly string[], kinds: readonly K[]): ReportSpec<K>[] {
  const specs = texts.map((text): ReportSpec<K> => {
    const [, kind, file] = /^([^=]*)=(.+)$/s.exec(text) ?? []
    const known = kinds.find((candidate) => candidate === kind)
    if (known === undefined || file === undefined)
      throw new UsageError('--report takes KIND=FILE', {
        expected: `a KIND of ${kinds.join(', ')}`,
        found: text,
        todo: `give one, as in --report ${kinds[0]}=matrix.${kinds[0]}`,
      })
    return { kind: known, file }
  })
  const files = specs.map(({ file }) => path.resolve(file))
  const twice = specs.find((_, i) => files.indexOf(files[i] as string) !== i)
  if (twice !== undefined)
    throw new UsageError('two reports cannot go into one file', {
      found: twice.file,
      todo: 'give each --report its own file',
    })
  return specs
}

async function checkPlaces(specs: readonly ReportSpec<string>[]): Promise<void> {
  for (const { kind, file } of specs) {
    const stat = await fs.stat(file).catch(() => undefined)
    if (stat?.isDirectory() === true)
      throw new UsageError('a report needs a file to go into', {
        where: `--report ${kind}=${file}`,
        found: 'a directory',
        todo: 'name a file',
      })
  }
}

/** The reports that `--report KIND=FILE` asks for. Throws UsageError: call it before the work begins. */
export async function parseReports(texts: readonly string[] = []): Promise<ReportSpec[]> {
  const specs = parse(texts, REPORT_KINDS)
  await checkPlaces(specs)
  return specs
}

/** The same for a comparison. */
export async function parseDiffReports(texts: readonly string[] = []): Promise<ReportSpec<DiffReportKind>[]> {
  const specs = parse(texts, DIFF_REPORT_KINDS)
  await checkPlaces(specs)
  return specs
}

/**
 * Whole or not at all; through a link to what it names. What is no plain file (a pipe, /dev/stdout) is written into: a
 * rename would put a file in its place.
 */
export async function writeOut(file: string, text: string): Promise<void> {
  try {
    const data = file.endsWith('.gz') ? await promisify(gzip)(text) : text
    const stat = await fs.stat(file).catch(() => undefined)
    if (stat !== undefined && !stat.isFile()) await fs.writeFile(file, data)
    else await writeAtomic(stat === undefined ? file : await fs.realpath(file), data)
  } catch (error) {
    throw asInfrastructure(error, file)
  }
}

const extensionOf = (file: string): string => path.extname(file.replace(/\.gz$/, '')).toLowerCase()

/** Write one report. Throws UsageError for an unknown kind, InfrastructureError when it cannot be written. */
export async function writeReport(
  kind: string,
  document: MatrixDocument,
  file: string,
  options: ReportOptions = {},
): Promise<void> {
  const [spec] = parse([`${kind}=${file}`], REPORT_KINDS)
  const write: Writer = WRITERS[(spec as ReportSpec).kind]
  await writeOut(file, await write(document, options, extensionOf(file)))
}

/** Each in turn, whatever becomes of the others; one error for those that failed. */
async function writeAll<K extends string>(
  specs: readonly ReportSpec<K>[],
  write: (spec: ReportSpec<K>) => Promise<void>,
): Promise<void> {
  const failed: { spec: ReportSpec<K>; error: unknown }[] = []
  for (const spec of specs) await write(spec).catch((error: unknown) => failed.push({ spec, error }))
  const [first] = failed
  if (first === undefined) return
  throw new InfrastructureError(`${failed.length} of ${specs.length} reports could not be written`, {
    where: failed.map(({ spec }) => `${spec.kind}=${spec.file}`).join(', '),
    found: first.error instanceof Error ? first.error.message : String(first.error),
    todo: 'see that the folder can be written and has room; the same command makes the report again, and compiles nothing twice',
    cause: first.error,
  })
}

/** Write all reports of a matrix. Throws one InfrastructureError that names those that could not be written. */
export function writeReports(
  specs: readonly ReportSpec[],
  document: MatrixDocument,
  options: ReportOptions = {},
): Promise<void> {
  return writeAll(specs, ({ kind, file }) => writeReport(kind, document, file, options))
}

/** Write all reports of a comparison. */
export function writeDiffReports(specs: readonly ReportSpec<DiffReportKind>[], compared: Compared): Promise<void> {
  return writeAll(specs, async ({ kind, file }) => writeOut(file, await DIFF_WRITERS[kind](compared)))
}
