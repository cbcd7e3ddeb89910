/**
 * The command line: errors and signals turned into exit statuses.
 *
 * Knows no command's work. Exit status: 0 as expected, 1 a driver failed, 2 usage, 3 infrastructure, 130 interrupted.
 */
import { DrvportError, Interrupted } from '../pipeline/errors.ts'
import { commandsFor } from './commands/index.ts'
import { makeContext } from './context.ts'
import { asked, type Asked } from './options.ts'
import { knowOwnKeys, type OwnKeys } from './own-keys.ts'
import { plainWords } from './plain-words.ts'

/**
 * Signals nearer than this are one request to stop, ms: `timeout`, service managers and terminals signal the process and
 * its group, which is the same process twice.
 */
const SAME_REQUEST_MS = 1000

/** Second Ctrl-C ends at once: everything written so far was written atomically. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController()
  let asked = 0
  const stop = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - asked > SAME_REQUEST_MS) process.exit(130)
      return
    }
    asked = performance.now()
    process.stderr.write('\ninterrupted: keeping what is finished (press Ctrl-C again to stop at once)\n')
    controller.abort(new Interrupted())
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}

/** What whoever has read this code knows of it. */
export interface Origin {
  /** A stack, with places in the files that people know. */
  readonly shown: (stack: string) => string
  readonly keys?: OwnKeys
}

/** One report for every failure: text on stderr, and with --json one document on stdout. */
function report(error: unknown, json: boolean, { shown }: Origin): number {
  if (error instanceof DrvportError) {
    process.stderr.write(`drvport: ${error.describe()}\n`)
    if (json) process.stdout.write(`${JSON.stringify(errorDocument(error), null, 2)}\n`)
    return error.status
  }
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`drvport: internal error, please report it\n${shown(bug)}\n`)
  if (json)
    process.stdout.write(`${JSON.stringify({ schema: 'drvport.error/1', status: 3, message: String(error) })}\n`)
  return 3
}

const errorDocument = ({ status, message, where, expected, found, cause, todo }: DrvportError): object => ({
  schema: 'drvport.error/1',
  status,
  message,
  where,
  expected,
  found,
  because: cause instanceof Error ? cause.message : undefined,
  todo,
})

/** Readers of our output may leave early (`drvport list | head -1`): not an error, and nobody is there to hear of it. */
function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return
      process.exitCode = 3
      if (stream === process.stdout) process.stderr.write(`drvport: cannot write the result: ${error.message}\n`)
    })
  }
}

/** What the words ask for. Throws UsageError. */
async function read(words: readonly string[]): Promise<Asked | undefined> {
  const commands = await commandsFor(words)
  const [only] = commands
  const argv = commands.length === 1 ? plainWords(only!, words) : undefined
  if (argv !== undefined) return asked(only!, argv)
  const { configProblem, parse } = await import('./parser.ts')
  return parse(commands, words).catch((error: unknown) => {
    throw configProblem() ?? error
  })
}

const AS_WRITTEN: Origin = { shown: (stack) => stack }

/** Does what the words ask for; the process's exit status is set. */
export async function main(words: readonly string[], origin: Origin = AS_WRITTEN): Promise<void> {
  tolerateClosedPipes()
  if (origin.keys !== undefined) knowOwnKeys(origin.keys)
  try {
    const signal = abortOnSignal()
    const wanted = await read(words)
    if (wanted === undefined) return
    process.exitCode = await wanted.command.run(makeContext(wanted.common, signal), wanted.argv)
  } catch (error) {
    process.exitCode = report(error, words.includes('--json'), origin)
  }
}
